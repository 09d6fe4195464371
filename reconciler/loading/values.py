"""Text of specs that stands for something else: times and durations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(text: str) -> datetime | None:
    """The moment that an ISO 8601 time with a zone means, in UTC; ``None`` if it is no such time."""
    try:
        read = datetime.fromisoformat(text)
        return read.astimezone(UTC) if read.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def duration(text: str) -> timedelta:
    """The duration that ``90s``, ``15m``, ``2h`` or ``30d`` means; the schema has passed its form."""
    return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
