"""An explanation says what the plan does and why, and what it says would change it does change it."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from builders import (
    API,
    NOW,
    PLAID,
    TOOL,
    ago,
    company,
    connection,
    policy,
    pull,
    specs,
    wanted,
    wanted_connection,
)
from hypothesis import given
from planner_states import Scenario, scenarios, searched

from reconciler.live import Live, LiveCompany, PullState, Status
from reconciler.model import LINKS_TAG, Address, Desired, Presence, Wanted
from reconciler.planner import Explanation, Policy, addresses, draft, explained, finish
from reconciler.planner.explaining import SAYS, TABLES, in_words
from reconciler.secret_refs import SecretRef, Variable


def everything(desired: Desired, live: Live, run: Policy) -> dict[str, tuple[Explanation, ...]]:
    """Every address that can be explained, with its explanations."""
    drafted = draft(desired, live, run)
    plan = finish(drafted, desired, live, run, tool=TOOL, api=API)
    return {
        address: explained(Address.parse(address), drafted, desired, live, run, plan)
        for address in addresses(drafted, desired)
    }


def explain(address: str, desired, *companies: LiveCompany, run: Policy | None = None, pulls=()):
    desired = desired if isinstance(desired, Desired) else specs(desired)
    histories = {company.id: tuple(pulls) for company in companies}
    live = Live(companies=companies, pulls=histories, fetched_types=frozenset({"invoices"}))
    (found,) = everything(desired, live, run or policy())[address]
    return found.document()


def rows(document) -> list[str]:
    return [decision["row"] for decision in document["decisions"]]


def otherwise(document, table: int = 0) -> dict[tuple[str, str], str]:
    return {
        (item["fact"], value): item["row"]
        for item in document["decisions"][table]["otherwise"]
        for value in item["values"]
    }


# --- what it says ------------------------------------------------------------------------------


def test_a_pending_connection_is_explained_by_its_row_and_by_its_sync() -> None:
    found = explain(
        "acme/books", wanted(wanted_connection()), company(connection(status=Status.PENDING_AUTH))
    )
    assert rows(found) == ["authorize", "sync-authorized"]
    assert [action["kind"] for action in found["actions"]] == ["connection.authorize", "company.sync"]
    assert found["live"]["status"] == "PendingAuth"
    assert {"fact": "live", "says": "live status", "value": "PendingAuth"} in found["decisions"][0]["facts"]


def test_it_says_what_would_lead_to_another_result() -> None:
    live = company(connection(status=Status.UNLINKED), tags={LINKS_TAG: "books@qhyg"})
    found = explain("acme/books", wanted(wanted_connection()), live)
    assert rows(found) == ["severed"]
    changed = otherwise(found)
    assert changed["reauthorize", "yes"] == "reauthorize-unlinked"
    assert changed["wanted", "absent"] == "absent-delete"
    assert changed["live", "PendingAuth"] == "authorize"
    assert ("fresh", "yes") not in changed, "it would change nothing"


def test_a_company_that_differs_is_explained_with_its_changes() -> None:
    found = explain("acme", wanted(name="Acme Stores"), company(name="Acme"))
    assert rows(found) == ["company-update"]
    assert found["actions"][0]["changes"] == [{"path": "name", "before": "Acme", "after": "Acme Stores"}]
    assert otherwise(found)["differs", "no"] == "company-unchanged"


def test_a_connection_of_a_blocked_company_is_explained_by_the_company() -> None:
    found = explain("acme/books", wanted(wanted_connection()), company(owner=None))
    assert rows(found) == ["company-exists"]
    assert found["address"] == "acme/books"
    assert "nothing is decided for it" in found["note"]
    assert [attention["code"] for attention in found["attention"]] == ["exists"]


def test_a_connection_of_a_company_that_shall_go_is_explained_by_the_company() -> None:
    found = explain("acme/books", wanted(wanted_connection(), state=Presence.ABSENT), company(connection()))
    assert rows(found) == ["company-delete"]


def test_a_connection_that_cannot_be_paired_has_no_rule_and_says_so() -> None:
    two = (connection("c1", on=PLAID), connection("c2", on=PLAID))
    found = explain("acme/bank", wanted(wanted_connection("bank", PLAID)), company(*two))
    assert rows(found) == []
    assert "cannot be told" in found["note"]
    assert [attention["code"] for attention in found["attention"]] == ["ambiguous"]


def test_a_stray_and_an_orphan_can_be_explained_too() -> None:
    desired = specs(wanted(wanted_connection()))
    acme = company(connection(), connection("2e9d2c44-1", on=PLAID, status=Status.PENDING_AUTH))
    old = company(identifier="a2", owner="old")
    stray = explain("acme/plaid:2e9d2c44", desired, acme, old)
    assert rows(stray) == ["stray-pending"]
    assert stray["spec"] is None
    assert otherwise(stray)["prune", "yes"] == "stray-prune"
    orphan = explain("old", desired, acme, old)
    assert rows(orphan) == ["company-orphan"]


def test_two_orphans_of_one_key_are_both_explained() -> None:
    live = Live(companies=(company(identifier="a1", owner="old"), company(identifier="a2", owner="old")))
    found = everything(specs(), live, policy())["old"]
    assert [explanation.live and explanation.live["id"] for explanation in found] == ["a1", "a2"]


def test_what_the_history_says_of_a_sync_is_told() -> None:
    failed = pull("c0000001-0000", PullState.FAILED, ago(days=2))
    acme = company(replace(connection(), last_sync=None))
    found = explain("acme/books", wanted(wanted_connection()), acme, pulls=[failed])
    assert rows(found) == ["linked", "sync-failed"]
    assert found["live"]["lastPull"]["status"] == "FetchError"
    assert otherwise(found, 1)["retry", "yes"] == "sync-retry"


def test_the_reason_for_a_sync_is_the_plans_own() -> None:
    acme = company(replace(connection(), last_sync=None))
    found = explain("acme/books", wanted(wanted_connection()), acme)
    assert found["decisions"][1]["why"] == "never synced" == found["actions"][0]["reason"]


def test_an_address_of_nothing_has_no_explanation() -> None:
    live, desired = Live(companies=(company(connection()),)), specs(wanted(wanted_connection()))
    drafted = draft(desired, live, policy())
    plan = finish(drafted, desired, live, policy(), tool=TOOL, api=API)
    for nothing in ("acm", "acme/book", ""):
        assert explained(Address.parse(nothing), drafted, desired, live, policy(), plan) == ()


def test_nothing_that_may_hold_a_secret_is_in_an_explanation() -> None:
    from reconciler.live import LiveError
    from reconciler.secret_refs import Secret

    canary = "CANARY"
    told = connection(
        status=Status.DEAUTHORIZED,
        errors=[LiveError(message=f"bad token {canary}", status_code="401", erred_at=NOW)],
    )
    told = replace(told, link_url=Secret(f"https://link.codat.io/{canary}"))
    tokens = {"accessToken": SecretRef(Variable("NAME")), "realmId": canary}
    found = explain("acme/books", wanted(wanted_connection(authorization=tokens)), company(told))
    assert rows(found) == ["relink-stale"]
    assert canary not in repr(found)


# --- it has no logic of its own ----------------------------------------------------------------


BESIDE = {"tags-copied"}
"""Attention that speaks of another company than the one that is decided on."""
BY_FIELD = {"product.add", "product.remove", "company.syncSettings"}
"""What follows from a field that differs alone, without a rule."""


@searched
@given(scenarios())
def test_an_explanation_says_exactly_what_the_plan_does(scenario: Scenario) -> None:
    desired = scenario.desired
    live = scenario.world.live(desired)
    run = replace(scenario.run, now=scenario.world.now, targets=())
    drafted = draft(desired, live, run)
    plan = finish(drafted, desired, live, run, tool=TOOL, api=API)
    for text, found in everything(desired, live, run).items():
        address = Address.parse(text)
        assert found, f"{text} is an address that nothing explains"
        kinds = {action.kind.value for action in plan.actions if action.address == address} - BY_FIELD
        codes = {
            attention.code.value for attention in plan.attention if attention.address == address
        } - BESIDE
        decided = [decision for each in found for decision in each.decisions if not each.note]
        planned = {kind.value for decision in decided for kind in decision.row.actions}
        noted = {decision.row.attention.value for decision in decided if decision.row.attention}
        own_sync = {"company.sync"} if address.is_company else set()
        assert kinds - own_sync == planned - ({"company.sync"} if not address.is_company else set())
        if all(not each.note for each in found):
            assert noted == codes


@searched
@given(scenarios())
def test_each_change_that_it_names_leads_to_the_row_that_it_names(scenario: Scenario) -> None:
    live = scenario.world.live(scenario.desired)
    run = replace(scenario.run, now=scenario.world.now, targets=())
    for found in everything(scenario.desired, live, run).values():
        for decision in (decision for each in found for decision in each.decisions):
            _, table = TABLES[type(decision.situation)]
            assert table.decide(decision.situation) is decision.row
            for other in decision.otherwise:
                for value in other.values:
                    assert table.decide(replace(decision.situation, **{other.fact: value})) is other.row
                    result = (other.row.actions, other.row.attention)
                    assert result != (decision.row.actions, decision.row.attention)


# --- the vocabulary ----------------------------------------------------------------------------


@pytest.mark.parametrize("situation", list(TABLES), ids=lambda value: value.__name__)
def test_every_fact_that_a_rule_may_look_at_has_words(situation) -> None:
    assert list(SAYS[situation]) == [field.name for field in fields(situation)]


def test_values_of_two_enums_that_are_equal_as_text_have_their_own_words() -> None:
    from reconciler.planner.company_rules import Found, Want
    from reconciler.planner.connection_rules import LiveStatus

    assert in_words(Found.NONE) == "no such company"
    assert in_words(LiveStatus.NONE) == "no such connection"
    assert in_words(Wanted.ABSENT) == "absent"
    assert in_words(Want.ABSENT) == "absent, by the spec"
    assert (in_words(True), in_words(False)) == ("yes", "no")
