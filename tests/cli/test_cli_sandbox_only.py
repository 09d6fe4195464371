"""Specs for a sandbox: refused against anything else before a file, a secret or a request is looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.cli import run

BROKEN = "version: 1\ncompanies: {acme: {nam: Acme, connections: {x: {platform: nope}}}}\n"
COMMANDS = ("plan", "apply", "verify", "status", "handoff", "retired")


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_else_is_looked_at_first(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CODAT_API_KEY", raising=False)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "workspace.yaml").write_text("version: 1\nworkspace: prod\nsandboxOnly: true\n")
    (tmp_path / "specs" / "broken.yaml").write_text(BROKEN)

    assert run([command, "specs"]) == 3

    assert "these specs are for a sandbox" in capsys.readouterr().err
