"""The first workspace: what init writes is valid as it stands, and nothing is written over."""

from __future__ import annotations

from pathlib import Path

import pytest
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


def test_a_workspace_can_be_started_where_specs_were_imported_before(tmp_path: Path) -> None:
    assert run("init", "--schemas", ".", cwd=tmp_path).returncode == 0
    done = run("init", ".", "--workspace", "prod", cwd=tmp_path)
    assert (done.returncode, done.stdout.count("schema.json")) == (0, 0), done.stderr


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


def test_the_schemas_are_refreshed_and_nothing_else_is_touched(tmp_path: Path) -> None:
    run("init", "--workspace", "prod", cwd=tmp_path)
    specs = tmp_path / "specs"
    (specs / "companies.yaml").write_text("# mine\n")
    old = specs / ".schemas" / "spec.schema.json"
    new = old.read_text()
    old.write_text("{}\n")

    done = run("init", "--schemas", cwd=tmp_path)

    assert (done.returncode, old.read_text()) == (0, new)
    assert done.stdout.splitlines() == [
        "Wrote specs/.schemas/spec.schema.json",
        "Up to date: specs/.schemas/workspace.schema.json",
        "Up to date: specs/.schemas/account.schema.json",
    ]
    assert (specs / "companies.yaml").read_text() == "# mine\n"


def test_schemas_are_put_beside_specs_that_have_none(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    assert run("init", "--schemas", cwd=tmp_path).returncode == 0
    assert [path.name for path in (tmp_path / "specs").iterdir()] == [".schemas"]


@pytest.mark.parametrize("link", [".schemas", ".schemas/spec.schema.json"])
def test_no_schema_is_written_through_a_link(link: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "spec.schema.json").write_text("mine\n")
    place = tmp_path / "work" / "specs" / link
    place.parent.mkdir(parents=True)
    place.symlink_to(outside if link == ".schemas" else outside / "spec.schema.json")
    done = run("init", "--schemas", cwd=tmp_path / "work")
    assert (done.returncode, "no link is followed" in done.stderr) == (1, True)
    assert (outside / "spec.schema.json").read_text() == "mine\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nowhere", "--schemas"), "there is no directory 'nowhere'"),
        (("--schemas", "--workspace", "x"), "leave --workspace out"),
    ],
)
def test_schemas_need_a_directory_and_no_name(arguments: tuple[str, ...], told: str, tmp_path: Path) -> None:
    done = run("init", *arguments, cwd=tmp_path)
    assert (done.returncode, told in done.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []
