"""Why an address is planned as it is: the rows that decided it, what they looked at, and what would differ.

There is no second logic here. A decision is taken from the draft that the plan was made of, and what
would change it is found by asking the same table about the same situation with one field changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import Any, get_type_hints

from reconciler.diagnostics import Span
from reconciler.fields import TEXTS
from reconciler.model import Address, Desired, Live, LiveCompany, LiveConnection, Pull
from reconciler.plan import Plan, SyncCompany
from reconciler.planner.actions import pulls_of, sync_decision
from reconciler.planner.decisions import CompanyDraft, ConnectionDraft, Draft
from reconciler.planner.policy import Policy
from reconciler.planner.rule_words import SAYS, TABLES, Situation, in_words
from reconciler.planner.rules import Rule

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
                    "fact": one.fact,
                    "says": says[one.fact],
                    "values": [in_words(value) for value in one.values],
                    **_result(one.row, one.row.why),
                }
                for one in self.otherwise
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
            "decisions": [one.document() for one in self.decisions],
            "actions": list(self.planned),
            "attention": list(self.attention),
        }


def explained(
    address: Address, drafted: Draft, desired: Desired, live: Live, policy: Policy, plan: Plan
) -> tuple[Explanation, ...]:
    """Why ``address`` is planned as it is in ``plan``; nothing where it names nothing.

    Mostly one; several where several orphans carry the same key.
    """
    companies = [one for one in drafted.companies if one.address.company == address.company]
    if address.is_company:
        return tuple(_company(one, plan) for one in companies)
    found = [
        _connection(company, one, live, policy, plan)
        for company in companies
        for one in company.connections
        if one.address == address
    ]
    wanted = desired.companies.get(address.company)
    if not found and wanted and (connection := wanted.connections.get(address.connection)):
        return tuple(
            replace(_company(one, plan), address=address, span=connection.span, note=BLOCKED)
            for one in companies
        )
    return tuple(found)


def addresses(drafted: Draft, desired: Desired) -> tuple[str, ...]:
    """Every address that can be explained."""
    wanted = (Address(one.key, key) for one in desired.companies.values() for key in one.connections)
    found = {
        *(one.address for one in drafted.companies),
        *(one.address for one in drafted.connections()),
        *wanted,
    }
    return tuple(str(one) for one in sorted(found))


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


def planned_at(address: Address, plan: Plan) -> tuple[dict[str, Any], ...]:
    """The plan's actions at the address, and the sync that is for it."""
    return tuple(
        action.document()
        for action in plan.actions
        if action.address == address
        or (isinstance(action, SyncCompany) and any(one.address == address for one in action.targets))
    )


def attention_at(address: Address, plan: Plan) -> tuple[dict[str, Any], ...]:
    """The plan's attention at the address."""
    return tuple(one.document() for one in plan.attention if one.address == address)


def _result(row: Rule, why: str) -> dict[str, Any]:
    return {
        "row": row.name,
        "why": why,
        "actions": [kind.value for kind in row.actions],
        "attention": row.attention.value if row.attention else None,
    }


def _neighbours(situation: Any) -> Iterator[tuple[str, object, Any]]:
    """Each field with each value that it could have instead, and the situation with that value."""
    kinds = get_type_hints(type(situation))
    for one in fields(situation):
        for value in _domain(kinds[one.name]):
            if value != getattr(situation, one.name):
                yield one.name, value, replace(situation, **{one.name: value})


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
    newest = max(pulls, key=lambda one: one.requested, default=None)
    return {
        "id": connection.id,
        "platform": connection.platform_name,
        "status": connection.status.value,
        "created": connection.created.isoformat() if connection.created else None,
        "lastSync": connection.last_sync.isoformat() if connection.last_sync else None,
        "errors": [
            {
                "statusCode": one.status_code,
                "erredAt": one.erred_at.isoformat() if one.erred_at else None,
                "active": one.active,
            }
            for one in connection.errors
        ],
        "lastPull": {
            "dataType": newest.data_type,
            "status": newest.status,
            "requested": newest.requested.isoformat(),
        }
        if newest
        else None,
    }
