"""Time as an input, one pace for everybody, and what is left of the day's quota."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Final, Protocol

import httpx
from aiolimiter import AsyncLimiter

from reconciler.codat.errors import QuotaExhaustedError


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """The present moment, in UTC."""

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds``."""


class ForwardClock:
    """The ``wall`` clock and asyncio's sleep, for everything that goes by how old something is.

    It is never set back, for then a key that Codat has forgotten would pass for a fresh one: where the
    wall clock is, it goes on by what ``running`` counts, in seconds, which nobody sets. Set forward it
    follows, and it keeps the time that a machine slept.
    """

    __slots__ = ("_last", "_ran", "_running", "_wall")

    def __init__(self, wall: Callable[[], datetime], running: Callable[[], float]) -> None:
        self._wall, self._running = wall, running
        self._last, self._ran = wall(), running()

    def now(self) -> datetime:
        """The present moment, in UTC."""
        ran = self._running()
        self._last = max(self._wall(), self._last + timedelta(seconds=ran - self._ran))
        self._ran = ran
        return self._last

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds``."""
        await asyncio.sleep(seconds)


class SystemClock(ForwardClock):
    """The machine's clock; what runs beside it counts suspended time too where the system tells of it."""

    __slots__ = ()

    def __init__(self) -> None:
        boot = getattr(time, "CLOCK_BOOTTIME", None)
        running = time.monotonic if boot is None else partial(time.clock_gettime, boot)
        super().__init__(partial(datetime.now, UTC), running)


def date(response: httpx.Response, header: str) -> datetime | None:
    """The moment in ``header``, as HTTP or ISO 8601 writes it, in UTC; ``None`` if there is none."""
    text = response.headers.get(header, "").strip()
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(text)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def count(response: httpx.Response, header: str) -> int | None:
    """The whole number in ``header``; ``None`` if there is none."""
    text = response.headers.get(header, "").strip()
    return int(text[:18]) if text.isascii() and text.isdigit() else None


def retry_after(response: httpx.Response, now: datetime) -> float | None:
    """Seconds that ``Retry-After`` asks for, written as seconds or as a date; ``None`` if it says nothing.

    A date is read against the server's own ``Date`` where it sends one, so that a wrong clock here
    does not turn a pause into an hour.
    """
    seconds = count(response, "Retry-After")
    if seconds is not None:
        return float(seconds)
    until = date(response, "Retry-After")
    if until is None:
        return None
    return max(0.0, (until - (date(response, "Date") or now)).total_seconds())


def quota_reset(response: httpx.Response, now: datetime) -> datetime | None:
    """When the daily quota comes back (https://docs.codat.io/using-the-api/rate-limits), if known."""
    told = date(response, "X-Rate-Limit-Reset")
    if told is not None:
        return told
    seconds = retry_after(response, now)
    return (
        None
        if seconds is None
        else now + timedelta(seconds=min(seconds, timedelta(days=366).total_seconds()))
    )


OF_LATE: Final = 16
"""Of so many answers an equal part makes up how long they take of late."""


class Meter:
    """Counts requests as they are sent, repeats included, and notes the daily quota as answers tell it.

    The quota is ``1,000 x (1 + active connected companies)`` requests a day, reset at 00:00 UTC
    (https://docs.codat.io/using-the-api/rate-limits). Where the last answer did not speak of it, the
    one before counts; and of answers that overtook one another, the one that tells of less.
    """

    __slots__ = ("_reserve_percent", "latency", "limit", "reads", "remaining", "reset", "writes")

    def __init__(self, reserve_percent: int = 0) -> None:
        self._reserve_percent = reserve_percent
        self.reads = 0
        self.writes = 0
        self.remaining: int | None = None
        """Requests left of the day, if an answer said so."""
        self.limit: int | None = None
        """Requests that the day has in all, if an answer said so."""
        self.reset: datetime | None = None
        """When the quota comes back, if an answer said so."""
        self.latency: float | None = None
        """Seconds that an answer takes of late, once there was one; turns and pauses are not in it."""

    @property
    def reserve(self) -> int:
        """Requests of the day that are left to other users of the account."""
        return (self.limit or 0) * self._reserve_percent // 100

    def spare(self, now: datetime) -> int | None:
        """Requests that may still be sent before the reserve is reached; ``None`` where nobody knows."""
        if self.remaining is None or (self.reset is not None and now >= self.reset):
            return None
        return max(0, self.remaining - self.reserve)

    def used_up(self, request: str = "") -> QuotaExhaustedError:
        """The error that what remains of the day is for others; nothing was sent of ``request``."""
        back = f" at {self.reset:%Y-%m-%dT%H:%M:%SZ}" if self.reset else ""
        return QuotaExhaustedError(
            f"{self.remaining} requests remain of the day's quota, and limits.reserve leaves "
            f"{self.reserve} to others",
            fix=f"run the same command again when the quota comes back{back}, or lower limits.reserve",
            request=request,
        )

    def sent(self, request: httpx.Request) -> None:
        """Count a request."""
        if request.method == "GET":
            self.reads += 1
        else:
            self.writes += 1

    def took(self, seconds: float) -> None:
        """Note how long an answer took."""
        before = seconds if self.latency is None else self.latency
        self.latency = before + (seconds - before) / OF_LATE

    def answered(self, response: httpx.Response) -> None:
        """Note what an answer says of the quota."""
        remaining = count(response, "X-Rate-Limit-Remaining")
        limit = count(response, "X-Rate-Limit-Limit")
        reset = date(response, "X-Rate-Limit-Reset")
        is_same_day = reset is not None and reset == self.reset and limit in (None, self.limit)
        if remaining is not None and self.remaining is not None and is_same_day:
            remaining = min(remaining, self.remaining)
        self.remaining = self.remaining if remaining is None else remaining
        self.limit = self.limit if limit is None else limit
        self.reset = self.reset if reset is None else reset


