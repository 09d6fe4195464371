"""What ``status`` does: plans through a client that can only GET, and tells where each connection is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from reconciler.codat.errors import NoAnswerError, ServerFaultError, UnexpectedAnswerError, UnreachableError
from reconciler.diagnostics import CodatSyncError
from reconciler.migration import StatusReport
from reconciler.plan import Options
from reconciler.verification import connection_statuses, states_of
from reconciler.workflow.endpoint import run
from reconciler.workflow.planning import Context, Planned, PlanRequest, from_specs
from reconciler.workflow.rollout import batches, canaries


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRequest:
    """What the command line asks: the specs, and address patterns that narrow them."""

    specs: Path
    context: Context
    targets: tuple[str, ...] = ()
    canary: str | None = None
    """The company that goes first; workspace.yaml's, where none is given."""
    batch: int | None = None
    """How many companies go at a time after it; workspace.yaml's, where none is given."""


PASSING: Final = (NoAnswerError, UnreachableError, ServerFaultError, UnexpectedAnswerError)
"""What may be over at the next look."""


def status(request: StatusRequest) -> StatusReport:
    """Where every connection is that the specs want linked; costs what a plan costs.

    Raises:
        CodatSyncError: specs, flags or credentials are wrong, or Codat cannot be read.
    """
    return run(_looked(request))


def watch(
    request: StatusRequest,
    every: timedelta,
    show: Callable[[StatusReport], None],
    missed: Callable[[CodatSyncError], None],
) -> None:
    """Look again and again, with a pause of ``every`` between two looks, until interrupted.

    A look that fails for a reason that may pass is told to ``missed``, save for the first.

    Raises:
        CodatSyncError: specs, flags or credentials are wrong, or Codat cannot be read.
    """
    run(_watch(request, every, show, missed))


async def _watch(
    request: StatusRequest,
    every: timedelta,
    show: Callable[[StatusReport], None],
    missed: Callable[[CodatSyncError], None],
) -> None:
    show(await _looked(request))
    while True:
        await request.context.clock.sleep(every.total_seconds())
        try:
            show(await _looked(request))
        except PASSING as error:
            missed(error)


async def _looked(request: StatusRequest) -> StatusReport:
    options = Options(targets=request.targets)
    planned = await from_specs(PlanRequest(request.specs, request.context, options))
    observed, plan = planned.observed, planned.plan
    found = connection_statuses(states_of(observed.drafted, observed.policy), plan)
    return StatusReport(
        workspace=plan.workspace,
        api=plan.api,
        connections=found,
        cut=_cut(request, planned, dict.fromkeys(status.address.company for status in found)),
    )


def _cut(
    request: StatusRequest, planned: Planned, companies: Iterable[str]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The batches of a first apply, in its order: companies do not change batch when others are done."""
    rollout = planned.workspace.rollout
    first = canaries(request.canary, rollout, planned.desired, planned.observed.policy.includes)
    size = request.batch or rollout.batch
    if not first and size is None:
        return ()
    rest = batches((company for company in companies if company not in first), size)
    head = (("canary", first),) if first else ()
    return head + tuple((f"batch {number}", part) for number, part in enumerate(rest, 1))
