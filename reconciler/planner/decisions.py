"""The first half of a plan: pair everything and decide every rule that needs no history of syncs.

A draft also says what else must be read before it can be finished: the history of those companies
that look due for a sync, and the profile's sync settings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from reconciler.kinds import Change, Kind
from reconciler.live import Live, LiveCompany, LiveConnection, Status
from reconciler.model import (
    KEY_TAG,
    LINKS_TAG,
    WORKSPACE_TAG,
    Address,
    Desired,
    DesiredCompany,
    DesiredConnection,
    Mark,
    Presence,
    SourceType,
    Wanted,
    links_tag,
    short_id,
    slug,
)
from reconciler.plan import Attention, AttentionCode
from reconciler.planner.company_rules import COMPANY_RULES, CompanySituation, Found, Want
from reconciler.planner.connection_rules import (
    CONNECTION_RULES,
    STRAY_RULES,
    ConnectionSituation,
    LiveStatus,
    Proof,
    StraySituation,
)
from reconciler.planner.fields import (
    FieldValue,
    Ours,
    Writer,
    changes,
    is_over_budget,
    wanted_fields,
    written_by,
)
from reconciler.planner.identity import Directory, Match, is_another
from reconciler.planner.marking import Marks, before_creates, needs_ids, record, settled
from reconciler.planner.messages import Subject, attention
from reconciler.planner.pairing import Pairs, pair
from reconciler.planner.policy import Policy
from reconciler.planner.rules import Rule
from reconciler.planner.sync_rules import due_reason, wants_sync

_LIVE_STATUSES: Final[Mapping[Status, LiveStatus]] = {status: LiveStatus(status.value) for status in Status}
RECORDS: Final = "records which connection is which"
"""Why a company is updated whose record of links alone differs."""


@dataclass(frozen=True, slots=True)
class ConnectionDraft:
    """What is decided for one connection. ``row`` is ``None`` where it could not be paired."""

    address: Address
    desired: DesiredConnection | None
    live: LiveConnection | None
    row: Rule | None
    situation: ConnectionSituation | StraySituation | None
    attention: Attention | None = None
    looks_due: bool = False
    former: str = ""
    """The key under which the record names a connection that is in no spec."""

    @property
    def is_created(self) -> bool:
        """Whether this plan creates it."""
        return self.row is not None and Kind.CONNECTION_CREATE in self.row.actions

    @property
    def is_authorized(self) -> bool:
        """Whether this plan authorizes it."""
        return self.row is not None and Kind.CONNECTION_AUTHORIZE in self.row.actions


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyDraft:
    """What is decided for one company and its connections.

    ``fields`` are the managed fields as they shall be, ``changes`` what of them differs. ``links`` is
    the record of links that is to be written after this plan's creates, empty where none is. ``copied``
    speaks of other companies that carry its tags.
    """

    address: Address
    desired: DesiredCompany | None = None
    live: LiveCompany | None
    row: Rule
    situation: CompanySituation
    included: bool = True
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    links: Mapping[str, Mark] = field(default_factory=dict)
    connections: tuple[ConnectionDraft, ...] = ()
    attention: Attention | None = None
    copied: Attention | None = None
    unnamed: tuple[str, ...] = ()
    """Ids of the live connections that neither a spec nor the record of links names."""

    @property
    def why(self) -> str:
        """The reason of the company's row; a plan that only writes the record of links says so."""
        written = {change.path for change in written_by(Writer.COMPANY, self.changes)}
        only_records = Kind.COMPANY_UPDATE in self.row.actions and written == {f"tags.{LINKS_TAG}"}
        return RECORDS if only_records else self.row.why

    @property
    def proceeds(self) -> bool:
        """Whether the company is wanted, and nothing about it has to be settled first."""
        return self.situation.want is Want.PRESENT and self.row.attention is None


@dataclass(frozen=True, slots=True)
class Draft:
    """All companies, those of the specs first, each by its key, and what must be read to finish the plan."""

    companies: tuple[CompanyDraft, ...] = field(repr=False)
    managed: int

    def connections(self) -> Iterator[ConnectionDraft]:
        """Every connection of every company."""
        return (connection for company in self.companies for connection in company.connections)

    @property
    def histories(self) -> tuple[str, ...]:
        """Ids of the companies whose history of pulls must be read: some connection looks due for a sync."""
        return tuple(
            company.live.id
            for company in self.companies
            if company.live and any(connection.looks_due for connection in company.connections)
        )

    @property
    def needs_profile(self) -> bool:
        """Whether some sync may follow that fetches what the profile marks, so its settings must be read."""
        return any(
            (connection.looks_due or connection.is_authorized)
            and connection.desired is not None
            and wants_sync(connection.desired)
            and not connection.desired.sync.data_types
            for connection in self.connections()
        )


