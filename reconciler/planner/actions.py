"""The second half of a plan: from what is decided for a company to its actions and attention."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.actions import (
    Action,
    AddProduct,
    AdoptCompany,
    AuthorizeConnection,
    CreateCompany,
    CreateConnection,
    DeleteCompany,
    DeleteConnection,
    RemoveProduct,
    SetSyncSettings,
    SyncCompany,
    SyncTarget,
    UnlinkConnection,
    UpdateCompany,
)
from reconciler.fields import TEXTS, by_path
from reconciler.kinds import Change, Kind
from reconciler.live import Live, LiveCompany, LiveConnection, Pull, Status
from reconciler.model import (
    KEY_TAG,
    LINKS_TAG,
    WORKSPACE_TAG,
    DesiredCompany,
    DesiredConnection,
    Mark,
    SyncSettings,
    Unset,
    Wanted,
)
from reconciler.plan import Attention
from reconciler.planner.company_rules import Want
from reconciler.planner.drafts import CompanyDraft, ConnectionDraft
from reconciler.planner.fields import Writer, members_at, text_at, written_by
from reconciler.planner.marking import before_deletes
from reconciler.planner.messages import Subject, attention
from reconciler.planner.narrowing import narrowings
from reconciler.planner.policy import Policy
from reconciler.planner.rules import Rule
from reconciler.planner.source_accounts import source_accounts
from reconciler.planner.sync_rules import (
    SYNC_RULES,
    LastPull,
    SyncSituation,
    custom_products,
    due_reason,
    fetched_types,
    last_pull,
    products_of,
    wants_sync,
)


@dataclass(slots=True)
class Decided:
    """One company's share of the plan."""

    actions: list[Action] = field(default_factory=list)
    attention: list[Attention] = field(default_factory=list)


def decided(company: CompanyDraft, live: Live, policy: Policy) -> Decided:
    """The actions and the attention of one company."""
    found = Decided([*_company_actions(company, policy), *_further_actions(company, policy)])
    found.attention += [
        attention for attention in (company.attention, company.copied) if attention is not None
    ]
    for connection in company.connections:
        found.actions += _connection_actions(company, connection)
        if connection.attention:
            found.attention.append(connection.attention)
        accounts = source_accounts(company, connection, live)
        found.actions += accounts.actions
        found.attention += accounts.attention
    sync = _Sync()
    for connection in company.connections:
        decision = sync_decision(company, connection, live, policy)
        if decision is not None:
            _add_sync(sync, connection, decision)
    found.attention += sync.attention
    if sync.targets:
        reason = "; ".join(dict.fromkeys(sync.reasons))
        found.actions.append(_sync_company(company, reason, tuple(sync.targets)))
    return found


def _sync_company(company: CompanyDraft, reason: str, targets: tuple[SyncTarget, ...]) -> SyncCompany:
    """The sync of these connections: of custom products by a request for each, of all else by one."""
    if all(target.data_types for target in targets):
        return SyncCompany(
            address=company.address, reason=reason, company_id=_company_id(company), targets=targets
        )
    custom = custom_products(company.desired, company.live)
    only = bool(custom) and len(custom) == len(products_of(company.desired, company.live))
    return SyncCompany(
        address=company.address,
        reason=reason,
        company_id=_company_id(company),
        targets=targets,
        products=custom,
        only_products=only,
    )


def _company_id(company: CompanyDraft) -> str | None:
    return company.live.id if company.live else None


def _company_actions(company: CompanyDraft, policy: Policy) -> Iterator[Action]:
    for kind in company.row.actions:
        if kind is Kind.COMPANY_CREATE:
            yield _create_company(company, policy)
        elif kind is Kind.COMPANY_DELETE and company.live and company.included:
            yield DeleteCompany(
                address=company.address,
                reason=company.row.why,
                company_id=company.live.id,
                name=company.live.name,
                pruned=company.situation.want is Want.PRUNED,
                observed=company.live,
            )
        elif company.live and (found := _wanted_changes(company)):
            action = AdoptCompany if kind is Kind.COMPANY_ADOPT else UpdateCompany
            yield action(
                address=company.address,
                reason=company.why,
                company_id=company.live.id,
                changes=found,
                observed=company.live,
            )


