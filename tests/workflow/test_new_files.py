"""A file that came up after it was looked for is not written over either."""

from __future__ import annotations

import errno
import os
from io import StringIO
from pathlib import Path

import pytest

from reconciler.diagnostics import CodatSyncError
from reconciler.workflow.new_files import write_directory, write_new, write_specs


def test_a_file_that_came_up_meanwhile_is_kept(tmp_path: Path) -> None:
    (tmp_path / "links.csv").write_text("mine")

    with pytest.raises(CodatSyncError):
        write_new(tmp_path / "links.csv", "ours")

    assert (tmp_path / "links.csv").read_text() == "mine"


def test_of_a_file_that_cannot_be_written_whole_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(StringIO):
        def write(self, _: str) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fdopen", lambda descriptor, *_, **__: os.close(descriptor) or Full())

    with pytest.raises(CodatSyncError, match="No space left"):
        write_new(tmp_path / "links.csv", "ours")

    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_was_filled_meanwhile_is_kept_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "mine.md").write_text("mine")

    with pytest.raises(CodatSyncError):
        write_directory(tmp_path / "pack", {"ours.md": "ours"})

    assert [path.name for path in tmp_path.rglob("*")] == ["pack", "mine.md"]


def test_a_file_is_for_its_owner_alone_unless_it_is_a_spec(tmp_path: Path) -> None:
    secret, spec = tmp_path / "links.csv", tmp_path / "specs" / "acme.yaml"
    before = os.umask(0o022)
    try:
        write_new(secret, "ours")
        write_specs({spec: "version: 1"})
    finally:
        os.umask(before)

    assert [path.stat().st_mode & 0o777 for path in (secret, spec)] == [0o600, 0o644]


def test_nothing_is_created_above_a_file_of_secrets(tmp_path: Path) -> None:
    with pytest.raises(CodatSyncError):
        write_new(tmp_path / "mistyped" / "links.csv", "ours")

    assert list(tmp_path.iterdir()) == []
