"""The simulation sees: whoever breaks the protocol on purpose is found out within a few seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID, uuid5

import pytest
from sim_drawing import REFED, draw, in_line
from sim_faults import Fault
from sim_trials import trial
from simulation_tally import BROKEN

from reconciler.actions import _Patch
from reconciler.apply import authorizing, connections, idempotent_create, state
from reconciler.apply.idempotent_create import Made
from reconciler.apply.state import WorkerState
from reconciler.codat import Client, ReadClient
from reconciler.codat.exchange import Exchange
from reconciler.codat.transport import CourteousTransport
from reconciler.live import Live, LiveSourceAccount, Status
from reconciler.model import KEY_TAG, WORKSPACE_TAG
from reconciler.planner import Directory, actions
from reconciler.planner.drafts import CompanyDraft, ConnectionDraft
from reconciler.planner.source_accounts import SourceAccounts
from reconciler.source_account_actions import DeleteSourceAccount

MOST_SEEDS: Final = 400


def source_accounts_are_as_they_were_planned(patch: pytest.MonkeyPatch) -> None:
    """What is renamed and deleted is not looked at again."""
    whole = ReadClient.source_accounts
    read: dict[str, tuple[LiveSourceAccount, ...]] = {}

    async def remembered(self: ReadClient, company: str, connection: str) -> tuple[LiveSourceAccount, ...]:
        if type(self) is ReadClient or connection not in read:
            read[connection] = await whole(self, company, connection)
        return read[connection]

    patch.setattr(ReadClient, "source_accounts", remembered)
    patch.setattr(Client, "resting_on", lambda self, _: self)


def source_accounts_of_others_are_deleted(patch: pytest.MonkeyPatch) -> None:
    """What no spec names goes too."""
    whole = actions.source_accounts

    def greedy(company: CompanyDraft, connection: ConnectionDraft, live: Live) -> SourceAccounts:
        found = whole(company, connection, live)
        if company.live is None or connection.live is None or connection.desired is None:
            return found
        deletes = [
            DeleteSourceAccount(
                address=connection.address,
                reason="no spec names it",
                company_id=company.live.id,
                connection_id=connection.live.id,
                observed=account,
            )
            for account in live.source_accounts.get(connection.live.id, ())
            if account.id not in connection.desired.source_accounts
        ]
        return replace(found, actions=(*found.actions, *deletes))

    patch.setattr(actions, "source_accounts", greedy)


def no_key(patch: pytest.MonkeyPatch) -> None:
    """Writes go out without an idempotency key."""
    whole = Exchange.__call__

    async def keyless(self: Exchange, *args: Any, **options: Any) -> Any:
        return await whole(self, *args, **{**options, "key": None})

    patch.setattr(Exchange, "__call__", keyless)


def a_new_key_each_time(patch: pytest.MonkeyPatch) -> None:
    """A create that was not answered is asked for again under a new key."""
    whole = Exchange.__call__
    sent: Counter[tuple[int, UUID]] = Counter()

    async def renewed(self: Exchange, *args: Any, key: UUID | None = None, **options: Any) -> Any:
        if key is not None:
            sent[id(self._http), key] += 1
            key = uuid5(key, str(sent[id(self._http), key])) if sent[id(self._http), key] > 1 else key
        return await whole(self, *args, key=key, **options)

    patch.setattr(Exchange, "__call__", renewed)


def the_same_key_after_a_fault(patch: pytest.MonkeyPatch) -> None:
    """Each attempt to create something carries the first one's key."""
    company_key, connection_key = state.company_key, state.connection_key
    patch.setattr(state, "company_key", lambda workspace, key, _: company_key(workspace, key, 0))
    patch.setattr(state, "connection_key", lambda company, key, _: connection_key(company, key, 0))


def tokens_again_on_resume(patch: pytest.MonkeyPatch) -> None:
    """The replay of a create counts as its first answer, so tokens follow without a look."""
    create = idempotent_create.create

    async def forgetful(worker: WorkerState, making: Any) -> Made[Any]:
        made = await create(worker, making)
        first = replace(made.value, status=Status.PENDING_AUTH)
        return replace(made, value=first, ago=made.ago or idempotent_create.YOUNG * 0)

    patch.setattr(connections, "create", forgetful)


