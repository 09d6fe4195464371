"""What every code means, from ``catalogue.toml`` beside this file, and what a shell may complete."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from reconciler.diagnostics import CodatSyncError
from reconciler.model import Address
from reconciler.plan import CLASS_OF, AttentionCode

GROUPS: Final[Mapping[str, str]] = {
    "specs": "specs and workspace.yaml",
    "secrets": "secrets",
    "codat": "Codat and the way there",
    "command": "commands and saved plans",
    "attention": "attention of a plan",
    "apply": "failures of apply",
}
"""Where a code comes from: the table's own groups, as titles."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One code of one group. ``severity`` is error or warning, or for attention its class.

    ``exit`` is the status of a command that ends with it; ``None`` where it alone ends none.
    """

    code: str
    group: str
    severity: str
    exit: int | None
    summary: str
    cause: str
    remedy: str
    example: str

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "code": self.code,
            "group": self.group,
            "severity": self.severity,
            "exit": self.exit,
            "summary": self.summary,
            "cause": self.cause,
            "remedy": self.remedy,
            "example": self.example,
        }


@cache
def catalogue() -> tuple[Entry, ...]:
    """Every entry, in the table's order."""
    text = Path(__file__).with_name("catalogue.toml").read_text(encoding="utf-8")
    return tuple(
        _entry(code, group, fields)
        for group, entries in tomllib.loads(text).items()
        for code, fields in entries.items()
    )


def entries_of(code: str) -> tuple[Entry, ...]:
    """What ``code`` means: nothing, one entry, or one for each group that has it."""
    return tuple(entry for entry in catalogue() if entry.code == code)


def meanings() -> dict[str, str]:
    """Each code's summary, as SARIF wants it for its rules; of several groups, the first's."""
    return {entry.code: entry.summary for entry in reversed(catalogue())}


def _entry(code: str, group: str, fields: Mapping[str, Any]) -> Entry:
    severity, status = fields.get("severity", "error"), fields.get("exit", 1)
    if group == "attention":
        severity, status = CLASS_OF[AttentionCode(code)].value, None
    return Entry(
        code=code,
        group=group,
        severity=severity,
        exit=None if severity == "warning" else status,
        summary=fields["summary"],
        cause=fields["cause"],
        remedy=fields["remedy"],
        example=fields["example"].strip("\n"),
    )


def addresses(specs: Path, prefix: str) -> tuple[str, ...]:
    """The addresses of ``specs`` that begin with ``prefix``; none where the specs cannot be read."""
    from reconciler.loading import load  # here, because what a code means is told without specs

    try:
        companies = load(specs, sandbox=True).desired.companies
    except CodatSyncError:
        return ()
    found = [
        str(address)
        for key, company in companies.items()
        for address in (Address(key), *(Address(key, connection) for connection in company.connections))
    ]
    return tuple(sorted(address for address in found if address.startswith(prefix)))


def codes(prefix: str) -> tuple[str, ...]:
    """The codes that begin with ``prefix``."""
    return tuple(sorted({entry.code for entry in catalogue() if entry.code.startswith(prefix)}))
