"""What ``status`` does: plans through a client that can only GET, and tells where each connection is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from reconciler.migration import StatusReport
from reconciler.planner import connection_statuses, states_of
from reconciler.workflow.planning import Context, PlanRequest, from_specs
from reconciler.workflow.running import run
from reconciler.workflow.saving import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRequest:
    """What the command line asks: the specs, and address patterns that narrow them."""

    specs: Path
    context: Context
    targets: tuple[str, ...] = ()


def status(request: StatusRequest) -> StatusReport:
    """Where every connection is that the specs want linked; costs what a plan costs.

    Raises:
        CodatSyncError: specs, flags or credentials are wrong, or Codat cannot be read.
    """
    return run(_looked(request))


def watch(request: StatusRequest, every: timedelta, show: Callable[[StatusReport], None]) -> None:
    """Look again and again, with a pause of ``every`` between two looks, until interrupted.

    Raises:
        CodatSyncError: specs, flags or credentials are wrong, or Codat cannot be read.
    """
    run(_watch(request, every, show))


async def _watch(request: StatusRequest, every: timedelta, show: Callable[[StatusReport], None]) -> None:
    while True:
        show(await _looked(request))
        await request.context.clock.sleep(every.total_seconds())


async def _looked(request: StatusRequest) -> StatusReport:
    options = Options(targets=request.targets)
    planned = await from_specs(PlanRequest(request.specs, request.context, options))
    observed, plan = planned.observed, planned.plan
    return StatusReport(
        workspace=plan.workspace,
        api=plan.api,
        connections=connection_statuses(states_of(observed.drafted, observed.policy), plan),
    )
