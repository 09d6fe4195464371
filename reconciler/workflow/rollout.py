"""A plan in stages: a first company that is verified before the others, then batch by batch.

It stands above apply, which carries out each stage as if it were a plan of its own; what comes out reads
as one run. A run that stops between two stages is resumed by the same command, as any other.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from reconciler.actions import Action, in_order
from reconciler.apply import Telling
from reconciler.codat.pacing import Clock
from reconciler.codat.transport import StoppedError, unless_stopped
from reconciler.diagnostics import Diagnostic, MisusedError
from reconciler.migration import Verdict, Verification
from reconciler.model import ACCOUNT, Address, Desired, Presence, matches
from reconciler.outcome import (
    RESUME,
    Event,
    EventType,
    EventValue,
    Failure,
    Observer,
    Outcome,
    Result,
    Then,
    not_started,
    stops_company,
    too_many_failed,
)
from reconciler.plan import Plan
from reconciler.wording import listed
from reconciler.workflow.command_codes import CommandCode
from reconciler.workflow.verifying import Pause
from reconciler.workspace import Rollout

CANARY_WAIT: Final = timedelta(minutes=15)
"""How long the first company may take until it passes what ``verify`` checks."""
_NAMED: Final = 3
"""Findings that the message of a failed canary repeats."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a plan: some of its companies, with all of their actions."""

    plan: Plan
    canaries: tuple[str, ...] = ()
    """The companies to verify before anything follows; empty for a batch."""


def canaries(
    flag: str | None, rollout: Rollout, desired: Desired, includes: Callable[[Address], bool]
) -> tuple[str, ...]:
    """The companies that go first: those that ``--canary`` names, else those that workspace.yaml does.

    What workspace.yaml names goes first in runs that concern it; a narrower run goes without.

    Raises:
        MisusedError: no company of the specs is meant.
    """
    pattern = flag if flag is not None else rollout.canary
    if pattern is None:
        return ()
    company = Address.parse(pattern).company
    present = [key for key, wanted in desired.companies.items() if wanted.state is Presence.PRESENT]
    named = [key for key in sorted(present) if matches(company, Address(key))]
    found = tuple(key for key in named if _concerned(desired, key, includes))
    is_narrow = desired.narrowed or bool(named)
    if found or (flag is None and is_narrow):
        return found
    where = "--canary" if flag is not None else "rollout.canary in workspace.yaml"
    raise MisusedError(
        Diagnostic(
            CommandCode.NO_SUCH_CANARY,
            f"{where}: {pattern} names no company that this run is about",
            fix="name a company of the specs by its key; globs are allowed",
        )
    )


def _concerned(desired: Desired, key: str, includes: Callable[[Address], bool]) -> bool:
    connections = (Address(key, name) for name in desired.companies[key].connections)
    return any(includes(address) for address in (Address(key), *connections))


def stages(plan: Plan, first: Sequence[str], batch: int | None) -> tuple[Stage, ...]:
    """Cut a plan by company: the canaries, then batches of so many companies in the plan's order.

    The canaries make a stage of their own even where nothing is to be done for them: an earlier run may
    have done it all and found them wanting. Where nothing would follow them there is nothing to hold back.
    """
    by_company: defaultdict[str, list[Action]] = defaultdict(list)
    for action in plan.actions:
        by_company[action.address.company].append(action)

    def part(companies: Iterable[str]) -> Plan:
        actions = in_order(action for key in companies for action in by_company.get(key, ()))
        return replace(plan, actions=actions, attention=(), origins=(), attention_origins=())

    leading = dict.fromkeys((ACCOUNT, *first))
    others = [company for company in by_company if company not in leading]
    if not others:
        return (Stage(plan),)
    head = (Stage(part(leading), tuple(first)),) if first else ()
    if not first and ACCOUNT in by_company:
        others.insert(0, ACCOUNT)
    return head + tuple(Stage(part(companies)) for companies in batches(others, batch))


def batches(companies: Iterable[str], size: int | None) -> tuple[tuple[str, ...], ...]:
    """The companies that go together, ``size`` of them at a time; without a size all at once."""
    whole = tuple(companies)
    step = size or max(len(whole), 1)
    return tuple(whole[start : start + step] for start in range(0, len(whole), step))


# --- one stage after the other -----------------------------------------------------------------

