"""The connection table and the preconditions: one row, one case."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from builders import (
    FEED,
    OPEN_GATE,
    PLAID,
    QBO,
    TOKENS,
    XERO,
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

from reconciler.actions import AuthorizeConnection, CreateConnection, DeleteConnection, UnlinkConnection
from reconciler.live import LiveConnection, LiveError, Status
from reconciler.model import (
    DesiredConnection,
    Migration,
    Precondition,
    PreconditionState,
    Presence,
    SyncPolicy,
    Wanted,
)
from reconciler.planner import Policy

CREATE, AUTHORIZE = "connection.create acme/books", "connection.authorize acme/books"
UNLINK, DELETE = "connection.unlink acme/books", "connection.delete acme/books"
SYNC = "company.sync acme"
NAMED = policy(reauthorize=("acme/books",))
FRESH = ago(hours=1)
"""Later than a live connection's creation and last sync."""


def spec(migration: Migration = Migration.SELF_SERVICE, **fields: object) -> DesiredConnection:
    return wanted_connection("books", QBO, migration, **fields)


def pending() -> LiveConnection:
    return connection(status=Status.PENDING_AUTH)


def severed() -> LiveConnection:
    return connection(status=Status.UNLINKED)


def expired(*errors: LiveError, **fields: object) -> LiveConnection:
    return connection(status=Status.DEAUTHORIZED, errors=errors, **fields)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Case:
    """What goes in, and what must come out."""

    spec: DesiredConnection
    live: tuple[LiveConnection, ...] = ()
    actions: tuple[str, ...] = ()
    attention: tuple[str, ...] = ()
    reason: str = ""
    run: Policy = field(default_factory=policy)


def case(name: str, spec: DesiredConnection, *live: LiveConnection, **expected: object) -> object:
    return pytest.param(Case(spec, live, **expected), id=name)  # type: ignore[arg-type]


ABSENT = spec(wanted=Wanted.ABSENT)
UNLINKED = spec(wanted=Wanted.UNLINKED)
OTHER = connection("c0000002-0000", on=XERO)
OCCUPIED = "blocking accounting-occupied acme/books"
OTHER_UNMANAGED = "info unmanaged acme/xero:c0000002"

