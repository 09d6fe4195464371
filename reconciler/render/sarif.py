"""Diagnostics as SARIF 2.1.0, for code scanning and editors: the same diagnostics give the same bytes.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from reconciler import __version__
from reconciler.diagnostics import Diagnostic, Severity, Span
from reconciler.render.documents import as_json
from reconciler.render.escaping import MESSAGE_LIMIT, for_terminal

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final[Mapping[Severity, str]] = {Severity.ERROR: "error", Severity.WARNING: "warning"}


def diagnostics_sarif(diagnostics: Sequence[Diagnostic], *, meanings: Mapping[str, str] | None = None) -> str:
    """One run with a rule for each code, and a result for each diagnostic that has a place.

    What has no place in a file (a missing variable, no specs at all) is a notification about the tool's
    configuration: GitHub refuses a whole file for one result without a location. Places are relative to
    the directory that the command ran in, which for code scanning has to be the repository's root.

    Args:
        diagnostics: what was found, in the order to show it in.
        meanings: what a code means, in a sentence, for the rules.

    """
    codes = sorted({one.code for one in diagnostics})
    placed = [(one, one.span) for one in diagnostics if one.span is not None]
    unplaced = [one for one in diagnostics if one.span is None]
    invocation: dict[str, Any] = {
        "executionSuccessful": not any(one.severity is Severity.ERROR for one in unplaced)
    }
    if notifications := [_notification(one, codes) for one in unplaced]:
        invocation["toolConfigurationNotifications"] = notifications
    run = {
        "tool": {
            "driver": {
                "name": "codat-sync",
                "semanticVersion": __version__,
                "rules": [_rule(code, (meanings or {}).get(code, code)) for code in codes],
            }
        },
        "invocations": [invocation],
        "results": [_result(one, span, codes) for one, span in placed],
        "columnKind": "unicodeCodePoints",
    }
    return as_json({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(code: str, meaning: str) -> dict[str, Any]:
    return {"id": code, "shortDescription": {"text": _text(meaning)}}


def _result(one: Diagnostic, span: Span, codes: Sequence[str]) -> dict[str, Any]:
    return {
        "ruleId": one.code,
        "ruleIndex": codes.index(one.code),
        "level": _LEVELS[one.severity],
        "message": _message(one),
        "locations": [{"physicalLocation": _place(span)}],
    }


def _notification(one: Diagnostic, codes: Sequence[str]) -> dict[str, Any]:
    return {
        "associatedRule": {"id": one.code, "index": codes.index(one.code)},
        "level": _LEVELS[one.severity],
        "message": _message(one),
    }


def _place(span: Span) -> dict[str, Any]:
    return {
        "artifactLocation": {"uri": _uri(span.file)},
        "region": {"startLine": max(span.line, 1), "startColumn": max(span.column, 1)},
    }


def _uri(file: str) -> str:
    """A path as a URI reference: relative where the path is."""
    path = PurePath(file)
    encoded = quote(path.as_posix(), safe="/", errors="backslashreplace")
    return f"file://{encoded}" if path.is_absolute() else encoded


def _message(one: Diagnostic) -> dict[str, str]:
    """What is wrong and what to do; where is told by the location."""
    return {"text": _text(str(Diagnostic(one.code, one.summary, one.fix, path=one.path)))}


def _text(text: str) -> str:
    """Text in which nothing reads as a link, which SARIF writes ``[text](target)``."""
    return for_terminal(text, MESSAGE_LIMIT).replace("](", "] (")
