"""Small factories for what a plan is made from, and short forms of what comes out.

A connection is by default one that can be authorized: self-service, tokens given, preconditions done.
A live one is by default Linked and synced a day ago, so that nothing is due.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.live import Live, LiveCompany, LiveConnection, LiveError, Pull, PullState, Status
from reconciler.model import (
    KEY_TAG,
    LINKS_TAG,
    WORKSPACE_TAG,
    Desired,
    DesiredCompany,
    DesiredConnection,
    Migration,
    Precondition,
    PreconditionState,
    SourceType,
)
from reconciler.plan import Plan
from reconciler.planner import Policy, make_plan
from reconciler.secret_refs import SecretRef, Variable

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
WORKSPACE = "prod"
TOOL, API = "codat-sync 0.0.0", "https://api.codat.io"


def ago(days: float = 0, **units: float) -> datetime:
    """A moment so long before the plan's own."""
    return NOW - timedelta(days=days, **units)


@dataclass(frozen=True)
class Integration:
    """A platform as specs, listings and Codat's platform keys name it."""

    slug: str
    name: str
    key: str
    source_type: SourceType


QBO = Integration("quickbooks-online", "QuickBooks Online", "qhyg", SourceType.ACCOUNTING)
XERO = Integration("xero", "Xero", "gbol", SourceType.ACCOUNTING)
PLAID = Integration("plaid", "Plaid", "suuo", SourceType.BANKING)
TRUELAYER = Integration("truelayer", "TrueLayer", "upvr", SourceType.BANKING)
FEED = Integration("sage-bank-feeds", "Sage bank feeds", "olpr", SourceType.BANK_FEED)

OPEN_GATE: Mapping[Precondition, PreconditionState] = dict.fromkeys(Precondition, PreconditionState.DONE)
TOKENS: Mapping[str, str | SecretRef] = {
    "accessToken": SecretRef(Variable("ACME_ACCESS")),
    "realmId": "4620816365",
}


def wanted_connection(
    key: str = "books", on: Integration = QBO, migration: Migration = Migration.SELF_SERVICE, **fields: Any
) -> DesiredConnection:
    """A connection of a spec; tokens are given where it is migrated by us."""
    if migration is Migration.SELF_SERVICE:
        fields.setdefault("authorization", TOKENS)
    fields.setdefault("preconditions", OPEN_GATE)
    return DesiredConnection(
        key=key,
        platform=on.slug,
        platform_key=on.key,
        source_type=on.source_type,
        migration=migration,
        **fields,
    )


def wanted(
    *connections: DesiredConnection, key: str = "acme", name: str = "", **fields: Any
) -> DesiredCompany:
    """A company of a spec; its name follows from its key."""
    named = {connection.key: connection for connection in connections}
    return DesiredCompany(key=key, name=name or key.title(), connections=named, **fields)


def specs(*companies: DesiredCompany, narrowed: bool = False, renamed_from: str | None = None) -> Desired:
    """All specs of the workspace."""
    return Desired(
        workspace=WORKSPACE,
        companies={company.key: company for company in companies},
        narrowed=narrowed,
        renamed_from=renamed_from,
    )


def connection(
    identifier: str = "c0000001-0000",
    status: Status = Status.LINKED,
    on: Integration = QBO,
    *,
    created: datetime | None = ago(days=60),  # noqa: B008 a constant
    last_sync: datetime | None = ago(days=1),  # noqa: B008 a constant
    errors: Iterable[LiveError] = (),
) -> LiveConnection:
    """A live connection; one that was never authorized was never synced either."""
    synced = None if status is Status.PENDING_AUTH else last_sync
    return LiveConnection(
        id=identifier,
        platform_key=on.key,
        platform_name=on.name,
        status=status,
        source_type=on.source_type,
        created=created,
        last_sync=synced,
        errors=tuple(errors),
    )


def company(
    *connections: LiveConnection,
    identifier: str = "a0000001-0000",
    name: str = "",
    owner: str | None = "acme",
    workspace: str = WORKSPACE,
    tags: Mapping[str, str] | None = None,
    description: str | None = None,
) -> LiveCompany:
    """A live company, of our workspace and the key ``owner``, or without our tags for ``None``."""
    ours = {WORKSPACE_TAG: workspace, KEY_TAG: owner} if owner else {}
    return LiveCompany(
        id=identifier,
        name=name or (owner or "acme").title(),
        description=description,
        tags={**ours, **(tags or {})},
        created=ago(days=60),
        connections=connections,
    )


def pull(
    identifier: str, state: PullState, requested: datetime, *, completed: datetime | None = None
) -> Pull:
    """A pull of one connection."""
    status = {PullState.RUNNING: "Fetching", PullState.DONE: "Complete", PullState.FAILED: "FetchError"}
    return Pull(
        id=f"p-{identifier}-{requested:%s}",
        connection_id=identifier,
        data_type="invoices",
        status=status[state],
        state=state,
        requested=requested,
        completed=completed,
    )


def policy(**fields: Any) -> Policy:
    """A run without flags, at ``NOW``."""
    return Policy(**{"now": NOW, **fields})


def plan_for(
    wanted_companies: DesiredCompany | Desired | Iterable[DesiredCompany],
    live_companies: LiveCompany | Iterable[LiveCompany] = (),
    run: Policy | None = None,
    *,
    pulls: Iterable[Pull] = (),
    fetched: Iterable[str] = ("invoices",),
    is_recorded: bool = True,
) -> Plan:
    """The plan for these companies; every live company's history holds the pulls of its connections.

    A managed company without a record of links gets one, as if we had made what its spec can mean.
    """
    if isinstance(wanted_companies, DesiredCompany):
        wanted_companies = (wanted_companies,)
    desired = wanted_companies if isinstance(wanted_companies, Desired) else specs(*wanted_companies)
    found = (live_companies,) if isinstance(live_companies, LiveCompany) else tuple(live_companies)
    if is_recorded:
        found = tuple(recorded(company, desired) for company in found)
    history = {
        company.id: own
        for company in found
        if (own := tuple(p for p in pulls if company.connection(p.connection_id)))
    }
    live = Live(companies=found, pulls=history, fetched_types=frozenset(fetched))
    return make_plan(desired, live, run or policy(), tool=TOOL, api=API)


def recorded(live: LiveCompany, desired: Desired) -> LiveCompany:
    """The company with a record of what is the only one of its platform, in Codat and in the spec."""
    spec = desired.companies.get(live.tags.get(KEY_TAG, ""))
    if spec is None or LINKS_TAG in live.tags:
        return live
    there = Counter(connection.platform_key for connection in live.connections)
    meant = Counter(
        connection.platform_key for connection in spec.connections.values() if connection.id is None
    )
    text = ",".join(
        f"{key}@{connection.platform_key}"
        for key, connection in sorted(spec.connections.items())
        if there[connection.platform_key] == meant[connection.platform_key] == 1 and connection.id is None
    )
    return replace(live, tags={**live.tags, LINKS_TAG: text}) if text else live


def actions(plan: Plan) -> list[str]:
    """Each action as ``kind address``."""
    return [f"{action.kind} {action.address}" for action in plan.actions]


def attention(plan: Plan) -> list[str]:
    """Each attention as ``class code address``."""
    return [
        f"{attention.attention_class} {attention.code} {attention.address}" for attention in plan.attention
    ]


def message(plan: Plan) -> str:
    """The one message of a plan's attention."""
    (only,) = plan.attention
    return only.message