def tokens_again_after_no_answer(patch: pytest.MonkeyPatch) -> None:
    """Tokens that were not answered for are sent again without a look."""

    async def not_linked(*_: Any) -> bool:
        return False

    patch.setattr(authorizing._Authorizing, "_is_linked_now", not_linked)
    patch.setattr(authorizing._Authorizing, "_is_already_linked", not_linked)


def tokens_without_reading(patch: pytest.MonkeyPatch) -> None:
    """Tokens are sent to whatever the plan saw as PendingAuth."""

    async def not_linked(*_: Any) -> bool:
        return False

    patch.setattr(authorizing._Authorizing, "_is_already_linked", not_linked)
    tokens_that_wait_for_their_turn(patch)


def tokens_that_wait_for_their_turn(patch: pytest.MonkeyPatch) -> None:
    """What rests on a look stands in line as everything does, and leaves however old the look is by then."""

    async def stand_in_line(self: CourteousTransport, *_: Any) -> None:
        await self._pacer.turn()

    patch.setattr(CourteousTransport, "_turn_in_time", stand_in_line)


def tags_without_merging(patch: pytest.MonkeyPatch) -> None:
    """A PATCH carries the tags that we want, and no others."""
    body = _Patch.body

    def ours_alone(self: _Patch) -> dict[str, Any]:
        whole = body(self)
        named = {breakage.path.partition(".")[2] for breakage in self.changes} | {WORKSPACE_TAG, KEY_TAG}
        tags = whole.get("tags", {})
        return whole | ({"tags": {name: tags[name] for name in tags.keys() & named}} if tags else {})

    patch.setattr(_Patch, "body", ours_alone)


def the_filtered_listing_alone(patch: pytest.MonkeyPatch) -> None:
    """What carries no tags of ours is not looked for before it is created."""
    patch.setattr(Directory, "needs_unfiltered", lambda _: False)


BREAKS: Final[Mapping[str, Callable[[pytest.MonkeyPatch], None]]] = {
    breakage.__name__.replace("_", " "): breakage
    for breakage in (
        no_key,
        a_new_key_each_time,
        the_same_key_after_a_fault,
        tokens_again_on_resume,
        tokens_again_after_no_answer,
        tokens_without_reading,
        tags_without_merging,
        the_filtered_listing_alone,
    )
}


SOON_FOUND: Final = ("no key", "tokens again after no answer")
"""What takes a few seeds; the others are left to CI's second step."""
FIRST_SEEDS: Final = {"the same key after a fault": 160, "tokens again on resume": 80}
"""Where to begin for what takes long: a little before the first seeds that find it."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in SOON_FOUND else pytest.mark.slow) for name in BREAKS]
)
def test_a_broken_protocol_is_found_out(
    name: str, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    BREAKS[name](monkeypatch)
    first = FIRST_SEEDS.get(name, 0)
    for seed in range(first, first + MOST_SEEDS):
        if trial(draw(seed)).violations:
            record_property(BROKEN, f"{name} {seed + 1}")
            return
    pytest.fail(f"{MOST_SEEDS} seeds do not find out: {name}")


@pytest.mark.slow
def test_tokens_that_wait_for_their_turn_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens_that_wait_for_their_turn(monkeypatch)
    broken = {breakage.promise for scene in in_line() for breakage in trial(scene).violations}
    assert "no_tokens_to_linked" in broken


@pytest.mark.parametrize(
    ("breakage", "promise"),
    [
        (source_accounts_are_as_they_were_planned, "source_accounts_change_as_they_were_seen"),
        (source_accounts_of_others_are_deleted, "source_accounts_of_others_are_untouched"),
    ],
)
def test_whoever_is_careless_with_source_accounts_is_found_out(
    breakage: Callable[[pytest.MonkeyPatch], None], promise: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    breakage(monkeypatch)
    scene = replace(REFED, faults=(Fault("account-comes", 2),), ponder=120)
    assert promise in {found.promise for found in trial(scene).violations}
