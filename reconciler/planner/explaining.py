"""Why an address is planned as it is, in the words of the rules that decided it.

There is no second logic here. A decision is taken from the draft that the plan was made of, and what
would change it is found by asking the same table about the same situation with one field changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import Any, Final, TypeVar, get_type_hints

from reconciler.actions import SyncCompany
from reconciler.diagnostics import Span
from reconciler.fields import TEXTS
from reconciler.live import Live, LiveCompany, LiveConnection, Pull
from reconciler.model import Address, Desired
from reconciler.plan import Plan
from reconciler.planner.account_rules import WEBHOOK_RULES, Meant, WebhookSituation
from reconciler.planner.actions import pulls_of, sync_decision
from reconciler.planner.company_rules import COMPANY_RULES, CompanySituation, Found, Want
from reconciler.planner.connection_rules import (
    CONNECTION_RULES,
    STRAY_RULES,
    ConnectionSituation,
    LiveStatus,
    Proof,
    StraySituation,
)
from reconciler.planner.drafts import CompanyDraft, ConnectionDraft, Draft
from reconciler.planner.policy import Policy
from reconciler.planner.rules import Rule, RuleTable
from reconciler.planner.source_accounts import (
    SOURCE_ACCOUNT_RULES,
    SourceAccountSituation,
    source_account_decisions,
)
from reconciler.planner.sync_rules import SYNC_RULES, LastPull, SyncSituation

Situation = (
    CompanySituation
    | ConnectionSituation
    | StraySituation
    | SyncSituation
    | WebhookSituation
    | SourceAccountSituation
)
SituationT = TypeVar("SituationT", bound=Situation)

TABLES: Final[Mapping[type[Situation], tuple[str, RuleTable[Any]]]] = {
    CompanySituation: ("company", COMPANY_RULES),
    ConnectionSituation: ("connection", CONNECTION_RULES),
    StraySituation: ("stray", STRAY_RULES),
    SyncSituation: ("sync", SYNC_RULES),
    WebhookSituation: ("webhook", WEBHOOK_RULES),
    SourceAccountSituation: ("sourceAccount", SOURCE_ACCOUNT_RULES),
}
"""The table that decides each kind of situation, and its name."""

SAYS: Final[Mapping[type[Situation], Mapping[str, str]]] = {
    CompanySituation: {
        "want": "what is wanted of it",
        "found": "what Codat has",
        "new": "new: true in the spec speaks of the one company that was found",
        "differs": "managed fields differ",
        "over_budget": "it would have more tags than Codat keeps",
        "protected": "it carries the protect tag",
    },
    ConnectionSituation: {
        "wanted": "state in the spec",
        "live": "live status",
        "migration": "how it gets linked",
        "fresh": "issuedAt is later than all that Codat recorded of it",
        "reauthorize": "--reauthorize names it, and the spec has tokens for it",
        "occupied": "another accounting connection of the company is Linked and stays so",
        "gated": "a precondition of sending tokens is still to do",
        "proof": "how sure it is that Codat's connection is the one that the spec means",
    },
    StraySituation: {
        "live": "live status",
        "prune": "--prune",
    },
    SyncSituation: {
        "authorized": "this plan authorizes it",
        "due": "a sync is due",
        "last_pull": "what Codat's history says",
        "retry": "--retry-syncs",
        "fetchable": "a sync would fetch something",
    },
    WebhookSituation: {
        "meant": "what the specs say of it",
        "live": "Codat has it",
        "crowded": "Codat has consumers of its URL that no spec means",
        "ours": "the account is this workspace's already",
    },
    SourceAccountSituation: {
        "wanted": "wanted state of the source account",
        "live": "Codat has it",
        "doubled": "Codat has several under its id",
        "another": "Codat has another type or currency under its id",
        "renamed": "its name differs",
    },
}

_VALUES: Final[Mapping[type[Enum], Mapping[Enum, str]]] = {
    Want: {
        Want.ABSENT: "absent, by the spec",
        Want.GONE: "nothing, it is in no spec",
        Want.PRUNED: "nothing, it is in no spec, and --prune",
    },
    Found: {
        Found.NONE: "no such company",
        Found.NAMESAKE: "a company of the same name, or of the same key in another workspace",
        Found.OURS: "the company with our tags",
        Found.UNTAGGED: "the company that id names, not managed yet",
        Found.CONFLICT: "a company that the tags or the id contradict",
        Found.MISSING: "no company of the id in the spec",
        Found.DUPLICATE: "several companies with our tags",
    },
    LiveStatus: {
        LiveStatus.NONE: "no such connection",
        LiveStatus.UNKNOWN: "one that this version does not know",
    },
    Proof: {
        Proof.CERTAIN: "certain: its id or the record of links says so",
        Proof.ALONE: "there is no other of its platform, and no record",
        Proof.GUESSED: "it is the likeliest, and may be another's",
    },
    Meant: {
        Meant.PRESENT: "it shall be there",
        Meant.ABSENT: "absent, by the spec",
        Meant.BESIDE: "nothing, and they name its URL",
        Meant.UNNAMED: "nothing, and they do not name its URL",
    },
    LastPull: {
        LastPull.SETTLED: "nothing runs, and the last pull did not fail",
        LastPull.RUNNING: "a pull is running",
        LastPull.FAILED: "the last pull failed",
    },
}
"""Values that do not speak for themselves; by class, since members of two enums may be equal as text."""


def in_words(value: object) -> str:
    """A value of a situation's field as a reader says it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return _VALUES.get(type(value), {}).get(value, str(value.value))
    return str(value)


