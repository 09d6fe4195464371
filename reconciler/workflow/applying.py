"""What ``apply`` does: plan, ask, check every secret, execute; nothing is written before all of it passed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.apply import execute
from reconciler.codat import Client
from reconciler.diagnostics import Diagnostic, RefusedError
from reconciler.model import SecretRef
from reconciler.outcome import Observer, Outcome
from reconciler.plan import AuthorizeConnection, Plan
from reconciler.secrets import MadeUp, Resolver, SecretError
from reconciler.workflow.codes import Code
from reconciler.workflow.planning import Planned, PlanRequest, SavedRequest, from_saved, from_specs

MADE_UP_NOTE = "Against the sandbox, made-up tokens stood in for {count} references without a value here."


@dataclass(frozen=True, slots=True)
class ApplyRequest:
    """What the command line asks of an apply: to plan first, or to apply a saved plan as reviewed.

    ``seed`` shuffles the companies and must differ from run to run.
    """

    source: PlanRequest | SavedRequest
    seed: int


@dataclass(frozen=True, slots=True)
class Applied:
    """A plan and what became of it; without an outcome where a guard refused the plan."""

    planned: Planned
    outcome: Outcome | None
    notes: tuple[str, ...] = ()


def apply(request: ApplyRequest, *, ask: Callable[[Planned], bool], observer: Observer) -> Applied:
    """Plan and carry the plan out, if ``ask`` says so; Ctrl-C lets what is in flight end.

    ``ask`` is given every plan that holds an action and is within the guards.

    Raises:
        RefusedError: ``ask`` said no, or a saved plan is stale or edited; nothing was done.
        CodatSyncError: specs, flags, secrets or credentials are wrong, or Codat cannot be read;
            nothing was done.
    """
    planned = asyncio.run(_planned(request.source))
    plan = planned.plan
    if plan.refusals:
        return Applied(planned, None)
    if not plan.actions:
        return Applied(planned, Outcome(plan.workspace, (), plan.attention))
    resolve = _resolver(request, planned)
    _check_secrets(plan, resolve)
    # Asked between two event loops: inside one, Ctrl-C at the question would go unheard.
    if not ask(planned):
        raise RefusedError(
            Diagnostic(
                Code.NOT_CONFIRMED,
                "the plan was not confirmed, so nothing was done",
                fix="answer yes on a terminal, or pass --yes (CI=true counts as yes)",
            )
        )
    outcome = asyncio.run(_execute(request, planned, resolve, observer))
    return Applied(planned, outcome, _notes(resolve))


async def _planned(source: PlanRequest | SavedRequest) -> Planned:
    return await (from_specs(source) if isinstance(source, PlanRequest) else from_saved(source))


async def _execute(
    request: ApplyRequest, planned: Planned, resolve: Resolver | MadeUp, observer: Observer
) -> Outcome:
    circumstances, workspace = request.source.circumstances, planned.workspace
    stop = asyncio.Event()
    async with circumstances.endpoint.open(Client, workspace.limits, circumstances.on_wait) as client:
        with _stopping_on_signals(stop):
            return await execute(
                planned.plan,
                client,
                resolve,
                clock=circumstances.clock,
                limits=workspace.limits,
                max_failures=workspace.rollout.max_failures,
                observer=observer,
                seed=request.seed,
                stop=stop,
                planned_at=planned.observed.policy.now,
            )


def _resolver(request: ApplyRequest, planned: Planned) -> Resolver | MadeUp:
    endpoint = request.source.circumstances.endpoint
    resolver = Resolver(Path(planned.workspace.root), endpoint.environ)
    return MadeUp(resolver) if endpoint.is_sandbox else resolver


def _check_secrets(plan: Plan, resolve: Resolver | MadeUp) -> None:
    """Check every secret that the plan will send, so that no company is left half-way for want of one.

    Raises:
        SecretError: some cannot be resolved; all of them are named.
    """
    if isinstance(resolve, Resolver) and (missing := resolve.check(_references(plan))):
        raise SecretError(*missing)


def _references(plan: Plan) -> Iterator[SecretRef]:
    for action in plan.actions:
        if isinstance(action, AuthorizeConnection):
            yield from (one for one in action.authorization.values() if isinstance(one, SecretRef))


def _notes(resolve: Resolver | MadeUp) -> tuple[str, ...]:
    made_up = len(resolve.made_up) if isinstance(resolve, MadeUp) else 0
    return (MADE_UP_NOTE.format(count=made_up),) if made_up else ()


@contextmanager
def _stopping_on_signals(stop: asyncio.Event) -> Iterator[None]:
    """Let SIGINT and SIGTERM set ``stop``; a second one ends the process as it always does."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)

    def note() -> None:
        stop.set()
        for number in numbers:
            loop.remove_signal_handler(number)

    for number in numbers:
        loop.add_signal_handler(number, note)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
