"""One pace for everybody: requests evenly spread, and a hold that all obey when Codat says to wait."""

from __future__ import annotations

import asyncio
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
QUIET: Final = 300.0
"""Seconds without a pause after which one such step is taken back, until the pace is the configured one."""

OnWait = Callable[[float, str], None]
"""Told of a wait longer than a second: how many seconds, and why."""


def nobody(seconds: float, why: str) -> None:
    """An ``OnWait`` that tells nobody."""


class Pace:
    """Seconds between two requests: more with each refusal, and less again in quiet times.

    Moments are those of the event loop, whose clock nobody sets.
    """

    __slots__ = ("_configured", "_quiet_since", "_steps")

    def __init__(self, configured: float) -> None:
        self._configured = configured
        self._steps = 0
        self._quiet_since = 0.0

    def period(self, now: float) -> float:
        """Seconds between two requests."""
        slowed = self._configured * SLOWER ** self._steps_left(now)
        return max(self._configured, min(slowed, SLOWEST))

    def slow_down(self, now: float) -> None:
        """Become one step slower, if that is not too slow."""
        self._steps = self._steps_left(now) + (self.period(now) < SLOWEST)

    def unquiet(self, until: float) -> None:
        """Let no step be taken back for the time ``until`` then, nor soon after it."""
        self._quiet_since = max(self._quiet_since, until)

    def _steps_left(self, now: float) -> int:
        return max(0, self._steps - int(max(0.0, now - self._quiet_since) // QUIET))


class Pacer:
    """Gives requests their turns, in the order in which they ask.

    ``per_minute`` of ``None`` means no pace, as for a sandbox in this process; a hold still holds.
    A limiter with room for one spreads turns evenly, where sixty at once and then a pause would
    trip the limit of requests at the same time (https://docs.codat.io/using-the-api/rate-limits).
    """

    __slots__ = ("_clock", "_held_until", "_in_line", "_limiter", "_line", "_on_wait", "_pace", "slowed")

    def __init__(self, per_minute: int | None, clock: Clock, on_wait: OnWait = nobody) -> None:
        self._pace = None if per_minute is None else Pace(60 / per_minute)
        self._limiter: AsyncLimiter | None = None
        self._line = asyncio.Lock()
        self._in_line = 0
        self._clock = clock
        self._on_wait = on_wait
        self._held_until: datetime | None = None
        self.slowed = 0
        """How often the pace was slowed down: what tells one pace from the next."""

    @property
    def is_held(self) -> bool:
        """Whether nobody may send."""
        return self._hold_left() > 0

    async def turn(self, turns: int = 1) -> None:
        """Return when a request may be sent, and where ``turns`` is more than one, others right after it."""
        self._in_line += turns
        try:
            async with self._line:
                await self._take(turns)
        finally:
            self._in_line -= turns

    def comes_in(self) -> float:
        """Seconds within which whoever asks now has a turn, unless Codat asks for a further pause."""
        limiter = self._current()
        if limiter is None:
            return self._hold_left()
        ahead = self._in_line + (not limiter.has_capacity())
        return self._hold_left() + ahead * limiter.time_period

    def hold(self, seconds: float, why: str) -> None:
        """Let nobody send for ``seconds``; a hold that is there already is only ever lengthened."""
        until = self._clock.now() + timedelta(seconds=seconds)
        longer = seconds if self._held_until is None else (until - self._held_until).total_seconds()
        if longer <= 0:
            return
        self._held_until = until
        if longer > NOTICEABLE:
            self.tell(seconds, why)

    def slow_down(self, seconds: float, slowed: int) -> None:
        """Widen the pace that was too fast for a request, which has brought on a hold of ``seconds``.

        ``slowed`` is the pacer's when the request was sent: the refusals of one burst say the same
        thing of the same pace, so that they count once.
        """
        if self._pace is None:
            return
        now = asyncio.get_running_loop().time()
        if slowed == self.slowed:
            self._pace.slow_down(now)
            self.slowed += 1
        self._pace.unquiet(now + seconds)

    def tell(self, seconds: float, why: str) -> None:
        """Announce a wait, if it is long enough to be noticed."""
        if seconds > NOTICEABLE:
            self._on_wait(seconds, why)

    async def _take(self, turns: int) -> None:
        while True:
            while (left := self._hold_left()) > 0:
                await self._clock.sleep(left)
            for _ in range(turns):
                if (limiter := self._current()) is not None:
                    await limiter.acquire()
            if not self.is_held:
                return

    def _current(self) -> AsyncLimiter | None:
        """The limiter at the pace of this moment."""
        if self._pace is None:
            return None
        period = self._pace.period(asyncio.get_running_loop().time())
        if self._limiter is None or self._limiter.time_period != period:
            self._limiter = AsyncLimiter(1, period)
        return self._limiter

    def _hold_left(self) -> float:
        if self._held_until is None:
            return 0
        return max(0.0, (self._held_until - self._clock.now()).total_seconds())
