"""What all workers of a run share: the client, the clock, and whether the run goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from reconciler.apply.failing import of_error, too_many_failed
from reconciler.apply.platform_breaker import PlatformBreaker
from reconciler.apply.telling import Telling
from reconciler.codat import Client
from reconciler.codat.clock import Clock
from reconciler.codat.stopping import StoppedError
from reconciler.model import Secret, SecretRef
from reconciler.outcome import RESUME, Failure

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
            self.halt(why)