CASES = [
    case("absent-none", ABSENT),
    *(
        case(
            f"absent-{status}",
            ABSENT,
            connection(status=status),
            actions=(DELETE,),
            reason="the spec says state: absent",
        )
        for status in Status
    ),
    case("unlinked-none", UNLINKED),
    *(
        case(f"unlinked-{status}", UNLINKED, connection(status=status))
        for status in (Status.PENDING_AUTH, Status.DEAUTHORIZED, Status.UNLINKED)
    ),
    case(
        "unlinked-Linked", UNLINKED, connection(), actions=(UNLINK,), reason="the spec says state: unlinked"
    ),
    case(
        "unlinked-Unknown",
        UNLINKED,
        connection(status=Status.UNKNOWN),
        attention=("blocking unknown-status acme/books",),
    ),
    case("none-self-service", spec(), actions=(CREATE, AUTHORIZE, SYNC)),
    case(
        "none-managed",
        spec(Migration.MANAGED),
        actions=(CREATE,),
        attention=("waiting managed acme/books",),
        reason="not in Codat",
    ),
    case(
        "none-link",
        spec(Migration.LINK),
        actions=(CREATE,),
        attention=("waiting link acme/books",),
        reason="not in Codat",
    ),
    case("PendingAuth-self-service", spec(), pending(), actions=(AUTHORIZE, SYNC)),
    case(
        "PendingAuth-managed",
        spec(Migration.MANAGED),
        pending(),
        attention=("waiting managed acme/books",),
    ),
    case("PendingAuth-link", spec(Migration.LINK), pending(), attention=("waiting link acme/books",)),
    *(case(f"Linked-{migration}", spec(migration), connection()) for migration in Migration),
    case("Linked-fresh-tokens-are-not-sent", spec(issued_at=ago(days=2)), connection()),
    case("Linked-reauthorize", spec(), connection(), run=NAMED, actions=(AUTHORIZE, SYNC)),
    case(
        "Linked-reauthorize-by-glob",
        spec(),
        connection(),
        run=policy(reauthorize=("ac*/b*s",)),
        actions=(AUTHORIZE, SYNC),
    ),
    case("Deauthorized-fresh", spec(issued_at=FRESH), expired(), actions=(AUTHORIZE, SYNC)),
    case(
        "Deauthorized-fresh-never-synced",
        spec(issued_at=FRESH),
        expired(last_sync=None),
        actions=(AUTHORIZE, SYNC),
    ),
    case(
        "Deauthorized-fresh-after-every-error",
        spec(issued_at=FRESH),
        expired(LiveError(message="expired", erred_at=ago(hours=2))),
        actions=(AUTHORIZE, SYNC),
    ),
    case("Deauthorized-undated", spec(), expired(), attention=("waiting relink acme/books",)),
    case(
        "Deauthorized-issued-before-creation",
        spec(issued_at=ago(days=61)),
        expired(last_sync=None),
        attention=("waiting relink acme/books",),
    ),
    case(
        "Deauthorized-issued-at-creation",
        spec(issued_at=ago(days=60)),
        expired(last_sync=None),
        attention=("waiting relink acme/books",),
    ),
    case(
        "Deauthorized-issued-before-last-sync",
        spec(issued_at=ago(days=2)),
        expired(),
        attention=("waiting relink acme/books",),
    ),
    case(
        "Deauthorized-issued-at-last-sync",
        spec(issued_at=ago(days=1)),
        expired(),
        attention=("waiting relink acme/books",),
    ),
    case(
        "Deauthorized-issued-before-one-error",
        spec(issued_at=FRESH),
        expired(
            LiveError(message="a", erred_at=ago(hours=2)), LiveError(message="b", erred_at=ago(minutes=5))
        ),
        attention=("waiting relink acme/books",),
    ),
    case(
        "Deauthorized-issued-before-a-resolved-error",
        spec(issued_at=FRESH),
        expired(LiveError(message="a", erred_at=ago(minutes=5), active=False)),
        attention=("waiting relink acme/books",),
    ),
    case(
        "Deauthorized-an-undated-error-may-be-later",
        spec(issued_at=FRESH),
        expired(LiveError(message="a")),
        attention=("waiting relink acme/books",),
    ),
    case(
        "Deauthorized-reauthorize",
        spec(),
        expired(),
        run=NAMED,
        actions=(AUTHORIZE, SYNC),
    ),
    *(
        case(
            f"Deauthorized-{migration}-fresh-tokens-do-not-count",
            spec(migration, issued_at=FRESH, authorization=TOKENS),
            expired(),
            attention=("waiting relink acme/books",),
        )
        for migration in (Migration.MANAGED, Migration.LINK)
    ),
    case(
        "Deauthorized-managed-reauthorize",
        spec(Migration.MANAGED, authorization=TOKENS),
        expired(),
        run=NAMED,
        actions=(AUTHORIZE, SYNC),
    ),
    case("Unlinked-reauthorize", spec(), severed(), run=NAMED, actions=(AUTHORIZE, SYNC)),
    case("Unlinked", spec(), severed(), attention=("waiting unlinked acme/books",)),
    case(
        "Unlinked-fresh-tokens-do-not-count",
        spec(issued_at=FRESH),
        severed(),
        attention=("waiting unlinked acme/books",),
    ),
    case(
        "Unknown",
        spec(),
        connection(status=Status.UNKNOWN),
        attention=("blocking unknown-status acme/books",),
    ),
    case("occupied-none", spec(), OTHER, attention=(OCCUPIED, OTHER_UNMANAGED)),
    case("occupied-none-link", spec(Migration.LINK), OTHER, attention=(OCCUPIED, OTHER_UNMANAGED)),
    case("occupied-PendingAuth", spec(), pending(), OTHER, attention=(OCCUPIED, OTHER_UNMANAGED)),
    case(
        "occupied-Deauthorized",
        spec(issued_at=FRESH),
        expired(),
        OTHER,
        attention=(OCCUPIED, OTHER_UNMANAGED),
    ),
    case(
        "occupied-Unlinked-reauthorize",
        spec(),
        severed(),
        OTHER,
        run=NAMED,
        attention=(OCCUPIED, OTHER_UNMANAGED),
    ),
    case("occupied-Linked-itself", spec(), connection(), attention=()),
    *(
        case(
            f"not-occupied-by-{status}",
            spec(),
            pending(),
            connection("c0000002-0000", status, XERO),
            actions=(AUTHORIZE, SYNC),
            attention=(OTHER_UNMANAGED,),
        )
        for status in Status
        if status is not Status.LINKED
    ),
    case(
        "not-occupied-by-banking",
        spec(),
        pending(),
        connection("c0000002-0000", on=PLAID),
        actions=(AUTHORIZE, SYNC),
        attention=("info unmanaged acme/plaid:c0000002",),
    ),
    case(
        "banking-is-never-occupied",
        wanted_connection("books", PLAID),
        connection(on=PLAID, status=Status.PENDING_AUTH),
        OTHER,
        actions=(AUTHORIZE, SYNC),
        attention=(OTHER_UNMANAGED,),
    ),
    case("bank-feed-is-not-synced", wanted_connection("books", FEED), actions=(CREATE, AUTHORIZE)),
]


