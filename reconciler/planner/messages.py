"""What each attention says: the fact, and what to do next. One function a code, in one table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from reconciler.live import LiveCompany, LiveConnection, Status
from reconciler.model import (
    KEY_TAG,
    MAX_TAGS,
    PROTECT_TAG,
    QUICKBOOKS_DESKTOP,
    WORKSPACE_TAG,
    Address,
    Desired,
    DesiredCompany,
    DesiredConnection,
    Precondition,
)
from reconciler.plan import Attention, AttentionCode
from reconciler.planner.identity import is_another
from reconciler.wording import listed


@dataclass(frozen=True, slots=True)
class Subject:
    """What an attention is about; only the parts that its message speaks of need be there."""

    address: Address
    company: DesiredCompany | None = None
    live: LiveCompany | None = None
    others: tuple[LiveCompany, ...] = ()
    connection: DesiredConnection | None = None
    live_connection: LiveConnection | None = None
    candidates: tuple[LiveConnection, ...] = ()
    desired: Desired | None = None
    """All specs that the run sees."""
    rivals: tuple[str, ...] = ()
    """The other keys of the company that may mean the same connection."""
    former: str = ""
    """The key under which the company's record names a connection that no spec means."""


def attention(code: AttentionCode, subject: Subject) -> Attention:
    """The attention of this code at the subject's address."""
    return Attention(code=code, address=subject.address, message=MESSAGES[code](subject))


def _ids(found: Iterable[LiveCompany | LiveConnection]) -> str:
    return ", ".join(subject.id for subject in found)


_NAMED: Final = 5
"""Companies that a message describes before it counts the rest."""


def _exists(subject: Subject) -> str:
    found = [_described(company, subject) for company in subject.others]
    *ways, last = dict.fromkeys((*_ways_to_take_over(subject), *_ways_to_create(subject)))
    options = f"{', '.join(ways)}, or {last}" if ways else last
    return f"Codat has a company of this name or key already: {listed(found, _NAMED)}; {options}"


def _described(live: LiveCompany, subject: Subject) -> str:
    owner = live.owner()
    if owner is None:
        return f"{live.id} (without our tags)"
    if not _is_ours(live, subject):
        return f"{live.id} (of workspace {owner[0]} under the key {owner[1]})"
    is_unseen = subject.desired is not None and subject.desired.narrowed
    note = ", which no spec that this run sees names" if is_unseen else ""
    return f"{live.id} (of this workspace under the key {owner[1]}{note})"


def _is_ours(live: LiveCompany, subject: Subject) -> bool:
    return subject.desired is not None and live.tags.get(WORKSPACE_TAG) in subject.desired.workspaces


def _ways_to_take_over(subject: Subject) -> Iterator[str]:
    """What to write where the company that was found is the wanted one."""
    keys = subject.company.keys if subject.company else ()
    for company in subject.others:
        owner = company.owner()
        if owner is None:
            yield f"adopt it with 'id: {company.id}'"
            continue
        rename = f"'renamedFrom: {owner[1]}'"
        if not _is_ours(company, subject):
            also = "" if owner[1] in keys else f" and {rename} here"
            yield f"take it over with 'workspaceRenamedFrom: {owner[0]}' in workspace.yaml{also}"
        else:
            yield f"take it over with {rename}"
            if subject.desired and subject.desired.narrowed:
                yield "run on the whole workspace if another file names that key"


def _ways_to_create(subject: Subject) -> Iterator[str]:
    """What to write where the wanted company is another one."""
    key, company = subject.address.company, subject.company
    beside = f"'newBeside: [{_ids(subject.others)}]' under companies.{key} to create another"
    if company is not None and is_another(replace(company, new=True), subject.others):
        yield f"say 'new: true' or {beside}"
    elif company is not None and company.new:
        yield f"say {beside} ('new: true' does not tell: the one that it created may be among them)"
    else:
        yield f"say {beside}"


def _conflict(subject: Subject) -> str:
    if subject.connection is not None:
        found = subject.candidates[0]
        return (
            f"connection {found.id} is on {found.platform_name}, and the spec's platform is "
            f"{subject.connection.platform}; correct 'id' or 'platform'"
        )
    wanted = subject.company.id if subject.company else ""
    other = subject.others[0]
    owner = other.owner()
    if other.id == wanted and owner and _is_ours(other, subject):
        return (
            f"company {other.id} is managed here under the key {owner[1]}; to take it over say "
            f"'renamedFrom: {owner[1]}', or correct 'id'"
        )
    if other.id == wanted and owner:
        return (
            f"company {other.id} is managed as {owner[1]} in workspace {owner[0]}; remove 'id' here, take it "
            f"out of that workspace first, or take the whole workspace over with "
            f"'workspaceRenamedFrom: {owner[0]}' in workspace.yaml"
        )
    return (
        f"the spec names company {wanted}, and the tags of this key stand on {_ids(subject.others)}; "
        f"correct 'id', or remove the tags from the company that is not meant"
    )


