"""A file that came up after it was looked for is not written over either."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.diagnostics import CodatSyncError
from reconciler.workflow.new_files import write_directory, write_new


def test_a_file_that_came_up_meanwhile_is_kept(tmp_path: Path) -> None:
    (tmp_path / "links.csv").write_text("mine")

    with pytest.raises(CodatSyncError):
        write_new(tmp_path / "links.csv", "ours")

    assert (tmp_path / "links.csv").read_text() == "mine"


def test_a_directory_that_was_filled_meanwhile_is_kept_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "mine.md").write_text("mine")

    with pytest.raises(CodatSyncError):
        write_directory(tmp_path / "pack", {"ours.md": "ours"})

    assert [path.name for path in tmp_path.rglob("*")] == ["pack", "mine.md"]
