"""What programs read: JSON, lines of events, SARIF, and what GitHub's runner takes.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final, TextIO
from urllib.parse import quote

from reconciler import __version__
from reconciler.diagnostics import Diagnostic, Severity, Span
from reconciler.migration import Verification, migrations
from reconciler.model import Platform
from reconciler.outcome import Event, Outcome, Result
from reconciler.plan import Attention, AttentionClass, ShownPlan
from reconciler.render.escaping import MESSAGE_LIMIT, for_terminal

FORMAT_VERSION: Final = 1


def plan_json(plan: ShownPlan) -> str:
    """A plan's document, its fields in its own order."""
    return written(plan.document())


def outcome_json(outcome: Outcome, verification: Verification | None = None) -> str:
    """An outcome's document, with that of the verification that followed it."""
    verified = {"verification": verification.document()} if verification is not None else {}
    return written(outcome.document() | verified)


def diagnostics_json(diagnostics: Sequence[Diagnostic]) -> str:
    """Diagnostics, how many there are of each severity, and whether there is no error."""
    errors = sum(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
    return written(
        {
            "formatVersion": FORMAT_VERSION,
            "valid": not errors,
            "summary": {"errors": errors, "warnings": len(diagnostics) - errors},
            "diagnostics": [_diagnostic(diagnostic) for diagnostic in diagnostics],
        }
    )


def platforms_json(platforms: Iterable[Platform]) -> str:
    """Platforms as specs name them, with Codat's own name beside."""
    return written(
        {"formatVersion": FORMAT_VERSION, "platforms": [_platform(platform) for platform in platforms]}
    )


def _diagnostic(diagnostic: Diagnostic) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.summary,
        "fix": diagnostic.fix,
        "path": diagnostic.path,
        "file": diagnostic.span.file if diagnostic.span else None,
        "line": diagnostic.span.line if diagnostic.span else None,
        "column": diagnostic.span.column if diagnostic.span else None,
    }
    return shown | ({"detail": diagnostic.detail} if diagnostic.detail else {})


def _platform(platform: Platform) -> dict[str, Any]:
    return {
        "name": platform.slug,
        "key": platform.key,
        "type": platform.source_type.value,
        "enabled": platform.enabled,
        "platformName": platform.name,
        "migration": [way.value for way in migrations(platform.key)],
    }


def written(document: Mapping[str, Any]) -> str:
    """A document as every command prints it."""
    return as_json(document, indent=2) + "\n"


def as_json(document: Mapping[str, Any], indent: int | None = None) -> str:
    """JSON in ASCII, with nothing in it that GitHub's runner takes for a command (``##[...]``)."""
    return json.dumps(document, indent=indent, ensure_ascii=True, default=str).replace("##[", "#\\u0023[")


