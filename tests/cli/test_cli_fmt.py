"""fmt on a directory: what is written, what is not, and what it ends with."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from reconciler.cli import run

UNTIDY = "version: 1\ncompanies:\n    acme:   # ours\n        name:  Acme\n"
TIDY = "version: 1\ncompanies:\n  acme:     # ours\n    name: Acme\n"


@pytest.fixture
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    directory = tmp_path / "specs"
    directory.mkdir()
    (directory / "workspace.yaml").write_text("version:  1\nworkspace: prod\n")
    (directory / "acme.yaml").write_text(UNTIDY)
    return directory


def test_check_names_what_would_change_and_writes_nothing(
    specs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["fmt", "specs", "--check"]) == 1

    assert capsys.readouterr().out.splitlines() == [
        "specs/acme.yaml",
        "specs/workspace.yaml",
        "2 files would be formatted, 0 unchanged.",
    ]
    assert (specs / "acme.yaml").read_text() == UNTIDY


def test_it_formats_in_place_and_then_has_nothing_to_do(
    specs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (specs / "acme.yaml").chmod(0o640)

    assert run(["fmt", "specs"]) == 0
    assert run(["fmt", "specs", "--check"]) == 0

    assert (specs / "acme.yaml").read_text() == TIDY
    assert (specs / "workspace.yaml").read_text() == "version: 1\nworkspace: prod\n"
    assert stat.S_IMODE((specs / "acme.yaml").stat().st_mode) == 0o640
    assert capsys.readouterr().out.splitlines()[-1] == "0 files would be formatted, 2 unchanged."
    assert sorted(path.name for path in specs.iterdir()) == ["acme.yaml", "workspace.yaml"]


def test_nothing_is_written_where_a_file_is_not_yaml(specs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (specs / "broken.yaml").write_text("version: 1\ncompanies: {\n")

    assert run(["fmt", "specs"]) == 1

    assert "specs/broken.yaml:" in capsys.readouterr().err
    assert (specs / "acme.yaml").read_text() == UNTIDY


def test_one_file_is_formatted_alone(specs: Path) -> None:
    assert run(["fmt", "specs/acme.yaml"]) == 0

    assert (specs / "acme.yaml").read_text() == TIDY
    assert (specs / "workspace.yaml").read_text().startswith("version:  1")


def test_what_would_lose_a_comment_is_left_and_said(specs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "version:  1\n...\n# the end\n"
    (specs / "end.yaml").write_text(text)

    assert run(["fmt", "specs"]) == 0

    assert (specs / "end.yaml").read_text() == text
    assert "specs/end.yaml:1:1: is left as it is" in capsys.readouterr().err