@pytest.mark.parametrize("case", CASES)
def test_connection(case: Case) -> None:
    plan = plan_for(wanted(case.spec), company(*case.live), case.run)

    assert tuple(actions(plan)) == case.actions
    assert tuple(attention(plan)) == case.attention
    if case.reason:
        assert {action.reason for action in plan.actions} == {case.reason}


@pytest.mark.parametrize(
    ("live", "run", "reason"),
    [
        pytest.param((), policy(), "created by this plan", id="created"),
        pytest.param((pending(),), policy(), "PendingAuth", id="PendingAuth"),
        pytest.param((connection(),), NAMED, "Linked, and --reauthorize names it", id="Linked"),
        pytest.param((expired(),), policy(), "Deauthorized, and these tokens are newer", id="fresh"),
        pytest.param(
            (expired(),), NAMED, "Deauthorized, and --reauthorize names it", id="Deauthorized-reauthorize"
        ),
        pytest.param((severed(),), NAMED, "Unlinked, and --reauthorize names it", id="Unlinked-reauthorize"),
    ],
)
def test_an_authorize_says_why(live: tuple[LiveConnection, ...], run: Policy, reason: str) -> None:
    plan = plan_for(wanted(spec(issued_at=FRESH)), company(*live), run)
    (action,) = (step for step in plan.actions if isinstance(step, AuthorizeConnection))
    assert action.reason == reason
    assert action.authorization == TOKENS
    assert action.observed == (live[0].status if live else None)
    assert action.connection_id == (live[0].id if live else None)
    assert action.reauthorized == (bool(live) and live[0].status is Status.LINKED)


def test_another_accounting_connection_makes_room_when_it_is_unlinked_by_this_plan() -> None:
    old = wanted_connection("old", XERO, Migration.LINK, wanted=Wanted.UNLINKED)
    plan = plan_for(wanted(spec(), old), company(OTHER))
    assert actions(plan) == ["connection.unlink acme/old", CREATE, AUTHORIZE, SYNC]
    assert attention(plan) == []


def test_another_accounting_connection_makes_room_when_it_is_deleted_by_this_plan() -> None:
    old = wanted_connection("old", XERO, Migration.LINK, wanted=Wanted.ABSENT)
    plan = plan_for(wanted(spec(), old), company(OTHER))
    assert actions(plan) == ["connection.delete acme/old", CREATE, AUTHORIZE, SYNC]


def test_one_that_would_leave_but_is_not_targeted_stays() -> None:
    old = wanted_connection("old", XERO, Migration.LINK, wanted=Wanted.UNLINKED)
    plan = plan_for(wanted(spec(), old), company(OTHER), policy(targets=("acme/books",)))
    assert (actions(plan), attention(plan)) == ([], [OCCUPIED])


