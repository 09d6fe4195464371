"""Carries out a plan: a worker for each company, several at once, until all end or the run must stop."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Final, assert_never

from reconciler.account_actions import CreateWebhook, DeleteWebhook, SetProfileSyncSettings, UpdateProfile
from reconciler.actions import (
    Action,
    AddProduct,
    AdoptCompany,
    AuthorizeConnection,
    CreateCompany,
    CreateConnection,
    DeleteCompany,
    DeleteConnection,
    RemoveProduct,
    SetSyncSettings,
    SyncCompany,
    UnlinkConnection,
    UpdateCompany,
)
from reconciler.apply.account import (
    create_webhook,
    delete_webhook,
    set_profile_sync_settings,
    update_profile,
)
from reconciler.apply.authorizing import authorize_connection
from reconciler.apply.companies import (
    change_product,
    create_company,
    patch_company,
    set_sync_settings,
    unlink_connection,
)
from reconciler.apply.connections import create_connection, delete_company, delete_connection
from reconciler.apply.failing import NotDoneError, interrupted, of_bug, of_error
from reconciler.apply.running import PlatformBreaker, Resolve, Run, Telling
from reconciler.apply.source_accounts import (
    create_source_account,
    delete_source_account,
    update_source_account,
)
from reconciler.apply.state import WorkerState
from reconciler.apply.syncing import sync_company
from reconciler.codat import Client
from reconciler.codat.errors import ApiError, RunStoppingError
from reconciler.codat.pacing import Clock
from reconciler.codat.transport import StoppedError
from reconciler.outcome import (
    RESUME,
    WELL,
    ActionOutcome,
    Failure,
    FailureCode,
    Observer,
    Outcome,
    Result,
    Then,
    not_started,
    planned_company_id,
    stops_company,
)
from reconciler.plan import Plan
from reconciler.source_account_actions import CreateSourceAccount, DeleteSourceAccount, UpdateSourceAccount
from reconciler.workspace import Limits

logger: Final = logging.getLogger(__name__)


async def work(worker: WorkerState, after_each: Callable[[], None] = lambda: None) -> list[ActionOutcome]:
    """Carry out the worker's actions; those that are left when it ends are not among the outcomes."""
    outcomes: list[ActionOutcome] = []
    for action in worker.actions:
        worker.run.keep_reserve()
        if worker.run.is_ending:
            break
        worker.run.tell.action_started(action)
        result, failure = await _attempted(worker, action)
        told = worker.run.told(failure) if failure else None
        outcomes.append(_outcome(worker, action, result, told))
        worker.run.tell.action_ended(outcomes[-1])
        after_each()
        if stops_company(outcomes[-1]):
            break
    worker.forget()
    return outcomes


async def _attempted(worker: WorkerState, action: Action) -> tuple[Result, Failure | None]:
    """How an action ended. Whatever goes wrong in it, the other workers' results are not lost."""
    before = worker.written_before = worker.writes
    try:
        return await perform(worker, action), None
    except NotDoneError as error:
        return error.result, error.failure
    except StoppedError:
        return (Result.INCOMPLETE, interrupted()) if worker.writes > before else (Result.NOT_STARTED, None)
    except ApiError as error:
        failure = of_error(error)
        if not isinstance(error, RunStoppingError):
            return Result.FAILED, failure
        worker.run.halt(failure, at_once=True)
        return (Result.FAILED, failure) if worker.writes > before else (Result.NOT_STARTED, None)
    except Exception as error:
        logger.debug("a bug in %s %s", action.kind, action.address, exc_info=True)
        failure = of_bug(error)
        worker.run.halt(failure)
        return Result.FAILED, failure