class EventsWriter:
    """An ``outcome.Observer`` that writes each event as a line of ASCII and flushes it.

    Every line carries the format's version. A stream that can no longer be written is no reason to stop
    an apply: ``failure`` keeps the first error, and nothing more is written.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.failure: OSError | None = None

    def __call__(self, event: Event, /) -> None:
        """Write ``event``."""
        if self.failure is not None:
            return
        try:
            self._stream.write(as_json(event.document()) + "\n")
            self._stream.flush()
        except OSError as error:
            self.failure = error


def events_writer(stream: TextIO) -> EventsWriter:
    """An observer that writes to ``stream``, which the caller opens (mode 0600 for a file) and closes."""
    return EventsWriter(stream)


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
    codes = sorted({diagnostic.code for diagnostic in diagnostics})
    placed = [(diagnostic, diagnostic.span) for diagnostic in diagnostics if diagnostic.span is not None]
    unplaced = [diagnostic for diagnostic in diagnostics if diagnostic.span is None]
    invocation: dict[str, Any] = {
        "executionSuccessful": not any(diagnostic.severity is Severity.ERROR for diagnostic in unplaced)
    }
    if notifications := [_notification(diagnostic, codes) for diagnostic in unplaced]:
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
        "results": [_result(diagnostic, span, codes) for diagnostic, span in placed],
        "columnKind": "unicodeCodePoints",
    }
    return as_json({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(code: str, meaning: str) -> dict[str, Any]:
    return {"id": code, "shortDescription": {"text": _text(meaning)}}


def _result(diagnostic: Diagnostic, span: Span, codes: Sequence[str]) -> dict[str, Any]:
    return {
        "ruleId": diagnostic.code,
        "ruleIndex": codes.index(diagnostic.code),
        "level": _LEVELS[diagnostic.severity],
        "message": _message(diagnostic),
        "locations": [{"physicalLocation": _place(span)}],
    }


def _notification(diagnostic: Diagnostic, codes: Sequence[str]) -> dict[str, Any]:
    return {
        "associatedRule": {"id": diagnostic.code, "index": codes.index(diagnostic.code)},
        "level": _LEVELS[diagnostic.severity],
        "message": _message(diagnostic),
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


def _message(diagnostic: Diagnostic) -> dict[str, str]:
    """What is wrong and what to do; where is told by the location."""
    return {
        "text": _text(
            str(Diagnostic(diagnostic.code, diagnostic.summary, diagnostic.fix, path=diagnostic.path))
        )
    }


def _text(text: str) -> str:
    """Text in which nothing reads as a link, which SARIF writes ``[text](target)``."""
    return for_terminal(text, MESSAGE_LIMIT).replace("](", "] (")


_COMMANDS: Final[Mapping[Severity, str]] = {Severity.ERROR: "error", Severity.WARNING: "warning"}
_DATA: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY: Final = _DATA | str.maketrans({":": "%3A", ",": "%2C"})


def diagnostics_github(diagnostics: Iterable[Diagnostic]) -> str:
    """One workflow command for each diagnostic, so that GitHub shows it beside the line it is about."""
    return "".join(map(_command, diagnostics))


def _command(found: Diagnostic) -> str:
    properties = {"title": found.code}
    if found.span is not None:
        place = {"file": found.span.file, "line": str(found.span.line), "col": str(found.span.column)}
        properties = place | properties
    shown = ",".join(
        f"{name}={for_terminal(value).translate(_PROPERTY)}" for name, value in properties.items()
    )
    message = str(Diagnostic(found.code, found.summary, found.fix, path=found.path))
    return f"::{_COMMANDS[found.severity]} {shown}::{for_terminal(message, MESSAGE_LIMIT).translate(_DATA)}\n"


def github_outputs(result: ShownPlan | Outcome) -> str:
    """Lines ``name=value`` for the file ``$GITHUB_OUTPUT``, of a plan or of an apply.

    Both give ``has-changes`` (for an apply: whether it did anything), ``requests`` and the counts of
    attention. A plan gives ``digest``, ``refused``, ``unchanged`` and a count for each kind of action
    (``company-create``); an apply ``complete``, ``interrupted``, ``stopped`` and a count for each result.
    """
    pairs = _of_outcome(result) if isinstance(result, Outcome) else _of_plan(result)
    return "".join(f"{name}={for_terminal(_written(value))}\n" for name, value in pairs)


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _of_plan(plan: ShownPlan) -> Iterator[tuple[str, object]]:
    yield "has-changes", bool(plan.actions)
    yield "digest", plan.digest
    yield "refused", bool(plan.refusals)
    for kind, count in plan.counts.items():
        yield kind.value.replace(".", "-"), count
    yield "unchanged", plan.unchanged
    yield "requests", plan.requests
    yield from _of_attention(plan.attention)


def _of_outcome(outcome: Outcome) -> Iterator[tuple[str, object]]:
    counts = outcome.counts
    yield "has-changes", counts[Result.DONE] > 0
    yield "complete", outcome.is_complete
    yield "interrupted", outcome.interrupted
    yield "stopped", outcome.stopped.code if outcome.stopped else ""
    for result, count in counts.items():
        yield result.value, count
    yield "requests", outcome.requests
    yield from _of_attention(outcome.attention)


def _of_attention(attention: Iterable[Attention]) -> Iterator[tuple[str, object]]:
    found = Counter(noted.attention_class for noted in attention)
    yield "attention", found.total()
    for attention_class in AttentionClass:
        yield f"attention-{attention_class.value}", found[attention_class]
