"""A file holds either data that a plan shows, or secrets that nothing shows: never both.

Whoever may edit specs could otherwise have tokens printed, as names of companies. Files are told apart by
what they are on the disk, so that no link and no other spelling makes one file two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from reconciler.diagnostics import Diagnostic
from reconciler.loading.nodes import Spot
from reconciler.loading.sources import CompanySpec
from reconciler.loading.spec_codes import SpecCode
from reconciler.loading.words import dotted
from reconciler.model import SecretRef

Identity = tuple[int, int]
"""Device and number of a file."""
_OF_FILES: Final = frozenset({"table", "file"})
"""The references that read files below the workspace's root."""
_FIX: Final = "keep what is shown and the secrets in two files, with the same key in each"


def of_both_kinds(
    tables: Iterable[tuple[Path, Spot]], companies: Iterable[CompanySpec], root: Path
) -> tuple[Diagnostic, ...]:
    """The sets whose table is a file that a reference reads secrets from, each with one such reference."""
    sets = {identity: spot for path, spot in tables if (identity := _identity(path)) is not None}
    if not sets:
        return ()
    secret = _secret_files(companies, root)
    return tuple(_told(spot, secret[identity]) for identity, spot in sets.items() if identity in secret)


def _secret_files(companies: Iterable[CompanySpec], root: Path) -> Mapping[Identity, SecretRef]:
    first: dict[str, SecretRef] = {}
    for ref in _references(companies):
        first.setdefault(ref.locator.partition("#")[0], ref)
    found = ((_identity(root / path), ref) for path, ref in first.items())
    return {identity: ref for identity, ref in found if identity is not None}


def _references(companies: Iterable[CompanySpec]) -> Iterator[SecretRef]:
    for company in companies:
        for connection in company.connections:
            for value in connection.authorization.values():
                if isinstance(value, SecretRef) and value.scheme in _OF_FILES:
                    yield value


def _identity(path: Path) -> Identity | None:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def _told(spot: Spot, ref: SecretRef) -> Diagnostic:
    summary = f"{ref.span} reads secrets from this table, so that no cell of it may be shown"
    return Diagnostic(SpecCode.TABLE_OF_SECRETS, summary, _FIX, spot.span, dotted(spot.path))
