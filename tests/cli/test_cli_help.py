"""``--help`` says whole sentences, however narrow the terminal is."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from installed import run

from reconciler.cli import codat_sync


def groups() -> dict[str, click.Group]:
    """Every group of commands, by the words that lead to it."""
    found = {"": codat_sync}
    found |= {
        name: command for name, command in codat_sync.commands.items() if isinstance(command, click.Group)
    }
    return found


@pytest.mark.parametrize("columns", ["40", "80", "120"])
@pytest.mark.parametrize("group", groups())
def test_no_description_of_a_command_is_cut(group: str, columns: str, tmp_path: Path) -> None:
    done = run(*group.split(), "--help", cwd=tmp_path, env={"COLUMNS": columns})
    assert done.returncode == 0
    shown = " ".join(done.stdout.split())
    for name, command in groups()[group].commands.items():
        first = " ".join((command.help or "").split("\n\n")[0].split())
        sentence = first.split(". ")[0].rstrip(".").removesuffix(":")
        assert f"{name} {sentence.split(';')[0]}" in shown
        assert "..." not in shown.replace("[ARGS]...", "")
