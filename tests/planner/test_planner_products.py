"""Products and sync settings: what a spec does not name is left alone, what it names is brought about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from builders import (
    PLAID,
    QBO,
    actions,
    attention,
    company,
    connection,
    plan_for,
    policy,
    specs,
    wanted,
    wanted_connection,
)

from reconciler.actions import SetSyncSettings
from reconciler.kinds import Change
from reconciler.live import LiveCompany, LiveSyncSettings, Status
from reconciler.model import Desired, Presence, with_settings
from reconciler.planner import Directory, as_reviewed
from reconciler.planner.saved_form import from_document, to_document

INVOICES = {"fetchOnFirstLink": True, "syncSchedule": 24, "syncOrder": 0, "syncFromWindow": 24}
BILLS = {"fetchOnFirstLink": False, "syncSchedule": 24, "syncOrder": 1}
THEIRS = LiveSyncSettings({"invoices": INVOICES, "bills": BILLS}, are_own=False)
OWN = replace(THEIRS, are_own=True)


def live(settings: LiveSyncSettings | None = THEIRS, *products: str, **fields: Any) -> LiveCompany:
    return replace(company(**fields), products=products, sync_settings=settings)


def setting(spec: Any, settings: LiveSyncSettings = THEIRS) -> list[tuple[str, str | None, str | None]]:
    """What the plan would set, without the field's own name."""
    plan = plan_for(wanted(sync_settings=spec), live(settings))
    return [
        (change.path.removeprefix("syncSettings."), change.before, change.after)
        for action in plan.actions
        if isinstance(action, SetSyncSettings)
        for change in action.changes
    ]


@pytest.mark.parametrize(
    ("spec", "has", "planned"),
    [
        pytest.param({}, ("lending",), [], id="absent"),
        pytest.param({"products": ("lending",)}, ("lending",), [], id="equal"),
        pytest.param({"products": ("b", "a")}, ("a", "b"), [], id="equal-in-another-order"),
        pytest.param({"products": ("lending",)}, (), ["product.add lending"], id="one-more"),
        pytest.param({"products": ()}, ("lending",), ["product.remove lending"], id="none"),
        pytest.param(
            {"products": ("a", "b")},
            ("b", "c"),
            ["product.add a", "product.remove c"],
            id="another-set",
        ),
    ],
)
def test_products(spec: dict[str, Any], has: tuple[str, ...], planned: list[str]) -> None:
    plan = plan_for(wanted(**spec), live(THEIRS, *has))
    assert [f"{action.kind} {action.product}" for action in plan.actions] == planned  # type: ignore[union-attr]
    assert plan.requests == len(planned)


@pytest.mark.parametrize(
    ("spec", "has", "changes"),
    [
        pytest.param({"invoices": {"syncSchedule": 24}}, THEIRS, [], id="equal-to-the-profile"),
        pytest.param({"invoices": {"syncSchedule": 24}}, OWN, [], id="equal"),
        pytest.param(
            {"invoices": {"syncSchedule": 12}},
            THEIRS,
            [("invoices.syncSchedule", "24", "12")],
            id="different",
        ),
        pytest.param(
            {"bills": {"fetchOnFirstLink": True}},
            OWN,
            [("bills.fetchOnFirstLink", "false", "true")],
            id="different-truth",
        ),
        pytest.param(
            {"bills": {"monthsToSync": 6}}, OWN, [("bills.monthsToSync", None, "6")], id="not-set-before"
        ),
        pytest.param(
            {"items": {"syncSchedule": 1, "syncOrder": 9}},
            OWN,
            [("items.syncOrder", None, "9"), ("items.syncSchedule", None, "1")],
            id="a-type-that-has-none",
        ),
        pytest.param(
            {"invoices": {"syncFromUtc": "2024-01-01T00:00:00Z"}},
            OWN,
            [
                ("invoices.syncFromUtc", None, "2024-01-01T00:00:00Z"),
                ("invoices.syncFromWindow", "24", None),
            ],
            id="a-date-takes-the-place-of-the-window",
        ),
        pytest.param(None, THEIRS, [], id="null-without-own"),
        pytest.param(None, OWN, [("overridesDefaults", "true", "false")], id="null-gives-it-back"),
    ],
)
def test_sync_settings(spec: Any, has: LiveSyncSettings, changes: list[tuple[str, str, str]]) -> None:
    assert setting(spec, has) == changes


def test_what_a_spec_does_not_name_is_sent_as_codat_has_it() -> None:
    merged = OWN.as_wanted({"invoices": {"syncSchedule": 12}})
    assert merged == LiveSyncSettings({"invoices": INVOICES | {"syncSchedule": 12}, "bills": BILLS}, True)


def test_a_window_takes_the_place_of_a_date() -> None:
    dated = {"invoices": {"syncFromUtc": "2024-01-01T00:00:00Z", "syncOrder": 0}}
    assert with_settings(dated, {"invoices": {"syncFromWindow": 6}}) == {
        "invoices": {"syncOrder": 0, "syncFromWindow": 6}
    }


