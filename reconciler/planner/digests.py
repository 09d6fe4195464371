"""What a plan was made from, as digests: the desired state, and each live company it concerns."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from typing import Any

from reconciler.model import Desired, DesiredCompany, DesiredConnection, LiveCompany
from reconciler.plan import digest


def desired_digest(desired: Desired) -> str:
    """The digest of everything that the specs want; secrets count as their references."""
    companies = {key: _company(one) for key, one in desired.companies.items()}
    return digest({"workspace": desired.workspace, "companies": companies})


def live_digest(companies: Iterable[LiveCompany]) -> str:
    """The digest of what a plan read of a company: not its sync times, which move by themselves."""
    return digest(
        [
            {
                "id": one.id,
                "name": one.name,
                "description": one.description or None,
                "tags": dict(one.tags),
                "connections": sorted(
                    [link.id, link.platform_key, link.status.value] for link in one.connections
                ),
            }
            for one in companies
        ]
    )


def _company(company: DesiredCompany) -> dict[str, Any]:
    return {
        "name": company.name,
        "description": _plain(company.description),
        "tags": dict(company.tags),
        "id": company.id,
        "new": company.new,
        "renamedFrom": company.renamed_from,
        "protect": _plain(company.protect),
        "state": company.state.value,
        "connections": {key: _connection(one) for key, one in company.connections.items()},
    }


def _connection(connection: DesiredConnection) -> dict[str, Any]:
    sync = connection.sync
    return {
        "platformKey": connection.platform_key,
        "migration": connection.migration.value,
        "state": connection.wanted.value,
        "id": connection.id,
        "authorization": {name: str(value) for name, value in connection.authorization.items()},
        "issuedAt": _plain(connection.issued_at),
        "sync": {
            "never": sync.never,
            "maxAge": sync.max_age.total_seconds() if sync.max_age else None,
            "dataTypes": list(sync.data_types),
        },
        "preconditions": {name.value: state.value for name, state in connection.preconditions.items()},
    }


def _plain(value: object) -> object:
    """A value that JSON can hold; unset differs from null, which clears a field."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return {"unset": True}
    return value
