"""Killed anywhere, run again, or run by two at once: the same end, and nothing twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
import virtual_time
from apply_codat import FakeCodat, Killed
from apply_scenes import QBO, WORKSPACE, Scene, ends, live_company, live_connection, ours

from reconciler.live import Live, Status
from reconciler.model import (
    LINKS_TAG,
    Desired,
    DesiredCompany,
    DesiredConnection,
    Migration,
    Precondition,
    PreconditionState,
    Presence,
    SourceType,
    Wanted,
)
from reconciler.outcome import Result
from reconciler.plan import Plan
from reconciler.planner import Policy, make_plan
from reconciler.secret_refs import SecretRef, Variable

PLAID, SHOPIFY = "suuo", "fztf"


def connection(key: str, platform_key: str, **fields) -> DesiredConnection:
    return DesiredConnection(
        key=key,
        platform=platform_key,
        platform_key=platform_key,
        source_type=SourceType.ACCOUNTING if platform_key == QBO else SourceType.BANKING,
        migration=Migration.SELF_SERVICE,
        authorization={"accessToken": SecretRef(Variable("TOKEN"))},
        preconditions=dict.fromkeys(Precondition, PreconditionState.DONE),
        **fields,
    )


def company(key: str, *connections: DesiredConnection, **fields) -> DesiredCompany:
    return DesiredCompany(
        key=key,
        name=f"{key.title()} Ltd",
        connections={connection.key: connection for connection in connections},
        **fields,
    )


DESIRED = Desired(
    workspace=WORKSPACE,
    companies={
        company.key: company
        for company in (
            company("acme", connection("books", QBO), connection("bank1", PLAID), connection("bank2", PLAID)),
            company(
                "bravo",
                connection("books", QBO),
                connection("bank", PLAID, wanted=Wanted.UNLINKED),
                connection("shop", SHOPIFY, wanted=Wanted.ABSENT),
                tags={"region": "eu"},
            ),
            company("charlie", connection("books", QBO), id="charlie"),
            company("delta", state=Presence.ABSENT),
        )
    },
)


def world() -> Scene:
    """Something of every kind is to be done."""
    scene = Scene(concurrency=2)
    linked = Status.LINKED
    scene.codat.add(
        live_company(
            live_connection(linked, id="bank-1", platform_key=PLAID),
            live_connection(linked, id="shop-1", platform_key=SHOPIFY),
            key="bravo",
            id="bravo",
            tags=ours("bravo", **{LINKS_TAG: f"bank@{PLAID},shop@{SHOPIFY}"}),
        )
    )
    scene.codat.add(live_company(key="charlie", id="charlie", name="Charlie", tags={}))
    scene.codat.add(live_company(key="delta", id="delta"))
    return scene


def planned(scene: Scene) -> Plan:
    live = Live(
        companies=tuple(scene.codat.live.values()),
        pulls={key: tuple(scene.codat.current_pulls(key)) for key in scene.codat.live},
        fetched_types=frozenset({"invoices"}),
    )
    return make_plan(DESIRED, live, Policy(now=scene.clock.now()), tool="t", api="a")


def state(codat: FakeCodat) -> dict[str, object]:
    """What stands at Codat, ids aside."""
    return {
        found.name: (
            found.description,
            {tag: "recorded" if tag == LINKS_TAG else value for tag, value in found.tags.items()},
            Counter((connection.platform_key, connection.status) for connection in found.connections),
        )
        for found in codat.live.values()
    }


def check(codat: FakeCodat, wanted: dict[str, object]) -> None:
    """The same end state, nothing created twice, tokens once to each connection, all synced."""
    assert state(codat) == wanted
    done = Counter(codat.journal)
    assert done["create company Acme Ltd"] == 1
    assert (done["create connection qhyg"], done["create connection suuo"]) == (3, 2)
    assert set(Counter(token for token, _ in codat.tokens).values()) == {1}
    linked = {
        connection.id
        for found in codat.live.values()
        for connection in found.connections
        if connection.status is Status.LINKED
    }
    assert {pull.connection_id for pulls in codat.pulls.values() for pull in pulls} == linked


async def undisturbed() -> tuple[dict[str, object], int]:
    scene = world()
    outcome = await scene.apply(planned(scene))
    assert outcome.is_complete, ends(outcome)
    assert planned(scene).actions == ()
    return state(scene.codat), len(scene.codat.requests)


WANTED, REQUESTS = virtual_time.run(undisturbed())


def test_every_kind_of_action_is_in_the_story():
    async def scene():
        assert len({action.kind for action in planned(world()).actions}) == 9

    virtual_time.run(scene())


@pytest.mark.parametrize("again", ["re-planned", "the same plan"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(REQUESTS))
def test_killed_at_any_request_and_run_again(number, after, again):
    async def scene():
        scene = world()
        plan = planned(scene)
        scene.codat.kill_at, scene.codat.kill_after = number, after
        with pytest.raises(BaseExceptionGroup) as caught:
            await scene.apply(plan, seed=7)
        assert isinstance(caught.value.exceptions[0], Killed)
        await scene.clock.sleep(30)
        plan = planned(scene) if again == "re-planned" else plan
        outcome = await scene.apply(plan, seed=8)
        assert outcome.is_complete, ends(outcome)
        check(scene.codat, WANTED)
        assert planned(scene).actions == ()

    virtual_time.run(scene())


def test_a_plan_applied_twice_does_nothing_the_second_time_but_sync():
    async def scene():
        scene = world()
        plan = planned(scene)
        await scene.apply(plan)
        await scene.clock.sleep(5)
        done = list(scene.codat.journal)
        outcome = await scene.apply(plan)
        assert {result.result for result in outcome.results} == {Result.ALREADY}
        assert scene.codat.journal == done

    virtual_time.run(scene())


@pytest.mark.parametrize("lag", [0, 20], ids=["", "index lags"])
@pytest.mark.parametrize("apart", [0, 0.05, 0.15, 0.25, 0.35, 0.5, 1, 1.9, 2.1, 2.5, 3, 10])
def test_two_runs_at_once(apart, lag):
    async def scene():
        scene = world()
        scene.codat.lag = timedelta(seconds=lag)
        plan = planned(scene)

        async def late():
            await scene.clock.sleep(apart)
            return await scene.apply(plan)

        outcomes = await asyncio.gather(scene.apply(plan), late())
        codes = {end for outcome in outcomes for end in ends(outcome)}
        assert codes <= {"done", "already", "not-started", "failed changed-since-plan"}, codes
        done = Counter(scene.codat.journal)
        assert done["create company Acme Ltd"] == 1
        assert (done["create connection qhyg"], done["create connection suuo"]) == (3, 2)
        assert_no_tokens_late(scene.codat)
        await scene.clock.sleep(60)
        scene.codat.lag = timedelta()
        last = await scene.apply(planned(scene))
        assert last.is_complete, ends(last)
        assert state(scene.codat) == WANTED

    virtual_time.run(scene())


def assert_no_tokens_late(codat: FakeCodat) -> None:
    """Two that authorize at the same moment may both send; later nobody does."""
    first: dict[str, object] = {}
    for identifier, at in codat.tokens:
        assert at - first.setdefault(identifier, at) <= timedelta(seconds=2), identifier


@pytest.mark.parametrize("number", range(0, REQUESTS, 3))
def test_one_of_two_runs_is_killed(number):
    async def scene():
        scene = world()
        plan = planned(scene)
        scene.codat.kill_at, scene.codat.kill_after = number, True

        async def late():
            await scene.clock.sleep(0.25)
            return await scene.apply(plan)

        ended = await asyncio.gather(scene.apply(plan), late(), return_exceptions=True)
        assert sum(isinstance(each, BaseException) for each in ended) == 1
        await scene.clock.sleep(60)
        last = await scene.apply(planned(scene))
        assert last.is_complete, ends(last)
        assert state(scene.codat) == WANTED
        assert_no_tokens_late(scene.codat)

    virtual_time.run(scene())


def test_a_company_that_lost_our_tags_meanwhile_is_left_alone():
    async def scene():
        scene = world()
        plan = planned(scene)
        scene.codat.add(replace(scene.codat.live["bravo"], tags=ours("other")))
        outcome = await scene.apply(plan)
        bravo = [result for result in outcome.results if result.address.company == "bravo"]
        assert bravo[0].failure.code == "changed-since-plan"
        assert {result.result for result in bravo[1:]} == {Result.NOT_STARTED}

    virtual_time.run(scene())
