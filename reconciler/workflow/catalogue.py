"""What every code means: the table is ``catalogue.toml``, beside this file, and this reads it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

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
    text = (files("reconciler.workflow") / "catalogue.toml").read_text(encoding="utf-8")
    return tuple(
        _entry(code, group, fields)
        for group, entries in tomllib.loads(text).items()
        for code, fields in entries.items()
    )


def entries_of(code: str) -> tuple[Entry, ...]:
    """What ``code`` means: nothing, one entry, or one for each group that has it."""
    return tuple(one for one in catalogue() if one.code == code)


def meanings() -> dict[str, str]:
    """Each code's summary, as SARIF wants it for its rules; of several groups, the first's."""
    return {one.code: one.summary for one in reversed(catalogue())}


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