NOTICEABLE: Final = 1.0
"""Seconds past which a wait is told of."""
SLOWER: Final = 1.25
"""How much wider the pace becomes with each pause that Codat asks for, so that it settles below the limit."""
SLOWEST: Final = 6.0
"""Seconds between two requests that no pause makes longer."""
QUIET: Final = 300.0
"""Seconds without a pause after which one such step is taken back, until the pace is the configured one."""

WIDER: Final = 1.02
"""How much wider than even the pace is: a write leaves up to two seconds after its turn, once its look is
answered, and no 60 seconds may hold more than the rate allows for that."""

OnWait = Callable[[float, str], None]
"""Told of a wait longer than a second: how many seconds, and why."""


def nobody(seconds: float, why: str) -> None:
    """An ``OnWait`` that tells nobody."""


def never() -> bool:
    """There is not plenty."""
    return False


HURRIED: Final = 900
"""Reads a minute where plenty of the day's quota remains; Codat bears 1,000 from one address."""
BURST: Final = 10
"""Of these, how many may go at once."""


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
    While there is ``plenty``, and until Codat asks for the first pause, turns come faster than that.
    """

    __slots__ = (
        "_clock",
        "_held_until",
        "_in_line",
        "_left_over",
        "_limiter",
        "_line",
        "_on_wait",
        "_pace",
        "_plenty",
        "slowed",
    )

    def __init__(
        self,
        per_minute: int | None,
        clock: Clock,
        on_wait: OnWait = nobody,
        plenty: Callable[[], bool] = never,
    ) -> None:
        self._pace = None if per_minute is None else Pace(60 / per_minute * WIDER)
        self._plenty = plenty
        self._limiter: AsyncLimiter | None = None
        self._line = asyncio.Lock()
        self._in_line = 0
        self._left_over: deque[float] = deque()
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

    def give_back(self, until: float) -> None:
        """Let whoever is next in line have a turn that was taken in vain, until then by the loop's clock.

        Later it is lost: were turns saved up, a busy minute could hold too many.
        """
        self._left_over.append(until)

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
                if not self._has_left_over() and (limiter := self._current()) is not None:
                    await limiter.acquire()
            if not self.is_held:
                return

    def _has_left_over(self) -> bool:
        """Whether there is a turn that was given back, which is used up by that."""
        now = asyncio.get_running_loop().time()
        while self._left_over:
            if self._left_over.popleft() > now:
                return True
        return False

    def _current(self) -> AsyncLimiter | None:
        """The limiter at the pace of this moment."""
        if self._pace is None:
            return None
        period = self._pace.period(asyncio.get_running_loop().time())
        hurries = not self.slowed and self._plenty()
        turns, seconds = (BURST, BURST * 60 / HURRIED) if hurries else (1, period)
        if self._limiter is None or self._limiter.time_period != seconds:
            self._limiter = AsyncLimiter(turns, seconds)
        return self._limiter

    def _hold_left(self) -> float:
        if self._held_until is None:
            return 0
        return max(0.0, (self._held_until - self._clock.now()).total_seconds())
