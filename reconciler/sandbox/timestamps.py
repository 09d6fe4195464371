"""Time in the sandbox: whole microseconds since 1970, so that SQLite compares it, and as Codat writes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SECOND: Final = 1_000_000
"""A second, in the microseconds that all moments here are counted in."""
LAST: Final = datetime(9000, 1, 1, tzinfo=UTC)
"""What is due later than a moment, by any setting, must still have a date."""


def micros(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def span(seconds: float) -> int:
    """Microseconds in so many seconds."""
    return round(seconds * SECOND)


def as_datetime(moment: int) -> datetime:
    """The moment in UTC."""
    return EPOCH + timedelta(microseconds=moment)


def text(moment: int) -> str:
    """The moment as Codat writes it: ISO 8601 in UTC, decimals where there are any."""
    return as_datetime(moment).replace(tzinfo=None).isoformat() + "Z"


def is_bearable(moment: int) -> bool:
    """Whether a clock may stand there."""
    return 0 <= moment <= micros(LAST)
