"""What GitHub's runner reads: annotations from a step's output, and the values that a step hands on.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.outcome import Outcome, Result
from reconciler.plan import AttentionClass, Kind
from reconciler.render.escaping import MESSAGE_LIMIT, for_terminal

_COMMANDS: Final[Mapping[Severity, str]] = {Severity.ERROR: "error", Severity.WARNING: "warning"}
_DATA: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY: Final = _DATA | str.maketrans({":": "%3A", ",": "%2C"})


def diagnostics_github(diagnostics: Iterable[Diagnostic]) -> str:
    """One workflow command for each diagnostic, so that GitHub shows it beside the line it is about."""
    return "".join(map(_command, diagnostics))


def _command(one: Diagnostic) -> str:
    properties = {"title": one.code}
    if one.span is not None:
        place = {"file": one.span.file, "line": str(one.span.line), "col": str(one.span.column)}
        properties = place | properties
    shown = ",".join(
        f"{name}={for_terminal(value).translate(_PROPERTY)}" for name, value in properties.items()
    )
    message = str(Diagnostic(one.code, one.summary, one.fix, path=one.path))
    return f"::{_COMMANDS[one.severity]} {shown}::{for_terminal(message, MESSAGE_LIMIT).translate(_DATA)}\n"


def github_outputs(result: Mapping[str, Any] | Outcome) -> str:
    """Lines ``name=value`` for the file ``$GITHUB_OUTPUT``, of a plan's document or of an apply.

    Both give ``has-changes`` (for an apply: whether it did anything), ``requests`` and the counts of
    attention. A plan gives ``digest``, ``refused``, ``unchanged`` and a count for each kind of action
    (``company-create``); an apply ``complete``, ``interrupted``, ``stopped`` and a count for each result.
    """
    pairs = _of_outcome(result) if isinstance(result, Outcome) else _of_plan(result)
    return "".join(f"{name}={for_terminal(_written(value))}\n" for name, value in pairs)


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _of_plan(document: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    summary = document["summary"]
    yield "has-changes", bool(document["actions"])
    yield "digest", document["digest"]
    yield "refused", "refused" in document
    for kind in Kind:
        yield kind.value.replace(".", "-"), summary.get(kind.value, 0)
    yield "unchanged", summary["unchanged"]
    yield "requests", summary["requests"]
    yield from _of_attention(str(one["class"]) for one in document["attention"])


def _of_outcome(outcome: Outcome) -> Iterator[tuple[str, object]]:
    counts = outcome.counts
    yield "has-changes", counts[Result.DONE] > 0
    yield "complete", outcome.is_complete
    yield "interrupted", outcome.interrupted
    yield "stopped", outcome.stopped.code if outcome.stopped else ""
    for result, count in counts.items():
        yield result.value, count
    yield "requests", outcome.requests
    yield from _of_attention(one.attention_class.value for one in outcome.attention)


def _of_attention(classes: Iterable[str]) -> Iterator[tuple[str, object]]:
    found = Counter(classes)
    yield "attention", found.total()
    for one in AttentionClass:
        yield f"attention-{one.value}", found[one.value]
