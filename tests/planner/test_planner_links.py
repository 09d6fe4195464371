"""The tag codatSyncLinks: which of several connections of one platform is which."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import (
    PLAID,
    QBO,
    TRUELAYER,
    actions,
    ago,
    attention,
    company,
    connection,
    message,
    plan_for,
    policy,
    wanted,
    wanted_connection,
)

from reconciler.actions import CreateCompany, CreateConnection, DeleteConnection, UpdateCompany
from reconciler.kinds import Change
from reconciler.live import LiveConnection, Status
from reconciler.model import LINKS_TAG, DesiredConnection, Migration, Wanted, links_tag
from reconciler.plan import Plan

A, B = "aaaaaaaa-1", "bbbbbbbb-2"
RECORD = "bank1:aaaaaaaa,bank2:bbbbbbbb"


def bank(number: int, **fields: object) -> DesiredConnection:
    return wanted_connection(f"bank{number}", TRUELAYER, **fields)  # type: ignore[arg-type]


def link(identifier: str, status: Status = Status.LINKED) -> LiveConnection:
    return connection(identifier, status, TRUELAYER)


def records(plan: Plan) -> dict[str, dict[str, str | None]]:
    """The record that each create carries; ``None`` for the id of what is still to be created."""
    creates = (action for action in plan.actions if isinstance(action, CreateConnection))
    return {
        str(create.address): {
            key: mark.id or (f"@{mark.platform_key}" if mark.platform_key else None)
            for key, mark in create.links.items()
        }
        for create in creates
        if create.links
    }


def sent_with_the_company(plan: Plan) -> str | None:
    """The record in the create of the company itself."""
    (create,) = (action for action in plan.actions if isinstance(action, CreateCompany))
    return create.tags.get(LINKS_TAG)


def rewritten(plan: Plan) -> list[Change]:
    return [
        change for action in plan.actions if isinstance(action, UpdateCompany) for change in action.changes
    ]


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


def test_one_of_each_platform_is_recorded_by_the_create_of_the_company() -> None:
    plan = plan_for(wanted(bank(1), wanted_connection("other", PLAID)))
    assert sent_with_the_company(plan) == "bank1@upvr,other@suuo"
    assert records(plan) == {}
    assert plan.requests == 1 + 2 + 2 + 1


def test_a_fresh_company_with_one_connection_takes_four_writes() -> None:
    plan = plan_for(wanted(wanted_connection("monzo", PLAID)))
    assert (sent_with_the_company(plan), plan.requests) == ("monzo@suuo", 4)


def test_beside_two_of_a_platform_the_only_one_of_another_is_recorded_by_its_platform() -> None:
    plan = plan_for(wanted(bank(1), bank(2), wanted_connection("monzo", PLAID)))
    assert sent_with_the_company(plan) == "monzo@suuo"
    assert records(plan) == {"acme/bank2": {"bank1": None, "bank2": None, "monzo": "@suuo"}}


def test_the_record_holds_those_of_every_platform_that_has_several() -> None:
    other = [wanted_connection(f"plaid{number}", PLAID) for number in (1, 2)]
    plan = plan_for(wanted(bank(1), bank(2), *other, wanted_connection()))
    several = dict.fromkeys(("bank1", "bank2", "plaid1", "plaid2"))
    assert records(plan) == {"acme/plaid2": {**several, "books": "@qhyg"}}


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
    assert rewritten(plan) == [Change(path=f"tags.{LINKS_TAG}", before=None, after=RECORD)]


def test_all_there_and_recorded_is_nothing_to_do() -> None:
    plan = plan_for(wanted(bank(1), bank(2)), company(link(A), link(B), tags={LINKS_TAG: RECORD}))
    assert (actions(plan), attention(plan)) == ([], [])


@pytest.mark.parametrize("state", list(Wanted))
def test_what_the_customer_linked_is_never_taken_for_one_that_is_gone(state: Wanted) -> None:
    live = company(link(A), link(B), tags={LINKS_TAG: "bank1:aaaaaaaa,bank2:gone0000"})
    plan = plan_for(wanted(bank(1), bank(2, wanted=state)), live)
    anew = ["connection.create acme/bank2", "connection.authorize acme/bank2", "company.sync acme"]
    assert actions(plan) == (anew if state is Wanted.LINKED else [])
    assert attention(plan) == ["info unmanaged acme/truelayer:bbbbbbbb"]
    assert records(plan) == ({"acme/bank2": {"bank1": A, "bank2": None}} if state is Wanted.LINKED else {})


def test_pinned_ones_need_no_record() -> None:
    plan = plan_for(wanted(bank(1, id=A), bank(2, id=B)), company(link(A), link(B)))
    assert actions(plan) == []


def test_only_the_unpinned_one_is_recorded() -> None:
    plan = plan_for(wanted(bank(1, id=A), bank(2)), company(link(A), link(B)))
    assert rewritten(plan) == [Change(path=f"tags.{LINKS_TAG}", before=None, after="bank2:bbbbbbbb")]


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
    is_there = any(connection.id == "cccccccc-3" for connection in live)
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


@pytest.mark.parametrize("state", [Wanted.ABSENT, Wanted.UNLINKED])
def test_what_no_record_and_no_id_names_is_neither_deleted_nor_unlinked(state: Wanted) -> None:
    old = wanted_connection("old", PLAID, wanted=state)
    live = company(link(A), connection("cccccccc-3", on=PLAID), tags={LINKS_TAG: "bank1:aaaaaaaa"})
    plan = plan_for(wanted(bank(1), old), live)
    assert (actions(plan), attention(plan)) == ([], ["blocking ambiguous acme/old"])
    assert "'id: cccccccc-3'" in message(plan)
    removal = {Wanted.ABSENT: "connection.delete acme/old", Wanted.UNLINKED: "connection.unlink acme/old"}
    pinned = plan_for(wanted(bank(1), replace(old, id="cccccccc-3")), live)
    assert (actions(pinned), attention(pinned)) == ([removal[state]], [])


def test_a_delete_of_what_is_recorded_by_its_platform_records_its_id_before() -> None:
    spec = wanted(
        bank(1, wanted=Wanted.ABSENT), bank(2, wanted=Wanted.ABSENT), wanted_connection("monzo", PLAID)
    )
    live = company(link(A), connection("cccccccc-3", on=PLAID), tags={LINKS_TAG: "bank1@upvr,monzo@suuo"})
    plan = plan_for(spec, live)
    (delete,) = plan.actions
    assert isinstance(delete, DeleteConnection)
    assert links_tag(delete.links) == "bank1:aaaaaaaa"
    assert (delete.requests, delete.document()["recordsLinks"]) == (2, True)
    after = company(link(B), *live.connections[1:], tags={LINKS_TAG: "bank1:aaaaaaaa,monzo@suuo"})
    assert actions(plan_for(spec, after)) == [], "what the customer links afterwards is his"


# --- records of before, and changes of keys ------------------------------------------------------


def test_a_company_without_a_record_gets_one_in_an_update_that_says_so() -> None:
    live = company(link(A), connection("cccccccc-3", on=PLAID))
    plan = plan_for(wanted(bank(1), wanted_connection("monzo", PLAID)), live, is_recorded=False)
    assert rewritten(plan) == [
        Change(path=f"tags.{LINKS_TAG}", before=None, after="bank1:aaaaaaaa,monzo:cccccccc")
    ]
    assert plan.actions[0].reason == "records which connection is which"
    assert plan.document()["summary"]["company.update"] == 1


def test_an_update_that_does_more_than_record_says_what_it_is() -> None:
    plan = plan_for(wanted(bank(1), name="Acme Stores"), company(link(A)), is_recorded=False)
    assert plan.actions[0].reason == "managed fields differ"


def test_an_old_record_gains_what_it_did_not_hold() -> None:
    live = company(link(A), link(B), connection("cccccccc-3", on=PLAID), tags={LINKS_TAG: RECORD})
    plan = plan_for(wanted(bank(1), bank(2), wanted_connection("monzo", PLAID)), live)
    assert rewritten(plan) == [
        Change(path=f"tags.{LINKS_TAG}", before=RECORD, after=f"{RECORD},monzo:cccccccc")
    ]


def test_an_adoption_records_in_the_same_request() -> None:
    live = company(link(A), owner=None)
    plan = plan_for(wanted(bank(1), id=live.id), live)
    assert actions(plan) == ["company.adopt acme"]
    document = plan.actions[0].document()
    assert {"path": f"tags.{LINKS_TAG}", "before": None, "after": "bank1:aaaaaaaa"} in document["changes"]


def test_what_the_record_does_not_name_beside_what_it_does_is_not_recorded() -> None:
    live = company(link(A), link(B), tags={LINKS_TAG: "bank1:aaaaaaaa"})
    plan = plan_for(wanted(bank(1), bank(2)), live)
    assert (actions(plan), attention(plan)) == ([], [])
    gone = plan_for(wanted(bank(1), bank(2, wanted=Wanted.UNLINKED)), live)
    assert (actions(gone), attention(gone)) == ([], ["blocking ambiguous acme/bank2"])


@pytest.mark.parametrize("state", list(Wanted))
@pytest.mark.parametrize("again", [(), ("*",)], ids=["", "reauthorized"])
def test_a_pin_on_what_another_key_has_does_not_give_that_key_what_the_customer_linked(
    state: Wanted, again: tuple[str, ...]
) -> None:
    """The connection of bank1 is gone, bank1 is pinned to that of bank2, and the customer linked another."""
    live = company(link(B), link("cccccccc-3"), tags={LINKS_TAG: RECORD})
    plan = plan_for(wanted(bank(1, id=B), bank(2, wanted=state)), live, policy(reauthorize=again))
    assert not any("cccccccc" in str(action.document()) for action in plan.actions)


def test_a_key_that_vanishes_and_one_that_appears_are_two_connections() -> None:
    live = company(link(A), tags={LINKS_TAG: "barclays@upvr"})
    plan = plan_for(wanted(wanted_connection("monzo", TRUELAYER)), live)
    assert actions(plan) == [
        "connection.create acme/monzo",
        "connection.authorize acme/monzo",
        "company.sync acme",
    ]
    assert attention(plan) == ["info unmanaged acme/truelayer:aaaaaaaa"]
    assert "recorded under the key 'barclays'" in message(plan)
    assert records(plan) == {"acme/monzo": {"barclays": A, "monzo": None}}


def test_a_key_that_replaces_another_severs_nothing() -> None:
    live = company(link(A), link(B), tags={LINKS_TAG: RECORD})
    plan = plan_for(wanted(bank(1), wanted_connection("c1", TRUELAYER, wanted=Wanted.UNLINKED)), live)
    assert (actions(plan), attention(plan)) == ([], ["info unmanaged acme/truelayer:bbbbbbbb"])


@pytest.mark.parametrize("old", ["barclays@upvr", "barclays:aaaaaaaa"])
def test_renamed_from_takes_the_record_over(old: str) -> None:
    live = company(link(A), tags={LINKS_TAG: old})
    spec = wanted(wanted_connection("monzo", TRUELAYER, renamed_from="barclays"))
    plan = plan_for(spec, live)
    assert actions(plan) == ["company.update acme"]
    assert rewritten(plan) == [Change(path=f"tags.{LINKS_TAG}", before=old, after="monzo:aaaaaaaa")]
    assert actions(plan_for(spec, company(link(A), tags={LINKS_TAG: "monzo:aaaaaaaa"}))) == []


def test_a_platform_that_goes_from_one_key_to_two_is_recorded_by_ids() -> None:
    plan = plan_for(wanted(bank(1), bank(2)), company(link(A), tags={LINKS_TAG: "bank1@upvr"}))
    assert records(plan) == {"acme/bank2": {"bank1": A, "bank2": None}}


# --- what is recorded by its platform alone ------------------------------------------------------

LATER = 60 - 2 / 24
"""Days ago, where the company is twice as old: nothing that its own run can have made."""


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (Wanted.LINKED, []),
        (Wanted.UNLINKED, ["connection.unlink acme/bank1"]),
        (Wanted.ABSENT, ["connection.delete acme/bank1"]),
    ],
)
def test_beside_what_the_customer_links_later_ours_is_the_one_as_old_as_the_company(
    state: Wanted, expected: list[str]
) -> None:
    his = connection(B, on=TRUELAYER, created=ago(LATER))
    plan = plan_for(wanted(bank(1, wanted=state)), company(link(A), his, tags={LINKS_TAG: "bank1@upvr"}))
    assert [text for text in actions(plan) if text != "company.update acme"] == expected
    assert attention(plan) == ["info unmanaged acme/truelayer:bbbbbbbb"]
    if state is not Wanted.ABSENT:
        assert rewritten(plan) == [
            Change(path=f"tags.{LINKS_TAG}", before="bank1@upvr", after="bank1:aaaaaaaa")
        ]


@pytest.mark.parametrize("state", list(Wanted))
def test_what_the_customer_linked_later_is_not_taken_for_one_that_is_gone(state: Wanted) -> None:
    his = connection(B, on=TRUELAYER, created=ago(LATER))
    plan = plan_for(wanted(bank(1, wanted=state)), company(his, tags={LINKS_TAG: "bank1@upvr"}))
    assert (actions(plan), attention(plan)) == ([], ["blocking ambiguous acme/bank1"])
    assert f"'id: {B}'" in message(plan)


def test_two_of_one_age_cannot_be_told_apart_by_their_platform() -> None:
    plan = plan_for(wanted(bank(1)), company(link(A), link(B), tags={LINKS_TAG: "bank1@upvr"}))
    assert attention(plan) == ["blocking ambiguous acme/bank1"]


def test_what_is_gone_is_created_anew_and_recorded_by_its_id() -> None:
    plan = plan_for(wanted(bank(1)), company(tags={LINKS_TAG: "bank1@upvr"}))
    assert records(plan) == {"acme/bank1": {"bank1": None}}


def test_an_interrupted_create_goes_on_with_what_nobody_has_authorized() -> None:
    late = connection(A, Status.PENDING_AUTH, TRUELAYER, created=ago(LATER))
    plan = plan_for(wanted(bank(1)), company(late, tags={LINKS_TAG: "bank1@upvr"}))
    assert actions(plan)[:2] == ["company.update acme", "connection.authorize acme/bank1"]
    assert rewritten(plan) == [Change(path=f"tags.{LINKS_TAG}", before="bank1@upvr", after="bank1:aaaaaaaa")]


SOON = 60 - 1 / 1440
"""A minute after the company, as it were: in its own run, or beside that."""


@pytest.mark.parametrize(
    ("migration", "expected"),
    [(Migration.SELF_SERVICE, "blocking ambiguous acme/bank1"), (Migration.LINK, "waiting link acme/bank1")],
)
def test_one_that_waits_is_not_ours_for_certain_beside_one_that_works_where_we_send_tokens(
    migration: Migration, expected: str
) -> None:
    """Someone began to connect and left, before our create: ours is the second, which got the tokens."""
    waits, works = link(A, Status.PENDING_AUTH), connection(B, on=TRUELAYER, created=ago(SOON))
    plan = plan_for(
        wanted(wanted_connection("bank1", TRUELAYER, migration)),
        company(waits, works, tags={LINKS_TAG: "bank1@upvr"}),
    )
    assert attention(plan)[0] == expected
    assert "codatSyncLinks" not in str(rewritten(plan)) or migration is Migration.LINK


GONE = "bank1:00000000"


@pytest.mark.parametrize("state", [Wanted.UNLINKED, Wanted.ABSENT])
def test_an_entry_whose_connection_is_gone_does_not_mean_what_is_created_next(state: Wanted) -> None:
    """A run that is killed between the create and its record goes on with what it created."""
    specs = wanted(bank(1, wanted=state), bank(2))
    first = plan_for(specs, company(tags={LINKS_TAG: "bank1@upvr"}))
    assert actions(first)[:2] == ["company.update acme", "connection.create acme/bank2"]
    assert rewritten(first) == [Change(path=f"tags.{LINKS_TAG}", before="bank1@upvr", after=GONE)]

    created = link(A, Status.PENDING_AUTH)
    resumed = plan_for(specs, company(created, tags={LINKS_TAG: GONE}))
    assert actions(resumed)[:2] == ["company.update acme", "connection.authorize acme/bank2"]
    assert rewritten(resumed) == [
        Change(path=f"tags.{LINKS_TAG}", before=GONE, after=f"{GONE},bank2:aaaaaaaa")
    ]


def test_an_entry_of_a_key_that_left_the_specs_does_not_mean_what_is_created_next() -> None:
    plan = plan_for(wanted(bank(2)), company(tags={LINKS_TAG: "bank1@upvr"}))
    assert rewritten(plan) == [Change(path=f"tags.{LINKS_TAG}", before="bank1@upvr", after=GONE)]
    assert records(plan) == {"acme/bank2": {"bank2": None}}


@pytest.mark.parametrize(
    "second",
    [wanted_connection("bank2", PLAID), wanted_connection("bank2", TRUELAYER, renamed_from="bank1")],
    ids=["another platform", "renamed"],
)
def test_an_entry_that_no_create_could_be_taken_for_is_left_as_it_is(second: DesiredConnection) -> None:
    plan = plan_for(wanted(second), company(tags={LINKS_TAG: "bank1@upvr"}))
    assert rewritten(plan) == []


# --- the length of the tag -----------------------------------------------------------------------


def test_where_ids_do_not_fit_a_platform_that_stands_once_does_without() -> None:
    keys = {f"{'k' * 26}{number}": on for number, on in enumerate((TRUELAYER, PLAID, QBO))}
    spec = wanted(*(wanted_connection(key, on) for key, on in keys.items()))
    live = company(*(connection(f"{number}0000000-1", on=on) for number, on in enumerate(keys.values())))
    (change,) = rewritten(plan_for(spec, live, is_recorded=False))
    assert change.after == ",".join(f"{key}@{on.key}" for key, on in keys.items())
    assert actions(plan_for(spec, company(*live.connections, tags={LINKS_TAG: change.after}))) == []


def test_a_company_without_room_for_the_tag_does_without_a_record() -> None:
    full = {f"tag{number}": "1" for number in range(8)}
    plan = plan_for(wanted(bank(1)), company(link(A), tags=full), is_recorded=False)
    assert (actions(plan), attention(plan)) == ([], [])


# --- two keys, one connection --------------------------------------------------------------------


def test_two_keys_for_one_connection_are_both_named_with_the_id_to_pin() -> None:
    plan = plan_for(wanted(bank(1), bank(2)), company(link(A)))
    assert attention(plan) == ["blocking ambiguous acme/bank1", "blocking ambiguous acme/bank2"]
    for told in plan.attention:
        assert "the keys 'bank1' and 'bank2' may mean the same live connection" in told.message
        assert f"'id: {A}'" in told.message


def test_two_entries_for_one_connection_are_both_named() -> None:
    live = company(link(A), tags={LINKS_TAG: "bank1:aaaaaaaa,bank2:aaaaaaaa"})
    plan = plan_for(wanted(bank(1), bank(2)), live)
    assert attention(plan) == ["blocking ambiguous acme/bank1", "blocking ambiguous acme/bank2"]
    assert "'bank1' and 'bank2'" in plan.attention[0].message


def test_a_record_that_is_needed_no_more_is_left_as_it_is() -> None:
    live = company(link(A), tags={LINKS_TAG: "bank1:aaaaaaaa,elsewhere:bbbbbbbb"})
    assert actions(plan_for(wanted(bank(1)), live)) == []


def test_what_was_deleted_leaves_the_record_when_that_is_written_next() -> None:
    live = company(link(A), link(B), tags={LINKS_TAG: THREE})
    assert actions(plan_for(wanted(bank(1), bank(2)), live)) == []
    plan = plan_for(wanted(bank(1), bank(2), wanted_connection("monzo", PLAID)), live)
    assert records(plan) == {"acme/monzo": {"bank1": A, "bank2": B, "monzo": None}}


def test_what_shall_be_deleted_makes_room_where_the_record_would_not_fit() -> None:
    def long(number: int, **fields: object) -> DesiredConnection:
        return wanted_connection(f"a-key-of-forty-characters-in-length-no-{number}", TRUELAYER, **fields)  # type: ignore[arg-type]

    old = f"{long(1).key}:aaaaaaaa,{long(3).key}:cccccccc"
    live = company(link(A), link(B, Status.PENDING_AUTH), link("cccccccc-3"), tags={LINKS_TAG: old})
    plan = plan_for(wanted(long(1), long(2, id=B), long(3, wanted=Wanted.ABSENT)), live)
    assert rewritten(plan) == []
    plan = plan_for(wanted(long(1), long(2), long(3, wanted=Wanted.ABSENT)), live)
    new = f"{long(1).key}:aaaaaaaa,{long(2).key}:bbbbbbbb"
    assert rewritten(plan) == [Change(path=f"tags.{LINKS_TAG}", before=old, after=new)]


def test_a_key_that_left_the_specs_is_no_reason_to_write_the_record() -> None:
    live = company(link(A), link(B), tags={LINKS_TAG: "old@upvr,bank1:bbbbbbbb"})
    assert rewritten(plan_for(wanted(bank(1)), live)) == []


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
    told = [action["address"] for action in document["actions"] if action.get("recordsLinks")]
    assert told == ["acme/bank2"]
    assert document["summary"]["requests"] == 7


def test_a_connection_that_moves_while_the_old_one_works_is_warned_of_with_both_addresses() -> None:
    acme = company(link(A), tags={LINKS_TAG: "bank1@upvr"})
    bravo = company(owner="bravo", identifier="b0000001-0000")
    (note,) = plan_for([wanted(), wanted(bank(1), key="bravo")], [acme, bravo]).notes
    assert "acme/truelayer:aaaaaaaa and bravo/bank1" in note
    unlinked = company(link(A, Status.UNLINKED), tags={LINKS_TAG: "bank1@upvr"})
    assert plan_for([wanted(), wanted(bank(1), key="bravo")], [unlinked, bravo]).notes == ()
