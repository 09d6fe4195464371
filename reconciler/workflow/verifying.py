"""What ``verify`` does: look, and look again, until every connection has passed or the time is up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from reconciler.migration import Verdict, Verification, Verified
from reconciler.model import Address, Live
from reconciler.planner import Namesakes, Standing, evidence_of, needs_history, verified
from reconciler.workflow.reading import each
from reconciler.workflow.surveying import Ground, Survey, SurveyRequest, ground, look

FIRST_PAUSE: Final = 1.0
"""Seconds from the first look to the second; every later pause is twice as long as the one before."""
LONGEST_PAUSE: Final = 60.0

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
        CodatSyncError: specs, flags or credentials are wrong, or Codat cannot be read.
    """
    return asyncio.run(_verify(request))


async def _verify(request: VerifyRequest) -> Verification:
    circumstances = request.survey.circumstances

    async def pause(seconds: float, why: str) -> bool:
        if circumstances.on_wait:
            circumstances.on_wait(seconds, why)
        await circumstances.clock.sleep(seconds)
        return True

    async with ground(request.survey) as on:
        return await verification(on, request.wait, pause)


async def verification(
    on: Ground, wait: timedelta, pause: Pause, *, concerns: Callable[[Standing], bool] = lambda _: True
) -> Verification:
    """Look until nothing is pending, ``wait`` is over, or ``pause`` says no.

    Waiting helps what is pending alone: a look that finds nothing but failures is the last.
    What has passed once is not read again.
    """
    clock = on.circumstances.clock
    deadline = clock.now() + wait
    fetched: frozenset[str] | None = None
    found: dict[Address, Verified] = {}
    for seconds in _pauses():
        survey = await look(on)
        open_ones = [one for one in survey.standings if concerns(one) and not _has_passed(one, found)]
        if fetched is None and any(_needs_profile(one) for one in open_ones):
            fetched = await on.client.fetched_types()
        found |= await _judged(
            on, replace(survey, live=replace(survey.live, fetched_types=fetched)), open_ones
        )
        report = Verification(
            on.desired.workspace,
            on.circumstances.endpoint.name,
            tuple(one for _, one in sorted(found.items())),
        )
        left = (deadline - clock.now()).total_seconds()
        if not report.may_still_pass or left <= 0 or not await pause(min(seconds, left), _progress(report)):
            return report
    raise AssertionError("the pauses have no end")


def _pauses() -> Iterator[float]:
    seconds = FIRST_PAUSE
    while True:
        yield seconds
        seconds = min(seconds * 2, LONGEST_PAUSE)


def _progress(report: Verification) -> str:
    pending = report.counts[Verdict.PENDING]
    return f"verifying: {pending:,} of {len(report.connections):,} connections are not there yet"


def _has_passed(standing: Standing, found: dict[Address, Verified]) -> bool:
    before = found.get(standing.address)
    return before is not None and before.verdict is Verdict.PASSED


def _needs_profile(standing: Standing) -> bool:
    return standing.is_synced_by_us and not standing.connection.sync.data_types


async def _judged(on: Ground, survey: Survey, standings: Sequence[Standing]) -> dict[Address, Verified]:
    """What the checks find, after the data status of every company with a Linked connection was read."""
    synced = [one for one in standings if one.is_synced_by_us]
    concurrency = on.workspace.limits.concurrency
    statuses = await each(_companies(synced), on.client.data_status, concurrency)
    pulls = await each(_companies(one for one in synced if needs_history(one)), on.client.pulls, concurrency)
    live: Live = replace(survey.live, pulls=pulls)
    namesakes = Namesakes.of(on.desired, live.companies)
    return {
        one.address: verified(evidence_of(one, live, statuses.get(_company(one), ()), namesakes.strays(one)))
        for one in standings
    }


def _company(standing: Standing) -> str:
    return standing.live_company.id if standing.live_company else ""


def _companies(standings: Iterable[Standing]) -> list[str]:
    return list(dict.fromkeys(map(_company, standings)))
