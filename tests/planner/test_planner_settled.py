"""A company that is as it was left is told at a glance, and only such a company."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from builders import (
    NOW,
    PLAID,
    QBO,
    ago,
    company,
    connection,
    policy,
    recorded,
    specs,
    wanted,
    wanted_connection,
)
from hypothesis import given
from planner_states import Scenario, scenarios, searched

from reconciler.live import Live, LiveCompany, Status
from reconciler.model import (
    LINKS_TAG,
    PROTECT_TAG,
    Address,
    Desired,
    DesiredCompany,
    DesiredConnection,
    SyncPolicy,
    Wanted,
)
from reconciler.planner import Draft, Policy, draft
from reconciler.planner.actions import decided
from reconciler.planner.connection_rules import CONNECTION_RULES
from reconciler.planner.policy import Before, Earlier

BANK = wanted_connection("bank", PLAID)
SPEC = wanted(wanted_connection(), BANK, tags={"region": "uk"}, description="Same")
LIVE = company(
    connection("c1", on=QBO),
    connection("c2", on=PLAID),
    tags={"region": "uk", "other": "x"},
    description="Same",
)


def drafted(spec: DesiredCompany, live: LiveCompany, run: Policy | None = None) -> Draft:
    desired = specs(spec)
    return draft(desired, Live(companies=(live,)), run or policy())


def left(live: LiveCompany = LIVE, spec: DesiredCompany = SPEC) -> LiveCompany:
    """The company with its record of links."""
    return recorded(live, specs(spec))


def with_bank(**fields: Any) -> DesiredCompany:
    return replace(SPEC, connections={**SPEC.connections, "bank": replace(BANK, **fields)})


def with_live_bank(**fields: Any) -> LiveCompany:
    books, bank = left().connections
    return replace(left(), connections=(books, replace(bank, **fields)))


def test_a_company_that_is_as_specified_is_not_decided_again_and_still_shown_whole() -> None:
    found = drafted(SPEC, left())
    assert found.open == ()
    (company_draft,) = found.companies
    assert [link.address for link in company_draft.connections] == [
        Address("acme", "bank"),
        Address("acme", "books"),
    ]


@pytest.mark.parametrize(
    "spec",
    [
        replace(SPEC, description="Other"),
        replace(SPEC, description=None),
        replace(SPEC, name="Other"),
        replace(SPEC, tags={"region": "eu"}),
        replace(SPEC, tags={"region": None}),
        replace(SPEC, tags={"new": "x"}),
        replace(SPEC, protect=True),
        replace(SPEC, products=("lending",)),
        replace(SPEC, sync_settings=None),
        replace(SPEC, connections={"books": SPEC.connections["books"]}),
        with_bank(wanted=Wanted.UNLINKED),
        with_bank(wanted=Wanted.ABSENT),
        with_bank(issued_at=ago(hours=1)),
        with_bank(sync=SyncPolicy(max_age=timedelta(hours=1))),
    ],
    ids=[
        "description",
        "no description",
        "name",
        "tag",
        "no tag",
        "new tag",
        "protected",
        "products",
        "settings",
        "fewer",
        "unlinked",
        "absent",
        "newer tokens",
        "older than maxAge",
    ],
)
def test_what_its_spec_says_otherwise_has_to_be_decided(spec: DesiredCompany) -> None:
    assert len(drafted(spec, left()).open) == 1


@pytest.mark.parametrize(
    "live",
    [
        replace(left(), name="Other"),
        replace(left(), tags={**left().tags, PROTECT_TAG: "true"}),
        replace(left(), tags={**left().tags, LINKS_TAG: "books@qhyg"}),
        replace(left(), connections=left().connections[:1]),
        with_live_bank(status=Status.DEAUTHORIZED),
        with_live_bank(status=Status.UNKNOWN),
        with_live_bank(last_sync=None),
        with_live_bank(platform_key="upvr"),
        with_live_bank(created=NOW),
    ],
    ids=[
        "name",
        "protected",
        "record",
        "fewer",
        "deauthorized",
        "unknown",
        "never synced",
        "platform",
        "younger",
    ],
)
def test_what_codat_has_otherwise_has_to_be_decided(live: LiveCompany) -> None:
    assert len(drafted(replace(SPEC, protect=False), live).open) == 1


@pytest.mark.parametrize(
    "run",
    [
        policy(targets=("acme",)),
        policy(reauthorize=("acme/bank",)),
        policy(earlier=Earlier(before={Address("acme", "bank"): Before(Status.PENDING_AUTH, NOW)})),
    ],
    ids=["--target", "--reauthorize", "an earlier part of the run"],
)
def test_a_run_that_asks_for_more_than_the_specs_decides_all(run: Policy) -> None:
    assert len(drafted(SPEC, left(), run).open) == 1


def test_every_rule_for_what_is_linked_and_shall_be_does_nothing() -> None:
    """The quick way asks no table; this is what it takes the table to say."""
    rows = [row for row in CONNECTION_RULES.rows if _may_hold(row.when)]
    assert [(row.name, row.actions, row.attention) for row in rows] == [("linked", (), None)]


def _may_hold(when: Any) -> bool:
    given_ = {"wanted": Wanted.LINKED, "live": "Linked", "reauthorize": False}
    return all(value in when.get(name, (value,)) for name, value in given_.items())


@searched
@given(scenarios())
def test_of_what_is_settled_the_careful_way_has_nothing_to_say(scenario: Scenario) -> None:
    live = scenario.world.live(scenario.desired)
    run = replace(scenario.run, reauthorize=())
    for desired in (scenario.desired, _synced(scenario.desired)):
        found = draft(desired, live, run)
        for careful in set(map(id, found.companies)) - set(map(id, found.open)):
            company_draft = next(each for each in found.companies if id(each) == careful)
            share = decided(company_draft, live, run)
            assert (share.actions, share.attention) == ([], [])


def _synced(desired: Desired) -> Desired:
    """The same specs, whose connections say less, so that more of them are settled."""

    def plain(link: DesiredConnection) -> DesiredConnection:
        return replace(link, wanted=Wanted.LINKED, issued_at=None, sync=SyncPolicy(), id=None)

    companies = {
        key: replace(
            company_,
            id=None,
            renamed_from=None,
            connections={name: plain(link) for name, link in company_.connections.items()},
        )
        for key, company_ in desired.companies.items()
    }
    return replace(desired, companies=companies, renamed_from=None)