Execute = Callable[[Plan, int, Observer], Awaitable[Outcome]]
"""Carries out a part of the plan; given how many companies have failed before, and whom to tell."""
Verify = Callable[[Sequence[str]], Awaitable[Verification]]
"""Verifies these companies."""


async def roll_out(
    plan: Plan,
    parts: Sequence[Stage],
    execute: Execute,
    verify: Verify,
    *,
    max_failures: int,
    telling: Telling,
    observer: Observer,
    stop: asyncio.Event,
    resume: str = RESUME,
) -> Outcome:
    """Carry out the stages until one must be the last, and say how every action of the plan ended."""
    joined = _Joined(plan, telling, observer)
    outcomes: list[Outcome] = []
    failed: set[str] = set()
    stopped: Failure | None = None
    telling.started(plan, joined.total)
    for part in parts:
        if stop.is_set():
            break
        ended = await execute(part.plan, len(failed), joined)
        outcomes.append(ended)
        failed |= _failed(ended)
        stopped = ended.stopped
        if len(outcomes) == len(parts) or stopped is not None:
            break
        stopped = await _halted(part, ended, verify, stop) or too_many_failed(len(failed), max_failures)
        if stopped is not None:
            stopped = stopped.resumed_by(resume)
            telling.stopping(stopped.message)
            break
    whole = _merged(plan, outcomes, stopped, telling.requests, interrupted=stop.is_set())
    telling.ended(whole)
    return whole


async def _halted(part: Stage, ended: Outcome, verify: Verify, stop: asyncio.Event) -> Failure | None:
    """Why nothing may follow the canaries, if so."""
    if not part.canaries:
        return None
    names = ", ".join(part.canaries)
    if not ended.is_complete:
        return _canary_failed(f"{names} went first and did not succeed")
    found = await verify(part.canaries)
    if found.is_passed or stop.is_set():
        return None
    if found.unread is not None:
        return _canary_failed(f"{names} went first and could not be verified: {found.unread.message}")
    told = [
        f"{connection.address} {finding.check}: {finding.message}"
        + (f" ({finding.fix})" if finding.fix else "")
        for connection in found.connections
        for finding in connection.complaints
        if finding.verdict is not Verdict.OFFLINE
    ]
    return _canary_failed(f"{names} went first and did not pass: {listed(told, _NAMED, apart='; ')}")


def _canary_failed(why: str) -> Failure:
    return Failure(
        code=CommandCode.CANARY_FAILED, what=f"{why}. No other company was started", then=Then.CANARY
    )


def _failed(outcome: Outcome) -> frozenset[str]:
    return frozenset(
        result.address.company
        for result in outcome.results
        if result.result is Result.FAILED and stops_company(result)
    )


def _merged(
    plan: Plan, outcomes: Sequence[Outcome], stopped: Failure | None, requests: int, *, interrupted: bool
) -> Outcome:
    """What became of the whole plan, in its order."""
    found = {(result.kind, result.address): result for outcome in outcomes for result in outcome.results}
    return Outcome(
        workspace=plan.workspace,
        results=tuple(
            found.get((action.kind, action.address)) or not_started(action) for action in plan.actions
        ),
        attention=plan.attention,
        requests=requests,
        stopped=stopped,
        interrupted=interrupted,
    )


class _Joined:
    """Lets the events of several executions read as those of one: one start, one end, counts of the whole."""

    def __init__(self, plan: Plan, telling: Telling, observer: Observer) -> None:
        self.total = len({action.address.company for action in plan.actions if not action.address.is_account})
        self._telling = telling
        self._observer = observer
        self._ended = 0

    def __call__(self, event: Event, /) -> None:
        """Pass an event on as the whole run's."""
        if event.type in (EventType.STARTED, EventType.ENDED):
            return
        if event.type is EventType.COMPANY_ENDED and event.address is not None:
            self._ended += 1
            self._telling.company_ended(event.address.company, self._ended, self.total)
            return
        self._observer(replace(event, data={**event.data, "requests": self._telling.requests}))


def observed_pause(clock: Clock, stop: asyncio.Event, observer: Observer) -> Pause:
    """A pause that tells ``observer``, and that Ctrl-C ends."""

    async def pause(seconds: float, why: str) -> bool:
        data: dict[str, EventValue] = {"seconds": seconds, "reason": why}
        observer(Event(type=EventType.WAITING, message=f"waiting {seconds:g} s: {why}", data=data))
        try:
            await unless_stopped(clock.sleep(seconds), stop)
        except StoppedError:
            return False
        return True

    return pause
