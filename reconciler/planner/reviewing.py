"""Whether what was reviewed still holds: a saved plan's actions against a plan made again just now.

Applied is what was reviewed, or less where some of it is done already. A sync that has become due
meanwhile does not count: it is left for the next plan. Anything else is stale.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Final

from reconciler.actions import Action, SyncCompany
from reconciler.kinds import Change, Kind
from reconciler.live import Status
from reconciler.model import BEING_SENT, LINKS_TAG, Address, short_id
from reconciler.plan import Attention, AttentionCode, Plan, ShownPlan
from reconciler.planned import ShownAction, ShownState
from reconciler.planner.policy import Before, Earlier

_IN_THE_WAY: Final = (AttentionCode.ACCOUNTING_OCCUPIED, AttentionCode.GATE)
"""Attention on a connection that keeps actions from being done; other such may follow when they are."""


SEE_FIRST: Final = (
    "an earlier run was cut short while it sent these tokens, so they are not sent again: see with verify "
    "whether the connection works, and make a plan with --reauthorize anew only if it does not"
)


@dataclass(frozen=True, slots=True)
class Stale:
    """An address at which the plan made now wants what nobody reviewed, or is blocked by it."""

    address: str
    reviewed: str
    now: str
    then: str = ""
    """How to go on, where making the plan again is not all."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The part of today's plan that was reviewed, and where it is stale; a stale plan is not applied."""

    plan: Plan
    stale: tuple[Stale, ...]


def known_from(reviewed: Iterable[ShownAction]) -> Earlier:
    """What a plan's actions tell of the connections whose tokens they send."""
    return Earlier(
        before={
            action.address: _before(action) for action in reviewed if action.kind is Kind.CONNECTION_AUTHORIZE
        }
    )


def _before(sending: ShownAction) -> Before:
    if sending.before is None:
        return Before(None)
    status = Status(sending.before.status or "")
    return Before(status, sending.before.last_sync, sending.mark if status is Status.LINKED else "")


def as_reviewed(reviewed: ShownPlan, now: Plan) -> Reviewed:
    """Hold ``now`` against a plan that was reviewed."""
    by_address: defaultdict[Address, list[ShownAction]] = defaultdict(list)
    by_company: defaultdict[str, list[ShownAction]] = defaultdict(list)
    for seen in reviewed.actions:
        by_address[seen.address].append(seen)
        by_company[seen.address.company].append(seen)
    kept: list[Action] = []
    unreviewed: set[Address] = set()
    for action in now.actions:
        if isinstance(action, SyncCompany):
            kept += _reviewed_sync(by_address[action.address], action)
        elif _is_reviewed(action.shown(), by_address[action.address], by_company[action.address.company]):
            kept.append(action)
        else:
            unreviewed.add(action.address)
    wanted: defaultdict[Address, list[ShownAction]] = defaultdict(list)
    for action in now.actions:
        if action.address in unreviewed:
            wanted[action.address].append(action.shown())
    stale = [_stale(address, by_address[address], found) for address, found in wanted.items()]
    stale += _blocked(by_company, reviewed.attention, now)
    return Reviewed(replace(now, actions=tuple(kept)), tuple(stale))


def _stale(address: Address, reviewed: Sequence[ShownAction], now: Sequence[ShownAction]) -> Stale:
    """How the two differ; where both send tokens, by what was read of the connection as well."""
    both = all(
        any(action.kind is Kind.CONNECTION_AUTHORIZE for action in actions) for actions in (reviewed, now)
    )
    words = _found_words if both else _words
    then = SEE_FIRST if any(map(_is_unsure, now)) else ""
    return Stale(str(address), _told(reviewed, words), _told(now, words), then)


