"""Counts, lists and times as people write them: one company, two companies and 3 more, ``90s``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

LISTED: Final = 12
"""Names that a line lists before it says how many more there are."""

DURATION: Final = re.compile(r"([0-9]{1,6})([smhd])")
"""``90s``, ``15m``, ``2h``, ``30d``."""
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

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


def listed(names: Sequence[str], limit: int | None = LISTED, *, apart: str = ", ") -> str:
    """Names with commas; past the limit, how many more there are."""
    if limit is None or len(names) <= limit:
        return apart.join(names)
    return f"{apart.join(names[:limit])} and {len(names) - limit:,} more"


def joined(parts: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def either(words: Iterable[str]) -> str:
    """``a``, ``a or b``, ``a, b or c``."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def read_duration(text: str) -> timedelta:
    """The time that ``90s``, ``15m``, ``2h`` or ``30d`` means.

    Raises:
        ValueError: the text is no duration.
    """
    found = DURATION.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def duration(requests: int, per_minute: int) -> str:
    """How long requests take at a rate: ``less than a minute``, ``about 3 minutes``, ``about 2 hours``."""
    minutes = requests / per_minute
    if minutes < 1:
        return "less than a minute"
    if minutes < 90:
        return f"about {counted(round(minutes), 'minute')}"
    return f"about {counted(round(minutes / 60), 'hour')}"
