"""What ``verify`` does: look where every connection stands, and look again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from reconciler.codat import ReadClient
from reconciler.codat.errors import ApiError, RunStoppingError
from reconciler.codat.transport import StoppedError, unless_stopped
from reconciler.live import Live
from reconciler.migration import Finding, Verdict, Verification, Verified
from reconciler.model import Address, Desired, Migration, Platform
from reconciler.planner import Policy, check_patterns, draft
from reconciler.verification import (
    ConnectionState,
    Namesakes,
    evidence_of,
    needs_history,
    states_of,
    verified,
)
from reconciler.workflow.endpoint import run
from reconciler.workflow.planning import Context
from reconciler.workflow.reading import check_account, each, list_companies, read_specs
from reconciler.workspace import Limits, Workspace


@dataclass(frozen=True, slots=True)
class SurveyRequest:
    """What the command line asks to be looked at; ``targets`` are address patterns."""

    specs: Path
    context: Context
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SurveyContext:
    """What does not change from one look to the next."""

    client: ReadClient
    context: Context
    desired: Desired
    workspace: Workspace
    platforms: tuple[Platform, ...]
    targets: tuple[str, ...] = ()
    companies: frozenset[str] | None = None
    """The keys of the companies to look at; all, where it is ``None``."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What one look found: the connections, and what was read for it."""

    states: tuple[ConnectionState, ...]
    live: Live


@asynccontextmanager
async def survey_context(request: SurveyRequest) -> AsyncIterator[SurveyContext]:
    """The specs, and a client that can only GET.

    Raises:
        CodatSyncError: specs, flags or credentials are wrong, or Codat cannot be read.
    """
    context = request.context
    endpoint = context.endpoint
    offline = read_specs(request.specs, endpoint)
    if offline.loaded is not None:
        endpoint.check(offline.loaded.workspace)
    limits = offline.loaded.workspace.limits if offline.loaded else Limits()
    async with endpoint.open(ReadClient, limits, context.on_wait) as client:
        platforms = await client.platforms()
        loaded = offline.settle(platforms)
        endpoint.check(loaded.workspace)
        await check_account(client, loaded.workspace)
        yield SurveyContext(client, context, loaded.desired, loaded.workspace, platforms, request.targets)


async def look(on: SurveyContext, *, everywhere: bool = False) -> Survey:
    """Where every wanted connection stands now; costs the pages of a listing, as a plan does.

    ``everywhere`` looks beyond the targets, which must name something all the same.

    Raises:
        MisusedError: ``--target`` names nothing.
        CodatSyncError: Codat cannot be read.
    """
    policy = Policy(
        now=on.context.clock.now(),
        targets=on.targets,
        companies=on.companies,
        preconditions_waived=on.context.endpoint.is_sandbox,
    )
    seen = replace(policy, targets=()) if everywhere else policy
    targeted = _targeted(on.desired, seen)
    companies = await list_companies(on.client, targeted, whole=_has_managed(targeted, seen))
    live = Live(companies=companies, platforms=on.platforms)
    drafted = draft(on.desired, live, seen)
    check_patterns(drafted, on.desired, policy)
    return Survey(states_of(drafted, seen), live)


def _targeted(desired: Desired, policy: Policy) -> Desired:
    """The companies that the run concerns itself with: no other is worth a listing."""
    companies = {
        key: company
        for key, company in desired.companies.items()
        if any(
            policy.includes(address)
            for address in (Address(key), *(Address(key, c) for c in company.connections))
        )
    }
    return replace(desired, companies=companies)


def _has_managed(desired: Desired, policy: Policy) -> bool:
    """Whether an import by Codat's team may have made companies that carry no tag of ours."""
    return any(
        connection.migration is Migration.MANAGED and policy.includes(Address(key, connection.key))
        for key, company in desired.companies.items()
        for connection in company.connections.values()
    )


FIRST_PAUSE: Final = 1.0
"""Seconds from the first look to the second; every later pause is twice as long as the one before."""
LONGEST_PAUSE: Final = 60.0
READ: Final = "read"
"""The check that stands for all others where Codat could not be read."""

Pause = Callable[[float, str], Awaitable[bool]]
"""Waits so many seconds for the reason given; whether to look again afterwards."""


@dataclass(frozen=True, slots=True)
class VerifyRequest:
    """What the command line asks to be verified, and for how long it may take until all has passed."""

    survey: SurveyRequest
    wait: timedelta = timedelta()


def verify(request: VerifyRequest) -> Verification:
    """Verify every wanted connection through a client that can only GET.

    Raises:
        CodatSyncError: specs, flags or credentials are wrong, or Codat cannot be read at all.
    """
    return run(_verify(request))


async def _verify(request: VerifyRequest) -> Verification:
    context = request.survey.context

    async def pause(seconds: float, why: str) -> bool:
        if context.on_wait:
            context.on_wait(seconds, why)
        await context.clock.sleep(seconds)
        return True

    async with survey_context(request.survey) as on:
        return await verification(on, request.wait, pause)


