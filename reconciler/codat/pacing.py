"""One pace for everybody: requests evenly spread, and a hold that all obey when Codat says to wait."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from aiolimiter import AsyncLimiter

from reconciler.codat.clock import Clock

NOTICEABLE: Final = 1.0
"""Seconds past which a wait is told of."""
SLOWER: Final = 1.25
"""How much wider the pace becomes with each pause that Codat asks for, so that it settles below the limit."""
SLOWEST: Final = 6.0
"""Seconds between two requests that no pause makes longer."""

OnWait = Callable[[float, str], None]
"""Told of a wait longer than a second: how many seconds, and why."""


def nobody(seconds: float, why: str) -> None:
    """An ``OnWait`` that tells nobody."""


class Pacer:
    """Gives each request its turn.

    ``per_minute`` of ``None`` means no pace, as for a sandbox in this process; a hold still holds.
    A limiter with room for one spreads turns evenly, where sixty at once and then a pause would
    trip the limit of requests at the same time (https://docs.codat.io/using-the-api/rate-limits).
    """

    __slots__ = ("_clock", "_held_until", "_limiter", "_on_wait", "_period")

    def __init__(self, per_minute: int | None, clock: Clock, on_wait: OnWait = nobody) -> None:
        self._period = None if per_minute is None else 60 / per_minute
        self._limiter = None if self._period is None else AsyncLimiter(1, self._period)
        self._clock = clock
        self._on_wait = on_wait
        self._held_until: datetime | None = None

    async def turn(self, *, waits: bool = True) -> bool:
        """Return when the next request may be sent; one that ``waits`` not may not, where a hold comes up."""
        while waits or self._hold_left() <= 0:
            await self._wait_out_hold()
            if self._limiter is not None:
                await self._limiter.acquire()
            if self._hold_left() <= 0:
                return True
        return False

    def hold(self, seconds: float, why: str) -> None:
        """Let nobody send for ``seconds``; a hold that is there already is only ever lengthened."""
        until = self._clock.now() + timedelta(seconds=seconds)
        longer = seconds if self._held_until is None else (until - self._held_until).total_seconds()
        if longer <= 0:
            return
        self._held_until = until
        self._slow_down()
        if longer > NOTICEABLE:
            self.tell(seconds, why)

    def _slow_down(self) -> None:
        if self._period is not None and self._period < SLOWEST:
            self._period = min(self._period * SLOWER, SLOWEST)
            self._limiter = AsyncLimiter(1, self._period)

    async def pause(self, seconds: float, why: str) -> None:
        """Wait for ``seconds``, this caller alone."""
        self.tell(seconds, why)
        await self._clock.sleep(seconds)

    def tell(self, seconds: float, why: str) -> None:
        """Announce a wait, if it is long enough to be noticed."""
        if seconds > NOTICEABLE:
            self._on_wait(seconds, why)

    async def _wait_out_hold(self) -> None:
        while (left := self._hold_left()) > 0:
            await self._clock.sleep(left)

    def _hold_left(self) -> float:
        if self._held_until is None:
            return 0
        return (self._held_until - self._clock.now()).total_seconds()