def _blocked(
    reviewed: Mapping[str, Sequence[ShownAction]], attention: Iterable[Attention], now: Plan
) -> Iterator[Stale]:
    """Where something that was reviewed is not done, and something that nobody reviewed now blocks it."""
    known = {(noted.code, noted.address) for noted in attention}
    planned = {action.address for action in now.actions}
    for blocker in now.blocking():
        is_in_the_way = blocker.address.is_company or blocker.code in _IN_THE_WAY
        if not is_in_the_way or (blocker.code, blocker.address) in known:
            continue
        undone = [
            action
            for action in reviewed.get(blocker.address.company, ())
            if action.kind is not Kind.COMPANY_SYNC and action.address not in planned
            if blocker.address.is_company or action.address == blocker.address
        ]
        if undone:
            yield Stale(str(blocker.address), _told(undone), f"attention {blocker.code}")


def _reviewed_sync(reviewed: Iterable[ShownAction], action: SyncCompany) -> list[SyncCompany]:
    """The sync, for those connections and data types alone for which one was reviewed."""
    agreed = {
        (target.address, target.data_types or ())
        for seen in reviewed
        if seen.kind is Kind.COMPANY_SYNC
        for target in seen.connections or ()
    }
    targets = tuple(target for target in action.targets if (target.address, target.data_types) in agreed)
    return [replace(action, targets=targets)] if targets else []


def _is_reviewed(now: ShownAction, there: Iterable[ShownAction], of_company: Iterable[ShownAction]) -> bool:
    """Whether an action was reviewed at its address, or with what else was done to its company."""
    return _only_records_links(now, of_company) or any(
        seen.kind is now.kind and _COVERS[now.kind](seen, now) for seen in there
    )


Covers = Callable[[ShownAction, ShownAction], bool]


def _same(*members: str) -> Covers:
    """Equal in these members; an id that was not known when the plan was reviewed may be known now."""
    values = attrgetter(*members)

    def covers(reviewed: ShownAction, now: ShownAction) -> bool:
        return _same_ids(reviewed, now) and bool(values(reviewed) == values(now))

    return covers


def _same_ids(reviewed: ShownAction, now: ShownAction) -> bool:
    return reviewed.company_id in (None, now.company_id) and reviewed.connection_id in (
        None,
        now.connection_id,
    )


def _same_changes(reviewed: ShownAction, now: ShownAction) -> bool:
    return _same_ids(reviewed, now) and set(now.changes or ()) <= set(reviewed.changes or ())


def _same_settings(reviewed: ShownAction, now: ShownAction) -> bool:
    """Equal changes; what a company has that did not exist when the plan was reviewed could not be known."""
    if not set(now.narrows or ()) <= set(reviewed.narrows or ()):
        return False
    if reviewed.company_id is not None:
        return _same_changes(reviewed, now)
    return set(map(_aim, now.changes or ())) <= set(map(_aim, reviewed.changes or ()))


def _same_profile_settings(reviewed: ShownAction, now: ShownAction) -> bool:
    """Equal changes, and no company narrowed that was not counted when the plan was reviewed."""
    is_counted = (now.narrowed_companies or 0) <= (reviewed.narrowed_companies or 0)
    return is_counted and _same_changes(reviewed, now)


def _same_losses(reviewed: ShownAction, now: ShownAction) -> bool:
    """The company of that name, and no connection but those that were reviewed, as they were."""
    if reviewed.before is None or now.before is None or reviewed.before.texts != now.before.texts:
        return False
    is_covered = set(now.before.connections or ()) <= set(reviewed.before.connections or ())
    return _same("pruned", "reason")(reviewed, now) and is_covered


def _same_sending(reviewed: ShownAction, now: ShownAction) -> bool:
    """Equal fields, to a connection that nobody ever authorized, or that is in every way as it was reviewed.

    Once it was authorized, the tokens that were reviewed may be stale, or sent already by this plan.
    """
    then, today = reviewed.before, now.before
    if _is_new(then) and _is_new(today):
        return _same("platform", "fields")(reviewed, now)
    # The reason says to a reader how the connection was.
    is_as_reviewed = then == today and reviewed.reason == now.reason
    return (is_as_reviewed or _has_expired(then, today)) and _same("platform", "fields")(reviewed, now)


