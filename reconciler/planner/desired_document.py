"""Desired state as JSON and back, and digests of what a plan read.

Secrets are written as their references. Spans are left out: they are about files that the reader of
a saved plan need not have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from reconciler.actions import digest
from reconciler.fields import TEXTS, read_members, spec_members
from reconciler.live import LiveCompany
from reconciler.model import (
    UNSET,
    Desired,
    DesiredCompany,
    DesiredConnection,
    DesiredSourceAccount,
    Migration,
    Precondition,
    PreconditionState,
    Presence,
    SecretRef,
    SettingValue,
    SourceType,
    SyncPolicy,
    SyncSettings,
    Wanted,
    literal,
    written,
)
from reconciler.planner import account_rules


def live_digest(companies: Iterable[LiveCompany]) -> str:
    """The digest of what a plan read of a company: not its sync times, which move by themselves."""
    return digest(
        [
            {
                "id": company.id,
                **{text.path: text.live(company) for text in TEXTS},
                "tags": dict(company.tags),
                "products": sorted(company.products),
                "connections": sorted(
                    [link.id, link.platform_key, link.status.value] for link in company.connections
                ),
            }
            for company in companies
        ]
    )


def to_document(desired: Desired) -> dict[str, Any]:
    """The JSON form of everything that is wanted."""
    document = {
        "workspace": desired.workspace,
        "narrowed": desired.narrowed,
        "companies": {key: _company(company) for key, company in sorted(desired.companies.items())},
    }
    if desired.renamed_from is not None:
        document["workspaceRenamedFrom"] = desired.renamed_from
    if desired.account is not None:
        document["account"] = account_rules.to_document(desired.account)
    return document


def from_document(document: Mapping[str, Any]) -> Desired:
    """What ``to_document`` wrote; the document is one that passed the plan's schema."""
    companies = {key: _read_company(key, company) for key, company in sorted(document["companies"].items())}
    renamed_from = document.get("workspaceRenamedFrom")
    account = account_rules.from_document(document["account"]) if "account" in document else None
    return Desired(document["workspace"], companies, document["narrowed"], renamed_from, account)


def desired_digest(desired: Desired) -> str:
    """The digest of everything that the specs want."""
    return digest(to_document(desired))


def _company(company: DesiredCompany) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": company.name,
        "tags": dict(sorted(company.tags.items())),
        "new": company.new,
        "state": company.state.value,
        "connections": {
            key: _connection(connection) for key, connection in sorted(company.connections.items())
        },
    }
    document |= spec_members(company)
    if company.protect is not UNSET:
        document["protect"] = company.protect
    if company.products is not UNSET:
        document["products"] = sorted(company.products)
    if company.sync_settings is not UNSET:
        document["syncSettings"] = _settings(company.sync_settings)
    if company.id is not None:
        document["id"] = company.id
    if company.new_beside:
        document["newBeside"] = sorted(company.new_beside)
    if company.renamed_from is not None:
        document["renamedFrom"] = company.renamed_from
    return document


def _settings(settings: SyncSettings | None) -> dict[str, dict[str, SettingValue]] | None:
    return {name: dict(members) for name, members in settings.items()} if settings is not None else None


def _connection(connection: DesiredConnection) -> dict[str, Any]:
    sync = connection.sync
    document: dict[str, Any] = {
        "platform": connection.platform,
        "platformKey": connection.platform_key,
        "sourceType": connection.source_type.value,
        "migration": connection.migration.value,
        "state": connection.wanted.value,
        "authorization": {
            name: str(value) if isinstance(value, SecretRef) else written(value)
            for name, value in sorted(connection.authorization.items())
        },
        "sync": {"never": sync.never, "dataTypes": list(sync.data_types)},
        "preconditions": {
            name.value: state.value for name, state in sorted(connection.preconditions.items())
        },
    }
    if sync.max_age is not None:
        document["sync"]["maxAgeSeconds"] = int(sync.max_age.total_seconds())
    if connection.id is not None:
        document["id"] = connection.id
    if connection.renamed_from is not None:
        document["renamedFrom"] = connection.renamed_from
    if connection.source_accounts:
        document["sourceAccounts"] = {
            identifier: _source_account(account)
            for identifier, account in sorted(connection.source_accounts.items())
        }
    if connection.issued_at is not None:
        document["issuedAt"] = connection.issued_at.isoformat()
    return document


def _source_account(account: DesiredSourceAccount) -> dict[str, Any]:
    return {
        "accountName": written(account.name),
        "accountType": account.type,
        "currency": account.currency,
        "numbers": {name: str(ref) for name, ref in sorted(account.numbers.items())},
        "state": account.state.value,
    }


def _read_source_account(identifier: str, document: Mapping[str, Any]) -> DesiredSourceAccount:
    numbers = {name: SecretRef.parse(text) for name, text in document["numbers"].items()}
    return DesiredSourceAccount(
        identifier,
        literal(document["accountName"]),
        document["accountType"],
        document["currency"],
        {name: ref for name, ref in numbers.items() if ref is not None},
        Presence(document["state"]),
    )


def moment(text: str) -> datetime:
    """The moment that a document has, which is never without its zone.

    Raises:
        ValueError: it is none.
    """
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError("a moment without a zone")
    return read


def _read_company(key: str, document: Mapping[str, Any]) -> DesiredCompany:
    return DesiredCompany(
        key=key,
        name=document["name"],
        **read_members(document),
        tags=document["tags"],
        id=document.get("id"),
        new=document["new"],
        new_beside=tuple(document.get("newBeside", ())),
        renamed_from=document.get("renamedFrom"),
        protect=document.get("protect", UNSET),
        products=tuple(document["products"]) if "products" in document else UNSET,
        sync_settings=document.get("syncSettings", UNSET),
        state=Presence(document["state"]),
        connections={
            name: _read_connection(name, connection) for name, connection in document["connections"].items()
        },
    )


def _read_connection(key: str, document: Mapping[str, Any]) -> DesiredConnection:
    sync = document["sync"]
    issued_at = document.get("issuedAt")
    return DesiredConnection(
        key=key,
        platform=document["platform"],
        platform_key=document["platformKey"],
        source_type=SourceType(document["sourceType"]),
        migration=Migration(document["migration"]),
        wanted=Wanted(document["state"]),
        id=document.get("id"),
        authorization={name: _value(text) for name, text in document["authorization"].items()},
        issued_at=moment(issued_at) if issued_at is not None else None,
        sync=SyncPolicy(
            sync["never"],
            timedelta(seconds=sync["maxAgeSeconds"]) if "maxAgeSeconds" in sync else None,
            tuple(sync["dataTypes"]),
        ),
        preconditions={
            Precondition(name): PreconditionState(state) for name, state in document["preconditions"].items()
        },
        renamed_from=document.get("renamedFrom"),
        source_accounts={
            identifier: _read_source_account(identifier, account)
            for identifier, account in document.get("sourceAccounts", {}).items()
        },
    )


def _value(text: str) -> str | SecretRef:
    """An authorization value; only a whole value is ever a reference, as in the specs."""
    return SecretRef.parse(text) or literal(text)
