"""Counts and lists as sentences say them: one company, two companies, and 3 more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

LISTED: Final = 12
"""Names that a line lists before it says how many more there are."""

_PLURALS: Final = {
    "company": "companies",
    "company or connection": "companies and connections",
    "needs": "need",
    "deletes": "delete",
    "deletion or unlink": "deletions and unlinks",
    "action that was due already": "actions that were due already",
    "reason of what was not started": "reasons of what was not started",
    "list of field changes": "lists of field changes",
    "matter that needs attention": "matters that need attention",
}


def counted(number: int, noun: str) -> str:
    """``1 company``, ``1,200 companies``."""
    return f"{number:,} {noun if number == 1 else plural(noun)}"


def plural(word: str) -> str:
    """The plural of a noun, or of a verb of the third person."""
    return _PLURALS.get(word, word + "s")


def clauses(counts: Iterable[tuple[int, str]]) -> str:
    """``3 to create, 2 to change``; what does not occur is left out."""
    return ", ".join(f"{number:,} {words}" for number, words in counts if number)


def listed(names: Sequence[str], limit: int | None = LISTED) -> str:
    """Names with commas; past the limit, how many more there are."""
    if limit is None or len(names) <= limit:
        return ", ".join(names)
    return f"{', '.join(names[:limit])} and {len(names) - limit:,} more"


def joined(parts: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def duration(requests: int, per_minute: int) -> str:
    """How long requests take at a rate: ``less than a minute``, ``about 3 minutes``, ``about 2 hours``."""
    minutes = requests / per_minute
    if minutes < 1:
        return "less than a minute"
    if minutes < 90:
        return f"about {counted(round(minutes), 'minute')}"
    return f"about {counted(round(minutes / 60), 'hour')}"
