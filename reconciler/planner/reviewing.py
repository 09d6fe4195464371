"""Whether what was reviewed still holds: a saved plan's actions against a plan made again just now.

Applied is what was reviewed, or less where some of it is done already. A sync that has become due
meanwhile does not count: it is left for the next plan. Anything else is stale.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from reconciler.actions import Action, SyncCompany, sending_mark
from reconciler.kinds import Kind
from reconciler.live import Status
from reconciler.model import BEING_SENT, LINKS_TAG, Address, short_id
from reconciler.plan import AttentionCode, Plan
from reconciler.planner.policy import Before, Earlier
from reconciler.planner.saved_form import moment

Document = Mapping[str, Any]


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


def known_from(reviewed: Iterable[Document]) -> Earlier:
    """What the actions of a plan's document tell of the connections whose tokens they send."""
    return Earlier(
        before={
            Address.parse(document["address"]): _before(document)
            for document in reviewed
            if document["kind"] == Kind.CONNECTION_AUTHORIZE
        }
    )


def _before(document: Document) -> Before:
    before = document.get("before")
    if before is None:
        return Before(None)
    synced = before.get("lastSync")
    status = Status(before["status"])
    mark = sending_mark(document) if status is Status.LINKED else ""
    return Before(status, moment(synced) if synced else None, mark)


def as_reviewed(reviewed: Sequence[Document], now: Plan, attention: Iterable[Document] = ()) -> Reviewed:
    """Hold ``now`` against the actions of a saved plan's document; ``attention`` stood beside them."""
    by_address: defaultdict[str, list[Document]] = defaultdict(list)
    for document in reviewed:
        by_address[document["address"]].append(document)
    by_company: defaultdict[str, list[Document]] = defaultdict(list)
    for document in reviewed:
        by_company[Address.parse(document["address"]).company].append(document)
    kept: list[Action] = []
    unreviewed: set[str] = set()
    for action in now.actions:
        address = str(action.address)
        if isinstance(action, SyncCompany):
            kept += _reviewed_sync(by_address[address], action)
        elif _records_reviewed_links(by_company[action.address.company], action) or _is_covered(
            by_address[address], action
        ):
            kept.append(action)
        else:
            unreviewed.add(address)
    wanted: defaultdict[str, list[Document]] = defaultdict(list)
    for action in now.actions:
        if (address := str(action.address)) in unreviewed:
            wanted[address].append(action.document())
    stale = [_stale(planned, by_address[planned], found) for planned, found in wanted.items()]
    stale += _blocked(by_company, attention, now)
    return Reviewed(replace(now, actions=tuple(kept)), tuple(stale))


def _stale(address: str, reviewed: Sequence[Document], now: Sequence[Document]) -> Stale:
    """How the two differ; where both send tokens, by what was read of the connection as well."""
    both = all(
        any(document["kind"] == Kind.CONNECTION_AUTHORIZE for document in some) for some in (reviewed, now)
    )
    words = _found_words if both else _words
    then = SEE_FIRST if any(map(_is_unsure, now)) else ""
    return Stale(address, _told(reviewed, words), _told(now, words), then)


def _blocked(
    reviewed: Mapping[str, Sequence[Document]], attention: Iterable[Document], now: Plan
) -> Iterator[Stale]:
    """Where something that was reviewed is not done, and something that nobody reviewed now blocks it."""
    known = {(document["code"], document["address"]) for document in attention}
    planned = {str(action.address) for action in now.actions}
    for blocker in now.blocking():
        is_in_the_way = blocker.address.is_company or blocker.code in _IN_THE_WAY
        if not is_in_the_way or (blocker.code.value, str(blocker.address)) in known:
            continue
        open_ones = [
            document
            for document in reviewed.get(blocker.address.company, ())
            if document["kind"] != Kind.COMPANY_SYNC and document["address"] not in planned
            if blocker.address.is_company or document["address"] == str(blocker.address)
        ]
        if open_ones:
            yield Stale(str(blocker.address), _told(open_ones), f"attention {blocker.code}")


def _reviewed_sync(reviewed: Iterable[Document], action: SyncCompany) -> list[SyncCompany]:
    """The sync, for those connections alone for which one was reviewed."""
    addresses = _reviewed_targets(reviewed)
    targets = tuple(target for target in action.targets if target.address in addresses)
    return [replace(action, targets=targets)] if targets else []


def _reviewed_targets(reviewed: Iterable[Document]) -> frozenset[Address]:
    return frozenset(
        Address.parse(target["address"])
        for document in reviewed
        if document["kind"] == Kind.COMPANY_SYNC
        for target in document["connections"]
    )


def _is_covered(reviewed: Iterable[Document], action: Action) -> bool:
    document = action.document()
    return any(seen["kind"] == document["kind"] and _COVERS[action.kind](seen, document) for seen in reviewed)


def _same(*names: str) -> Callable[[Document, Document], bool]:
    """Equal in these members; an id that was not known when the plan was reviewed may be known now."""

    def covers(reviewed: Document, now: Document) -> bool:
        ids = all(reviewed.get(name) in (None, now.get(name)) for name in ("companyId", "connectionId"))
        return ids and all(reviewed.get(name) == now.get(name) for name in names)

    return covers


def _same_changes(reviewed: Document, now: Document) -> bool:
    return _same()(reviewed, now) and all(change in reviewed["changes"] for change in now["changes"])


