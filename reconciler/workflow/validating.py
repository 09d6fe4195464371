"""What ``validate`` does: reads specs offline and says all that is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reconciler.diagnostics import Diagnostic
from reconciler.loading import SpecError, load


@dataclass(frozen=True, slots=True)
class Validated:
    """What the specs hold, and what is wrong with them; no file is counted where they cannot be read."""

    diagnostics: tuple[Diagnostic, ...]
    files: int = 0
    companies: int = 0
    connections: int = 0


def validate(specs: Path, *, sandbox: bool = False) -> Validated:
    """Check specs without a request and without a secret."""
    try:
        loaded = load(specs, sandbox=sandbox)
    except SpecError as error:
        return Validated(error.diagnostics)
    companies = loaded.desired.companies.values()
    return Validated(
        loaded.warnings, len(loaded.files), len(companies), sum(len(one.connections) for one in companies)
    )
