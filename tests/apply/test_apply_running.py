"""Lanes run at once and fail alone; what stops the run lets everything in flight end."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import virtual_time
from apply_codat import Fault
from apply_scenes import (
    Scene,
    authorize,
    create_company,
    ends,
    fresh,
    live_company,
    ours,
    plan_of,
    update,
)

from reconciler.codat.errors import (
    ForbiddenError,
    NoAnswerError,
    QuotaExhaustedError,
    RejectedError,
    UnauthorizedError,
)
from reconciler.kinds import Change
from reconciler.model import Address
from reconciler.outcome import EventType, Result
from reconciler.plan import Attention, AttentionCode


def companies(count):
    return [action for number in range(count) for action in fresh(f"k{number:03}")]


def test_results_stand_in_the_plans_order_whatever_order_they_ran_in():
    async def scene():
        scene = Scene(concurrency=3)
        plan = plan_of(*companies(20))
        outcome = await scene.apply(plan)
        assert [(each.kind, each.address) for each in outcome.results] == [
            (each.kind, each.address) for each in plan.actions
        ]
        assert set(ends(outcome)) == {"done"}
        assert outcome.requests == 80
        assert outcome.is_complete
        assert all(each.company_id for each in outcome.results)

    virtual_time.run(scene())


def test_each_run_takes_the_companies_in_an_order_of_its_own():
    async def order(seed):
        scene = Scene(concurrency=1)
        await scene.apply([create_company(f"k{number}") for number in range(10)], seed=seed)
        return [company.name for company in scene.codat.live.values()]

    async def scene():
        assert await order(1) == await order(1) != await order(2)

    virtual_time.run(scene())


@pytest.mark.parametrize("concurrency", [1, 3, 10])
def test_as_many_companies_are_worked_on_at_once_as_limits_permit(concurrency):
    async def scene():
        scene = Scene(concurrency=concurrency)
        began = scene.clock.now()
        await scene.apply([create_company(f"k{number:02}") for number in range(30)])
        assert (scene.clock.now() - began).total_seconds() == pytest.approx(0.1 * 30 / concurrency, rel=0.01)

    virtual_time.run(scene())


def test_a_failure_stops_its_company_alone():
    async def scene():
        scene = Scene()
        scene.codat.faults = [Fault("create_connection", RejectedError("400: no", status=400), times=2)]
        scene.concurrency = 1
        outcome = await scene.apply(companies(3))
        assert sorted(ends(outcome)) == ["done"] * 9 + ["failed rejected"] + ["not-started"] * 2
        assert outcome.stopped is None
        assert not outcome.is_complete

    virtual_time.run(scene())


@pytest.mark.parametrize(
    ("error", "status"), [(UnauthorizedError, 401), (ForbiddenError, 403), (QuotaExhaustedError, 429)]
)
def test_what_nothing_can_follow_stops_the_run(error, status):
    async def scene():
        scene = Scene(concurrency=1)
        scene.codat.faults = [Fault("authorize", error("no", status=status, correlation_id="corr"))]
        outcome = await scene.apply(companies(5))
        assert sorted(ends(outcome)) == ["done"] * 2 + [f"failed {error.code}"] + ["not-started"] * 17
        assert outcome.stopped.code == error.code
        assert outcome.stopped.correlation_id == "corr"
        assert not outcome.interrupted

    virtual_time.run(scene())


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("update_company", QuotaExhaustedError("9 remain, and 11 are for others")),
        ("company", QuotaExhaustedError("429", status=429)),
        ("company", ForbiddenError("403", status=403)),
    ],
    ids=["a write is held back", "a look finds the quota used up", "a look is refused"],
)
def test_an_action_of_which_nothing_was_written_when_the_run_stops_is_not_started(method, error):
    async def scene():
        scene = Scene()
        live = [scene.codat.add(live_company(key=f"k{number}", id=f"k{number}")) for number in range(8)]
        scene.codat.faults = [Fault(method, error, times=99)]
        outcome = await scene.apply(
            [update(each, Change(path="name", before=each.name, after="New"), key=each.id) for each in live]
        )
        assert ends(outcome) == ["not-started"] * 8
        assert outcome.stopped.code == error.code

    virtual_time.run(scene())


def test_what_was_written_before_a_write_is_held_back_counts_as_a_failure():
    async def scene():
        scene = Scene()
        scene.codat.add(live_company())
        scene.codat.faults = [
            Fault("update_company", NoAnswerError("no")),
            Fault("update_company", QuotaExhaustedError("9 remain, and 11 are for others")),
        ]
        outcome = await scene.apply([update(scene.company, Change(path="name", before="Acme", after="New"))])
        assert ends(outcome) == ["failed quota-exhausted"]

    virtual_time.run(scene())


def test_looks_leave_the_reserve_of_the_quota_to_others():
    """Updates that somebody made already take a look each, and no write that would stop at the reserve."""

    async def scene():
        scene = Scene(concurrency=1)
        updates = []
        for number in range(10):
            key = f"k{number}"
            observed = live_company(id=key, key=key, tags=ours(key, region="uk"))
            scene.codat.add(replace(observed, tags=ours(key, region="eu")))
            updates.append(update(observed, Change(path="tags.region", before="uk", after="eu"), key=key))
        scene.codat.remaining = 104
        outcome = await scene.apply(updates)
        assert scene.codat.remaining == 100
        assert ends(outcome).count("already") == 4
        assert ends(outcome).count("not-started") == 6
        assert outcome.stopped.code == "quota-exhausted"
        assert "limits.reserve leaves 100 to others" in outcome.stopped.message

    virtual_time.run(scene())


def test_when_the_run_stops_actions_in_flight_end():
    async def scene():
        scene = Scene(concurrency=4)
        scene.codat.faults = [
            Fault("create_company", NoAnswerError("no")),
            Fault("create_company", UnauthorizedError("401")),
        ]
        outcome = await scene.apply([create_company(f"k{number}") for number in range(8)])
        assert sorted(ends(outcome)) == ["done"] * 3 + ["failed unauthorized"] + ["not-started"] * 4

    virtual_time.run(scene())


def test_when_the_run_stops_lanes_in_flight_start_no_further_action():
    async def scene():
        scene = Scene(concurrency=3)
        scene.codat.faults = [Fault("create_connection", UnauthorizedError("401"))]
        outcome = await scene.apply(companies(6))
        assert sorted(ends(outcome)) == ["done"] * 5 + ["failed unauthorized"] + ["not-started"] * 18
        assert "authorize" not in scene.codat.requests

    virtual_time.run(scene())


def test_as_many_failed_companies_as_are_permitted_stop_the_run():
    async def scene():
        scene = Scene(concurrency=1, max_failures=3)
        scene.codat.faults = [Fault("create_company", RejectedError("400: no", status=400), times=99)]
        outcome = await scene.apply([create_company(f"k{number}") for number in range(8)])
        assert sorted(ends(outcome)) == ["failed rejected"] * 3 + ["not-started"] * 5
        assert outcome.stopped.code == "max-failures"

    virtual_time.run(scene())


def test_failures_of_the_last_companies_stop_nothing():
    async def scene():
        scene = Scene(max_failures=1)
        scene.codat.faults = [Fault("create_company", RejectedError("400: no", status=400), times=2)]
        outcome = await scene.apply(fresh())
        assert outcome.stopped is None

    virtual_time.run(scene())


def test_a_bug_in_one_lane_stops_the_run_and_loses_no_result():
    async def scene():
        scene = Scene(concurrency=2)
        scene.secrets = {}
        outcome = await scene.apply(companies(6))
        bugs = [each for each in outcome.results if each.result is Result.FAILED]
        assert {each.failure.code for each in bugs} == {"bug"}
        assert "KeyError in apply_scenes.py" in bugs[0].failure.message
        assert outcome.stopped.code == "bug"
        assert ends(outcome).count("done") >= 2

    virtual_time.run(scene())


def test_an_action_before_its_company_is_a_bug_and_sends_nothing():
    async def scene():
        scene = Scene()
        outcome = await scene.apply([authorize()])
        assert ends(outcome) == ["failed bug"]
        assert scene.codat.requests == []

    virtual_time.run(scene())


# --- Ctrl-C --------------------------------------------------------------------------------------


def test_ctrl_c_lets_the_requests_in_flight_end_and_starts_no_other():
    async def scene():
        scene = Scene(concurrency=3)
        asyncio.get_running_loop().call_later(0.15, scene.stop.set)
        outcome = await scene.apply(companies(9))
        assert outcome.interrupted
        assert scene.codat.requests == ["create_company"] * 3 + ["create_connection"] * 3
        assert sorted(ends(outcome)) == ["done"] * 6 + ["not-started"] * 30
        assert EventType.STOPPING in {event.type for event in scene.events}

    virtual_time.run(scene())


def test_ctrl_c_cuts_waits_short_and_says_what_is_not_known():
    async def scene():
        scene = Scene()
        scene.codat.faults = [Fault("create_company", NoAnswerError("no"), after=True, times=9)]
        asyncio.get_running_loop().call_later(5, scene.stop.set)
        outcome = await scene.apply(fresh())
        assert scene.clock.now() < scene.clock.start + virtual_time.timedelta(seconds=5.2)
        assert ends(outcome) == ["incomplete interrupted", "not-started", "not-started", "not-started"]
        scene.stop.clear()
        scene.codat.faults = []
        assert set(ends(await scene.apply(fresh()))) <= {"done", "already"}
        assert len(scene.codat.live) == 1

    virtual_time.run(scene())


def test_ctrl_c_before_a_write_leaves_it_unsent():
    async def scene():
        scene = Scene()
        scene.stop.set()
        outcome = await scene.apply(fresh())
        assert set(ends(outcome)) == {"not-started"}
        assert scene.codat.requests == []

    virtual_time.run(scene())


def test_cancelling_leaves_no_task_behind():
    async def scene():
        scene = Scene()
        scene.codat.faults = [Fault("create_company", NoAnswerError("no"), times=9)]
        running = asyncio.create_task(scene.apply(fresh()))
        await scene.clock.sleep(3)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    virtual_time.run(scene())


# --- what is told --------------------------------------------------------------------------------


def test_events_tell_totals_each_action_each_company_and_the_end():
    async def scene():
        scene = Scene(concurrency=1)
        await scene.apply(companies(2))
        assert [event.type.value for event in scene.events] == [
            "started",
            *[*["action-started", "action-ended"] * 4, "company-ended"] * 2,
            "ended",
        ]
        started, ended = scene.events[0], scene.events[-1]
        assert (started.data["companies"], started.data["actions"]) == (2, 8)
        assert ended.data["done"] == 8
        assert ended.data["requests"] == 8
        companies_ended = [event.data for event in scene.events if event.type is EventType.COMPANY_ENDED]
        assert [(data["done"], data["total"]) for data in companies_ended] == [(1, 2), (2, 2)]

    virtual_time.run(scene())


def test_a_failure_is_told_with_its_code_and_correlation_id():
    async def scene():
        scene = Scene()
        scene.codat.faults = [
            Fault("create_company", RejectedError("400: no", status=400, correlation_id="corr"), times=2)
        ]
        await scene.apply(fresh())
        (ended,) = [event for event in scene.events if event.type is EventType.ACTION_ENDED]
        assert ended.document()["failure"]["code"] == "rejected"
        assert ended.document()["failure"]["correlationId"] == "corr"
        assert "run the same command again" in ended.message

    virtual_time.run(scene())


def test_the_plans_attention_is_part_of_the_outcome():
    async def scene():
        scene = Scene()
        note = Attention(code=AttentionCode.EXISTS, address=Address("echo"), message="there is one")
        outcome = await scene.apply(replace(plan_of(*fresh()), attention=(note,)))
        assert outcome.attention == (note,)
        assert not outcome.is_complete

    virtual_time.run(scene())


def test_an_empty_plan_is_complete():
    async def scene():
        scene = Scene()
        outcome = await scene.apply([])
        assert outcome.is_complete
        assert [event.type for event in scene.events] == [EventType.STARTED, EventType.ENDED]

    virtual_time.run(scene())
