"""What a rule is: a code, and a function that finds where the specs break it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reconciler.diagnostics import Diagnostic, Severity, Span
from reconciler.loading.nodes import Entry, Spot
from reconciler.loading.sources import Specs
from reconciler.loading.spec_codes import SpecCode
from reconciler.loading.words import dotted


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """A place where a rule is broken, and what to do."""

    span: Span
    path: str
    summary: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table."""

    code: SpecCode
    check: Callable[[Specs], Iterator[RuleFinding]]
    severity: Severity = Severity.ERROR

    def diagnostics(self, specs: Specs) -> Iterator[Diagnostic]:
        """What the rule finds in ``specs``."""
        for found in self.check(specs):
            yield Diagnostic(
                self.code, found.summary, found.fix, found.span, found.path, severity=self.severity
            )


def at_value(entry: Entry, field: str, summary: str, fix: str = "") -> RuleFinding:
    """A finding at the value of a field."""
    return at_spot(entry.value_spot(field), summary, fix)


def at_key(entry: Entry, field: str, summary: str, fix: str = "") -> RuleFinding:
    """A finding at a field's own name."""
    return at_spot(entry.key_spot(field), summary, fix)


def at_entry(entry: Entry, summary: str, fix: str = "") -> RuleFinding:
    """A finding at a whole mapping."""
    spot = entry.spot
    return RuleFinding(spot.span, dotted(spot.path), summary, fix)


def at_spot(spot: Spot, summary: str, fix: str = "") -> RuleFinding:
    """A finding at a field."""
    return RuleFinding(spot.span, dotted(spot.path, with_fields=True), summary, fix)