def _has_expired(then: ShownState | None, today: ShownState | None) -> bool:
    """Whether all that has changed since the review is that the connection, then Linked, lost its access."""
    if then is None or then.status != Status.LINKED:
        return False
    return today == replace(then, status=Status.DEAUTHORIZED.value)


def _is_new(before: ShownState | None) -> bool:
    return before is None or before.status == Status.PENDING_AUTH


def _aim(change: Change) -> tuple[str, str | None]:
    return change.path, change.after


_COVERS: Final[Mapping[Kind, Covers]] = {
    Kind.WEBHOOK_CREATE: _same("after"),
    Kind.WEBHOOK_DELETE: _same("webhook_id", "before", "reason"),
    Kind.PROFILE_UPDATE: _same_changes,
    Kind.PROFILE_SYNC_SETTINGS: _same_profile_settings,
    Kind.COMPANY_CREATE: _same("after"),
    Kind.COMPANY_ADOPT: _same_changes,
    Kind.COMPANY_UPDATE: _same_changes,
    Kind.PRODUCT_ADD: _same("after"),
    Kind.PRODUCT_REMOVE: _same("before", "reason"),
    Kind.COMPANY_SYNC_SETTINGS: _same_settings,
    Kind.COMPANY_DELETE: _same_losses,
    Kind.CONNECTION_UNLINK: _same("platform", "reason"),
    Kind.CONNECTION_DELETE: _same("platform", "before", "pruned", "reason"),
    Kind.CONNECTION_CREATE: _same("after"),
    Kind.CONNECTION_AUTHORIZE: _same_sending,
    Kind.SOURCE_ACCOUNT_DELETE: _same("before", "reason"),
    Kind.SOURCE_ACCOUNT_UPDATE: _same("source_account", "changes"),
    Kind.SOURCE_ACCOUNT_CREATE: _same("after", "fields"),
}


def _only_records_links(now: ShownAction, of_company: Iterable[ShownAction]) -> bool:
    """Whether the action only writes the record of links, which what was reviewed would have written."""
    return now.paths == (f"tags.{LINKS_TAG}",) and any(
        seen.records_links or seen.kind is Kind.COMPANY_CREATE for seen in of_company
    )


Words = Callable[[ShownAction], str]


def _words(action: ShownAction) -> str:
    parts = action.paths or action.fields or _losses(action.before)
    return f"{action.kind} ({', '.join(parts)})" if parts else str(action.kind)


def _found_words(action: ShownAction) -> str:
    """The action, and how the connection was whose tokens are sent, where it was authorized before."""
    told, before = _words(action), action.before
    if action.kind is not Kind.CONNECTION_AUTHORIZE or before is None or _is_new(before):
        return told
    synced = f", last synced {before.last_sync.isoformat()}" if before.last_sync else ", never synced"
    sent = f", last sent tokens {before.sent}" if before.sent else ""
    return f"{told} while {before.status}{synced}{sent}"


def _told(actions: Iterable[ShownAction], words: Words = _words) -> str:
    """The actions at one address, in a few words."""
    return ", ".join(map(words, actions)) or "nothing"


def _is_unsure(action: ShownAction) -> bool:
    """Whether tokens were being sent to the connection, and nothing tells whether they arrived."""
    return action.before is not None and (action.before.sent or "").endswith(BEING_SENT)


def _losses(before: ShownState | None) -> tuple[str, ...]:
    """The name of a company that is deleted, and each connection that goes with it."""
    if before is None or "name" not in before.texts:
        return ()
    connections = (
        f"{connection.platform} {short_id(connection.connection_id)} {connection.status}"
        for connection in before.connections or ()
    )
    return (before.texts["name"], *connections)