def _missing(subject: Subject) -> str:
    what = "connection" if subject.connection is not None else "company"
    wanted = subject.connection or subject.company
    identifier = wanted.id if wanted else ""
    return f"Codat has no {what} with the id {identifier}; correct 'id', or remove it to create a new one"


def _duplicate(subject: Subject) -> str:
    held = " or ".join(sorted({company.tags[KEY_TAG] for company in subject.others}))
    return (
        f"{len(subject.others)} companies carry the key {held}: {_ids(subject.others)}; "
        f"say which one is meant with 'id', and delete the other or remove its tags"
    )


def _ambiguous(subject: Subject) -> str:
    key = subject.address.connection
    found = ", ".join(f"{candidate.id} ({candidate.status})" for candidate in subject.candidates)
    first = subject.candidates[0].id
    if subject.rivals:
        keys = " and ".join(f"'{rival}'" for rival in sorted((key, *subject.rivals)))
        return (
            f"the keys {keys} may mean the same live connection: {found}; pin each connection that is there "
            f"under its right key with 'id', such as 'id: {first}', and the other key gets one of its own"
        )
    if len(subject.candidates) == 1:
        return (
            f"no record tells whether {found} is '{key}' or was linked by someone else, so it is left alone; "
            f"if it is the one, pin it with 'id: {first}'; if not, remove it at Codat or give it a key of "
            f"its own with that id"
        )
    return f"more than one live connection may be meant: {found}; pin the right one with 'id'"


def _tag_budget(_: Subject) -> str:
    return (
        f"with the tags that are on the company already, there would be more than the "
        f"{MAX_TAGS} that Codat keeps; "
        f"set tags that are not needed to null, or remove some from the spec"
    )


def _protected(subject: Subject) -> str:
    identifier = subject.live.id if subject.live else ""
    return (
        f"company {identifier} carries the tag {PROTECT_TAG}, so it is not deleted; apply 'protect: false' "
        f"first, or remove the tag in Codat"
    )


def _accounting_occupied(subject: Subject) -> str:
    other = subject.candidates[0]
    return (
        f"a company has one active accounting connection, and {other.platform_name} ({other.id}) is Linked; "
        f"give that one 'state: unlinked' or 'absent' in the spec, or remove this one"
    )


_WHY_GATED: Final[Mapping[Precondition, str]] = {
    Precondition.CALLBACK_URL_ADDED: "Codat's callback URL is added to your provider application",
    Precondition.LEGACY_SYNC_DISABLED: "your own application no longer syncs or refreshes these companies",
}


def _gate(subject: Subject) -> str:
    todo = subject.connection.open_preconditions if subject.connection else ()
    facts = ", and ".join(_WHY_GATED[precondition] for precondition in todo)
    platform = subject.connection.platform if subject.connection else ""
    lines = ", ".join(f"{precondition}: done" for precondition in todo)
    return (
        f"no token is sent before it is confirmed that {facts}: tokens that your own application still "
        f"refreshes become invalid. When that is so, write in workspace.yaml: "
        f"platforms: {{{platform}: {{preconditions: {{{lines}}}}}}} (what the connection itself says "
        f"under 'preconditions' comes first)"
    )


def _nothing_to_sync(_: Subject) -> str:
    return (
        "no data type of this platform is marked to be fetched on first link, so a sync would fetch nothing; "
        "mark some under profile.syncSettings in account.yaml, or in Codat under Settings > Data types, "
        "or name them in the spec with sync.dataTypes"
    )


def _sync_failed(_: Subject) -> str:
    return (
        "the last sync failed and none has succeeded since; see the company's data history in Codat, "
        "then run again with --retry-syncs"
    )


def _unknown_status(_: Subject) -> str:
    return (
        "Codat reports a status that this version of codat-sync does not know, so nothing is done here; "
        "upgrade codat-sync, or settle the connection in Codat"
    )


def _managed(_: Subject) -> str:
    return "waits for Codat's team to import the token (managed migration); nothing to do here until then"


def _link(_: Subject) -> str:
    return "waits for the customer to link; send them the link URL that 'codat-sync links' writes"