def test_a_new_company_gets_all_that_its_spec_names_before_its_connections() -> None:
    spec = wanted(
        wanted_connection(), products=("lending",), sync_settings={"invoices": {"syncSchedule": 12}}
    )
    plan = plan_for(spec)
    assert actions(plan) == [
        "company.create acme",
        "product.add acme",
        "company.syncSettings acme",
        "connection.create acme/books",
        "connection.authorize acme/books",
        "company.sync acme",
    ]
    assert plan.requests == 6


def test_a_new_company_has_nothing_to_give_back() -> None:
    assert actions(plan_for(wanted(products=(), sync_settings=None))) == ["company.create acme"]


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        pytest.param({"state": Presence.ABSENT}, live(THEIRS, "old"), id="a company to delete"),
        pytest.param({"id": "b0000001-0000"}, live(THEIRS, "old"), id="a company in trouble"),
    ],
)
def test_nothing_is_added_to(spec: dict[str, Any], found: LiveCompany) -> None:
    plan = plan_for(wanted(products=("lending",), sync_settings={"bills": {"syncOrder": 5}}, **spec), found)
    assert not [action for action in actions(plan) if "product" in action or "Settings" in action]


def test_a_targeted_connection_brings_no_products_of_its_company_along() -> None:
    spec = wanted(wanted_connection(), products=("lending",), sync_settings={"bills": {"syncOrder": 5}})
    plan = plan_for(spec, live(), policy(targets=("acme/books",)))
    assert actions(plan) == [
        "connection.create acme/books",
        "connection.authorize acme/books",
        "company.sync acme",
    ]


@pytest.mark.parametrize(
    ("spec", "fetched", "codes"),
    [
        pytest.param({}, (), ["blocking nothing-to-sync acme/books"], id="the profile marks none"),
        pytest.param(
            {"sync_settings": {"invoices": {"fetchOnFirstLink": True}}}, (), [], id="the spec marks one"
        ),
        pytest.param(
            {"sync_settings": {"invoices": {"fetchOnFirstLink": False}}},
            ("invoices",),
            ["blocking nothing-to-sync acme/books"],
            id="the spec unmarks the only one",
        ),
        pytest.param({"sync_settings": None}, ("invoices",), [], id="the profile's again"),
    ],
)
def test_whether_a_sync_fetches_anything_follows_from_the_settings_to_be(
    spec: dict[str, Any], fetched: tuple[str, ...], codes: list[str]
) -> None:
    plan = plan_for(wanted(wanted_connection(), **spec), fetched=fetched)
    assert attention(plan) == codes


def test_a_companys_own_settings_say_what_is_fetched() -> None:
    marks_none = LiveSyncSettings({"invoices": INVOICES | {"fetchOnFirstLink": False}}, are_own=True)
    spec = wanted(wanted_connection(), sync_settings={"invoices": {"syncSchedule": 24}})
    pending = connection(status=Status.PENDING_AUTH, on=QBO)
    found = replace(company(pending), sync_settings=marks_none)
    assert attention(plan_for(spec, found)) == ["blocking nothing-to-sync acme/books"]


def test_settings_are_read_of_those_companies_alone_whose_spec_names_them() -> None:
    named, other, gone = (company(identifier=f"{key}-1", owner=key) for key in ("named", "other", "gone"))
    desired = specs(
        wanted(key="named", sync_settings={}),
        wanted(key="other"),
        wanted(key="gone", sync_settings={}, state=Presence.ABSENT),
        wanted(key="new", sync_settings={}),
    )
    directory = Directory.of(desired, (named, other, gone))
    assert directory.with_own_settings(lambda _: True) == ("named-1",)
    assert directory.with_own_settings(lambda company: company.key != "named") == ()


def test_a_saved_plan_carries_them_and_reads_them_back() -> None:
    desired = specs(
        wanted(products=("b", "a"), sync_settings={"invoices": {"syncSchedule": 12}}),
        wanted(key="bravo", products=(), sync_settings=None),
        wanted(wanted_connection(on=PLAID), key="cargo"),
    )
    again = from_document(to_document(desired), Desired)
    assert to_document(again) == to_document(desired)
    assert again.companies["acme"].products == ("a", "b")
    assert again.companies["bravo"].sync_settings is None


def test_settings_reviewed_for_a_new_company_hold_when_it_exists_and_what_it_had_is_known() -> None:
    spec = wanted(products=("lending",), sync_settings={"invoices": {"syncSchedule": 12}})
    reviewed = plan_for(spec).shown()
    after_a_kill = plan_for(spec, live())
    assert actions(after_a_kill) == ["product.add acme", "company.syncSettings acme"]
    assert as_reviewed(reviewed, after_a_kill).stale == ()


def test_settings_that_others_changed_since_the_review_are_stale() -> None:
    spec = wanted(sync_settings={"invoices": {"syncSchedule": 12}})
    reviewed = plan_for(spec, live()).shown()
    moved = live(OWN.as_wanted({"invoices": {"syncSchedule": 1}}))
    (stale,) = as_reviewed(reviewed, plan_for(spec, moved)).stale
    assert stale.address == "acme"


def test_a_change_is_a_field_of_a_data_type() -> None:
    (action,) = plan_for(wanted(sync_settings={"bills": {"syncOrder": 5}}), live()).actions
    assert isinstance(action, SetSyncSettings)
    assert action.changes == (Change(path="syncSettings.bills.syncOrder", before="1", after="5"),)