def _create_company(company: CompanyDraft, policy: Policy) -> CreateCompany:
    fields = company.fields
    texts = {text.path: text_at(fields, text.path) for text in TEXTS}
    products = tuple(sorted(members_at(fields, "products"))) if policy.create_with_products else ()
    return CreateCompany(
        address=company.address,
        reason=company.row.why,
        fields=by_path(texts, members_at(fields, "tags")),
        products=products,
    )


def _wanted_changes(company: CompanyDraft) -> tuple[Change, ...]:
    """What to change; where only connections are targeted, only our own marks."""
    found = written_by(Writer.COMPANY, company.changes)
    if company.included:
        return found
    ours = {f"tags.{tag}" for tag in (WORKSPACE_TAG, KEY_TAG, LINKS_TAG)}
    return tuple(change for change in found if change.path in ours)


def _further_actions(company: CompanyDraft, policy: Policy) -> Iterator[Action]:
    """What a company that is wanted needs besides its own fields: products, then sync settings."""
    desired = company.desired
    if desired is None or not company.included or not company.proceeds:
        return
    company_id = _company_id(company)
    is_created_with_them = company.live is None and policy.create_with_products
    for change in () if is_created_with_them else written_by(Writer.PRODUCTS, company.changes):
        if change.after is not None:
            yield AddProduct(
                address=company.address,
                reason="in the spec's products",
                company_id=company_id,
                product=change.after,
            )
        elif company_id and change.before is not None:
            yield RemoveProduct(
                address=company.address,
                reason="not in the spec's products",
                company_id=company_id,
                product=change.before,
            )
    settings = written_by(Writer.SYNC_SETTINGS, company.changes)
    if settings and not isinstance(desired.sync_settings, Unset):
        yield _set_sync_settings(company, settings, desired.sync_settings)


def _set_sync_settings(
    company: CompanyDraft, settings: tuple[Change, ...], wanted: SyncSettings | None
) -> SetSyncSettings:
    why = "sync settings differ" if wanted else "back to the profile's, by the spec"
    narrows = narrowings(company.live, settings)
    if narrows:
        named = ", ".join(path.partition(".")[2] for path in narrows)
        why += f"; Codat may delete or void records already synced, since less is fetched: {named}"
    return SetSyncSettings(
        address=company.address,
        reason=why,
        company_id=_company_id(company),
        changes=settings,
        settings=wanted,
        narrows=narrows,
    )


def _connection_actions(company: CompanyDraft, connection: ConnectionDraft) -> Iterator[Action]:
    row, live = connection.row, connection.live
    for kind in row.actions if row else ():
        if kind is Kind.CONNECTION_CREATE and connection.desired:
            yield _create_connection(company, connection, connection.desired)
        elif kind is Kind.CONNECTION_AUTHORIZE and connection.desired:
            yield _authorize(company, connection, connection.desired)
        elif row and live:
            yield _removal(kind, row, company, live, connection)


def _create_connection(
    company: CompanyDraft, connection: ConnectionDraft, desired: DesiredConnection
) -> CreateConnection:
    created = [draft.address for draft in company.connections if draft.is_created]
    to_come = {key for key, mark in company.links.items() if mark.is_to_come}
    recorded = [address for address in created if address.connection in to_come]
    is_last = connection.address in recorded[-1:]
    return CreateConnection(
        address=connection.address,
        reason=connection.row.why if connection.row else "",
        company_id=_company_id(company),
        platform=desired.platform,
        platform_key=desired.platform_key,
        links=company.links if is_last else {},
        known=tuple(live.id for live in company.live.connections) if company.live else (),
        unnamed=company.unnamed,
    )


def _authorize(
    company: CompanyDraft, connection: ConnectionDraft, desired: DesiredConnection
) -> AuthorizeConnection:
    live = connection.live
    why = connection.row.why if connection.row and live else "created by this plan"
    return AuthorizeConnection(
        address=connection.address,
        reason=why,
        company_id=_company_id(company),
        connection_id=live.id if live else None,
        platform=desired.platform,
        platform_key=desired.platform_key,
        observed=live.status if live else None,
        authorization=desired.authorization,
        reauthorized=live is not None and live.status is Status.LINKED,
        last_sync=live.last_sync if live else None,
        sent_before=live.sent if live else "",
        is_marked=live is not None and live.status is Status.LINKED,
    )


