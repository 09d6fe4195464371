"""A saved plan against one made now: the same or less is applied, anything else is stale."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from builders import (
    PLAID,
    TRUELAYER,
    actions,
    ago,
    attention,
    company,
    connection,
    plan_for,
    policy,
    pull,
    wanted,
    wanted_connection,
)
from counting import grows_in_proportion
from hypothesis import example, given
from hypothesis import strategies as st
from planner_states import Scenario, scenarios, searched, tags_copied_to_the_new_key

from reconciler.live import LiveCompany, PullState, Status
from reconciler.model import LINKS_TAG, DesiredCompany, Migration, Presence, SyncPolicy, Wanted
from reconciler.plan import Plan, ShownPlan
from reconciler.planned import ShownState
from reconciler.planner import as_reviewed, known_from, read_plan

LINK = wanted_connection(migration=Migration.LINK)
BANKS = wanted(wanted_connection("b1", TRUELAYER), wanted_connection("b2", TRUELAYER))


def reviewed(plan: Plan) -> ShownPlan:
    """The plan, written and read."""
    return read_plan(plan.document())


@dataclass(frozen=True)
class Case:
    """A spec, the live state at the review and now, and what of today's plan is kept or stale."""

    spec: DesiredCompany
    then: LiveCompany | None
    now: LiveCompany | None
    kept: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    spec_now: DesiredCompany | None = None


def expired(**fields: object) -> LiveCompany:
    return company(connection(status=Status.DEAUTHORIZED, **fields))  # type: ignore[arg-type]


SEND, SYNC = "connection.authorize acme/books", "company.sync acme"
CREATE = "connection.create acme/books"
PENDING = company(connection(status=Status.PENDING_AUTH))
NEVER = company(connection(last_sync=None))
TWO = (
    connection("aaaaaaaa-1", Status.PENDING_AUTH, TRUELAYER),
    connection("bbbbbbbb-2", Status.PENDING_AUTH, TRUELAYER),
)
AUTHORIZE_BANKS = ("connection.authorize acme/b1", "connection.authorize acme/b2", SYNC)

GONE = wanted(state=Presence.ABSENT)

