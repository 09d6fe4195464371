"""Counts what Python calls, so that a test of how work grows needs no clock."""

from __future__ import annotations

import sys
from collections.abc import Callable


def calls(work: Callable[[], object]) -> int:
    """How many calls ``work`` makes; each step of a generator counts."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def grows_in_proportion(of: Callable[[int], Callable[[], object]], size: int = 150) -> bool:
    """Whether four times as much takes about four times the work, and not sixteen times."""
    return calls(of(4 * size)) < 6 * calls(of(size))
