"""What all workers of a run share: client, clock, caution with platforms, whether the run goes on.

No message holds a secret or a link URL: they are made of addresses, kinds, counts and failures.

A wrong callback URL or a token exported the wrong way rejects every customer of a platform alike; so
it is better found out with one customer than with a thousand.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from reconciler.actions import Action, AuthorizeConnection
from reconciler.apply.failing import of_error
from reconciler.codat import Client, Meter
from reconciler.codat.pacing import Clock
from reconciler.codat.transport import StoppedError
from reconciler.model import Address
from reconciler.outcome import (
    RESUME,
    ActionOutcome,
    Event,
    EventType,
    EventValue,
    Failure,
    Observer,
    Outcome,
    Result,
    too_many_failed,
)
from reconciler.plan import Plan
from reconciler.secret_refs import Secret, SecretRef

SAYS: Final[Mapping[Result, str]] = {
    Result.DONE: "done",
    Result.ALREADY: "was done already",
    Result.FAILED: "failed",
    Result.INCOMPLETE: "is incomplete",
    Result.NOT_STARTED: "was not started",
}


class Telling:
    """Makes events of what happens; each says how many write ``requests`` were sent so far."""

    def __init__(self, observer: Observer, meter: Meter) -> None:
        self._observer = observer
        self._meter = meter
        self._before = meter.writes

    @property
    def requests(self) -> int:
        """Write requests that this run has sent, repeats included."""
        return self._meter.writes - self._before

    def started(self, plan: Plan, companies: int) -> None:
        """The run begins."""
        data = {"companies": companies, "actions": len(plan.actions), "planned": plan.requests}
        message = (
            f"applying: actions {len(plan.actions)}, companies {companies}, write requests {plan.requests}"
        )
        self._tell(Event(type=EventType.STARTED, message=message, data=self._with(data)))

    def action_started(self, action: Action) -> None:
        """An action begins."""
        message = f"{action.kind} {action.address}"
        self._tell(
            Event(
                type=EventType.ACTION_STARTED,
                message=message,
                kind=action.kind,
                address=action.address,
                data=self._with({}),
            )
        )

    def action_ended(self, ended: ActionOutcome) -> None:
        """An action ended, well or not."""
        failure = ended.failure
        why = f": {failure.message}" if failure else ""
        ids = {"companyId": ended.company_id, "connectionId": ended.connection_id}
        self._tell(
            Event(
                type=EventType.ACTION_ENDED,
                message=f"{ended.kind} {ended.address} {SAYS[ended.result]}{why}",
                kind=ended.kind,
                address=ended.address,
                result=ended.result,
                failure=failure,
                data=self._with({name: known for name, known in ids.items() if known is not None}),
            )
        )

    def company_ended(self, company: str, done: int, total: int) -> None:
        """A company's worker has come to its end; ``done`` of ``total`` have."""
        message = f"{company} ended, {done} of {total}"
        data = self._with({"done": done, "total": total})
        self._tell(Event(type=EventType.COMPANY_ENDED, message=message, address=Address(company), data=data))

    def waiting(self, address: Address, seconds: float, why: str) -> None:
        """An action waits."""
        message = f"{address}: waiting {seconds:g} s: {why}"
        data = self._with({"seconds": seconds, "reason": why})
        self._tell(Event(type=EventType.WAITING, message=message, address=address, data=data))

    def stopping(self, why: str) -> None:
        """Nothing new starts from here on."""
        message = f"stopping: what is in flight ends, nothing new starts: {why}"
        self._tell(Event(type=EventType.STOPPING, message=message, data=self._with({})))

    def ended(self, outcome: Outcome) -> None:
        """The run has ended."""
        counts = {result.value: count for result, count in outcome.counts.items()}
        message = ", ".join(f"{count} {name}" for name, count in counts.items())
        self._tell(
            Event(
                type=EventType.ENDED, message=f"{message}; {self.requests} requests", data=self._with(counts)
            )
        )

    def _with(self, data: Mapping[str, EventValue]) -> dict[str, EventValue]:
        return {**data, "requests": self.requests}

    def _tell(self, event: Event) -> None:
        self._observer(event)


REJECTED_IN_A_ROW: Final = 3
"""Rejections that stop a platform."""
TOGETHER: Final = 10
"""Authorizations of one platform that start together; of more, one goes alone until one is accepted."""