def test_one_that_would_leave_but_cannot_be_told_apart_stays() -> None:
    old = wanted_connection("old", XERO, Migration.LINK, wanted=Wanted.ABSENT)
    twin = connection("c0000003-0000", Status.UNLINKED, XERO)
    plan = plan_for(wanted(spec(), old), company(OTHER, twin))
    assert (actions(plan), attention(plan)) == ([], [OCCUPIED, "blocking ambiguous acme/old"])


def test_occupied_names_the_one_that_is_linked() -> None:
    told = plan_for(wanted(spec()), company(OTHER)).blocking()[0].message
    assert "Xero" in told
    assert OTHER.id in told


# --- strays ------------------------------------------------------------------------------------

STRAY = "acme/quickbooks-online:c0000001"


@pytest.mark.parametrize("status", Status)
def test_a_connection_in_no_spec_is_told_of(status: Status) -> None:
    plan = plan_for(wanted(), company(connection(status=status)))
    assert (actions(plan), attention(plan)) == ([], [f"info unmanaged {STRAY}"])
    assert "c0000001-0000" in message(plan)


@pytest.mark.parametrize("status", Status)
def test_prune_deletes_what_was_never_authorized_and_nothing_else(status: Status) -> None:
    plan = plan_for(wanted(), company(connection(status=status)), policy(prune=True))
    is_pending = status is Status.PENDING_AUTH
    assert actions(plan) == ([f"connection.delete {STRAY}"] if is_pending else [])
    assert attention(plan) == ([] if is_pending else [f"info unmanaged {STRAY}"])
    if is_pending:
        (action,) = plan.actions
        assert isinstance(action, DeleteConnection)
        assert action.pruned
        assert action.reason == "in no spec, never authorized, and --prune"


def test_an_adopted_companys_strays_are_told_of_at_once() -> None:
    live = company(connection(), owner=None)
    plan = plan_for(wanted(id=live.id), live)
    assert (actions(plan), attention(plan)) == (["company.adopt acme"], [f"info unmanaged {STRAY}"])


def test_a_deleted_companys_connections_are_not_spoken_of() -> None:
    plan = plan_for(wanted(spec(), state=Presence.ABSENT), company(connection(on=XERO)))
    assert (actions(plan), attention(plan)) == (["company.delete acme"], [])


def test_a_delete_that_the_spec_asks_for_is_not_pruned() -> None:
    (action,) = plan_for(wanted(ABSENT), company(connection())).actions
    assert isinstance(action, DeleteConnection)
    assert (action.pruned, action.status, action.platform) == (False, Status.LINKED, "quickbooks-online")


def test_an_unlink_names_its_connection() -> None:
    (action,) = plan_for(wanted(UNLINKED), company(connection())).actions
    assert isinstance(action, UnlinkConnection)
    assert (action.company_id, action.connection_id) == (company().id, connection().id)


def test_a_create_knows_which_connections_the_plan_saw() -> None:
    found = company(connection(on=PLAID), connection("c0000002-0000", on=PLAID))
    create = plan_for(wanted(spec(Migration.LINK)), found).actions[0]
    assert isinstance(create, CreateConnection)
    assert set(create.known) == {"c0000001-0000", "c0000002-0000"}


def test_a_create_in_a_company_that_does_not_exist_yet_knows_no_id() -> None:
    plan = plan_for(wanted(spec(Migration.LINK)))
    create = plan.actions[1]
    assert isinstance(create, CreateConnection)
    assert (create.company_id, create.platform_key, dict(create.links)) == (None, QBO.key, {})


# --- preconditions -----------------------------------------------------------------------------

CALLBACK, LEGACY = Precondition.CALLBACK_URL_ADDED, Precondition.LEGACY_SYNC_DISABLED
DONE, SKIPPED, TODO = PreconditionState.DONE, PreconditionState.NOT_APPLICABLE, PreconditionState.TODO
GATE = "blocking gate acme/books"