def _same_settings(reviewed: Document, now: Document) -> bool:
    """Equal changes; what a company has that did not exist when the plan was reviewed could not be known."""
    known = "companyId" in reviewed
    agreed = [change if known else _aim(change) for change in reviewed["changes"]]
    is_covered = set(now.get("narrows", ())) <= set(reviewed.get("narrows", ()))
    return (
        is_covered
        and _same()(reviewed, now)
        and all((change if known else _aim(change)) in agreed for change in now["changes"])
    )


def _same_profile_settings(reviewed: Document, now: Document) -> bool:
    """Equal changes, and no company narrowed that was not counted when the plan was reviewed."""
    is_counted = now.get("narrowedCompanies", 0) <= reviewed.get("narrowedCompanies", 0)
    return is_counted and _same_changes(reviewed, now)


def _same_losses(reviewed: Document, now: Document) -> bool:
    """The company of that name, and no connection but those that were reviewed, as they were."""
    then, today = reviewed["before"], now["before"]
    is_covered = all(connection in then.get("connections", ()) for connection in today["connections"])
    return _same("pruned")(reviewed, now) and then["name"] == today["name"] and is_covered


def _same_sending(reviewed: Document, now: Document) -> bool:
    """Equal fields, to a connection that nobody ever authorized, or that is in every way as it was reviewed.

    Once it was authorized, the tokens that were reviewed may be stale, or sent already by this plan.
    """
    then, today = reviewed.get("before"), now.get("before")
    is_as_reviewed = then == today or (_is_new(then) and _is_new(today)) or _has_expired(then, today)
    return is_as_reviewed and _same("platform", "fields")(reviewed, now)


def _has_expired(then: Document | None, today: Document | None) -> bool:
    """Whether all that has changed since the review is that the connection, then Linked, lost its access."""
    if then is None or today is None or then["status"] != Status.LINKED:
        return False
    return today == {**then, "status": Status.DEAUTHORIZED.value}


def _is_new(before: Document | None) -> bool:
    return before is None or before["status"] == Status.PENDING_AUTH


def _aim(change: Document) -> tuple[object, object]:
    return change["path"], change["after"]


_COVERS: Final[Mapping[Kind, Callable[[Document, Document], bool]]] = {
    Kind.WEBHOOK_CREATE: _same("after"),
    Kind.WEBHOOK_DELETE: _same("webhookId", "before"),
    Kind.PROFILE_UPDATE: _same_changes,
    Kind.PROFILE_SYNC_SETTINGS: _same_profile_settings,
    Kind.COMPANY_CREATE: _same("after"),
    Kind.COMPANY_ADOPT: _same_changes,
    Kind.COMPANY_UPDATE: _same_changes,
    Kind.PRODUCT_ADD: _same("after"),
    Kind.PRODUCT_REMOVE: _same("before"),
    Kind.COMPANY_SYNC_SETTINGS: _same_settings,
    Kind.COMPANY_DELETE: _same_losses,
    Kind.CONNECTION_UNLINK: _same("platform"),
    Kind.CONNECTION_DELETE: _same("before", "pruned"),
    Kind.CONNECTION_CREATE: _same("after"),
    Kind.CONNECTION_AUTHORIZE: _same_sending,
    Kind.SOURCE_ACCOUNT_DELETE: _same("before"),
    Kind.SOURCE_ACCOUNT_UPDATE: _same("sourceAccount", "changes"),
    Kind.SOURCE_ACCOUNT_CREATE: _same("after", "fields"),
}


def _records_reviewed_links(reviewed: Iterable[Document], action: Action) -> bool:
    """Whether the action only writes the record of links, which what was reviewed would have written."""
    document = action.document()
    changes = document.get("changes", [])
    return [change["path"] for change in changes] == [f"tags.{LINKS_TAG}"] and any(
        seen.get("recordsLinks") or seen["kind"] == Kind.COMPANY_CREATE for seen in reviewed
    )


def _told(documents: Iterable[Document], words: Callable[[Document], str] | None = None) -> str:
    """The actions at one address, in a few words."""
    return ", ".join(map(words or _words, documents)) or "nothing"


def _is_unsure(document: Document) -> bool:
    """Whether tokens were being sent to the connection, and nothing tells whether they arrived."""
    return str((document.get("before") or {}).get("sent", "")).endswith(BEING_SENT)


def _words(document: Document) -> str:
    parts = (
        [change["path"] for change in document.get("changes", [])]
        or document.get("fields", [])
        or _losses(document)
    )
    return f"{document['kind']} ({', '.join(parts)})" if parts else str(document["kind"])


def _found_words(document: Document) -> str:
    """The action, and how the connection was whose tokens are sent, where it was authorized before."""
    told, before = _words(document), document.get("before")
    if document["kind"] != Kind.CONNECTION_AUTHORIZE or before is None or _is_new(before):
        return told
    synced = f", last synced {before['lastSync']}" if "lastSync" in before else ", never synced"
    sent = f", last sent tokens {before['sent']}" if "sent" in before else ""
    return f"{told} while {before['status']}{synced}{sent}"


def _losses(document: Document) -> list[str]:
    """The name of a company that is deleted, and each connection that goes with it."""
    before = document.get("before", {})
    connections = (
        f"{connection['platform']} {short_id(connection['connectionId'])} {connection['status']}"
        for connection in before.get("connections", ())
    )
    return [before["name"], *connections] if "name" in before else []
