"""What ``plan`` does: specs, then live state through a client that can only read, then the plan."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from reconciler import __version__
from reconciler.codat import ReadClient
from reconciler.codat.clock import Clock, SystemClock
from reconciler.diagnostics import Diagnostic, MisusedError
from reconciler.model import Limits, Live
from reconciler.plan import Plan
from reconciler.planner import Policy, draft, finish
from reconciler.spec import Loaded
from reconciler.workflow.endpoint import Endpoint
from reconciler.workflow.reading import answer, check_account, list_companies, read_specs

TOOL = f"codat-sync {__version__}"


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What the command line asks of a plan."""

    specs: Path
    endpoint: Endpoint
    targets: tuple[str, ...] = ()
    reauthorize: tuple[str, ...] = ()
    retry_syncs: bool = False
    prune: bool = False
    allow_deletes: int | None = None
    allow_unlinks: int | None = None
    clock: Clock = field(default_factory=SystemClock)
    on_wait: Callable[[float, str], None] | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and the specs that it was made from; ``remaining`` is what is left of the day's quota."""

    plan: Plan
    loaded: Loaded
    remaining: int | None = None

    @property
    def requests_per_minute(self) -> int:
        """The rate at which an apply may ask Codat."""
        return self.loaded.workspace.limits.requests_per_minute


def plan(request: PlanRequest) -> Planned:
    """Make a plan; nothing is written.

    Raises:
        CodatSyncError: specs, flags or credentials are wrong, or Codat cannot be read.

    """
    return asyncio.run(make(request))


async def make(request: PlanRequest) -> Planned:
    """The same as ``plan``, for a caller that has a loop already."""
    endpoint = request.endpoint
    offline = read_specs(request.specs, sandbox=endpoint.is_sandbox)
    if offline.loaded is not None:
        _check_flags(request, offline.loaded)
        endpoint.check(offline.loaded.workspace)
    limits = offline.loaded.workspace.limits if offline.loaded else Limits()
    async with endpoint.open(ReadClient, limits, request.on_wait) as client:
        platforms = await client.platforms()
        loaded = offline.settle(platforms)
        _check_flags(request, loaded)
        endpoint.check(loaded.workspace)
        await check_account(client, loaded.workspace)
        desired, policy = loaded.desired, _policy(request, loaded)
        live = Live(await list_companies(client, desired), platforms)
        drafted = draft(desired, live, policy)
        live = await answer(client, live, drafted, loaded.workspace.limits)
        made = finish(drafted, desired, live, policy, tool=TOOL, api=endpoint.name)
        return Planned(made, loaded, client.meter.remaining)


def _policy(request: PlanRequest, loaded: Loaded) -> Policy:
    return Policy(
        now=request.clock.now(),
        targets=request.targets,
        reauthorize=request.reauthorize,
        retry_syncs=request.retry_syncs,
        prune=request.prune,
        guard=loaded.workspace.guard,
        allow_deletes=request.allow_deletes,
        allow_unlinks=request.allow_unlinks,
        preconditions_waived=request.endpoint.is_sandbox,
    )


def _check_flags(request: PlanRequest, loaded: Loaded) -> None:
    """Refuse ``--prune`` where the run sees a part of the workspace alone.

    Raises:
        MisusedError: the run is narrowed by a path or by ``--target``.

    """
    if not request.prune:
        return
    if request.targets:
        cause = "--target narrows the run"
    elif loaded.desired.narrowed:
        cause = f"{request.specs} is only a part of the workspace at {loaded.workspace.root}"
    else:
        return
    raise MisusedError(
        Diagnostic(
            "prune-narrowed",
            f"--prune needs to see every spec, and {cause}",
            fix="leave --prune out, or run on the whole workspace",
        )
    )
