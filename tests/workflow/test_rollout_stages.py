"""Cutting a plan into stages loses nothing, splits no company, and keeps the order."""

from __future__ import annotations

from counting import grows_in_proportion
from hypothesis import given
from hypothesis import strategies as st

from reconciler.actions import CreateCompany, CreateConnection, in_order
from reconciler.fields import by_path
from reconciler.model import Address
from reconciler.plan import Basis, Plan
from reconciler.workflow.rollout import stages

KEYS = [f"c{number}" for number in range(8)]


def plan_of(keys: list[str]) -> Plan:
    actions = [
        action
        for key in keys
        for action in (
            CreateCompany(address=Address(key), reason="not in Codat", fields=by_path({"name": key}, {})),
            CreateConnection(
                address=Address(key, "books"),
                reason="not in Codat",
                company_id=None,
                platform="xero",
                platform_key="gbol",
            ),
        )
    ]
    return Plan(
        tool="t",
        workspace="prod",
        api="sandbox",
        actions=in_order(actions),
        attention=(),
        unchanged=0,
        basis=Basis("", {}),
    )


@given(
    st.lists(st.sampled_from(KEYS), unique=True),
    st.lists(st.sampled_from(KEYS), unique=True, max_size=3),
    st.none() | st.integers(1, 9),
)
def test_a_cut_plan_holds_every_action_once(keys: list[str], first: list[str], batch: int | None) -> None:
    plan = plan_of(keys)
    parts = stages(plan, first, batch)

    held = [action for part in parts for action in part.plan.actions]
    assert len(held) == len(plan.actions)
    assert set(map(id, held)) == set(map(id, plan.actions))
    companies = [{action.address.company for action in part.plan.actions} for part in parts]
    assert sum(map(len, companies)) == len(set().union(*companies)), "a company is in two stages"
    batches = companies[1:] if parts[0].canaries else companies
    if batch is not None and len(parts) > 1:
        assert all(len(group) <= batch for group in batches)
    assert all(not part.canaries for part in parts[1:])
    if parts[0].canaries:
        assert parts[0].canaries == tuple(first)
        assert companies[0] == set(first) & set(keys)


def test_canaries_with_nothing_to_do_are_a_stage_as_long_as_something_follows() -> None:
    done_before, last = stages(plan_of(["bravo"]), ["acme"], None)

    assert (done_before.canaries, done_before.plan.actions) == (("acme",), ())
    assert [action.address.company for action in last.plan.actions] == ["bravo", "bravo"]


def test_where_nothing_follows_the_canaries_there_is_nothing_to_hold_back() -> None:
    plan = plan_of(["acme"])

    (only,) = stages(plan, ["acme"], 1)

    assert (only.plan, only.canaries) == (plan, ())


def test_cutting_into_small_batches_takes_work_in_proportion_to_the_plan() -> None:
    plans = {size: plan_of([f"c{number:04}" for number in range(size)]) for size in (150, 600)}

    assert grows_in_proportion(lambda size: lambda: stages(plans[size], (), 1))
