"""docs/images/plan.svg shows what ``plan`` prints; ``pytest --update-golden`` draws it anew."""

from __future__ import annotations

import re
import sys
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Final

import pytest
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

from reconciler.cli import run
from reconciler.cli.options import Exit

ROOT: Final = Path(__file__).parent.parent
PICTURE: Final = ROOT / "docs" / "images" / "plan.svg"
COMMAND: Final = "codat-sync plan specs/ --sandbox --target fennel-foods --target inlet-boats"
COLUMNS: Final = 126


@pytest.fixture
def printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Text:
    """What the command prints on a terminal, with its colours."""
    screen = StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.chdir(ROOT)
    assert run([*COMMAND.split()[1:], "--sandbox-file", str(tmp_path / "sandbox.db")]) == Exit.OK
    return Text.from_ansi(screen.getvalue())


def drawn(printed: Text) -> str:
    console = Console(record=True, width=COLUMNS, file=StringIO(), color_system="truecolor")
    console.print(Text.assemble(("$ ", "bold green"), (COMMAND, "bold")))
    console.print(printed, soft_wrap=False)
    return console.export_svg(title="codat-sync", theme=DIMMED_MONOKAI, unique_id="plan")


def lines_of(picture: str) -> list[str]:
    """The lines that a picture shows, white space aside, whatever version of the library drew it."""
    rows: dict[str, str] = {}
    for line, text in re.findall(r'<text [^>]*clip-path="url\(#plan-line-(\d+)\)">(.*?)</text>', picture):
        rows[line] = rows.get(line, "") + unescape(text)
    return ["".join(row.split()) for row in rows.values() if row.strip()]


def test_the_picture_of_a_plan_shows_what_the_command_prints(
    printed: Text, request: pytest.FixtureRequest
) -> None:
    if request.config.getoption("--update-golden"):
        PICTURE.parent.mkdir(exist_ok=True)
        PICTURE.write_text(drawn(printed), encoding="utf-8")
    assert lines_of(PICTURE.read_text(encoding="utf-8")) == lines_of(drawn(printed)), (
        "run pytest --update-golden and look at the picture"
    )
    assert any("inlet-boats" in line for line in lines_of(drawn(printed)))
