"""What a rule is: a code, and a function that finds where the specs break it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reconciler.diagnostics import Diagnostic, Severity, Span
from reconciler.spec.codes import Code
from reconciler.spec.nodes import Entry, Spot
from reconciler.spec.sources import Specs
from reconciler.spec.words import dotted


@dataclass(frozen=True, slots=True)
class Finding:
    """A place where a rule is broken, and what to do."""

    span: Span
    path: str
    summary: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table."""

    code: Code
    check: Callable[[Specs], Iterator[Finding]]
    severity: Severity = Severity.ERROR

    def diagnostics(self, specs: Specs) -> Iterator[Diagnostic]:
        """What the rule finds in ``specs``."""
        for found in self.check(specs):
            yield Diagnostic(
                self.code, found.summary, found.fix, found.span, found.path, severity=self.severity
            )


def at_value(entry: Entry, field: str, summary: str, fix: str = "") -> Finding:
    """A finding at the value of a field."""
    return at_spot(entry.value_spot(field), summary, fix)


def at_key(entry: Entry, field: str, summary: str, fix: str = "") -> Finding:
    """A finding at a field's own name."""
    return at_spot(entry.key_spot(field), summary, fix)


def at_entry(entry: Entry, summary: str, fix: str = "") -> Finding:
    """A finding at a whole mapping."""
    spot = entry.spot
    return Finding(spot.span, dotted(spot.path), summary, fix)


def at_spot(spot: Spot, summary: str, fix: str = "") -> Finding:
    """A finding at a field."""
    return Finding(spot.span, dotted(spot.path, with_fields=True), summary, fix)
