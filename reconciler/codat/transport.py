"""What every request passes on its way out: the permit, a fresh look, the pace, the meter, another try.

A transport around another one, so that the client stays one short method per endpoint, and tests
slide a fake beneath. Nothing is translated here: answers and httpx's exceptions pass as they are.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from collections.abc import Set as AbstractSet
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar, cast

import httpx
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    retry_if_result,
    stop_after_attempt,
)

from reconciler.codat import faults, pacing
from reconciler.codat.errors import ApiCode, HeldUpError
from reconciler.codat.faults import whole
from reconciler.codat.pacing import Clock, Meter, Pacer
from reconciler.diagnostics import Diagnostic, RefusedError

T = TypeVar("T")


class StoppedError(Exception):
    """The run ends, so nothing further is sent; whatever was sent before stands."""


async def unless_stopped(waiting: Coroutine[Any, Any, T], stop: asyncio.Event | None) -> T:
    """What ``waiting`` comes to.

    Raises:
        StoppedError: ``stop`` was set before, or meanwhile, which ends ``waiting``.
    """
    if stop is None:
        return await waiting
    if stop.is_set():
        waiting.close()
        raise StoppedError
    going, stopping = asyncio.ensure_future(waiting), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((going, stopping), return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            raise StoppedError
        return going.result()
    finally:
        going.cancel()
        stopping.cancel()


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
    _give_back: Callable[[], None] = field(default=lambda: None, repr=False, compare=False)

    def take(self, now: datetime, give_back: Callable[[], None] = lambda: None) -> None:
        """Begin anew: what is sent ``now`` tells how things are, and has paid for the write's turn.

        ``give_back`` lets others have that turn.
        """
        self.taken_at, self.has_turn, self._give_back = now, True, give_back

    def count_from(self, moment: datetime, now: datetime) -> None:
        """Count its age from ``moment``; if that is too long ago ``now``, others have its turn."""
        self.taken_at = moment
        if self.has_turn and not self.lasts(now):
            self.has_turn = False
            self._give_back()

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


READS: Final = frozenset({"GET"})
READS_AND_WRITES: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})

ATTEMPTS: Final = 4
"""How often a read is sent before its failure counts."""
FIRST_WAIT: Final = 1.0
"""Seconds before the second attempt; doubled before each further one, shortened at random by up to half."""
LONGEST_HOLD: Final = 600.0
"""Seconds of ``Retry-After`` past which the day's quota counts as used up."""
SHORTEST_HOLD: Final = 1.0
"""Seconds to wait after a 429 at least, whatever it says."""
UNTOLD_WAIT: Final = 5.0
"""Seconds to wait after a 429 that does not say how long; doubled with each in a row."""

LONGEST_UNAVAILABLE: Final = LONGEST_HOLD / (ATTEMPTS - 1)
"""Seconds of a 503's ``Retry-After`` that are waited out; a read waits no longer in all than for 429s."""

TAKES_LOOK: Final = "codat_sync.takes_look"
"""The request extension with the ``Look`` that a request is: a write will rest on it."""
RESTS_ON: Final = "codat_sync.rests_on"
"""The request extension with the ``Look`` that a write rests on: it is sent while that lasts, or never."""
WITHIN: Final = "codat_sync.within"
"""The request extension with the time within which the request is sent, or never."""
STOP: Final = "codat_sync.stop"
"""The request extension with the event of Ctrl-C, after which the request is not sent any more."""
SENT_AT: Final = "codat_sync.sent_at"
"""The response extension that says when its request, the last attempt, was sent by our clock."""
ANSWERED_AT: Final = "codat_sync.answered_at"


