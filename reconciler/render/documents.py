"""JSON for programs: the documents as they are, stable, in ASCII, with a newline at the end."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.migration import Verification, migrations
from reconciler.model import Platform
from reconciler.outcome import Outcome

FORMAT_VERSION: Final = 1


def plan_json(document: Mapping[str, Any]) -> str:
    """A plan's document, its fields in its own order."""
    return written(document)


def outcome_json(outcome: Outcome, verification: Verification | None = None) -> str:
    """An outcome's document, with that of the verification that followed it."""
    verified = {"verification": verification.document()} if verification is not None else {}
    return written(outcome.document() | verified)


def diagnostics_json(diagnostics: Sequence[Diagnostic]) -> str:
    """Diagnostics, how many there are of each severity, and whether there is no error."""
    errors = sum(one.severity is Severity.ERROR for one in diagnostics)
    return written(
        {
            "formatVersion": FORMAT_VERSION,
            "valid": not errors,
            "summary": {"errors": errors, "warnings": len(diagnostics) - errors},
            "diagnostics": [_diagnostic(one) for one in diagnostics],
        }
    )


def platforms_json(platforms: Iterable[Platform]) -> str:
    """Platforms as specs name them, with Codat's own name beside."""
    return written({"formatVersion": FORMAT_VERSION, "platforms": [_platform(one) for one in platforms]})


def _diagnostic(one: Diagnostic) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "code": one.code,
        "severity": one.severity.value,
        "message": one.summary,
        "fix": one.fix,
        "path": one.path,
        "file": one.span.file if one.span else None,
        "line": one.span.line if one.span else None,
        "column": one.span.column if one.span else None,
    }
    return shown | ({"detail": one.detail} if one.detail else {})


def _platform(one: Platform) -> dict[str, Any]:
    return {
        "name": one.slug,
        "key": one.key,
        "type": one.source_type.value,
        "enabled": one.enabled,
        "platformName": one.name,
        "migration": [way.value for way in migrations(one.key)],
    }


def written(document: Mapping[str, Any]) -> str:
    """A document as every command prints it."""
    return as_json(document, indent=2) + "\n"


def as_json(document: Mapping[str, Any], indent: int | None = None) -> str:
    """JSON in ASCII, with nothing in it that GitHub's runner takes for a command (``##[...]``)."""
    return json.dumps(document, indent=indent, ensure_ascii=True, default=str).replace("##[", "#\\u0023[")
