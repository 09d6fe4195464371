"""What ``plan`` and ``explain`` do: specs, live state through a client that can only read, then the plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from reconciler import __version__
from reconciler.codat import ReadClient
from reconciler.codat.pacing import Clock, SystemClock
from reconciler.diagnostics import Diagnostic, MisusedError, RefusedError, Severity
from reconciler.kinds import Kind
from reconciler.live import Live, Status
from reconciler.loading import Loaded, SpecCode, SpecError
from reconciler.model import Address, Desired, Platform
from reconciler.outcome import RESUME, RESUME_REAUTHORIZED
from reconciler.plan import Options, Plan, Refusal
from reconciler.planner import (
    Draft,
    Earlier,
    PlannerCode,
    Policy,
    Stale,
    account_addresses,
    addresses,
    as_reviewed,
    check_companies,
    concerns_account,
    desired_digest,
    draft,
    explained,
    explained_account,
    finish,
    known_from,
    may_narrow,
    with_origins,
)
from reconciler.workflow.account import read_account, url_resolver
from reconciler.workflow.base_specs import Base, read_base
from reconciler.workflow.catalogue import catalogue
from reconciler.workflow.command_codes import CommandCode
from reconciler.workflow.endpoint import Endpoint, pace, run
from reconciler.workflow.reading import (
    answer,
    check_account,
    check_platforms,
    forecast,
    list_companies,
    read_specs,
    with_sync_settings,
)
from reconciler.workflow.saving import PLAN_AGAIN, check_commands, check_place, read, save
from reconciler.workspace import Limits, Workspace

TOOL = f"codat-sync {__version__}"


@dataclass(frozen=True, slots=True)
class Context:
    """Where a plan is made: the API, the clock, and who is told of waits."""

    endpoint: Endpoint
    clock: Clock = field(default_factory=SystemClock)
    on_wait: Callable[[float, str], None] | None = None


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What the command line asks of a plan. ``base`` is a directory or a git ref, ``out`` a file to write."""

    specs: Path
    context: Context
    options: Options = field(default_factory=Options)
    base: str | None = None
    out: Path | None = None
    earlier: Earlier = field(default_factory=Earlier)


@dataclass(frozen=True, slots=True)
class SavedRequest:
    """What the command line asks of a saved plan; ``specs`` must still say the same, where they are given.

    Beside ``specs`` what ``permits`` permits takes the place of what the plan was made with.
    """

    file: Path
    context: Context
    specs: Path | None = None
    earlier: Earlier = field(default_factory=Earlier)
    permits: Options = field(default_factory=Options)


@dataclass(frozen=True, slots=True)
class Observed:
    """What was read of Codat for a plan, and what was decided of it: all that an explanation needs."""

    live: Live
    drafted: Draft
    policy: Policy


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and what it was made from."""

    plan: Plan
    desired: Desired
    workspace: Workspace
    observed: Observed
    forecast: tuple[str, ...] = ()
    """What the day's quota means for this plan; not a part of it, since it differs from hour to hour."""
    warnings: tuple[Diagnostic, ...] = ()
    """What is odd about the specs, and no error."""

    @property
    def requests_per_minute(self) -> int | None:
        """The rate at which an apply may ask Codat; none where nothing paces it."""
        return pace(self.plan.api, self.workspace.limits)


def plan(request: PlanRequest) -> Planned:
    """Make a plan; nothing is written but the file that ``out`` names.

    Raises:
        CodatSyncError: specs, flags or credentials are wrong, or Codat cannot be read.
    """
    planned = run(from_specs(request))
    if request.out is not None:
        save(request.out, planned.plan, planned.desired, planned.workspace, request.options, request.specs)
    return planned


async def from_specs(request: PlanRequest) -> Planned:
    """Plan from specs."""
    context, options = request.context, request.options
    endpoint = context.endpoint
    offline = read_specs(request.specs, endpoint)
    if offline.loaded is not None:
        _check(request, offline.loaded)
    limits = offline.loaded.workspace.limits if offline.loaded else Limits()
    hurries = offline.loaded is not None and not offline.loaded.names_rate
    async with endpoint.open(ReadClient, limits, context.on_wait, hurries=hurries) as client:
        platforms = await client.platforms()
        loaded = offline.settle(platforms)
        desired, workspace = loaded.desired, loaded.workspace
        _check(request, loaded)
        base = (
            read_base(request.base, request.specs, offline, platforms) if request.base is not None else None
        )
        planned = await _plan(client, request, desired, workspace, options, platforms, base)
        told = tuple(warning for warning in loaded.warnings if warning.code != SpecCode.UNLISTED_PLATFORM)
        return replace(planned, warnings=told)


