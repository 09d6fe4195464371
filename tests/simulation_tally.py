"""What simulations came to, in one line at the end of whatever ran them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

PROPERTY: Final = "simulation"
"""The name under which a test's report carries its tally."""
BROKEN: Final = "broken on purpose"
"""The name under which a report tells how many seeds it took to find out a broken protocol."""


@dataclass
class Tally:
    """Counts of seeds, of single faults that were tried, of faults by kind, and of broken promises."""

    seeds: int = 0
    single: int = 0
    requests: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    violations: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.seeds + other.seeds,
            self.single + other.single,
            self.requests + other.requests,
            self.struck + other.struck,
            self.violations + other.violations,
        )

    def document(self) -> dict[str, Any]:
        """Its form in a test's report."""
        return {**self.__dict__, "struck": dict(self.struck)}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Tally:
        """The tally in a test's report."""
        return cls(**{**document, "struck": Counter(document["struck"])})

    def line(self) -> str:
        """The one line."""
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(self.struck.items()))
        return (
            f"simulation: {self.seeds} seeds, {self.single} single faults, {self.requests} requests, "
            f"violations {self.violations}; {self.struck.total()} faults: {kinds}"
        )