@pytest.mark.parametrize(
    ("states", "is_open"),
    [
        pytest.param({}, False, id="neither-said"),
        pytest.param({CALLBACK: DONE}, False, id="one-not-said"),
        pytest.param({CALLBACK: DONE, LEGACY: TODO}, False, id="one-todo"),
        pytest.param({CALLBACK: TODO, LEGACY: SKIPPED}, False, id="other-todo"),
        pytest.param({CALLBACK: DONE, LEGACY: DONE}, True, id="both-done"),
        pytest.param({CALLBACK: SKIPPED, LEGACY: DONE}, True, id="one-not-applicable"),
        pytest.param({CALLBACK: SKIPPED, LEGACY: SKIPPED}, True, id="both-not-applicable"),
    ],
)
def test_the_gate(states: dict[Precondition, PreconditionState], is_open: bool) -> None:
    plan = plan_for(wanted(spec(preconditions=states)), company(pending()))
    assert actions(plan) == ([AUTHORIZE, SYNC] if is_open else [])
    assert attention(plan) == ([] if is_open else [GATE])


@pytest.mark.parametrize(
    ("live", "run", "planned"),
    [
        pytest.param((), policy(), [CREATE], id="none-is-still-created"),
        pytest.param((pending(),), policy(), [], id="PendingAuth"),
        pytest.param((connection(),), NAMED, [], id="Linked-reauthorize"),
        pytest.param((expired(),), NAMED, [], id="Deauthorized-reauthorize"),
        pytest.param((expired(),), policy(), [], id="Deauthorized-fresh"),
        pytest.param((severed(),), NAMED, [], id="Unlinked-reauthorize"),
    ],
)
def test_every_way_to_send_tokens_is_gated(
    live: tuple[LiveConnection, ...], run: Policy, planned: list[str]
) -> None:
    each_connection = spec(preconditions={}, issued_at=FRESH, sync=SyncPolicy(never=True))
    plan = plan_for(wanted(each_connection), company(*live), run)
    assert (actions(plan), attention(plan)) == (planned, [GATE])


def test_the_gate_does_not_stop_what_needs_no_tokens() -> None:
    link = spec(Migration.LINK, preconditions={})
    assert attention(plan_for(wanted(link), company(pending()))) == ["waiting link acme/books"]


@pytest.mark.parametrize(
    ("states", "lines", "absent"),
    [
        pytest.param({}, ("callbackUrlAdded: done", "legacySyncDisabled: done"), (), id="both"),
        pytest.param(
            {CALLBACK: DONE}, ("legacySyncDisabled: done",), ("callbackUrlAdded",), id="only-what-is-open"
        ),
    ],
)
def test_the_gates_message_prints_the_lines_to_write_and_why(
    states: dict[Precondition, PreconditionState], lines: tuple[str, ...], absent: tuple[str, ...]
) -> None:
    told = message(plan_for(wanted(spec(preconditions=states)), company(pending())))
    assert "workspace.yaml" in told
    assert "platforms: {quickbooks-online: {preconditions: {" in told
    assert "tokens that your own application still refreshes become invalid" in told
    assert [line for line in lines if line not in told] == []
    assert [word for word in absent if word in told] == []


def test_in_the_sandbox_they_count_as_done_and_the_plan_says_that_the_real_api_will_ask() -> None:
    waived = policy(preconditions_waived=True)
    plan = plan_for(wanted(spec(preconditions={})), company(pending()), waived)
    assert (actions(plan), attention(plan)) == ([AUTHORIZE, SYNC], [])
    (note,) = plan.notes
    assert "the real API will ask" in note


@pytest.mark.parametrize(
    ("one", "live"),
    [
        pytest.param(spec(preconditions=OPEN_GATE), pending(), id="all-done"),
        pytest.param(spec(preconditions={}), connection(), id="nothing-is-sent"),
    ],
)
def test_the_sandbox_says_nothing_where_the_real_api_would_not_ask(
    one: DesiredConnection, live: LiveConnection
) -> None:
    assert plan_for(wanted(one), company(live), policy(preconditions_waived=True)).notes == ()


def test_no_sync_follows_for_what_is_gated() -> None:
    connection = spec(preconditions={}, sync=SyncPolicy(data_types=("invoices",)))
    assert actions(plan_for(wanted(connection))) == ["company.create acme", CREATE]
