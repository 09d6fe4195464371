"""Carries out a plan: workers of several companies at once, until all have ended or the run must stop."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from reconciler.apply.company_worker import WELL, stops_company, work
from reconciler.apply.failing import FailureCode, Then
from reconciler.apply.platform_breaker import PlatformBreaker
from reconciler.apply.running import Resolve, Run
from reconciler.apply.state import WorkerState, not_started
from reconciler.apply.telling import Telling
from reconciler.codat import Client
from reconciler.codat.clock import Clock
from reconciler.model import Limits
from reconciler.outcome import RESUME, ActionOutcome, Failure, Observer, Outcome, Result
from reconciler.plan import Action, Plan


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
    account = [one for one in workers if one.address.is_account]
    companies = [one for one in workers if not one.address.is_account]
    run.tell.started(plan, len(companies))
    floor = _Floor(run, companies)
    async with _watching(run):
        for worker in account:
            await floor.account_first(worker)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(max(limits.concurrency, 1), len(companies))):
                group.create_task(floor.worker())
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

    def __init__(self, run: Run, workers: list[WorkerState]) -> None:
        self._run = run
        self._waiting = deque(workers)
        self._total = len(workers)
        self._ended = 0
        self._at_work = 0
        self.outcomes: dict[str, list[ActionOutcome]] = {}

    async def worker(self) -> None:
        """Work on one worker after the other; one that begins when the run is ending does nothing."""
        while self._waiting:
            worker = self._waiting.popleft()
            self._at_work += 1
            outcomes = await work(worker)
            self._at_work -= 1
            self.outcomes[worker.key] = outcomes
            self._take_note(worker, outcomes)

    async def account_first(self, worker: WorkerState) -> None:
        """Work on the account's own settings: what companies fetch rests on them, so they come first."""
        outcomes = self.outcomes[worker.key] = await work(worker)
        failed = next((one for one in outcomes if one.result not in WELL), None)
        if failed is not None and self._waiting:
            told = f"the account's own settings come first, and {failed.kind} {failed.address} was not done"
            self._run.halt(Failure(FailureCode.ACCOUNT_FAILED, told, then=Then.ACCOUNT_FIRST))

    def _take_note(self, worker: WorkerState, outcomes: list[ActionOutcome]) -> None:
        has_failed = any(one.result is Result.FAILED and stops_company(one) for one in outcomes)
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