BLOCKED = "nothing is decided for it while this stands for its company"
UNPAIRED = "which live connection is meant cannot be told, so no rule applies"


@dataclass(frozen=True, slots=True)
class Otherwise:
    """What would follow if one field of the situation had one of these values."""

    fact: str
    values: tuple[object, ...]
    row: Rule


@dataclass(frozen=True, slots=True)
class Decision:
    """A rule that decided something: its situation, its row, and the reason in this case."""

    situation: Situation
    row: Rule
    why: str

    @property
    def otherwise(self) -> tuple[Otherwise, ...]:
        """The changes of one field that would lead to another result, by field and row."""
        _, table = TABLES[type(self.situation)]
        found: dict[tuple[str, str], Otherwise] = {}
        for name, value, neighbour in _neighbours(self.situation):
            row = table.decide(neighbour)
            if (row.actions, row.attention) != (self.row.actions, self.row.attention):
                known = found.get((name, row.name), Otherwise(name, (), row))
                found[name, row.name] = replace(known, values=(*known.values, value))
        return tuple(found.values())

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        says = SAYS[type(self.situation)]
        table, _ = TABLES[type(self.situation)]
        return {
            "table": table,
            **_result(self.row, self.why),
            "facts": [
                {"fact": name, "says": says[name], "value": in_words(getattr(self.situation, name))}
                for name in says
            ],
            "otherwise": [
                {
                    "fact": otherwise.fact,
                    "says": says[otherwise.fact],
                    "values": [in_words(value) for value in otherwise.values],
                    **_result(otherwise.row, otherwise.row.why),
                }
                for otherwise in self.otherwise
            ],
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that a plan decided for an address. ``note`` says why no rule of its own applies."""

    address: Address
    span: Span | None
    live: dict[str, Any] | None
    decisions: tuple[Decision, ...]
    planned: tuple[dict[str, Any], ...]
    attention: tuple[dict[str, Any], ...]
    note: str = ""

    def document(self) -> dict[str, Any]:
        """The JSON form. Of the live values, only what a rule or a reader needs; no link URL."""
        span = self.span
        return {
            "address": str(self.address),
            "spec": {"file": span.file, "line": span.line, "column": span.column} if span else None,
            "live": self.live,
            "note": self.note,
            "decisions": [decision.document() for decision in self.decisions],
            "actions": list(self.planned),
            "attention": list(self.attention),
        }


def explained(
    address: Address, drafted: Draft, desired: Desired, live: Live, policy: Policy, plan: Plan
) -> tuple[Explanation, ...]:
    """Why ``address`` is planned as it is in ``plan``; nothing where it names nothing.

    Mostly one; several where several orphans carry the same key.
    """
    companies = [company for company in drafted.companies if company.address.company == address.company]
    if address.is_company:
        return tuple(_company(company, plan) for company in companies)
    found = [
        _connection(company, draft, live, policy, plan)
        for company in companies
        for draft in company.connections
        if draft.address == address
    ]
    wanted = desired.companies.get(address.company)
    if not found and wanted and (connection := wanted.connections.get(address.connection)):
        return tuple(
            replace(_company(company, plan), address=address, span=connection.span, note=BLOCKED)
            for company in companies
        )
    return tuple(found)


def addresses(drafted: Draft, desired: Desired) -> tuple[str, ...]:
    """Every address that can be explained."""
    wanted = (
        Address(company.key, key) for company in desired.companies.values() for key in company.connections
    )
    found = {
        *(company.address for company in drafted.companies),
        *(connection.address for company in drafted.companies for connection in company.connections),
        *wanted,
    }
    return tuple(str(address) for address in sorted(found))


def _company(company: CompanyDraft, plan: Plan) -> Explanation:
    return Explanation(
        company.address,
        company.desired.span if company.desired else None,
        _live_company(company.live) if company.live else None,
        (Decision(company.situation, company.row, company.why),),
        planned_at(company.address, plan),
        attention_at(company.address, plan),
    )


def _connection(
    company: CompanyDraft, connection: ConnectionDraft, live: Live, policy: Policy, plan: Plan
) -> Explanation:
    pulls = pulls_of(company, connection, live)
    return Explanation(
        connection.address,
        connection.desired.span if connection.desired else None,
        _live_connection(connection.live, pulls) if connection.live else None,
        tuple(_decisions(company, connection, live, policy)),
        planned_at(connection.address, plan),
        attention_at(connection.address, plan),
        UNPAIRED if connection.row is None else "",
    )


def _decisions(
    company: CompanyDraft, connection: ConnectionDraft, live: Live, policy: Policy
) -> Iterator[Decision]:
    if connection.row and connection.situation:
        yield Decision(connection.situation, connection.row, connection.row.why)
    sync = sync_decision(company, connection, live, policy)
    if sync is not None:
        yield Decision(sync.situation, sync.row, sync.why)
    for account in source_account_decisions(connection, live):
        yield Decision(account.situation, account.row, account.why)


def planned_at(address: Address, plan: Plan) -> tuple[dict[str, Any], ...]:
    """The plan's actions at the address, and the sync that is for it."""
    return tuple(
        action.document()
        for action in plan.actions
        if action.address == address
        or (isinstance(action, SyncCompany) and any(target.address == address for target in action.targets))
    )


def attention_at(address: Address, plan: Plan) -> tuple[dict[str, Any], ...]:
    """The plan's attention at the address."""
    return tuple(attention.document() for attention in plan.attention if attention.address == address)


def _result(row: Rule, why: str) -> dict[str, Any]:
    return {
        "row": row.name,
        "why": why,
        "actions": [kind.value for kind in row.actions],
        "attention": row.attention.value if row.attention else None,
    }


def _neighbours(situation: SituationT) -> Iterator[tuple[str, object, SituationT]]:
    """Each field with each value that it could have instead, and the situation with that value."""
    kinds = get_type_hints(type(situation))
    for field in fields(situation):
        for value in _domain(kinds[field.name]):
            if value != getattr(situation, field.name):
                other: dict[str, Any] = {field.name: value}
                yield field.name, value, replace(situation, **other)


def _domain(kind: type[object]) -> Iterable[object]:
    return list(kind) if issubclass(kind, Enum) else (False, True)


# --- live values -------------------------------------------------------------------------------


def _live_company(company: LiveCompany) -> dict[str, Any]:
    return {
        "id": company.id,
        **{text.path: text.live(company) for text in TEXTS},
        "tags": dict(sorted(company.tags.items())),
        "created": company.created.isoformat() if company.created else None,
        "connections": len(company.connections),
    }


def _live_connection(connection: LiveConnection, pulls: Iterable[Pull]) -> dict[str, Any]:
    """What Codat has. The words of its recorded errors are left out: they may repeat a token."""
    newest = max(pulls, key=lambda pull: pull.requested, default=None)
    return {
        "id": connection.id,
        "platform": connection.platform_name,
        "status": connection.status.value,
        "created": connection.created.isoformat() if connection.created else None,
        "lastSync": connection.last_sync.isoformat() if connection.last_sync else None,
        "errors": [
            {
                "statusCode": error.status_code,
                "erredAt": error.erred_at.isoformat() if error.erred_at else None,
                "active": error.active,
            }
            for error in connection.errors
        ],
        "lastPull": {
            "dataType": newest.data_type,
            "status": newest.status,
            "requested": newest.requested.isoformat(),
        }
        if newest
        else None,
    }
