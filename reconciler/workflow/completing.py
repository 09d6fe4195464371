"""What a shell may complete: addresses of the specs and codes, offline, whatever is wrong with the specs."""

from __future__ import annotations

from pathlib import Path

from reconciler.diagnostics import CodatSyncError
from reconciler.loading import load
from reconciler.model import Address
from reconciler.workflow.catalogue import catalogue


def addresses(specs: Path, prefix: str) -> tuple[str, ...]:
    """The addresses of ``specs`` that begin with ``prefix``; none where the specs cannot be read."""
    try:
        companies = load(specs, sandbox=True).desired.companies
    except CodatSyncError:
        return ()
    found = [
        str(address)
        for key, company in companies.items()
        for address in (Address(key), *(Address(key, connection) for connection in company.connections))
    ]
    return tuple(sorted(address for address in found if address.startswith(prefix)))


def codes(prefix: str) -> tuple[str, ...]:
    """The codes that begin with ``prefix``."""
    return tuple(sorted({entry.code for entry in catalogue() if entry.code.startswith(prefix)}))
