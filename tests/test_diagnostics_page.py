"""docs/diagnostics.md is the catalogue as a page; ``pytest --update-golden`` writes it anew."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from reconciler.workflow.catalogue import GROUPS, Entry, catalogue

PAGE = Path(__file__).parent.parent / "docs" / "diagnostics.md"
HEAD = """# Diagnostics

<!-- Made from reconciler/workflow/catalogue.toml; pytest tests/test_diagnostics_page.py --update-golden -->

Every code that codat-sync prints: with `-v` behind an error, always behind attention and failures, and as
`code` in JSON, SARIF and events. Codes are stable, so scripts may match them. `codat-sync explain CODE`
prints the same.
"""


def page() -> str:
    contents = "\n".join(f"- [{title[:1].upper()}{title[1:]}](#{anchor(title)})" for title in GROUPS.values())
    groups = groupby(catalogue(), key=lambda entry: entry.group)
    return f"{HEAD}\n{contents}\n" + "".join(f"\n{part}" for name, of in groups for part in section(name, of))


def section(group: str, entries: Iterator[Entry]) -> Iterator[str]:
    title = GROUPS[group]
    yield f"## {title[:1].upper()}{title[1:]}\n"
    for entry in entries:
        yield f"### `{entry.code}`\n"
        yield f"**{safe(entry.summary)}** {kind(entry)}\n"
        yield f"{safe(entry.cause)}\n"
        yield f"*What to do:* {safe(entry.remedy)}\n"
        yield f"```text\n{entry.example}\n```\n"


def kind(entry: Entry) -> str:
    status = f", exit status {entry.exit}" if entry.exit is not None else ""
    what = "attention, " if entry.group == "attention" else ""
    return f"({what}{entry.severity}{status})"


def safe(text: str) -> str:
    """Our prose as Markdown text: what could be read as markup is escaped."""
    return "".join(f"\\{character}" if character in "*_<[]`" else character for character in text)


def anchor(title: str) -> str:
    return title.lower().replace(" ", "-").replace(".", "")


def test_the_page_of_diagnostics_is_the_catalogue(request: pytest.FixtureRequest) -> None:
    text = page()
    if request.config.getoption("--update-golden"):
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.is_file(), "it is missing; run pytest tests/test_diagnostics_page.py --update-golden"
    assert PAGE.read_text(encoding="utf-8") == text, (
        "docs/diagnostics.md is stale; run pytest tests/test_diagnostics_page.py --update-golden"
    )


def test_the_page_has_a_heading_for_every_code() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [entry.code for entry in catalogue() if f"### `{entry.code}`\n" not in text] == []
