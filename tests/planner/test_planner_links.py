"""The tag codatSyncLinks: which of several connections of one platform is which."""

from __future__ import annotations

import pytest
from builders import (
    PLAID,
    TRUELAYER,
    actions,
    attention,
    company,
    connection,
    plan_for,
    policy,
    wanted,
    wanted_connection,
)

from reconciler.model import LINKS_TAG, DesiredConnection, LiveConnection, Status, Wanted
from reconciler.plan import Change, CreateConnection, Plan, UpdateCompany

A, B = "aaaaaaaa-1", "bbbbbbbb-2"
RECORD = "bank1:aaaaaaaa,bank2:bbbbbbbb"


def bank(number: int, **fields: object) -> DesiredConnection:
    return wanted_connection(f"bank{number}", TRUELAYER, **fields)  # type: ignore[arg-type]


def link(identifier: str, status: Status = Status.LINKED) -> LiveConnection:
    return connection(identifier, status, TRUELAYER)


def records(plan: Plan) -> dict[str, dict[str, str | None]]:
    """The record that each create carries."""
    creates = (one for one in plan.actions if isinstance(one, CreateConnection))
    return {str(one.address): dict(one.links) for one in creates if one.links}


def rewritten(plan: Plan) -> list[Change]:
    return [one for action in plan.actions if isinstance(action, UpdateCompany) for one in action.changes]


def test_two_fresh_ones_are_recorded_by_the_last_create_before_the_first_authorize() -> None:
    plan = plan_for(wanted(bank(1), bank(2)))
    assert actions(plan) == [
        "company.create acme",
        "connection.create acme/bank1",
        "connection.create acme/bank2",
        "connection.authorize acme/bank1",
        "connection.authorize acme/bank2",
        "company.sync acme",
    ]
    assert records(plan) == {"acme/bank2": {"bank1": None, "bank2": None}}
    assert plan.requests == 1 + 2 + 1 + 2 + 1


def test_one_of_each_platform_needs_no_record() -> None:
    plan = plan_for(wanted(bank(1), wanted_connection("other", PLAID)))
    assert records(plan) == {}
    assert plan.requests == 1 + 2 + 2 + 1


def test_the_record_holds_those_of_every_platform_that_has_several() -> None:
    other = [wanted_connection(f"plaid{number}", PLAID) for number in (1, 2)]
    plan = plan_for(wanted(bank(1), bank(2), *other, wanted_connection()))
    assert records(plan) == {"acme/plaid2": dict.fromkeys(("bank1", "bank2", "plaid1", "plaid2"))}


def test_a_create_that_is_not_recorded_carries_nothing() -> None:
    plan = plan_for(wanted(bank(1), bank(2), wanted_connection("zettle", PLAID)))
    assert set(records(plan)) == {"acme/bank2"}


def test_one_more_keeps_the_ids_that_are_known() -> None:
    live = company(link(A), tags={LINKS_TAG: "bank1:aaaaaaaa"})
    plan = plan_for(wanted(bank(1), bank(2)), live)
    assert records(plan) == {"acme/bank2": {"bank1": A, "bank2": None}}
    assert rewritten(plan) == []


def test_all_there_but_not_recorded_is_an_update_before_the_first_authorize() -> None:
    live = company(link(A, Status.PENDING_AUTH), link(B, Status.PENDING_AUTH))
    plan = plan_for(wanted(bank(1), bank(2)), live)
    assert actions(plan)[:2] == ["company.update acme", "connection.authorize acme/bank1"]
    assert rewritten(plan) == [Change(f"tags.{LINKS_TAG}", None, RECORD)]


def test_all_there_and_recorded_is_nothing_to_do() -> None:
    plan = plan_for(wanted(bank(1), bank(2)), company(link(A), link(B), tags={LINKS_TAG: RECORD}))
    assert (actions(plan), attention(plan)) == ([], [])


def test_a_record_that_is_wrong_is_rewritten() -> None:
    live = company(link(A), link(B), tags={LINKS_TAG: "bank1:aaaaaaaa,bank2:gone0000"})
    plan = plan_for(wanted(bank(1), bank(2)), live)
    assert rewritten(plan) == [Change(f"tags.{LINKS_TAG}", "bank1:aaaaaaaa,bank2:gone0000", RECORD)]


def test_pinned_ones_need_no_record() -> None:
    plan = plan_for(wanted(bank(1, id=A), bank(2, id=B)), company(link(A), link(B)))
    assert actions(plan) == []


def test_only_the_unpinned_one_is_recorded() -> None:
    plan = plan_for(wanted(bank(1, id=A), bank(2)), company(link(A), link(B)))
    assert rewritten(plan) == [Change(f"tags.{LINKS_TAG}", None, "bank2:bbbbbbbb")]


def test_what_shall_be_deleted_is_not_recorded() -> None:
    live = company(link(A), link(B), tags={LINKS_TAG: RECORD})
    plan = plan_for(wanted(bank(1), bank(2, wanted=Wanted.ABSENT)), live)
    assert actions(plan) == ["connection.delete acme/bank2"]


THREE = f"{RECORD},bank3:cccccccc"