def draft(desired: Desired, live: Live, policy: Policy) -> Draft:
    """Decide everything but syncs."""
    directory = Directory.of(desired, live.companies)
    wanted = [
        _company(company, directory, policy)
        for _, company in sorted(desired.companies.items())
        if _concerns(company, policy)
    ]
    kept = _perhaps_meant(wanted, directory)
    orphans = directory.orphans() if not policy.is_narrowed else ()
    left = [_orphan(orphan, desired, policy, kept) for orphan in orphans]
    return Draft((*wanted, *left), directory.managed())


def _perhaps_meant(wanted: Iterable[CompanyDraft], directory: Directory) -> frozenset[str]:
    """Ids of the companies that may be the ones that specs want; none is pruned until someone says so."""
    return frozenset(
        other.id
        for company in wanted
        if company.desired is not None and company.situation.found is Found.NAMESAKE and company.row.attention
        for other in directory.match(company.desired).others
    )


def _concerns(company: DesiredCompany, policy: Policy) -> bool:
    if not policy.is_narrowed:
        return True
    addresses = (Address(company.key), *(Address(company.key, key) for key in company.connections))
    return any(policy.includes(address) for address in addresses)


def _company(desired: DesiredCompany, directory: Directory, policy: Policy) -> CompanyDraft:
    address = Address(desired.key)
    match = directory.match(desired)
    live = match.live
    proceeds = desired.state is Presence.PRESENT
    pairs = pair(desired, live) if proceeds else Pairs({}, {}, ())
    connections = _connections(desired, pairs, policy) if proceeds else ()
    workspace = directory.desired.workspace
    created = {connection.address.connection for connection in connections if connection.is_created}
    links = _record(desired, live, pairs, created, workspace) if proceeds else {}
    is_to_come = any(mark.is_to_come for mark in links.values())
    written = before_creates(live, desired, pairs, created) if live and is_to_come else settled(links)
    fields = wanted_fields(desired, live, Ours(workspace, links_tag(written) if written else None))
    differences = changes(live, fields)
    situation = CompanySituation(
        want=Want.PRESENT if proceeds else Want.ABSENT,
        found=match.found,
        new=is_another(desired, match.others),
        differs=bool(written_by(Writer.COMPANY, differences)),
        over_budget=is_over_budget(fields, links_to_come=is_to_come),
        protected=live is not None and live.is_protected,
    )
    row = COMPANY_RULES.decide(situation)
    return CompanyDraft(
        address=address,
        desired=desired,
        live=live,
        row=row,
        situation=situation,
        included=policy.includes(address),
        fields=fields,
        changes=differences,
        links=links if is_to_come else {},
        connections=() if row.attention else (*connections, *_strays(desired, live, match, pairs, policy)),
        attention=_told(row.attention, desired, match, match.others, directory) if row.attention else None,
        copied=_told(AttentionCode.TAGS_COPIED, desired, match, match.copies, directory)
        if match.copies
        else None,
        unnamed=tuple(stray.id for stray in pairs.strays if stray.id not in pairs.former),
    )


def _told(
    code: AttentionCode,
    desired: DesiredCompany,
    match: Match,
    others: tuple[LiveCompany, ...],
    directory: Directory,
) -> Attention:
    """What is to be said of a wanted company and the other ones that were found."""
    seen = directory.desired
    subject = Subject(Address(desired.key), company=desired, live=match.live, others=others, desired=seen)
    return attention(code, subject)


def _record(
    desired: DesiredCompany,
    live: LiveCompany | None,
    pairs: Pairs,
    created: Collection[str],
    workspace: str,
) -> Marks:
    """The record of links that is due; none where the company has no room for one more tag.

    It may be left out there only while no platform stands twice.
    """
    if pairs.is_recorded:
        return {}
    links = record(desired, live, pairs, created)
    if not links or needs_ids(links, desired):
        return links
    fields = wanted_fields(desired, live, Ours(workspace))
    is_full = not is_over_budget(fields, links_to_come=False) and is_over_budget(fields, links_to_come=True)
    return {} if is_full else links


def _orphan(live: LiveCompany, desired: Desired, policy: Policy, kept: Collection[str]) -> CompanyDraft:
    """What follows for a company that no spec names; of a workspace that is taken over none is pruned."""
    address, is_ours = Address(live.tags[KEY_TAG]), live.tags[WORKSPACE_TAG] == desired.workspace
    situation = CompanySituation(
        want=Want.PRUNED if policy.prune and is_ours and live.id not in kept else Want.GONE,
        found=Found.OURS,
        new=False,
        differs=False,
        over_budget=False,
        protected=live.is_protected,
    )
    row = COMPANY_RULES.decide(situation)
    note = attention(row.attention, Subject(address, live=live, desired=desired)) if row.attention else None
    return CompanyDraft(address=address, live=live, row=row, situation=situation, attention=note)