async def verification(
    on: SurveyContext,
    wait: timedelta,
    pause: Pause,
    *,
    stop: asyncio.Event | None = None,
    concerns: Callable[[ConnectionState], bool] = lambda _: True,
) -> Verification:
    """Look until nothing is pending, ``wait`` is over, ``stop`` is set, or ``pause`` says no.

    Waiting helps what is pending alone: a look that finds nothing but failures is the last. One that
    failed itself is followed by another, as long as there is time and the next one can succeed; what it
    leaves open is in the report.
    """
    clock, looking, stop = on.context.clock, _Looking(on, concerns), stop or asyncio.Event()
    deadline = clock.now() + wait
    for seconds in _pauses():
        is_final = False
        try:
            await unless_stopped(looking.look(), stop)
        except StoppedError:
            return looking.report(unread("interrupted before all was looked at"))
        except ApiError as error:
            report = looking.report(unread(_told(error), error.fix))
            is_final = isinstance(error, RunStoppingError)
        else:
            report = looking.report()
        left = (deadline - clock.now()).total_seconds()
        if is_final or not report.may_still_pass or left <= 0:
            return report
        if not await pause(min(seconds, left), _progress(report)):
            return report
    raise AssertionError("the pauses have no end")


def unread(why: str, fix: str = "") -> Finding:
    """What is told of a look that did not come to its end."""
    return Finding(check=READ, verdict=Verdict.PENDING, message=why, fix=fix)


def _told(error: ApiError) -> str:
    trailer = f" (correlation id {error.correlation_id})" if error.correlation_id else ""
    return f"{error.summary}{trailer}"


class _Looking:
    """What the looks have found so far. What has passed once is not read again."""

    def __init__(self, on: SurveyContext, concerns: Callable[[ConnectionState], bool]) -> None:
        self._on = on
        self._concerns = concerns
        self._fetched: frozenset[str] | None = None
        self._found: dict[Address, Verified] = {}

    async def look(self) -> None:
        """Look once.

        Raises:
            ApiError: Codat could not be read; what was found before stands.
        """
        survey = await look(self._on)
        open_ones = [
            state for state in survey.states if self._concerns(state) and not self._has_passed(state)
        ]
        for state in open_ones:
            self._found.setdefault(state.address, _not_judged(state))
        if self._fetched is None and any(_needs_profile(state) for state in open_ones):
            self._fetched = await self._on.client.fetched_types()
        live = replace(survey.live, fetched_types=self._fetched)
        self._found |= await _judged(self._on, replace(survey, live=live), open_ones)

    def report(self, incomplete: Finding | None = None) -> Verification:
        """All that is known by now."""
        on = self._on
        connections = tuple(verified for _, verified in sorted(self._found.items()))
        return Verification(
            workspace=on.desired.workspace,
            api=on.context.endpoint.name,
            connections=connections,
            unread=incomplete,
        )

    def _has_passed(self, standing: ConnectionState) -> bool:
        before = self._found.get(standing.address)
        return before is not None and before.verdict is Verdict.PASSED


def _not_judged(state: ConnectionState) -> Verified:
    """What stands for a connection until a look has come to its end."""
    finding = unread("it could not be verified")
    return Verified(
        address=state.address,
        platform=state.connection.platform,
        findings=(finding,),
        company_id=state.live_company.id if state.live_company else None,
        connection_id=state.live.id if state.live else None,
    )


def _pauses() -> Iterator[float]:
    seconds = FIRST_PAUSE
    while True:
        yield seconds
        seconds = min(seconds * 2, LONGEST_PAUSE)


def _progress(report: Verification) -> str:
    if report.unread is not None:
        return f"verifying: a look failed, and is tried again: {report.unread.message}"
    pending = report.counts[Verdict.PENDING]
    return f"verifying: {pending:,} of {len(report.connections):,} connections are not there yet"


def _needs_profile(standing: ConnectionState) -> bool:
    return standing.is_synced_by_us and not standing.connection.sync.data_types


async def _judged(
    on: SurveyContext, survey: Survey, standings: Sequence[ConnectionState]
) -> dict[Address, Verified]:
    """What the checks find, after the data status of every company with a Linked connection was read."""
    synced = [standing for standing in standings if standing.is_synced_by_us]
    concurrency = on.workspace.limits.at_first
    statuses = await each(_companies(synced), on.client.data_status, concurrency)
    pulls = await each(
        _companies(state for state in synced if needs_history(state)), on.client.pulls, concurrency
    )
    live: Live = replace(survey.live, pulls=pulls)
    namesakes = Namesakes.of(on.desired, live.companies)
    return {
        standing.address: verified(
            evidence_of(standing, live, statuses.get(_company(standing), ()), namesakes.strays(standing))
        )
        for standing in standings
    }


def _company(standing: ConnectionState) -> str:
    return standing.live_company.id if standing.live_company else ""


def _companies(standings: Iterable[ConnectionState]) -> list[str]:
    return list(dict.fromkeys(map(_company, standings)))