@pytest.mark.parametrize(
    "live",
    [
        pytest.param((link(A), link(B), link("cccccccc-3")), id="before-the-delete"),
        pytest.param((link(A), link(B)), id="after-the-delete"),
        pytest.param((link(A), link(B), link("dddddddd-4")), id="after-the-delete-beside-a-stray"),
    ],
)
def test_what_shall_be_deleted_stays_recorded_while_the_spec_names_it(
    live: tuple[LiveConnection, ...],
) -> None:
    spec = wanted(bank(1), bank(2), bank(3, wanted=Wanted.ABSENT))
    plan = plan_for(spec, company(*live, tags={LINKS_TAG: THREE}))
    is_there = any(one.id == "cccccccc-3" for one in live)
    assert actions(plan) == (["connection.delete acme/bank3"] if is_there else [])


def test_what_is_recorded_stays_so_though_it_is_the_only_one_of_its_platform() -> None:
    old = "bank1:aaaaaaaa,bank2:bbbbbbbb,books:cccccccc"
    books = wanted_connection("books", PLAID, wanted=Wanted.UNLINKED)
    live = company(
        link(A, Status.PENDING_AUTH),
        link(B, Status.PENDING_AUTH),
        connection("cccccccc-3", Status.UNLINKED, PLAID),
        connection("dddddddd-4", Status.LINKED, PLAID),
        tags={LINKS_TAG: old},
    )
    plan = plan_for(wanted(bank(1), bank(2), books), live)
    assert rewritten(plan) == []
    assert "connection.unlink acme/books" not in actions(plan)


def test_what_shall_be_deleted_is_recorded_with_the_others_before_the_delete() -> None:
    gone = wanted_connection("bank3", TRUELAYER, wanted=Wanted.ABSENT)
    live = company(link(A), link(B, Status.UNLINKED), link("cccccccc-3", Status.PENDING_AUTH))
    plan = plan_for(wanted(bank(1, id=A), bank(2, wanted=Wanted.UNLINKED), gone), live)
    assert actions(plan) == ["company.update acme", "connection.delete acme/bank3"]
    assert rewritten(plan) == [Change(f"tags.{LINKS_TAG}", None, "bank2:bbbbbbbb,bank3:cccccccc")]


def test_what_shall_be_deleted_is_not_recorded_where_its_platform_has_no_record() -> None:
    gone = wanted_connection("old", PLAID, wanted=Wanted.ABSENT)
    live = company(link(A), link(B), connection("cccccccc-3", on=PLAID), tags={LINKS_TAG: RECORD})
    plan = plan_for(wanted(bank(1), bank(2), gone), live)
    assert actions(plan) == ["connection.delete acme/old"]


def test_a_record_that_is_needed_no_more_is_left_as_it_is() -> None:
    live = company(link(A), tags={LINKS_TAG: "bank1:aaaaaaaa,elsewhere:bbbbbbbb"})
    assert actions(plan_for(wanted(bank(1)), live)) == []


def test_what_was_deleted_leaves_the_record_with_its_spec() -> None:
    plan = plan_for(wanted(bank(1), bank(2)), company(link(A), link(B), tags={LINKS_TAG: THREE}))
    assert rewritten(plan) == [Change(f"tags.{LINKS_TAG}", THREE, RECORD)]


def test_what_shall_be_deleted_makes_room_where_the_record_would_not_fit() -> None:
    def long(number: int, **fields: object) -> DesiredConnection:
        return wanted_connection(f"a-key-of-forty-characters-in-length-no-{number}", TRUELAYER, **fields)  # type: ignore[arg-type]

    old = f"{long(1).key}:aaaaaaaa,{long(3).key}:cccccccc"
    live = company(link(A), link(B), link("cccccccc-3"), tags={LINKS_TAG: old})
    plan = plan_for(wanted(long(1), long(2, id=B), long(3, wanted=Wanted.ABSENT)), live)
    assert rewritten(plan) == []
    plan = plan_for(wanted(long(1), long(2), long(3, wanted=Wanted.ABSENT)), live)
    new = f"{long(1).key}:aaaaaaaa,{long(2).key}:bbbbbbbb"
    assert rewritten(plan) == [Change(f"tags.{LINKS_TAG}", old, new)]


def test_two_that_cannot_be_told_apart_are_not_recorded() -> None:
    plan = plan_for(wanted(bank(1), bank(2)), company(link(A), link(B)))
    assert (actions(plan), attention(plan)) == (
        [],
        ["blocking ambiguous acme/bank1", "blocking ambiguous acme/bank2"],
    )


def test_trouble_on_one_platform_does_not_keep_another_from_being_recorded() -> None:
    others = [wanted_connection(f"plaid{number}", PLAID) for number in (1, 2)]
    plan = plan_for(wanted(bank(1), bank(2), *others), company(link(A), link(B)))
    assert records(plan) == {"acme/plaid2": {"plaid1": None, "plaid2": None}}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param("acme/bank1", {"acme/bank1": {"bank1": None}}, id="the-first"),
        pytest.param("acme/bank2", {"acme/bank2": {"bank2": None}}, id="the-last"),
    ],
)
def test_a_target_records_what_it_creates(target: str, expected: dict[str, object]) -> None:
    assert records(plan_for(wanted(bank(1), bank(2)), company(), policy(targets=(target,)))) == expected


def test_the_plans_document_says_that_links_are_recorded() -> None:
    document = plan_for(wanted(bank(1), bank(2))).document()
    told = [one["address"] for one in document["actions"] if one.get("recordsLinks")]
    assert told == ["acme/bank2"]
    assert document["summary"]["requests"] == 7