async def from_saved(request: SavedRequest) -> Planned:
    """Plan again from the desired state that a saved plan carries, and keep what was reviewed of it.

    Raises:
        RefusedError: the plan is edited, stale, for another API or workspace, or the specs say something
            else now.
        CodatSyncError: the file or Codat cannot be read.
    """
    saved, context = read(request.file), request.context
    endpoint, workspace, options = context.endpoint, saved.workspace, saved.options
    if request.specs is None:
        check_place(request.file, workspace, sandbox=endpoint.is_sandbox)
        if not endpoint.is_sandbox:  # which runs no program
            check_commands(request.file, saved)
    endpoint.check(workspace)
    if saved.plan.api != endpoint.name:
        raise _refused(
            CommandCode.PLAN_OTHER_API, f"it was made against {saved.plan.api}, not {endpoint.name}"
        )
    offline = read_specs(request.specs, endpoint) if request.specs else None
    async with endpoint.open(ReadClient, workspace.limits, context.on_wait) as client:
        platforms = await client.platforms()
        if offline is not None:
            loaded = offline.settle(platforms)
            if desired_digest(loaded.desired) != desired_digest(saved.desired):
                raise _refused(
                    CommandCode.PLAN_OTHER_SPECS, f"the specs in {request.specs} do not say the same any more"
                )
            _check_all_read(loaded, options)
            workspace = loaded.workspace  # its guards and account hold, whatever the file says
            options = options.permitting(request.permits)
            endpoint.check(workspace)
        known = replace(request, earlier=known_from(saved.plan.actions) | request.earlier)
        planned = await _plan(client, known, saved.desired, workspace, options, platforms)
    reviewed = as_reviewed(saved.plan, planned.plan)
    if reviewed.stale:
        raise RefusedError(*map(_stale, reviewed.stale))
    if request.specs is not None:
        return replace(planned, plan=reviewed.plan)
    refusals = tuple(
        Refusal(f"{refusal.message} when the plan is made") for refusal in reviewed.plan.refusals
    )
    return replace(planned, plan=replace(reviewed.plan, refusals=refusals))


def _refused(code: CommandCode, why: str) -> RefusedError:
    return RefusedError(Diagnostic(code, f"the saved plan is not applied: {why}", PLAN_AGAIN))


def _stale(stale: Stale) -> Diagnostic:
    told = f"the saved plan is stale: reviewed was {stale.reviewed}; now it would be {stale.now}"
    return Diagnostic(CommandCode.PLAN_STALE, told, stale.then or PLAN_AGAIN, path=stale.address)


async def _plan(
    client: ReadClient,
    request: PlanRequest | SavedRequest,
    desired: Desired,
    workspace: Workspace,
    options: Options,
    platforms: tuple[Platform, ...],
    base: Base | None = None,
) -> Planned:
    context = request.context
    policy = _policy(request, workspace, options)
    wanted = desired.account if concerns_account(desired, policy) else None
    profile = await check_account(client, workspace, whole=wanted is not None and bool(wanted.profile))
    resolve = url_resolver(workspace, context.endpoint)
    account = await read_account(client, wanted, resolve, profile) if wanted else None
    narrows = wanted is not None and account is not None and may_narrow(wanted, account)
    companies = await list_companies(client, desired, base.desired if base else None, whole=narrows)
    check_platforms(desired, companies, platforms)
    companies = await with_sync_settings(client, companies, desired, policy, workspace.limits)
    live = Live(companies=companies, platforms=platforms, account=account)
    drafted = draft(desired, live, policy)
    live = await answer(client, live, drafted, workspace.limits)
    api = context.endpoint.name
    made = finish(drafted, desired, live, policy, tool=TOOL, api=api)
    if base is not None:
        made = with_origins(made, base.desired, live, policy)
    if context.endpoint.is_sandbox:
        return Planned(made, desired, workspace, Observed(live, drafted, policy))
    sends = (action.address for action in made.actions if action.kind is Kind.CONNECTION_AUTHORIZE)
    is_renewing = any(policy.reauthorizes(address, Status.LINKED) for address in sends)
    again = RESUME_REAUTHORIZED if is_renewing else RESUME
    told = forecast(made, client.meter, context.clock.now(), again=again)
    return Planned(made, desired, workspace, Observed(live, drafted, policy), told)