class PlatformTurns:
    """One platform's authorizations in a run of ``total`` of them, however many parts it has."""

    def __init__(self, total: int) -> None:
        self._is_proved = total <= TOGETHER
        self._rejected = 0
        self._alone = asyncio.Lock()

    @property
    def is_stopped(self) -> bool:
        """Whether so many credentials in a row were rejected that no further ones are sent."""
        return self._rejected >= REJECTED_IN_A_ROW

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """A turn; as long as none was accepted in a large run, nobody else has one meanwhile."""
        if not self._is_proved:
            async with self._alone:
                if not self._is_proved:
                    yield
                    return
        yield

    def accepted(self) -> None:
        """Take note that credentials were accepted, now or earlier."""
        self._is_proved = True
        if not self.is_stopped:
            self._rejected = 0

    def rejected(self) -> None:
        """Take note that credentials were rejected."""
        self._rejected += 1


class PlatformBreaker:
    """The turns of every platform of a plan, by platform key."""

    def __init__(self, actions: Iterable[Action]) -> None:
        totals = Counter(action.platform_key for action in actions if isinstance(action, AuthorizeConnection))
        self._platforms = {key: PlatformTurns(total) for key, total in totals.items()}

    def __getitem__(self, platform_key: str) -> PlatformTurns:
        return self._platforms[platform_key]


Resolve = Callable[[SecretRef], Secret | Awaitable[Secret]]
"""Reads a secret; one that takes a while may be awaited, so that other workers go on."""

STALE_AFTER: Final = timedelta(minutes=60)
"""How long after nothing was there a create may still be sent without a look.

Codat replays an answer for 90 minutes only, so a doubled run may have created what an older plan
did not see, and no key would tell (https://docs.codat.io/using-the-api/write-data/idempotency).
"""


@dataclass(slots=True)
class Run:
    """One execution of one plan. ``stop`` is Ctrl-C; ``began`` is when it started.

    ``ending`` is set with it, and where no request can succeed any more: then no action begins to write,
    whatever waits for its turn.
    """

    workspace: str
    client: Client
    """Heeds ``ending``."""
    finishing: Client
    """Heeds ``stop`` alone."""
    resolve: Resolve
    clock: Clock
    seed: int
    stop: asyncio.Event
    ending: asyncio.Event
    tell: Telling
    breaker: PlatformBreaker
    max_failures: int
    planned_at: datetime
    began: datetime
    failed_before: int = 0
    """Companies that failed in earlier parts of the same rollout."""
    resume: str = RESUME
    """How to go on, as failures say it."""
    failed: set[str] = field(default_factory=set)
    """Companies that failed."""
    stopped: Failure | None = None
    """Why the run stopped before its end, if it did."""

    @property
    def is_ending(self) -> bool:
        """Whether nothing new may start."""
        return self.stop.is_set() or self.stopped is not None

    @property
    def confidence(self) -> float:
        """Which part of the failures that are permitted is left."""
        return max(0.0, 1 - (self.failed_before + len(self.failed)) / self.max_failures)

    @property
    def is_plan_stale(self) -> bool:
        """Whether the plan is so old that a create must look first."""
        return self.clock.now() - self.planned_at > STALE_AFTER

    def check_going(self) -> None:
        """Raise StoppedError where nothing new may start."""
        if self.is_ending:
            raise StoppedError

    def keep_reserve(self) -> None:
        """Start nothing once what remains of the day is for others; a look before a write counts as well."""
        meter = self.client.meter
        if meter.spare(self.clock.now()) == 0:
            self.halt(of_error(meter.used_up()), at_once=True)

    def halt(self, why: Failure, *, at_once: bool = False) -> None:
        """Start nothing new, let what is in flight end, and ``at_once`` drop what waits for its turn."""
        if at_once:
            self.ending.set()
        if self.stopped is None:
            self.stopped = self.told(why)
            self.tell.stopping(self.stopped.message)

    def told(self, why: Failure) -> Failure:
        """A failure that says how this run is resumed."""
        return why.resumed_by(self.resume)

    def company_failed(self, company: str, *, others_left: bool) -> None:
        """Count a company that failed; as many as are permitted stop the others that are left."""
        self.failed.add(company)
        why = too_many_failed(self.failed_before + len(self.failed), self.max_failures)
        if why is not None and others_left:
            self.halt(why, at_once=True)