def _removal(
    kind: Kind, row: Rule, company: CompanyDraft, live: LiveConnection, connection: ConnectionDraft
) -> Action:
    desired = connection.desired
    platform = desired.platform if desired else live.platform_name
    company_id = _company_id(company) or ""
    if kind is Kind.CONNECTION_UNLINK:
        return UnlinkConnection(
            address=connection.address,
            reason=row.why,
            company_id=company_id,
            connection_id=live.id,
            platform=platform,
        )
    return DeleteConnection(
        address=connection.address,
        reason=row.why,
        company_id=company_id,
        connection_id=live.id,
        platform=platform,
        status=live.status,
        pruned=desired is None,
        links=_record_before(company, connection),
    )


def _record_before(company: CompanyDraft, deleted: ConnectionDraft) -> Mapping[str, Mark]:
    """What the first delete of a company writes into its record, unless the company's own update does."""
    leaving = [
        connection
        for connection in company.connections
        if connection.desired is not None
        and connection.row is not None
        and Kind.CONNECTION_DELETE in connection.row.actions
    ]
    is_written = any(change.path == f"tags.{LINKS_TAG}" for change in company.changes)
    if company.live is None or is_written or leaving[:1] != [deleted]:
        return {}
    named = [(draft.desired, draft.live.id) for draft in leaving if draft.desired and draft.live]
    return before_deletes(company.live, named)


# --- syncs -------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Sync:
    targets: list[SyncTarget] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    attention: list[Attention] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SyncDecision:
    """The row for a connection's sync, the situation that it is for, and the reason in that case."""

    desired: DesiredConnection
    situation: SyncSituation
    row: Rule
    why: str


def pulls_of(company: CompanyDraft, connection: ConnectionDraft, live: Live) -> tuple[Pull, ...]:
    """The connection's share of the company's history, where that was read."""
    if company.live is None or connection.live is None:
        return ()
    identifier = connection.live.id
    return tuple(pull for pull in live.pulls.get(company.live.id, ()) if pull.connection_id == identifier)


def sync_decision(
    company: CompanyDraft, connection: ConnectionDraft, live: Live, policy: Policy
) -> SyncDecision | None:
    """What follows for a connection's sync; ``None`` where it is never synced, or is not Linked."""
    desired, current = connection.desired, connection.live
    if company.desired is None or desired is None or not wants_sync(desired):
        return None
    is_linked = current is not None and current.status is Status.LINKED and desired.wanted is Wanted.LINKED
    if not (connection.is_authorized or is_linked):
        return None
    pulls = pulls_of(company, connection, live)
    reason = (
        due_reason(connection.address, desired, current, pulls, policy) if current and is_linked else None
    )
    situation = SyncSituation(
        authorized=connection.is_authorized,
        due=reason is not None,
        last_pull=last_pull(pulls) if connection.looks_due else LastPull.SETTLED,
        retry=policy.retry_syncs,
        fetchable=_is_fetchable(company.desired, desired, company.live, live),
    )
    row = SYNC_RULES.decide(situation)
    return SyncDecision(desired, situation, row, reason if row.name == "sync-due" and reason else row.why)


def _is_fetchable(
    company: DesiredCompany, connection: DesiredConnection, current: LiveCompany | None, live: Live
) -> bool:
    """Whether a sync of the connection would fetch anything, as far as Codat says what its platform has."""
    if connection.sync.data_types:
        return True
    fetched = fetched_types(company, current, live.fetched_types)
    if fetched is None or custom_products(company, current):
        return True
    platform = next((known for known in live.platforms if known.key == connection.platform_key), None)
    has = {data_type.lower() for data_type in platform.data_types} if platform else set()
    return any(not has or data_type.lower() in has for data_type in fetched)


def _add_sync(sync: _Sync, connection: ConnectionDraft, decision: SyncDecision) -> None:
    row, desired = decision.row, decision.desired
    if row.attention:
        subject = Subject(connection.address, connection=desired, live_connection=connection.live)
        sync.attention.append(attention(row.attention, subject))
    if row.actions:
        identifier = connection.live.id if connection.live else None
        sync.targets.append(
            SyncTarget(
                address=connection.address, connection_id=identifier, data_types=desired.sync.data_types
            )
        )
        sync.reasons.append(decision.why)
