"""Creates exactly once, under crash, doubling and faults: the protocol of idempotency keys.

The key of a create follows from what is created and the number of the attempt, from 0. So every run
that creates the same thing sends the same keys in the same order, and Codat's replays tell each of
them what the others met (https://docs.codat.io/using-the-api/write-data/idempotency).

- No answer, or 409: the same key again.
- No key is sent when it is an hour ago that nothing was there, since Codat may have forgotten what it
  answered under it: then look first, as after a 5xx.
- 5xx or 422: look; where nothing is, the next attempt. A gateway's 5xx may never have reached Codat,
  so the same key goes out once more before that: whoever comes later begins with it.
- An answer that is a replay, or whose time cannot be trusted (no ``Date``, or one that is before what it
  dates): the thing itself is read; where it is gone, the next attempt. Each thing that was created and
  deleted within 90 minutes has used up one, so those are counted apart from faults.
- 404 where the company is there: Codat lags, or repeats what it said when it did. The next attempt, and
  where this worker made the company not before Codat shows it, since each attempt's refusal is kept.
- Any other 4xx created nothing and may be the replay of a refusal that was settled since: one next attempt.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Generic, Protocol, TypeVar
from uuid import UUID

from reconciler.apply import state
from reconciler.apply.failing import NotDoneError, not_done
from reconciler.apply.running import STALE_AFTER
from reconciler.apply.state import WorkerState
from reconciler.codat import Answered, Client
from reconciler.codat.errors import (
    AccountLimitError,
    ApiError,
    ForbiddenError,
    GatewayFaultError,
    HeldUpError,
    KeyReusedError,
    NotFoundError,
    RejectedError,
    RunStoppingError,
    ServerFaultError,
    StillRunningError,
)
from reconciler.outcome import FailureCode, Then

T = TypeVar("T")

ATTEMPTS: Final = 5
"""Attempts that end in a fault or a refusal, each under a key of its own, before a create fails."""
USED_KEYS: Final = 50
"""Attempts whose key created what is gone by now, before a create is left until Codat has forgotten them."""
YOUNG: Final = timedelta(minutes=2)
"""How old a thing may be, by Codat's own clock, for a 404 to mean that Codat lags."""
REFUSALS: Final = (RejectedError, AccountLimitError, ForbiddenError)
"""Answers that created nothing, and that Codat repeats under the same key."""


class Making(Protocol[T]):
    """A thing that is to be made: what the protocol asks of it."""

    @property
    def what(self) -> str:
        """What it is, for messages."""

    def key(self, attempt: int) -> UUID:
        """The idempotency key of an attempt."""

    async def send(self, client: Client, key: UUID) -> Answered[T]:
        """Ask Codat to make it."""

    async def find(self) -> T | None:
        """Look once for what a lost request made.

        Raises:
            NotDoneError: what is there cannot be taken for it.
        """

    async def read(self, made: T) -> T:
        """What was made, as it is now.

        Raises:
            NotFoundError: it is gone.
            NotDoneError: it is no longer ours.
        """

    async def has_owner(self) -> bool:
        """Whether it belongs to something that Codat shows, which is waited for where this worker made it.

        Raises:
            NotDoneError: what it belongs to is gone.
        """

    def is_another(self, made: T) -> bool:
        """Whether the replayed answer is of something that serves another purpose by now."""

    def compare(self, made: T) -> None:
        """Raise NotDoneError where Codat made something else than was asked."""


@dataclass(frozen=True, slots=True)
class Made(Generic[T]):
    """What was made, or found made.

    ``ago``: how long ago at most, where this run's own first request seems to have made it.
    """

    value: T
    ago: timedelta | None = None
    found: bool = False
    """Whether no request of this run made it, as far as it can tell."""


async def create(worker: WorkerState, making: Making[T]) -> Made[T]:
    """Make it, once.

    Raises:
        NotDoneError: it could not be made, or is not what was asked.
        RunStoppingError: nothing further can succeed.
        ApiError: no answer came, or a look failed; asking again is safe.
    """
    known = _Known(worker.run.planned_at)
    if worker.run.is_plan_stale:
        known.at = worker.run.clock.now()
        if (found := await making.find()) is not None:
            making.compare(found)
            return Made(found, found=True)
    refusals = _Refusals(worker, making)
    attempt, is_repeated, used, faults = 0, False, 0, 0
    while faults < ATTEMPTS and used < USED_KEYS:
        faults += 1
        try:
            made = await _attempt(worker, making, attempt, known, is_first=not (attempt or is_repeated))
        except GatewayFaultError:
            attempt, is_repeated = attempt + is_repeated, not is_repeated
            continue
        except HeldUpError:
            continue
        except _KeyUsedError:
            faults, used = faults - 1, used + 1
        except REFUSALS as error:
            await refusals.get_over(error)
        else:
            if made is not None:
                making.compare(made.value)
                return made
        attempt, is_repeated = attempt + 1, False
    raise _not_created(making, used, refusals.lagging)


