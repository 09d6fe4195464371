"""The plan as a whole: order, counts, what it is made from, and what it must not show."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from builders import (
    API,
    PLAID,
    TOKENS,
    TOOL,
    XERO,
    actions,
    company,
    connection,
    plan_for,
    policy,
    specs,
    wanted,
    wanted_connection,
)

from reconciler.live import LiveCompany, Status
from reconciler.model import Migration, Presence, Wanted
from reconciler.plan import CLASS_OF, AttentionClass, AttentionCode, Plan
from reconciler.planner.messages import MESSAGES
from reconciler.secret_refs import Secret


def test_a_fresh_company_with_one_connection_takes_four_requests() -> None:
    plan = plan_for(wanted(wanted_connection()))
    assert actions(plan) == [
        "company.create acme",
        "connection.create acme/books",
        "connection.authorize acme/books",
        "company.sync acme",
    ]
    assert plan.document()["summary"]["requests"] == plan.requests == 4


def test_actions_stand_by_address_and_in_the_order_of_a_companys_life() -> None:
    spec = wanted(
        wanted_connection("books", XERO),
        wanted_connection("gone", wanted=Wanted.ABSENT),
        wanted_connection("bank", PLAID),
        wanted_connection("off", PLAID, wanted=Wanted.UNLINKED, id="c2"),
        name="New",
    )
    live = company(connection("c1", Status.UNLINKED), connection("c2", on=PLAID))
    plan = plan_for(specs(spec, wanted(key="aaa"), wanted(key="zzz")), live)
    assert actions(plan) == [
        "company.create aaa",
        "company.update acme",
        "connection.unlink acme/off",
        "connection.delete acme/gone",
        "connection.create acme/bank",
        "connection.create acme/books",
        "connection.authorize acme/bank",
        "connection.authorize acme/books",
        "company.sync acme",
        "company.create zzz",
    ]


@pytest.mark.parametrize(
    ("plan", "unchanged"),
    [
        pytest.param(plan_for(specs()), 0, id="nothing-wanted"),
        pytest.param(plan_for(wanted(wanted_connection()), company(connection())), 2, id="all-as-specified"),
        pytest.param(plan_for(wanted(wanted_connection())), 0, id="all-to-do"),
        pytest.param(
            plan_for(wanted(wanted_connection(), name="New"), company(connection())), 1, id="company-to-do"
        ),
        pytest.param(
            plan_for(wanted(wanted_connection(migration=Migration.LINK)), company()), 1, id="connection-to-do"
        ),
        pytest.param(
            plan_for(wanted(wanted_connection()), company(connection(last_sync=None))),
            1,
            id="a-sync-is-the-companys",
        ),
        pytest.param(
            plan_for(wanted(wanted_connection(wanted=Wanted.ABSENT)), company()), 1, id="absent-is-not-wanted"
        ),
        pytest.param(plan_for(wanted(state=Presence.ABSENT), ()), 0, id="absent-company-is-not-wanted"),
        pytest.param(
            plan_for(
                wanted(wanted_connection("x", PLAID)), company(connection("s"), connection("c", on=PLAID))
            ),
            2,
            id="strays-are-not-wanted",
        ),
        pytest.param(
            plan_for(
                wanted(wanted_connection(), wanted_connection("bank", PLAID)),
                company(connection(), connection("c2", on=PLAID)),
                policy(targets=("acme/bank",)),
            ),
            1,
            id="targets-count-alone",
        ),
    ],
)
def test_unchanged_counts_what_is_wanted_and_has_no_action(plan: Plan, unchanged: int) -> None:
    assert plan.unchanged == plan.document()["summary"]["unchanged"] == unchanged


def test_an_empty_plan_has_every_kind_in_its_summary() -> None:
    document = plan_for(specs()).document()
    assert set(document["summary"].values()) == {0}
    assert document["tool"] == TOOL
    assert document["api"] == API
    assert document["basis"]["live"] == {}


def test_the_basis_names_the_companies_that_the_plan_speaks_of() -> None:
    changed, quiet = wanted(name="New"), wanted(key="bravo")
    live = [company(), company(identifier="b", owner="bravo"), company(identifier="o", owner="gone")]
    assert set(plan_for((changed, quiet), live).basis.live) == {"acme", "gone"}


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        pytest.param(company(connection(last_sync=None)), True, id="a-sync-moves-by-itself"),
        pytest.param(company(connection(status=Status.UNLINKED)), False, id="status"),
        pytest.param(company(), False, id="connections"),
        pytest.param(company(connection(), tags={"team": "x"}), False, id="tags"),
        pytest.param(company(connection(), description=""), True, id="empty-and-no-description"),
        pytest.param(company(connection(), description="x"), False, id="description"),
    ],
)
def test_the_basis_of_a_company(other: LiveCompany, is_same: bool) -> None:
    spec = wanted(name="New")
    first = plan_for(spec, company(connection())).basis.live["acme"]
    assert (plan_for(spec, other).basis.live["acme"] == first) is is_same


def test_the_basis_of_the_specs_changes_with_them() -> None:
    plans = [plan_for(wanted(wanted_connection(), **more)) for more in ({}, {"protect": True}, {"new": True})]
    assert len({plan.basis.specs for plan in plans}) == 3


def test_no_authorization_value_and_no_link_url_is_in_a_plan() -> None:
    link = replace(connection(on=PLAID), link_url=Secret("https://link.example/otp"))
    live = company(link)
    plan = plan_for(wanted(wanted_connection()), live)
    shown = json.dumps(plan.document()) + repr(plan.actions) + repr(plan.attention) + repr(plan.basis)
    assert "4620816365" in TOKENS.values()
    assert "4620816365" not in shown
    assert "link.example" not in shown
    assert '"fields": ["accessToken", "realmId"]' in json.dumps(plan.document())


BLOCKING = {
    "exists", "conflict", "missing", "duplicate", "ambiguous", "tag-budget", "protected",
    "accounting-occupied", "gate", "nothing-to-sync", "sync-failed", "unknown-status",
}  # fmt: skip
WAITING = {"managed", "link", "relink", "unlinked", "syncing"}
INFO = {"orphan", "tags-copied", "unmanaged"}


@pytest.mark.parametrize("code", AttentionCode)
def test_the_class_of_every_code(code: AttentionCode) -> None:
    expected = {
        AttentionClass.BLOCKING: code in BLOCKING,
        AttentionClass.WAITING: code in WAITING,
        AttentionClass.INFO: code in INFO,
    }
    assert [attention_class for attention_class, holds in expected.items() if holds] == [CLASS_OF[code]]


def test_what_is_blocked_is_not_unchanged() -> None:
    pinned = [wanted(wanted_connection(), key=key, id=f"no-{key}") for key in ("acme", "bravo", "delta")]
    plan = plan_for(specs(*pinned))
    assert [note.code for note in plan.attention] == [AttentionCode.MISSING] * 3
    assert plan.unchanged == 0


def test_one_blocked_connection_leaves_the_rest_of_its_company_unchanged() -> None:
    spec = wanted(wanted_connection("books", XERO), wanted_connection("bank", PLAID, id="not-there"))
    plan = plan_for(spec, company(connection("c1", on=XERO)))
    assert [str(note.address) for note in plan.attention] == ["acme/bank"]
    assert plan.unchanged == 2


def test_every_attention_says_what_to_do() -> None:
    assert MESSAGES.keys() == set(AttentionCode)