async def perform(worker: WorkerState, action: Action) -> Result:  # noqa: C901 - a case for each kind
    """Carry out one action.

    Raises:
        NotDoneError: it failed, or its end is not known.
        StoppedError: Ctrl-C came.
        ApiError: a request failed in a way that the action has no answer to.
    """
    match action:
        case CreateWebhook():
            return await create_webhook(worker, action)
        case DeleteWebhook():
            return await delete_webhook(worker, action)
        case UpdateProfile():
            return await update_profile(worker, action)
        case SetProfileSyncSettings():
            return await set_profile_sync_settings(worker, action)
        case CreateCompany():
            return await create_company(worker, action)
        case AdoptCompany() | UpdateCompany():
            return await patch_company(worker, action)
        case AddProduct() | RemoveProduct():
            return await change_product(worker, action)
        case SetSyncSettings():
            return await set_sync_settings(worker, action)
        case DeleteCompany():
            return await delete_company(worker, action)
        case UnlinkConnection():
            return await unlink_connection(worker, action)
        case DeleteConnection():
            return await delete_connection(worker, action)
        case CreateConnection():
            return await create_connection(worker, action)
        case AuthorizeConnection():
            return await authorize_connection(worker, action)
        case CreateSourceAccount():
            return await create_source_account(worker, action)
        case UpdateSourceAccount():
            return await update_source_account(worker, action)
        case DeleteSourceAccount():
            return await delete_source_account(worker, action)
        case SyncCompany():
            return await sync_company(worker, action)
        case _:
            assert_never(action)


def _outcome(worker: WorkerState, action: Action, result: Result, failure: Failure | None) -> ActionOutcome:
    connection_id = None if action.address.is_company else _connection_id(worker, action)
    return ActionOutcome(
        kind=action.kind,
        address=action.address,
        result=result,
        failure=failure,
        company_id=planned_company_id(action) or worker.made_company,
        connection_id=connection_id,
    )


def _connection_id(worker: WorkerState, action: Action) -> str | None:
    match action:
        case (
            UnlinkConnection()
            | DeleteConnection()
            | AuthorizeConnection()
            | CreateSourceAccount()
            | UpdateSourceAccount()
            | DeleteSourceAccount()
        ) if action.connection_id:
            return action.connection_id
        case _:
            return worker.made.get(action.address)


async def execute(
    plan: Plan,
    client: Client,
    resolve: Resolve,
    *,
    clock: Clock,
    limits: Limits,
    max_failures: int = 10,
    observer: Observer,
    seed: int,
    stop: asyncio.Event,
    planned_at: datetime | None = None,
    failed_before: int = 0,
    breaker: PlatformBreaker | None = None,
    resume: str = RESUME,
) -> Outcome:
    """Carry out ``plan``, and say how each action ended, in the plan's order.

    Run it twice, kill it anywhere, or run two at once: nothing is created twice. What goes wrong is in
    the outcome; only cancellation and what ``observer`` raises come out as exceptions.

    Args:
        plan: what to do; its guards have been passed.
        client: what it is done with.
        resolve: gives the secret of a reference, right before each use.
        clock: tells the time, and waits.
        limits: how many companies are worked on at once.
        max_failures: how many companies may fail until the run stops.
        observer: is told what happens.
        seed: shuffles the companies and makes the run's own keys; differs from run to run.
        stop: once set (Ctrl-C), what is in flight ends and nothing new starts.
        planned_at: when Codat's state was read for the plan; now, if it is not given.
        failed_before: how many companies failed in earlier parts of the same rollout.
        breaker: the caution with credentials that all parts of a rollout share; the plan's own, if not given.
        resume: how to go on, as failures say it.
    """
    began, ending = clock.now(), asyncio.Event()
    run = Run(
        workspace=plan.workspace,
        client=client.heeding(ending),
        finishing=client.heeding(stop),
        resolve=resolve,
        clock=clock,
        seed=seed,
        stop=stop,
        ending=ending,
        tell=Telling(observer, client.meter),
        breaker=breaker or PlatformBreaker(plan.actions),
        max_failures=max(max_failures, 1),
        planned_at=planned_at or began,
        began=began,
        failed_before=failed_before,
        resume=resume,
    )
    workers = _workers(run, plan)
    account = [worker for worker in workers if worker.address.is_account]
    companies = [worker for worker in workers if not worker.address.is_account]
    run.tell.started(plan, len(companies))
    floor = _Floor(run, companies, limits)
    async with _watching(run):
        for worker in account:
            await floor.account_first(worker)
        await floor.all()
    outcome = Outcome(
        workspace=plan.workspace,
        results=tuple(_results(plan, floor.outcomes)),
        attention=plan.attention,
        requests=run.tell.requests,
        stopped=run.stopped,
        interrupted=stop.is_set(),
    )
    run.tell.ended(outcome)
    return outcome


