"""The first workspace: what init writes is valid as it stands, and nothing is written over."""

from __future__ import annotations

from pathlib import Path

from installed import run


def test_what_is_written_is_valid_and_plans_nothing(tmp_path: Path) -> None:
    done = run("init", "--workspace", "prod", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert run("validate", cwd=tmp_path).returncode == 0
    planned = run("plan", "--sandbox", "--detailed-exitcode", cwd=tmp_path)
    assert (planned.returncode, "Nothing to do" in planned.stdout) == (0, True)


def test_editors_find_the_schemas_that_the_modelines_name(tmp_path: Path) -> None:
    run("init", "--workspace", "prod", cwd=tmp_path)
    for file in (tmp_path / "specs").glob("*.yaml"):
        modeline = file.read_text().splitlines()[0]
        named = modeline.removeprefix("# yaml-language-server: $schema=")
        assert (file.parent / named).is_file()


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "workspace.yaml").write_text("# mine\n")
    done = run("init", "--workspace", "prod", cwd=tmp_path)
    assert done.returncode == 1
    assert (tmp_path / "specs" / "workspace.yaml").read_text() == "# mine\n"


def test_without_a_terminal_the_name_must_be_given(tmp_path: Path) -> None:
    done = run("init", cwd=tmp_path)
    assert (done.returncode, "--workspace NAME" in done.stderr) == (2, True)
    assert not (tmp_path / "specs").exists()