CASES = [
    pytest.param(Case(wanted(), None, None, ("company.create acme",)), id="the-same"),
    pytest.param(Case(wanted(), None, company()), id="all-done-already"),
    pytest.param(
        Case(wanted(wanted_connection()), None, company(), (CREATE, SEND, SYNC)),
        id="the-company-is-there-already",
    ),
    pytest.param(Case(wanted(wanted_connection()), None, PENDING, (SEND, SYNC)), id="the-connection-too"),
    pytest.param(Case(wanted(wanted_connection()), None, NEVER, (SYNC,)), id="only-the-sync-is-left"),
    pytest.param(
        Case(wanted(name="New"), company(), company(), stale=("acme",), spec_now=wanted(name="Newer")),
        id="another-value",
    ),
    pytest.param(
        Case(wanted(name="New", tags={"a": "1"}), company(), company(name="New"), ("company.update acme",)),
        id="some-of-the-changes-are-made",
    ),
    pytest.param(
        Case(wanted(name="New", tags={"a": "1"}), company(), company(tags={"a": "2"}), stale=("acme",)),
        id="a-change-starts-from-another-value",
    ),
    pytest.param(
        Case(wanted(name="New"), company(name="New"), company(), stale=("acme",)),
        id="drift-that-nobody-reviewed",
    ),
    pytest.param(Case(wanted(LINK), company(), None, (), ("acme", "acme/books")), id="the-company-is-gone"),
    pytest.param(
        Case(wanted(wanted_connection()), company(connection()), PENDING, (), ("acme/books",)),
        id="tokens-that-nobody-reviewed",
    ),
    pytest.param(
        Case(
            wanted(wanted_connection(wanted=Wanted.ABSENT)),
            NEVER,
            company(connection("c9")),
            (),
            ("acme/books",),
        ),
        id="a-delete-of-another-connection",
    ),
    pytest.param(
        Case(
            wanted(wanted_connection(wanted=Wanted.ABSENT)),
            PENDING,
            company(connection()),
            (),
            ("acme/books",),
        ),
        id="a-delete-of-one-that-is-Linked-by-now",
    ),
    pytest.param(
        Case(GONE, company(*TWO), company(*reversed(TWO)), ("company.delete acme",)),
        id="a-delete-of-the-same-company",
    ),
    pytest.param(
        Case(GONE, company(*TWO), company(*TWO[:1]), ("company.delete acme",)),
        id="a-delete-that-takes-less-with-it",
    ),
    pytest.param(
        Case(GONE, company(), company(connection()), (), ("acme",)),
        id="a-delete-that-takes-a-connection-with-it-that-nobody-reviewed",
    ),
    pytest.param(
        Case(GONE, company(connection("c1")), company(connection("c2")), (), ("acme",)),
        id="a-delete-that-takes-another-connection-of-the-platform-with-it",
    ),
    pytest.param(
        Case(GONE, PENDING, company(connection()), (), ("acme",)),
        id="a-delete-that-takes-a-connection-with-it-that-is-Linked-by-now",
    ),
    pytest.param(
        Case(GONE, company(), company(name="Bravo"), (), ("acme",)),
        id="a-delete-of-a-company-that-has-another-name-by-now",
    ),
    pytest.param(
        Case(
            wanted(wanted_connection(wanted=Wanted.UNLINKED)),
            company(),
            company(connection()),
            (),
            ("acme/books",),
        ),
        id="an-unlink-that-nobody-reviewed",
    ),
    pytest.param(
        Case(wanted(wanted_connection()), company(connection()), NEVER), id="a-sync-that-became-due-is-left"
    ),
    pytest.param(
        Case(BANKS, company(), company(*TWO), ("company.update acme", *AUTHORIZE_BANKS)),
        id="the-record-of-links-that-a-create-would-have-written",
    ),
    pytest.param(
        Case(
            BANKS,
            company(*TWO, tags={LINKS_TAG: "b1:aaaaaaaa,b2:bbbbbbbb"}),
            company(*TWO),
            AUTHORIZE_BANKS,
            ("acme",),
        ),
        id="a-record-of-links-that-nobody-reviewed",
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_as_reviewed(case: Case) -> None:
    then = plan_for(case.spec, (case.then,) if case.then else ())
    now = plan_for(case.spec_now or case.spec, (case.now,) if case.now else ())
    found = as_reviewed(reviewed(then), now)
    assert [stale.address for stale in found.stale] == list(case.stale)
    assert tuple(actions(found.plan)) == case.kept


def test_a_sync_is_narrowed_to_the_connections_it_was_reviewed_for() -> None:
    never = SyncPolicy(data_types=("invoices",))
    spec = wanted(wanted_connection(sync=never), wanted_connection("bank", PLAID, sync=never))
    then = company(connection(last_sync=None), connection("c2", on=PLAID))
    now = company(connection(last_sync=None), connection("c2", on=PLAID, last_sync=None))
    (sync,) = as_reviewed(reviewed(plan_for(spec, then)), plan_for(spec, now)).plan.actions
    assert [connection["address"] for connection in sync.document()["connections"]] == ["acme/books"]
    assert sync.requests == 1


def test_a_stale_address_says_what_was_reviewed_and_what_is_now() -> None:
    spec = wanted(wanted_connection(issued_at=ago(hours=1)))
    (stale,) = as_reviewed(reviewed(plan_for(spec, company(connection()))), plan_for(spec, expired())).stale
    assert stale.reviewed == "nothing"
    assert stale.now == "connection.authorize (accessToken, realmId)"


def test_a_stale_delete_says_which_connections_were_to_go_and_which_would() -> None:
    then = reviewed(plan_for(GONE, company()))
    (stale,) = as_reviewed(then, plan_for(GONE, company(connection()))).stale
    assert stale.reviewed == "company.delete (Acme)"
    assert stale.now == "company.delete (Acme, QuickBooks Online c0000001 Linked)"


def test_a_plan_that_does_not_say_which_connections_go_covers_a_company_without_any_alone() -> None:
    plan = reviewed(plan_for(GONE, company()))
    (action,) = plan.actions
    earlier = replace(plan, actions=(replace(action, before=ShownState(texts={"name": "Acme"})),))
    assert as_reviewed(earlier, plan_for(GONE, company())).stale == ()
    assert as_reviewed(earlier, plan_for(GONE, company(connection()))).stale != ()


@pytest.mark.parametrize(
    "lie", [{"reason": "PendingAuth"}, {"platform": "sandbox"}], ids=["reason", "platform"]
)
def test_what_a_reader_was_told_of_a_connection_that_is_there_must_be_true(lie: dict[str, str]) -> None:
    spec = wanted(wanted_connection())
    deleted = wanted(wanted_connection(wanted=Wanted.ABSENT))
    for then, run in (
        (plan_for(spec, EXPIRED, run=REAUTHORIZE), REAUTHORIZE),
        (plan_for(deleted, LINKED), None),
    ):
        told = reviewed(then)
        first, *rest = told.actions
        forged = replace(told, actions=(replace(first, **lie), *rest))
        now = plan_for(spec if run else deleted, EXPIRED if run else LINKED, run=run)
        assert as_reviewed(told, now).stale == ()
        assert as_reviewed(forged, now).stale != ()


def test_a_sync_of_other_data_types_than_were_reviewed_is_not_done() -> None:
    spec = wanted(wanted_connection(sync=SyncPolicy(data_types=("invoices",))))
    whole = wanted(wanted_connection())
    now = plan_for(whole, company(connection(last_sync=None)))
    found = as_reviewed(reviewed(plan_for(spec, company(connection(last_sync=None)))), now)
    assert (found.stale, found.plan.actions) == ((), ())


def test_what_is_blocked_by_something_new_is_stale_and_not_done() -> None:
    spec = wanted(wanted_connection())
    then = plan_for(spec)
    namesake = plan_for(spec, company(owner=None, name="Acme"))
    (stale,) = as_reviewed(reviewed(then), namesake).stale
    assert stale.address == "acme"
    assert stale.reviewed.startswith("company.create, connection.create")
    assert stale.now == "attention exists"
    told = replace(then.shown(), attention=namesake.attention)
    assert as_reviewed(told, namesake).stale == (), "that was reviewed too"


def test_a_sync_that_failed_after_what_was_reviewed_is_done_makes_nothing_stale() -> None:
    spec = wanted(wanted_connection())
    pending = company(connection(status=Status.PENDING_AUTH))
    failed = pull(connection().id, PullState.FAILED, ago(hours=1))
    now = plan_for(spec, company(connection(last_sync=None)), pulls=[failed])
    assert attention(now) == ["blocking sync-failed acme/books"]
    assert as_reviewed(reviewed(plan_for(spec, pending)), now).stale == ()


EXPIRED, LINKED = company(connection(status=Status.DEAUTHORIZED)), company(connection())
REAUTHORIZE = policy(reauthorize=("acme/books",))


@pytest.mark.parametrize(
    ("then", "now", "kept"),
    [
        pytest.param(EXPIRED, EXPIRED, (SEND, SYNC), id="still-deauthorized"),
        pytest.param(EXPIRED, LINKED, (SYNC,), id="linked-by-now-and-not-synced-since"),
        pytest.param(EXPIRED, company(connection(last_sync=ago(hours=1))), (), id="linked-and-synced"),
        pytest.param(LINKED, LINKED, (SEND, SYNC), id="linked-as-reviewed"),
        pytest.param(LINKED, EXPIRED, (SEND, SYNC), id="deauthorized-since"),
    ],
)
def test_reauthorize_is_done_where_the_connection_has_become_linked_since_the_review(
    then: LiveCompany, now: LiveCompany, kept: tuple[str, ...]
) -> None:
    spec = wanted(wanted_connection())
    agreed = reviewed(plan_for(spec, then, run=REAUTHORIZE))
    run = replace(REAUTHORIZE, earlier=known_from(agreed.actions))

    found = as_reviewed(agreed, plan_for(spec, now, run=run))

    assert tuple(actions(found.plan)) == kept
    assert found.stale == ()


def test_tokens_for_a_connection_that_works_are_stale_unless_that_was_reviewed() -> None:
    spec = wanted(wanted_connection())
    agreed = reviewed(plan_for(spec, EXPIRED, run=REAUTHORIZE))

    (stale,) = as_reviewed(agreed, plan_for(spec, LINKED, run=REAUTHORIZE)).stale

    assert stale.address == "acme/books"


def test_a_plan_that_is_stale_everywhere_takes_work_in_proportion_to_its_size() -> None:
    plans = {
        size: plan_for([wanted(wanted_connection(), key=f"c{number:04}") for number in range(size)])
        for size in (150, 600)
    }

    nothing = plan_for([]).shown()
    assert grows_in_proportion(lambda size: lambda: as_reviewed(nothing, plans[size]))


@searched
@example(tags_copied_to_the_new_key(), 1)
@given(scenarios(), st.integers(1, 8))
def test_a_saved_plan_goes_on_after_an_apply_that_was_killed(scenario: Scenario, steps: int) -> None:
    world, run = scenario.world, replace(scenario.run, reauthorize=())
    saved = world.plan(scenario.desired, run)
    assert reviewed(saved) == saved.shown()

    world.apply(saved, steps=steps)
    found = as_reviewed(reviewed(saved), world.plan(scenario.desired, run))

    blocked = {attention.address.company for attention in saved.blocking()}
    assert [stale for stale in found.stale if stale.address.partition("/")[0] not in blocked] == []