def _connections(desired: DesiredCompany, pairs: Pairs, policy: Policy) -> tuple[ConnectionDraft, ...]:
    staying = _staying_accounting(desired, pairs, policy)
    return tuple(
        _connection(desired, connection, pairs, staying, policy)
        for _, connection in sorted(desired.connections.items())
        if policy.includes(Address(desired.key, connection.key))
    )


def _connection(
    company: DesiredCompany,
    desired: DesiredConnection,
    pairs: Pairs,
    staying: tuple[LiveConnection, ...],
    policy: Policy,
) -> ConnectionDraft:
    address = Address(company.key, desired.key)
    if trouble := pairs.trouble.get(desired.key):
        subject = Subject(
            address,
            company=company,
            connection=desired,
            candidates=trouble.candidates,
            rivals=trouble.rivals,
        )
        return ConnectionDraft(address, desired, None, None, None, attention(trouble.code, subject))
    live = pairs.live[desired.key]
    others = tuple(connection for connection in staying if live is None or connection.id != live.id)
    situation = ConnectionSituation(
        wanted=desired.wanted,
        live=_LIVE_STATUSES[live.status] if live else LiveStatus.NONE,
        migration=desired.migration,
        fresh=live is not None and _is_fresh(desired, live),
        reauthorize=bool(desired.authorization)
        and policy.reauthorizes(address, live.status if live else None, live.sent if live else ""),
        occupied=desired.source_type is SourceType.ACCOUNTING and bool(others),
        gated=not policy.preconditions_waived and bool(desired.open_preconditions),
        proof=pairs.proof[desired.key] if live else Proof.CERTAIN,
    )
    row = CONNECTION_RULES.decide(situation)
    note = None
    if row.attention:
        named = (live,) if live and row.attention is AttentionCode.AMBIGUOUS else others
        subject = Subject(
            address, company=company, connection=desired, live_connection=live, candidates=named
        )
        note = attention(row.attention, subject)
    return ConnectionDraft(
        address,
        desired,
        live,
        row,
        situation,
        note,
        _looks_due(address, desired, live, row, policy),
    )


def _looks_due(
    address: Address, desired: DesiredConnection, live: LiveConnection | None, row: Rule, policy: Policy
) -> bool:
    """Whether the listing alone says that a sync is due; the history may yet say otherwise."""
    if live is None or live.status is not Status.LINKED or desired.wanted is not Wanted.LINKED:
        return False
    if Kind.CONNECTION_AUTHORIZE in row.actions or not wants_sync(desired):
        return False
    return due_reason(address, desired, live, (), policy) is not None


def _is_fresh(desired: DesiredConnection, live: LiveConnection) -> bool:
    """Whether the tokens were issued after everything that Codat recorded; an undated error may be later."""
    if desired.issued_at is None or any(error.erred_at is None for error in live.errors):
        return False
    recorded = (live.created, live.last_sync, *(error.erred_at for error in live.errors))
    return all(moment is None or desired.issued_at > moment for moment in recorded)


def _staying_accounting(desired: DesiredCompany, pairs: Pairs, policy: Policy) -> tuple[LiveConnection, ...]:
    """The Linked accounting connections of the company that this plan neither unlinks nor deletes."""
    leaving = {
        live.id
        for key, live in pairs.live.items()
        if live is not None
        and desired.connections[key].wanted is not Wanted.LINKED
        and pairs.proof[key] is Proof.CERTAIN
        and policy.includes(Address(desired.key, key))
    }
    paired = [live for live in pairs.live.values() if live is not None]
    named = [candidate for trouble in pairs.trouble.values() for candidate in trouble.candidates]
    everything = {connection.id: connection for connection in (*paired, *named, *pairs.strays)}
    return tuple(
        connection
        for _, connection in sorted(everything.items())
        if connection.source_type is SourceType.ACCOUNTING
        and connection.status is Status.LINKED
        and connection.id not in leaving
    )


def _strays(
    desired: DesiredCompany, live: LiveCompany | None, match: Match, pairs: Pairs, policy: Policy
) -> Iterator[ConnectionDraft]:
    """What no spec names, in a company that is managed or by this plan becomes so."""
    if live is None or match.found not in (Found.OURS, Found.UNTAGGED):
        return
    for stray in pairs.strays:
        address = Address(
            desired.key, f"{slug(stray.platform_name) or stray.platform_key}:{short_id(stray.id)}"
        )
        if not policy.includes(address):
            continue
        situation = StraySituation(LiveStatus(stray.status.value), policy.prune)
        row = STRAY_RULES.decide(situation)
        note = (
            attention(
                row.attention,
                Subject(address, live=live, live_connection=stray, former=pairs.former.get(stray.id, "")),
            )
            if row.attention
            else None
        )
        former = pairs.former.get(stray.id, "")
        yield ConnectionDraft(address, None, stray, row, situation, note, former=former)