class CourteousTransport(httpx.AsyncBaseTransport):
    """Sends requests the way Codat wants them: at a pace, waiting when told, repeating only what is safe.

    - A method outside ``methods`` is refused before anything is sent.
    - What remains of the day beyond the reserve is for others: no write is sent then, and of a client that
      can only read, no read either.
    - An answer is read whole, within bounds of size and time.
    - A 429 is waited out by everyone, and the same request sent again with the same key, which Codat
      releases (https://docs.codat.io/using-the-api/write-data/idempotency). One that means that the
      day's quota is gone, or ten minutes of them in a row, is handed on.
    - A write that rests on a look waits for no pause, nor for its turn: that was kept when the look was
      taken. Where Codat asks for a pause or the look is old, it is handed back undone, and the next look
      waits with everyone.
    - A GET that failed in passing, or was answered 5xx, is sent again, at most four times in all. The
      ``Retry-After`` of a 503 holds everyone, whoever got it.
    - Nothing waits beyond the end of the run: what has not been sent by then is not sent.
    - Any other failed request is handed on: whether to repeat a write is for the executor to decide.
    """

    def __init__(
        self,
        beneath: httpx.AsyncBaseTransport,
        *,
        methods: AbstractSet[str],
        pacer: Pacer,
        meter: Meter,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._beneath = beneath
        self._methods = methods
        self._pacer = pacer
        self._meter = meter
        self._clock = clock
        self._rng = rng

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer to ``request``, read whole.

        Raises:
            RefusedError: the method is not permitted; nothing was sent.
            QuotaExhaustedError: what remains of the day is for others; nothing was sent.
            HeldUpError: a write rests on a look that is old, or Codat asks for a pause; it was not done.
            StoppedError: the run ends; it was not done.
            httpx.TransportError: what the transport beneath raised, last.
        """
        if request.method not in self._methods:
            raise RefusedError(
                Diagnostic(ApiCode.READ_ONLY, f"this client may only read; {request.method} was not sent")
            )
        if request.method not in READS:
            self._keep_reserve(request)
            return await self._patiently(request)
        if self._methods <= READS:
            self._keep_reserve(request)
        response: httpx.Response = await self._retrying(_stop(request))(self._patiently, request)
        return response

    async def aclose(self) -> None:
        """Close the transport beneath."""
        await self._beneath.aclose()

    def _keep_reserve(self, request: httpx.Request) -> None:
        """Send nothing once what remains of the day is for others.

        A client that writes still reads then: it has to find out what became of its writes.

        Raises:
            QuotaExhaustedError: it is; nothing was sent.
        """
        if self._meter.spare(self._clock.now()) == 0:
            raise self._meter.used_up(f"{request.method} {request.url.path}")

    def _retrying(self, stop: asyncio.Event | None) -> AsyncRetrying:
        return AsyncRetrying(
            retry=retry_if_exception(faults.is_passing) | retry_if_result(_is_fault),
            stop=stop_after_attempt(ATTEMPTS),
            wait=self._backoff,
            before_sleep=self._tell,
            sleep=lambda seconds: unless_stopped(self._clock.sleep(seconds), stop),
            retry_error_callback=_last,
        )

    def _backoff(self, state: RetryCallState) -> float:
        doubled: float = FIRST_WAIT * 2 ** (state.attempt_number - 1)
        return doubled * self._rng.uniform(0.5, 1)

    def _tell(self, state: RetryCallState) -> None:
        self._pacer.tell(state.upcoming_sleep, "a read failed and is tried again")

    async def _patiently(self, request: httpx.Request) -> httpx.Response:
        """Send, and as often as the answer is a 429 that passes, wait with everyone and send again."""
        waited = 0.0
        refusals = 0
        within: timedelta | None = request.extensions.get(WITHIN)
        latest = None if within is None else self._clock.now() + within
        while True:
            await self._turn(request, latest)
            slowed = self._pacer.slowed
            response = await self._once(request)
            if response.status_code != httpx.codes.TOO_MANY_REQUESTS:
                self._hold_while_unavailable(response)
                return response
            told = pacing.retry_after(response, self._clock.now())
            seconds = UNTOLD_WAIT * 2**refusals if told is None else max(told, SHORTEST_HOLD)
            is_used_up = pacing.count(response, "X-Rate-Limit-Remaining") == 0
            if is_used_up or waited + seconds > LONGEST_HOLD:
                return response
            waited += seconds
            refusals += 1
            self._pacer.slow_down(seconds, slowed)
            self._pacer.hold(seconds, "Codat asks for a pause (429)")

    def _hold_while_unavailable(self, response: httpx.Response) -> None:
        """Let everyone wait where Codat is unavailable and says for how long."""
        told = pacing.retry_after(response, self._clock.now())
        if response.status_code == httpx.codes.SERVICE_UNAVAILABLE and told:
            self._pacer.hold(min(told, LONGEST_UNAVAILABLE), "Codat is unavailable (503)")

    async def _turn(self, request: httpx.Request, latest: datetime | None) -> None:
        """Return when ``request`` may be sent.

        Raises:
            HeldUpError: that would be too late for the look that it rests on, or for its key.
            StoppedError: the run ends first.
        """
        look: Look | None = request.extensions.get(RESTS_ON)
        if look is not None:
            await self._turn_in_time(request, look)
            return
        turns = 2 if TAKES_LOOK in request.extensions else 1
        await unless_stopped(self._pacer.turn(turns), _stop(request))
        if latest is not None and self._clock.now() > latest:
            raise HeldUpError(
                "so much time has passed that Codat may have forgotten the request's key",
                request=f"{request.method} {request.url.path}",
            )

    async def _turn_in_time(self, request: httpx.Request, look: Look) -> None:
        """Take the turn that was kept with the look, or the next one if that comes while the look lasts."""
        if not look.has_turn and self._pacer.comes_in() < look.seconds_left(self._clock.now()):
            await unless_stopped(self._pacer.turn(), _stop(request))
            look.has_turn = True
        is_in_time = look.has_turn and look.lasts(self._clock.now())
        look.use_up()
        if is_in_time and not self._pacer.is_held:
            return
        raise HeldUpError(
            "Codat asks for a pause (429 or 503), so what was read before it may have changed"
            if self._pacer.is_held
            else "what was read right before is too old by now, so it may have changed",
            request=f"{request.method} {request.url.path}",
        )

    async def _once(self, request: httpx.Request) -> httpx.Response:
        self._meter.sent(request)
        sent_at = self._clock.now()
        loop = asyncio.get_running_loop()
        began = loop.time()
        look: Look | None = request.extensions.get(TAKES_LOOK)
        if look is not None:
            until = began + LOOK_LASTS.total_seconds()
            look.take(sent_at, partial(self._pacer.give_back, until))
        response = await whole(self._beneath.handle_async_request, request)
        self._meter.took(loop.time() - began)
        response.extensions |= {SENT_AT: sent_at, ANSWERED_AT: self._clock.now()}
        self._meter.answered(response)
        return response


def _stop(request: httpx.Request) -> asyncio.Event | None:
    stop: asyncio.Event | None = request.extensions.get(STOP)
    return stop


def _is_fault(response: httpx.Response) -> bool:
    return response.is_server_error


def _last(state: RetryCallState) -> httpx.Response:
    """The last answer as it is, or the last exception raised anew; an attempt was made, so there is one."""
    return cast("Future[httpx.Response]", state.outcome).result()