def _relink(subject: Subject) -> str:
    reconnect = "the customer must reconnect, by the link URL that 'codat-sync links' writes"
    if not _has_tokens(subject):
        return f"access was revoked or has expired; {reconnect}"
    return (
        f"access was revoked or has expired, and the tokens we hold are stale; {reconnect}. "
        f"If you hold tokens that were issued since, set issuedAt, or pass --reauthorize {subject.address}"
    )


def _unlinked(subject: Subject) -> str:
    again = (
        f"send the tokens again with --reauthorize {subject.address}"
        if _has_tokens(subject)
        else "let the customer link it again, by the link URL from Codat"
    )
    return (
        "someone unlinked this connection on purpose; say 'state: unlinked' in the spec if that is right, "
        f"or {again}"
    )


def _has_tokens(subject: Subject) -> bool:
    return subject.connection is not None and bool(subject.connection.authorization)


def _syncing(subject: Subject) -> str:
    live = subject.live_connection
    if live is not None and live.platform_key == QUICKBOOKS_DESKTOP and live.last_sync is None:
        return (
            "a sync is running or queued; the first one of QuickBooks Desktop starts by the schedule that "
            "the customer has set in the connector, while that is online; nothing to do here until it ends"
        )
    return "a sync is running; nothing to do until it ends"


def _tags_copied(subject: Subject) -> str:
    ids = _ids(subject.others)
    if subject.live is not None:
        return (
            f"the spec's id names company {subject.live.id}, and the tags of this key stand on {ids} too; "
            f"delete what is not meant, or take its tags {WORKSPACE_TAG} and {KEY_TAG} away"
        )
    wanted = subject.company.id if subject.company else ""
    return (
        f"Codat has no company with the id {wanted}: it is deleted, or the id is mistyped. The tags of this "
        f"key stand on {ids}; correct 'id' if that is to be deleted, or take its tags {WORKSPACE_TAG} and "
        f"{KEY_TAG} away"
    )


def _orphan(subject: Subject) -> str:
    live, key = subject.live, subject.address.company
    name = live.name if live else ""
    identifier = live.id if live else ""
    workspace = live.tags.get(WORKSPACE_TAG, "") if live else ""
    back = f"put it back into a spec, say 'renamedFrom: {key}' under its new key"
    if subject.desired and workspace == subject.desired.renamed_from:
        return (
            f"company {identifier} ({name}) carries the workspace {workspace}, which this one takes over, "
            f"and is in no spec; {back}, or leave it: --prune deletes nothing of another workspace"
        )
    return (
        f"company {identifier} ({name}) carries our workspace and is in no spec; {back}, "
        f"or delete it with --prune"
    )


_FOUR_LETTERS: Final = re.compile(r"[a-z]{4}").fullmatch
"""What a spec calls a platform that no list has."""


def _unmanaged(subject: Subject) -> str:
    found = subject.live_connection
    if found is None:
        return ""
    platform = found.platform_name or found.platform_key or "unnamed"
    text = f"{platform} connection {found.id} is {found.status} and in no spec"
    if not _FOUR_LETTERS(found.platform_key) or found.status is Status.UNKNOWN:
        return f"{text}; no spec can name it, and it is left as it is"
    if subject.former:
        return (
            f"{text}; it is recorded under the key '{subject.former}': put that key back, or say "
            f"'renamedFrom: {subject.former}' under its new key before you apply that, or leave it"
        )
    return f"{text}; name it in the spec with 'id: {found.id}' to manage it, or leave it"


MESSAGES: Final[Mapping[AttentionCode, Callable[[Subject], str]]] = {
    AttentionCode.EXISTS: _exists,
    AttentionCode.CONFLICT: _conflict,
    AttentionCode.MISSING: _missing,
    AttentionCode.DUPLICATE: _duplicate,
    AttentionCode.AMBIGUOUS: _ambiguous,
    AttentionCode.TAG_BUDGET: _tag_budget,
    AttentionCode.PROTECTED: _protected,
    AttentionCode.ACCOUNTING_OCCUPIED: _accounting_occupied,
    AttentionCode.GATE: _gate,
    AttentionCode.NOTHING_TO_SYNC: _nothing_to_sync,
    AttentionCode.SYNC_FAILED: _sync_failed,
    AttentionCode.UNKNOWN_STATUS: _unknown_status,
    AttentionCode.MANAGED: _managed,
    AttentionCode.LINK: _link,
    AttentionCode.RELINK: _relink,
    AttentionCode.UNLINKED: _unlinked,
    AttentionCode.SYNCING: _syncing,
    AttentionCode.ORPHAN: _orphan,
    AttentionCode.TAGS_COPIED: _tags_copied,
    AttentionCode.UNMANAGED: _unmanaged,
}
