"""The sync table: one row, one case; and what the history of pulls changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from builders import (
    API,
    FEED,
    PLAID,
    QBO,
    TOOL,
    Integration,
    actions,
    ago,
    attention,
    company,
    connection,
    plan_for,
    policy,
    pull,
    specs,
    wanted,
    wanted_connection,
)

from reconciler.actions import SyncCompany
from reconciler.live import Live, LiveConnection, Pull, PullState, Status
from reconciler.model import Migration, Platform, SyncPolicy
from reconciler.planner import Policy, draft, make_plan

ID = connection().id
NEVER = connection(last_sync=None)
MONTH = SyncPolicy(max_age=timedelta(days=30))
RETRY = policy(retry_syncs=True)
SYNC, NOTHING = ("company.sync acme",), "blocking nothing-to-sync acme/books"
SYNCING, FAILED = "waiting syncing acme/books", "blocking sync-failed acme/books"


def running(days: float) -> Pull:
    return pull(ID, PullState.RUNNING, ago(days))


def failed(days: float) -> Pull:
    return pull(ID, PullState.FAILED, ago(days), completed=ago(days))


def done(days: float) -> Pull:
    return pull(ID, PullState.DONE, ago(days), completed=ago(days))


@dataclass(frozen=True)
class Case:
    """A Linked connection, its spec and history, and what must come out."""

    live: LiveConnection
    sync: SyncPolicy = field(default_factory=SyncPolicy)
    issued: float | None = None
    on: Integration = QBO
    pulls: tuple[Pull, ...] = ()
    fetched: tuple[str, ...] = ("invoices",)
    run: Policy = field(default_factory=policy)
    actions: tuple[str, ...] = ()
    attention: tuple[str, ...] = ()
    reason: str = ""


def case(name: str, live: LiveConnection, **rest: object) -> object:
    return pytest.param(Case(live, **rest), id=name)  # type: ignore[arg-type]


NEW_TOKENS = "authorized with newer tokens since the last sync"

CASES = [
    case("synced", connection()),
    case("synced-long-ago-without-maxAge", connection(last_sync=ago(days=1000))),
    case("never-synced", NEVER, actions=SYNC, reason="never synced"),
    case("issued-after-last-sync", connection(), issued=0.5, actions=SYNC, reason=NEW_TOKENS),
    case("issued-at-last-sync", connection(), issued=1),
    case("issued-before-last-sync", connection(), issued=2),
    case("younger-than-maxAge", connection(), sync=MONTH),
    case("as-old-as-maxAge", connection(last_sync=ago(days=30)), sync=MONTH),
    case(
        "older-than-maxAge",
        connection(last_sync=ago(days=30, microseconds=1)),
        sync=MONTH,
        actions=SYNC,
        reason="last sync older than sync.maxAge",
    ),
    case("never", NEVER, sync=SyncPolicy(never=True)),
    case("bank-feed", connection(on=FEED, last_sync=None), on=FEED),
    *(
        case(f"not-Linked-{status}", connection(status=status, last_sync=None), attention=(told,))
        for status, told in (
            (Status.UNLINKED, "waiting unlinked acme/books"),
            (Status.DEAUTHORIZED, "waiting relink acme/books"),
            (Status.UNKNOWN, "blocking unknown-status acme/books"),
        )
    ),
    case("running", NEVER, pulls=(running(1),), attention=(SYNCING,)),
    case("running-beats-failed", NEVER, pulls=(failed(0.5), running(1)), attention=(SYNCING,)),
    case("running-beats-retry", NEVER, pulls=(failed(2), running(1)), run=RETRY, attention=(SYNCING,)),
    case("running-although-part-is-done", NEVER, pulls=(done(1), running(1)), attention=(SYNCING,)),
    case("failed", NEVER, pulls=(failed(1),), attention=(FAILED,)),
    case("failed-since-the-last-success", NEVER, pulls=(done(2), failed(1)), attention=(FAILED,)),
    case("succeeded-and-failed-at-once", NEVER, pulls=(failed(1), done(1))),
    case("succeeded-since-the-last-failure", NEVER, pulls=(failed(2), done(1))),
    case(
        "failed-retry",
        NEVER,
        pulls=(failed(1),),
        run=RETRY,
        actions=SYNC,
        reason="the last pull failed, and --retry-syncs",
    ),
    case("failed-retry-nothing", NEVER, pulls=(failed(1),), run=RETRY, fetched=(), attention=(NOTHING,)),
    case("failed-nothing", NEVER, pulls=(failed(1),), fetched=(), attention=(FAILED,)),
    case("retry-does-nothing-where-none-failed", connection(), run=RETRY),
    case("never-synced-with-retry", NEVER, run=RETRY, actions=SYNC, reason="never synced"),
    case("history-knows-of-a-sync", NEVER, pulls=(done(1),)),
    case("history-knows-of-an-old-sync", NEVER, sync=MONTH, pulls=(done(40),), actions=SYNC),
    case(
        "history-is-newer-than-the-listing",
        connection(last_sync=ago(days=40)),
        sync=MONTH,
        pulls=(done(1),),
    ),
    case(
        "history-is-older-than-the-tokens", NEVER, issued=1, pulls=(done(2),), actions=SYNC, reason=NEW_TOKENS
    ),
    case(
        "history-of-another-connection", NEVER, pulls=(pull("c9", PullState.RUNNING, ago(1)),), actions=SYNC
    ),
    case("not-due-a-failure-is-not-looked-for", connection(), pulls=(failed(0.5),)),
    case("not-due-a-run-is-not-looked-for", connection(), pulls=(running(0.5),)),
    case("due-but-nothing-is-fetched", NEVER, fetched=(), attention=(NOTHING,)),
    case("not-due-and-nothing-is-fetched", connection(), fetched=()),
    case(
        "named-types-need-no-mark",
        NEVER,
        sync=SyncPolicy(data_types=("invoices",)),
        fetched=(),
        actions=SYNC,
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_sync(case: Case) -> None:
    issued_at = None if case.issued is None else ago(case.issued)
    each_connection = wanted_connection(on=case.on, sync=case.sync, issued_at=issued_at)
    other = connection("c9", on=PLAID)
    second = wanted_connection("bank", PLAID, Migration.LINK)
    plan = plan_for(
        wanted(each_connection, second),
        company(case.live, other),
        case.run,
        pulls=case.pulls,
        fetched=case.fetched,
    )
    assert tuple(actions(plan)) == case.actions
    assert tuple(attention(plan)) == case.attention
    if case.reason:
        assert [action.reason for action in plan.actions] == [case.reason]


@pytest.mark.parametrize(
    ("sync", "on", "fetched", "follows", "told"),
    [
        pytest.param(SyncPolicy(), QBO, ("invoices",), SYNC, (), id="all"),
        pytest.param(SyncPolicy(), QBO, (), (), (NOTHING,), id="nothing-is-fetched"),
        pytest.param(SyncPolicy(data_types=("bills",)), QBO, (), SYNC, (), id="named-types"),
        pytest.param(SyncPolicy(never=True), QBO, (), (), (), id="never"),
        pytest.param(SyncPolicy(), FEED, (), (), (), id="bank-feed"),
    ],
)
def test_authorized_by_this_plan(
    sync: SyncPolicy,
    on: Integration,
    fetched: tuple[str, ...],
    follows: tuple[str, ...],
    told: tuple[str, ...],
) -> None:
    live = company(connection(status=Status.PENDING_AUTH, on=on))
    plan = plan_for(wanted(wanted_connection(on=on, sync=sync)), live, fetched=fetched)
    assert tuple(actions(plan)) == ("connection.authorize acme/books", *follows)
    assert tuple(attention(plan)) == told
    if follows:
        assert plan.actions[-1].reason == "authorized by this plan"


def test_a_run_killed_between_authorize_and_sync_is_healed() -> None:
    linked = connection(last_sync=ago(days=3))
    assert actions(plan_for(wanted(wanted_connection(issued_at=ago(days=2))), company(linked))) == list(SYNC)


def test_one_sync_serves_every_connection_after_its_last_authorize() -> None:
    spec = wanted(wanted_connection(), wanted_connection("bank", PLAID))
    live = company(NEVER, connection("c2", Status.PENDING_AUTH, PLAID))
    plan = plan_for(spec, live)
    assert actions(plan) == ["connection.authorize acme/bank", "company.sync acme"]
    sync = plan.actions[-1]
    assert isinstance(sync, SyncCompany)
    assert [str(target.address) for target in sync.targets] == ["acme/bank", "acme/books"]
    assert [target.connection_id for target in sync.targets] == ["c2", ID]
    assert sync.reason == "authorized by this plan; never synced"
    assert sync.requests == 1


@pytest.mark.parametrize(
    ("bank", "requests"),
    [
        pytest.param(SyncPolicy(), 1, id="all-at-once"),
        pytest.param(
            SyncPolicy(data_types=("bankAccounts", "bankTransactions")), 3, id="two-types-and-the-rest"
        ),
        pytest.param(SyncPolicy(never=True), 1, id="one-never"),
    ],
)
def test_a_queue_call_per_type_and_connection(bank: SyncPolicy, requests: int) -> None:
    spec = wanted(wanted_connection(), wanted_connection("bank", PLAID, sync=bank))
    plan = plan_for(spec, company(NEVER, connection("c2", on=PLAID, last_sync=None)))
    (sync,) = plan.actions
    assert sync.requests == requests


# --- what the draft asks for -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("live", "sync", "history", "profile"),
    [
        pytest.param(connection(), SyncPolicy(), False, False, id="not-due"),
        pytest.param(NEVER, SyncPolicy(), True, True, id="never-synced"),
        pytest.param(NEVER, SyncPolicy(never=True), False, False, id="never-synced-and-never-shall-be"),
        pytest.param(NEVER, SyncPolicy(data_types=("bills",)), True, False, id="named-types"),
        pytest.param(connection(last_sync=ago(days=31)), MONTH, True, True, id="older-than-maxAge"),
        pytest.param(connection(last_sync=ago(days=30)), MONTH, False, False, id="as-old-as-maxAge"),
        pytest.param(
            connection(status=Status.PENDING_AUTH), SyncPolicy(), False, True, id="authorized-by-this-plan"
        ),
        pytest.param(
            connection(status=Status.UNLINKED, last_sync=None), SyncPolicy(), False, False, id="not-Linked"
        ),
    ],
)
def test_only_for_connections_that_look_due_is_more_read(
    live: LiveConnection, sync: SyncPolicy, history: bool, profile: bool
) -> None:
    found = company(live)
    drafted = draft(specs(wanted(wanted_connection(sync=sync))), Live(companies=(found,)), policy())
    assert drafted.histories == ((found.id,) if history else ())
    assert drafted.needs_profile == profile


def test_the_clock_is_read_by_max_age_alone() -> None:
    spec = wanted(wanted_connection(issued_at=ago(days=2)), wanted_connection("bank", PLAID))
    live = company(connection(status=Status.DEAUTHORIZED, last_sync=ago(days=5)), connection("c2", on=PLAID))
    plans = [plan_for(spec, live, policy(now=now)) for now in (ago(days=3650), ago(), ago(days=-3650))]
    assert plans[0] == plans[1] == plans[2]


@pytest.mark.parametrize(
    ("has", "codes"),
    [
        pytest.param({"banking-accounts"}, ["blocking nothing-to-sync acme/books"], id="others"),
        pytest.param({"Invoices"}, [], id="it, in another case"),
        pytest.param(set(), [], id="Codat does not say"),
    ],
)
def test_what_the_platform_does_not_have_is_nothing_to_sync(has: set[str], codes: list[str]) -> None:
    platform = Platform(key=QBO.key, name=QBO.name, source_type=QBO.source_type, data_types=frozenset(has))
    live = Live(companies=(company(NEVER),), platforms=(platform,), fetched_types=frozenset({"invoices"}))
    plan = make_plan(specs(wanted(wanted_connection())), live, policy(), tool=TOOL, api=API)
    assert attention(plan) == codes


def test_a_platform_that_is_switched_off_is_warned_of() -> None:
    platform = Platform(key=QBO.key, name=QBO.name, source_type=QBO.source_type, enabled=False)
    plan = make_plan(
        specs(wanted(wanted_connection())),
        Live(companies=(), platforms=(platform,)),
        policy(),
        tool=TOOL,
        api=API,
    )
    assert [note for note in plan.notes if "QuickBooks Online" in note and "Not enabled" in note]