class _KeyUsedError(Exception):
    """The key has created something within 90 minutes, which is gone, or serves another purpose by now."""


def _not_created(making: Making[T], used: int, lagging: ApiError | None) -> NotDoneError:
    if used < USED_KEYS:
        message = f"{ATTEMPTS} attempts to create {making.what} came to nothing"
        then = Then.REFUSED_CREATE if lagging else Then.LATER
        return not_done(FailureCode.NOT_CREATED, message, then=then, error=lagging)
    message = f"{making.what} was created and deleted {used} times within 90 minutes, for which Codat repeats"
    return not_done(
        FailureCode.NOT_CREATED, f"{message} what it answered to each create", then=Then.AFTER_KEYS
    )


@dataclass(slots=True)
class _Known:
    """When it was last seen that there is nothing; no key is sent much later, for Codat forgets keys."""

    at: datetime


@dataclass(slots=True)
class _Refusals(Generic[T]):
    """What Codat has refused of one create, and whether another attempt may fare better."""

    worker: WorkerState
    making: Making[T]
    lags: Iterator[float] = field(default_factory=lambda: iter(state.GROWING[: ATTEMPTS - 1]))
    """Seconds to wait after each refusal that comes of a lag, as long as an attempt follows."""
    lagging: ApiError | None = None
    """The last such refusal."""
    is_refused: bool = False

    async def get_over(self, error: ApiError) -> None:
        """Return when the next attempt may be made.

        Raises:
            NotDoneError: none may.
            RunStoppingError: nor of anything else.
        """
        if isinstance(error, NotFoundError) and await self.making.has_owner():
            self.lagging = error
            if self.worker.made_company is not None and (seconds := next(self.lags, None)) is not None:
                await self.worker.pausing(f"Codat does not create {self.making.what} yet")(seconds)
            return
        if self.is_refused and isinstance(error, RunStoppingError):
            raise error
        if self.is_refused:
            message = f"Codat does not create {self.making.what}"
            raise not_done(error.code, message, then=Then.REFUSED_CREATE, error=error) from None
        self.is_refused = True


async def _attempt(
    worker: WorkerState, making: Making[T], attempt: int, known: _Known, *, is_first: bool
) -> Made[T] | None:
    """What an attempt made or found; ``None`` means that there is nothing, so the next one may follow.

    Raises:
        _KeyUsedError: there is nothing, since what the key has created is gone.
        GatewayFaultError: there is nothing, and Codat may not have seen the request.
        HeldUpError: there is nothing, and the request was not sent, since Codat may have forgotten its key.
    """
    key, before = making.key(attempt), worker.writes

    async def send() -> Answered[T]:
        client = worker.client.within(known.at + STALE_AFTER - worker.run.clock.now())
        return await worker.write(making.send, client, key)

    pause = worker.pausing(f"no answer yet on creating {making.what}; asking again under the same key")
    try:
        answered = await state.under_same_key(send, pause)
    except (ServerFaultError, KeyReusedError, StillRunningError, HeldUpError) as error:
        looking_since = worker.run.clock.now()
        pause = worker.pausing(f"looking whether {making.what} was created")
        found = await state.look(making.find, pause)
        known.at = looking_since
        if found is None and isinstance(error, GatewayFaultError | HeldUpError):
            raise
        if found is None and isinstance(error, KeyReusedError):
            raise _KeyUsedError from None
        return None if found is None else Made(found, found=True)
    sends = worker.writes - before
    if answered.replayed or answered.made_ago is None:
        return await _read_back(worker, making, answered, is_own=sends > 1)
    return Made(answered.value, ago=answered.made_ago if is_first and sends == 1 else None)


async def _read_back(
    worker: WorkerState, making: Making[T], answered: Answered[T], *, is_own: bool
) -> Made[T]:
    """What an answer speaks of that may be a replay, as it is now.

    ``is_own``: this run asked more than once, so the thing may be seconds old whatever the clocks say.

    Raises:
        _KeyUsedError: it is gone, or serves another purpose by now.
    """
    made, age = answered.value, answered.made_ago
    if making.is_another(made):
        found = await making.find()
        if found is None:
            raise _KeyUsedError
        return Made(found, found=True)

    async def read() -> T | None:
        try:
            return await making.read(made)
        except NotFoundError:
            return None

    if is_own or age is None or age < YOUNG:
        live = await state.look(read, worker.pausing(f"Codat does not show {making.what} yet"))
    else:
        live = await read()
    if live is None:
        raise _KeyUsedError
    return Made(live, found=answered.replayed and not is_own)
