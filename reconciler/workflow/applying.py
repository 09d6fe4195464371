"""What ``apply`` does: plan, ask, check every secret, execute; and how a run goes on."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from reconciler.account_actions import CreateWebhook
from reconciler.actions import AuthorizeConnection
from reconciler.apply import PlatformBreaker, Resolve, Telling, execute
from reconciler.codat import Client, Meter, ReadClient, key_forms
from reconciler.diagnostics import CodatSyncError, Diagnostic, RefusedError, Severity
from reconciler.kinds import Kind
from reconciler.live import Status
from reconciler.loading import secret_commands
from reconciler.migration import Verification
from reconciler.model import Address
from reconciler.outcome import (
    RESUME,
    RESUME_REAUTHORIZED,
    WELL,
    ActionOutcome,
    FailureCode,
    Observer,
    Outcome,
)
from reconciler.plan import Plan
from reconciler.planner import Earlier, known_from
from reconciler.secret_refs import Secret, SecretRef
from reconciler.secrets import MadeUp, Resolver, SecretError, is_slow
from reconciler.source_account_actions import CreateSourceAccount
from reconciler.verification import ConnectionState
from reconciler.workflow.account import check_urls, sandbox_urls
from reconciler.workflow.command_codes import CommandCode
from reconciler.workflow.endpoint import run
from reconciler.workflow.planning import Planned, PlanRequest, SavedRequest, from_saved, from_specs
from reconciler.workflow.rollout import CANARY_WAIT, canaries, observed_pause, roll_out, stages
from reconciler.workflow.verifying import Pause, SurveyContext, unread, verification

Source = PlanRequest | SavedRequest


def known_after(planned: Planned, outcome: Outcome) -> Earlier:
    """What a part of a run leaves for the next plan to know."""
    known = known_from(action.shown() for action in planned.plan.actions)
    return planned.observed.policy.earlier | known | Earlier(_sent(outcome))


def with_resent(outcome: Outcome, planned: Planned, source: Source) -> Outcome:
    """The outcome, with the connections that the same command would send tokens to again."""
    sent = _sent(outcome) | planned.observed.policy.earlier.sent
    return replace(
        outcome,
        resent=_sent_again(sorted(sent), planned, source),
        was_saved=isinstance(source, SavedRequest),
    )


def resume(planned: Planned, source: Source) -> str:
    """How the failures of this run say to go on."""
    sends = (action.address for action in planned.plan.actions if action.kind is Kind.CONNECTION_AUTHORIZE)
    return RESUME_REAUTHORIZED if _sent_again(sends, planned, source) else RESUME


def lost_from_sight(planned: Planned, outcome: Outcome) -> tuple[ActionOutcome, ...]:
    """Results that no later look can settle: new tokens may have reached a connection that was Linked."""
    renewed = {
        action.address
        for action in planned.plan.actions
        if isinstance(action, AuthorizeConnection) and action.reauthorized
    }
    return tuple(result for result in outcome.results if result.address in renewed and _is_unknown(result))


def _is_unknown(result: ActionOutcome) -> bool:
    return result.failure is not None and result.failure.code == FailureCode.AUTHORIZE_UNKNOWN


def _sent(outcome: Outcome) -> frozenset[Address]:
    """Where tokens have arrived, or may have."""
    return frozenset(
        result.address
        for result in outcome.results
        if result.kind is Kind.CONNECTION_AUTHORIZE and (result.result in WELL or _is_unknown(result))
    )


def _sent_again(addresses: Iterable[Address], planned: Planned, source: Source) -> tuple[Address, ...]:
    """Which of these the same command would send tokens to, once they are Linked.

    A saved plan knows which were not Linked when it was reviewed; specs know nothing of an earlier run.
    """
    policy = planned.observed.policy
    known = Earlier(before=policy.earlier.before) if isinstance(source, SavedRequest) else Earlier()
    again = replace(policy, earlier=known)
    return tuple(address for address in addresses if again.reauthorizes(address, Status.LINKED))


Handler = Callable[[int, FrameType | None], Any] | int | signal.Handlers | None
MADE_UP_NOTE = "Against the sandbox, made-up tokens stood in for {count} references without a value here."


@dataclass(frozen=True, slots=True)
class ApplyRequest:
    """What the command line asks of an apply: to plan first, or to apply a saved plan as reviewed.

    ``seed`` shuffles the companies and must differ from run to run.
    """

    source: PlanRequest | SavedRequest
    seed: int
    canary: str | None = None
    """The company that goes first; workspace.yaml's, where none is given."""
    batch: int | None = None
    """How many companies go at a time after it; workspace.yaml's, where none is given."""
    wait: timedelta | None = None
    """Verify at the end, for at most so long."""
    concurrency: int | None = None
    """How many companies are worked on at once; workspace.yaml's, where none is given."""


@dataclass(frozen=True, slots=True)
class Applied:
    """A plan and what became of it; without an outcome where a guard refused the plan."""

    planned: Planned
    outcome: Outcome | None
    notes: tuple[str, ...] = ()
    verification: Verification | None = None
    """What ``verify`` says of it, where that was asked for."""