def _policy(request: PlanRequest | SavedRequest, workspace: Workspace, options: Options) -> Policy:
    context = request.context
    return Policy(
        now=context.clock.now(),
        targets=options.targets,
        reauthorize=options.reauthorize,
        retry_syncs=options.retry_syncs,
        prune=options.prune,
        guard=workspace.guard,
        allow_deletes=options.allow_deletes,
        allow_unlinks=options.allow_unlinks,
        allow_narrowings=options.allow_narrowings,
        allow_source_account_deletes=options.allow_source_account_deletes,
        preconditions_waived=context.endpoint.is_sandbox,
        warn_after=workspace.warn_after,
        create_with_products=workspace.create_with_products,
        earlier=request.earlier,
    )


def _check_all_read(loaded: Loaded, options: Options) -> None:
    """Refuse ``--prune`` where a file that may be a spec is not read: what only it names would be deleted.

    Raises:
        SpecError: there is such a file.
    """
    unread = [warning for warning in loaded.warnings if warning.code == SpecCode.LOOKS_LIKE_SPEC]
    if options.prune and unread:
        why = "; --prune would delete what only it names"
        raise SpecError(
            replace(diagnostic, summary=diagnostic.summary + why, severity=Severity.ERROR)
            for diagnostic in unread
        )


def _check(request: PlanRequest, loaded: Loaded) -> None:
    """Refuse sandbox specs on a real API, and ``--prune`` where a part of the workspace is seen alone.

    Raises:
        RefusedError: ``sandboxOnly`` specs against what may be the real API.
        MisusedError: ``--prune``, and the run is narrowed by a path or by ``--target``.
        SpecError: ``--prune``, and a file that may be a spec is not read.
    """
    desired, workspace = loaded.desired, loaded.workspace
    _check_all_read(loaded, request.options)
    request.context.endpoint.check(workspace)
    check_companies(desired, request.options.targets, request.options.reauthorize)
    if not request.options.prune:
        return
    if request.options.targets:
        cause = "--target narrows the run"
    elif desired.narrowed:
        cause = f"{request.specs} is only a part of the workspace at {workspace.root}"
    else:
        return
    raise MisusedError(
        Diagnostic(
            CommandCode.PRUNE_NARROWED,
            f"--prune needs to see every spec, and {cause}",
            fix="leave --prune out, or run on the whole workspace",
        )
    )


FORMAT_VERSION: Final = 1
NEAR: Final = 3
"""How many near misses an error offers."""


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """What the command line asks: an address of these specs."""

    address: str
    specs: Path
    context: Context


def explain(request: ExplainRequest) -> dict[str, Any]:
    """The document that says why the address is planned as it is.

    Raises:
        MisusedError: the address names nothing; the error offers what is near.
        CodatSyncError: specs or credentials are wrong, or Codat cannot be read.
    """
    if not request.specs.exists():
        codes = [entry.code for entry in catalogue()]
        where = f"is no code, and {request.specs} is not there to look for it as an address"
        raise _nothing(request.address, where, codes)
    planned = run(from_specs(PlanRequest(request.specs, request.context)))
    observed, desired = planned.observed, planned.desired
    address, plan = Address.parse(request.address), planned.plan
    if address.is_account:
        found = explained_account(address, desired, observed.live, observed.policy, plan)
    else:
        found = explained(address, observed.drafted, desired, observed.live, observed.policy, plan)
    if not found:
        account = account_addresses(desired, observed.live, observed.policy)
        known = [*addresses(observed.drafted, desired), *account, *(entry.code for entry in catalogue())]
        raise _nothing(request.address, "is neither an address of the plan nor a code", known)
    return _document(request, planned, [explanation.document() for explanation in found])


def _document(request: ExplainRequest, planned: Planned, found: list[dict[str, Any]]) -> dict[str, Any]:
    plan = planned.plan
    return {
        "formatVersion": FORMAT_VERSION,
        "address": request.address,
        "workspace": plan.workspace,
        "api": plan.api,
        "explanations": found,
        "refusals": [refusal.message for refusal in plan.refusals],
    }


def _nothing(name: str, why: str, known: Sequence[str]) -> MisusedError:
    near = get_close_matches(name, dict.fromkeys(known), n=NEAR)
    fix = f"did you mean {' or '.join(map(repr, near))}?" if near else "codat-sync plan shows the addresses"
    return MisusedError(Diagnostic(PlannerCode.NO_SUCH_ADDRESS, f"{name!r} {why}", fix))