def _workers(run: Run, plan: Plan) -> list[WorkerState]:
    """A worker per company, in an order of this run's own, so that two runs meet rarely."""
    by_company: defaultdict[str, list[Action]] = defaultdict(list)
    for action in plan.actions:
        by_company[action.address.company].append(action)
    workers = [WorkerState(run, key, tuple(actions)) for key, actions in by_company.items()]
    random.Random(run.seed).shuffle(workers)  # noqa: S311 - spreads runs apart, guards nothing
    return workers


class _Floor:
    """Where the workers are worked on: those that wait, those that are at work, and what became of each."""

    def __init__(self, run: Run, workers: list[WorkerState], limits: Limits) -> None:
        self._run = run
        self._limits = limits
        self._group = asyncio.TaskGroup()
        self._waiting = deque(workers)
        self._total = len(workers)
        self._ended = 0
        self._at_work = 0
        self.outcomes: dict[str, list[ActionOutcome]] = {}

    async def all(self) -> None:
        """Work on all workers, several at once; one that begins when the run is ending does nothing."""
        async with self._group:
            self._admit()

    def _admit(self) -> None:
        """Let workers begin while there is room."""
        while self._waiting and self._at_work < self._room():
            self._at_work += 1
            self._group.create_task(self._worked(self._waiting.popleft()))

    def _room(self) -> int:
        """How many may be at work: what the rate needs, the less beyond the first the more have failed."""
        first, needed = self._limits.at_first, self._limits.at_latency(self._run.client.meter.latency or 0.0)
        return first + int((needed - first) * self._run.confidence)

    async def _worked(self, worker: WorkerState) -> None:
        outcomes = await work(worker, self._admit)
        self._at_work -= 1
        self.outcomes[worker.key] = outcomes
        self._take_note(worker, outcomes)
        self._admit()

    async def account_first(self, worker: WorkerState) -> None:
        """Work on the account's own settings: what companies fetch rests on them, so they come first."""
        outcomes = self.outcomes[worker.key] = await work(worker)
        failed = next((outcome for outcome in outcomes if outcome.result not in WELL), None)
        if failed is not None and self._waiting:
            told = f"the account's own settings come first, and {failed.kind} {failed.address} was not done"
            self._run.halt(Failure(code=FailureCode.ACCOUNT_FAILED, what=told, then=Then.ACCOUNT_FIRST))

    def _take_note(self, worker: WorkerState, outcomes: list[ActionOutcome]) -> None:
        has_failed = any(outcome.result is Result.FAILED and stops_company(outcome) for outcome in outcomes)
        if has_failed or len(outcomes) == len(worker.actions) or not self._run.is_ending:
            self._ended += 1
            self._run.tell.company_ended(worker.key, self._ended, self._total)
        if has_failed:
            self._run.company_failed(worker.key, others_left=bool(self._waiting or self._at_work))


@asynccontextmanager
async def _watching(run: Run) -> AsyncIterator[None]:
    """Tell of Ctrl-C when it comes."""

    async def watch() -> None:
        await run.stop.wait()
        run.ending.set()
        run.tell.stopping("interrupted")

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


def _results(plan: Plan, outcomes: dict[str, list[ActionOutcome]]) -> Iterator[ActionOutcome]:
    """Each action's outcome; a worker keeps the plan's order, so what it did not come to is not started."""
    ended = {company: iter(of_company) for company, of_company in outcomes.items()}
    for action in plan.actions:
        found = next(ended.get(action.address.company, iter(())), None)
        yield found or not_started(action)
