"""Looks: Codat has no conditional writes, so a change is sent right after a look at what it changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

LOOK_LASTS: Final = timedelta(seconds=2)
"""How long after what a write rests on was sent the write may still be sent."""


@dataclass(slots=True)
class Look:
    """What one write rests on: a read of what it changes, or the create that made it.

    The transport notes when it was sent and keeps a turn for the write, so that the write need not
    wait for one until the look is old. The next look, or the write, uses both up.
    """

    taken_at: datetime | None = None
    """From when on it does not know of changes; ``None``: there was no look, or it is used up."""
    has_turn: bool = False

    def take(self, now: datetime) -> None:
        """Begin anew: what is sent ``now`` tells how things are, and has paid for the write's turn."""
        self.taken_at, self.has_turn = now, True

    def use_up(self) -> None:
        """Let no further write rest on it."""
        self.taken_at, self.has_turn = None, False

    def lasts(self, now: datetime) -> bool:
        """Whether a write may be sent ``now``; not if the clock was set back meanwhile."""
        return self.taken_at is not None and timedelta() <= now - self.taken_at < LOOK_LASTS

    def seconds_left(self, now: datetime) -> float:
        """For how long it still lasts."""
        if self.taken_at is None or not self.lasts(now):
            return 0.0
        return (self.taken_at + LOOK_LASTS - now).total_seconds()
