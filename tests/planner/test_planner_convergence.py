"""The promise above all: apply, and nothing is left to do; and what is not ours is never touched."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest
from builders import actions, attention
from hypothesis import given
from hypothesis import strategies as st
from planner_states import Scenario, scenarios, searched
from planner_world import World

from reconciler.actions import DeleteCompany, DeleteConnection, UnlinkConnection
from reconciler.live import LiveCompany, Status
from reconciler.model import LINKS_TAG, RESERVED_TAG_PREFIX, DesiredConnection, Presence, Wanted
from reconciler.plan import Plan

pytestmark = pytest.mark.promised


def unblocked(plan: Plan, before: Plan) -> list[str]:
    """The actions in companies where the plan ``before`` met nothing that blocks."""
    excused = {attention.address.company for attention in before.blocking()}
    return [
        text
        for text, action in zip(actions(plan), plan.actions, strict=True)
        if action.address.company not in excused
    ]


@searched
@given(scenarios())
def test_an_applied_plan_is_followed_by_an_empty_one(scenario: Scenario) -> None:
    world, again = scenario.world, replace(scenario.run, reauthorize=())
    first = world.plan(scenario.desired, scenario.run)

    world.apply(first)
    at_once = world.plan(scenario.desired, again)
    world.finish_pulls()
    later = world.plan(scenario.desired, again)

    told = (actions(first), attention(first))
    assert unblocked(at_once, first) == [], told
    assert unblocked(later, first) == [], told


@searched
@given(scenarios())
def test_what_was_blocked_settles_within_one_more_apply(scenario: Scenario) -> None:
    world, again = scenario.world, replace(scenario.run, reauthorize=(), retry_syncs=False)

    world.apply(world.plan(scenario.desired, scenario.run))
    second = world.plan(scenario.desired, again)
    world.apply(second)

    assert actions(world.plan(scenario.desired, again)) == [], (actions(second), attention(second))


@searched
@given(scenarios(), st.integers(1, 8))
def test_an_apply_killed_half_way_ends_in_the_same_state(scenario: Scenario, steps: int) -> None:
    whole, killed = scenario.world, scenario.world.copy()
    run = replace(scenario.run, reauthorize=())
    plan = whole.plan(scenario.desired, run)

    whole.apply(plan)
    killed.apply(plan, steps=steps)
    killed.finish_pulls()
    killed.apply(killed.plan(scenario.desired, run))
    killed.finish_pulls()

    left = killed.plan(scenario.desired, run)
    assert unblocked(left, plan) == []
    assert shapes(killed, plan) == shapes(whole, plan)


def shapes(world: World, plan: Plan) -> list[object]:
    """Everything but ids and times, of the companies in which nothing blocks."""
    excused = {attention.address.company for attention in plan.blocking()}
    return sorted(
        [
            company.name,
            company.description or "",
            sorted((key, value) for key, value in company.tags.items() if key != "codatSyncLinks"),
            sorted((link.platform_key, link.status) for link in company.connections),
        ]
        for company in world.companies.values()
        if not company.owner() or company.owner()[1] not in excused
    )


@searched
@given(scenarios())
def test_what_is_not_ours_is_never_touched(scenario: Scenario) -> None:
    world, desired, run = scenario.world, scenario.desired, scenario.run
    before = dict(world.companies)
    plan = world.plan(desired, run)

    for action in plan.actions:
        spec = desired.companies.get(action.address.company)
        if isinstance(action, DeleteCompany):
            is_named = spec is not None and spec.state is Presence.ABSENT
            is_ours = action.observed.owner() in _owners(scenario, action.address.company)
            assert is_ours or (is_named and spec.id == action.company_id)
            assert is_named or (run.prune and spec is None)
        if isinstance(action, DeleteConnection):
            wanted = spec.connections.get(action.address.connection) if spec else None
            is_pruned = run.prune and wanted is None and action.status is Status.PENDING_AUTH
            assert is_pruned or (wanted and wanted.wanted is Wanted.ABSENT)
            assert is_pruned or _is_named(wanted, action, before)
        if isinstance(action, UnlinkConnection):
            wanted = spec.connections.get(action.address.connection) if spec else None
            assert _is_named(wanted, action, before)

    world.apply(plan)
    pinned = {company.id for company in desired.companies.values()}
    for company in before.values():
        after = world.companies.get(company.id)
        is_concerned = company.id in pinned or (company.owner() or ("",))[0] in desired.workspaces
        assert is_concerned or after == company
        assert after is None or _foreign(company, scenario).items() <= after.tags.items()


def _is_named(
    wanted: DesiredConnection | None,
    action: DeleteConnection | UnlinkConnection,
    companies: Mapping[str, LiveCompany],
) -> bool:
    """Whether the spec pins the connection, or the record holds its key."""
    text = companies[action.company_id].tags.get(LINKS_TAG, "")
    recorded = {re.split("[:@]", entry)[0] for entry in text.split(",")}
    return wanted is not None and (
        wanted.id == action.connection_id or not recorded.isdisjoint({wanted.key, wanted.renamed_from})
    )


def _owners(scenario: Scenario, key: str) -> set[tuple[str, str]]:
    spec = scenario.desired.companies.get(key)
    keys = spec.keys if spec else (key,)
    return {(workspace, key) for workspace in scenario.desired.workspaces for key in keys}


def _foreign(company: LiveCompany, scenario: Scenario) -> dict[str, str]:
    """The tags of a live company that no spec names and that are not ours."""
    named = {tag for customer in scenario.desired.companies.values() for tag in customer.tags}
    return {
        tag: value
        for tag, value in company.tags.items()
        if tag not in named and not tag.startswith(RESERVED_TAG_PREFIX)
    }