def apply(request: ApplyRequest, *, ask: Callable[[Planned], bool], observer: Observer) -> Applied:
    """Plan and carry the plan out, if ``ask`` says so; Ctrl-C lets what is in flight end.

    ``ask`` is given every plan that holds an action and is within the guards.

    Raises:
        RefusedError: ``ask`` said no, or a saved plan is stale or edited; nothing was done.
        CodatSyncError: specs, flags, secrets or credentials are wrong, or Codat cannot be read;
            nothing was done.
    """
    planned = run(_planned(request))
    plan = planned.plan
    if plan.refusals:
        return Applied(planned, None)
    resolve = _resolver(request, planned)
    check_urls(planned.desired, planned.observed.live, resolve)
    first = _canaries(request, planned)
    if not plan.actions:
        outcome = _nothing_to_do(plan, observer)
        return run(_verified(request, Applied(planned, outcome), observer))
    planned = replace(planned, warnings=(*planned.warnings, *_check_secrets(plan, resolve)))
    # Asked between two event loops: inside one, Ctrl-C at the question would go unheard.
    if not ask(planned):
        raise RefusedError(
            Diagnostic(
                CommandCode.NOT_CONFIRMED,
                "the plan was not confirmed, so nothing was done",
                fix="answer yes on a terminal, or pass --yes (CI=true counts as yes)",
            )
        )
    outcome = run(_execute(request, planned, first, resolve, observer))
    applied = Applied(planned, with_resent(outcome, planned, request.source), _notes(resolve))
    return run(_verified(request, applied, observer))


def _nothing_to_do(plan: Plan, observer: Observer) -> Outcome:
    """The outcome of a plan without an action, told as that of every run."""
    telling, outcome = (
        Telling(observer, Meter()),
        Outcome(workspace=plan.workspace, results=(), attention=plan.attention),
    )
    telling.started(plan, 0)
    telling.ended(outcome)
    return outcome


async def _planned(request: ApplyRequest) -> Planned:
    source = request.source
    planned = await (from_specs(source) if isinstance(source, PlanRequest) else from_saved(source))
    if request.concurrency is None:
        return planned
    limits = replace(planned.workspace.limits, concurrency=request.concurrency)
    return replace(planned, workspace=replace(planned.workspace, limits=limits))


async def _execute(
    request: ApplyRequest,
    planned: Planned,
    first: tuple[str, ...],
    resolve: Resolver | MadeUp,
    observer: Observer,
) -> Outcome:
    context, workspace = request.source.context, planned.workspace
    plan, rollout = planned.plan, workspace.rollout
    stop, breaker, going_on = asyncio.Event(), PlatformBreaker(plan.actions), resume(planned, request.source)
    async with context.endpoint.open(Client, workspace.limits, context.on_wait) as client:

        async def part(some: Plan, failed_before: int, told: Observer) -> Outcome:
            return await execute(
                some,
                client,
                _unblocking(resolve, _urls(plan)),
                clock=context.clock,
                limits=workspace.limits,
                max_failures=rollout.max_failures,
                observer=told,
                seed=request.seed,
                stop=stop,
                planned_at=planned.observed.policy.now,
                failed_before=failed_before,
                breaker=breaker,
                resume=going_on,
            )

        async def verify(companies: Sequence[str]) -> Verification:
            on = replace(_ground(client, request, planned), companies=frozenset(companies))
            wait = max(CANARY_WAIT, request.wait or CANARY_WAIT)
            pause = observed_pause(context.clock, stop, observer)
            return await _looked(on, wait, pause, stop, lambda state: not state.waits_for_others)

        with _stopping_on_signals(stop):
            parts = stages(plan, first, request.batch or rollout.batch)
            if len(parts) == 1:
                return await part(plan, 0, observer)
            return await roll_out(
                plan,
                parts,
                part,
                verify,
                max_failures=rollout.max_failures,
                telling=Telling(observer, client.meter),
                observer=observer,
                stop=stop,
                resume=going_on,
            )


def _canaries(request: ApplyRequest, planned: Planned) -> tuple[str, ...]:
    includes = planned.observed.policy.includes
    return canaries(request.canary, planned.workspace.rollout, planned.desired, includes)


async def _verified(request: ApplyRequest, applied: Applied, observer: Observer) -> Applied:
    """Add what ``verify`` says, where that was asked for and the run came to its end.

    Companies that failed are known to be wanting, and what waits for Codat's team or the customer is not
    this run's to settle; neither is waited for.
    """
    outcome, planned = applied.outcome, applied.planned
    if request.wait is None or outcome is None or outcome.interrupted or outcome.stopped is not None:
        return applied
    undone = {result.address.company for result in outcome.results if result.result not in WELL}

    def concerns(state: ConnectionState) -> bool:
        return not state.waits_for_others and state.address.company not in undone

    context, stop = request.source.context, asyncio.Event()
    limits = planned.workspace.limits
    async with context.endpoint.open(ReadClient, limits, context.on_wait) as client:
        on = replace(_ground(client, request, planned), targets=planned.observed.policy.targets)
        with _stopping_on_signals(stop):
            pause = observed_pause(context.clock, stop, observer)
            found = await _looked(on, request.wait, pause, stop, concerns)
    return replace(applied, verification=found, outcome=replace(outcome, interrupted=stop.is_set()))


