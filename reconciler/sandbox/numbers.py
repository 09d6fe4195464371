"""Numbers that may be set: those that the clock, the calendar and SQLite can go on with for good."""

from __future__ import annotations

from typing import Any, Final, TypeGuard

MOST: Final = 1_000_000_000
"""The largest count."""
LONGEST: Final = 10 * 366 * 24 * 60 * 60
"""The longest time to wait or to jump, in seconds: ten years."""


def is_count(value: Any, least: int = 0) -> bool:
    """Whether ``value`` is a whole number that something can be counted up to."""
    return type(value) is int and least <= value <= MOST


def is_seconds(value: Any) -> bool:
    """Whether ``value`` is a time to wait."""
    return type(value) in (int, float) and 0 <= value <= LONGEST


def is_jump(value: Any) -> TypeGuard[float]:
    """Whether ``value`` is seconds for a clock to jump, forwards or back."""
    return type(value) in (int, float) and -LONGEST <= value <= LONGEST