async def _looked(
    on: SurveyContext,
    wait: timedelta,
    pause: Pause,
    stop: asyncio.Event,
    concerns: Callable[[ConnectionState], bool],
) -> Verification:
    """What ``verify`` says; whatever keeps it from that, what was applied is not lost."""
    try:
        return await verification(on, wait, pause, stop=stop, concerns=concerns)
    except CodatSyncError as error:
        return Verification(
            workspace=on.desired.workspace,
            api=on.context.endpoint.name,
            connections=(),
            unread=unread(str(error)),
        )


def _ground(client: ReadClient, request: ApplyRequest, planned: Planned) -> SurveyContext:
    context, platforms = request.source.context, planned.observed.live.platforms
    return SurveyContext(client, context, planned.desired, planned.workspace, platforms)


def _resolver(request: ApplyRequest, planned: Planned) -> Resolver | MadeUp:
    """What resolves references here.

    The commands that may be run are those of ``workspace.yaml`` at the root as it stands now, never
    what a plan file says. The sandbox runs none: nothing should hand real tokens to a pretend Codat.
    """
    endpoint, root = request.source.context.endpoint, Path(planned.workspace.root)
    if endpoint.is_sandbox:
        return MadeUp(Resolver(root, endpoint.environ, providers=False))
    withheld = key_forms(endpoint.environ)
    return Resolver(root, endpoint.environ, commands=secret_commands(root), withheld=withheld)


def _unblocking(resolve: Resolver | MadeUp, urls: frozenset[SecretRef] = frozenset()) -> Resolve:
    """``resolve``, which leaves the event loop to others while it waits for a program.

    What the sandbox makes up for ``urls`` is one.
    """
    if isinstance(resolve, MadeUp):
        made_up, as_url = resolve, sandbox_urls(resolve)
        return lambda ref: as_url(ref) if ref in urls else made_up(ref)
    slow = resolve

    def resolved(ref: SecretRef) -> Secret | Awaitable[Secret]:
        return asyncio.to_thread(slow, ref) if is_slow(ref) else slow(ref)

    return resolved


def _urls(plan: Plan) -> frozenset[SecretRef]:
    """The references that the plan will send as URLs of webhook consumers."""
    created = (action.url for action in plan.actions if isinstance(action, CreateWebhook))
    return frozenset(url for url in created if isinstance(url, SecretRef))


def _check_secrets(plan: Plan, resolve: Resolver | MadeUp) -> tuple[Diagnostic, ...]:
    """Check every secret that the plan will send, so that no company is left half-way for want of one.

    Returns:
        Warnings of secrets that look as if more than the secret had been copied.

    Raises:
        SecretError: some cannot be resolved; all of them are named.
    """
    found = resolve.check(_uses(plan))
    if errors := tuple(problem for problem in found if problem.severity is Severity.ERROR):
        raise SecretError(*errors)
    return found


def _uses(plan: Plan) -> Iterator[tuple[SecretRef, str]]:
    for action in plan.actions:
        if isinstance(action, AuthorizeConnection):
            for field, value in action.authorization.items():
                if isinstance(value, SecretRef):
                    yield value, f"{action.address} {field}"
        elif isinstance(action, CreateSourceAccount):
            for field, value in sorted(action.account.numbers.items()):
                yield value, f"{action.address} sourceAccounts.{action.account_id}.{field}"
        elif isinstance(action, CreateWebhook) and isinstance(action.url, SecretRef):
            yield action.url, f"{action.address} url"


def _notes(resolve: Resolver | MadeUp) -> tuple[str, ...]:
    made_up = len(resolve.made_up) if isinstance(resolve, MadeUp) else 0
    return (MADE_UP_NOTE.format(count=made_up),) if made_up else ()


@contextmanager
def _stopping_on_signals(stop: asyncio.Event) -> Iterator[None]:
    """Let SIGINT, SIGTERM and SIGHUP set ``stop``; a second one ends the process as it always does.

    A terminal that closes sends SIGHUP more than once, so a second one of those is ignored; so is the first
    where the process was started to outlive its terminal, as nohup does.

    Python's own handlers serve on every system; those of an event loop are missing on Windows
    (https://docs.python.org/3/library/asyncio-platforms.html).
    """
    loop = asyncio.get_running_loop()
    as_always: dict[signal.Signals, Handler] = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
    }
    hang_up: signal.Signals | None = getattr(signal, "SIGHUP", None)
    if hang_up is not None and signal.getsignal(hang_up) is not signal.SIG_IGN:
        as_always[hang_up] = signal.SIG_IGN

    def note(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop.set)
        for number, handler in as_always.items():
            signal.signal(number, handler)

    before = {number: signal.signal(number, note) for number in as_always}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
