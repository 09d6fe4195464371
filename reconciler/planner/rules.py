"""Rule tables: every situation has exactly one row, and the row says what follows.

A situation is a frozen dataclass of enums and booleans. A row names, for some of its fields, the
values that it is for; a field that it does not name may be anything. Rows do not overlap and
together cover every situation, so their order means nothing; a test walks the whole product.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, TypeVar

from reconciler.kinds import Kind
from reconciler.plan import AttentionCode

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: when it holds, which actions follow in order, what needs attention, and why."""

    name: str
    when: Mapping[str, Collection[object]]
    why: str
    actions: tuple[Kind, ...] = ()
    attention: AttentionCode | None = None

    def holds(self, situation: object) -> bool:
        """Whether this row is for ``situation``."""
        return all(getattr(situation, name) in values for name, values in self.when.items())


@dataclass(frozen=True)
class RuleTable(Generic[S]):
    """A total table of rules over situations of the class ``situation``."""

    situation: type[S]
    rows: tuple[Rule, ...]
    _decided: dict[S, Rule] = field(default_factory=dict, repr=False)

    def decide(self, situation: S) -> Rule:
        """The one row that is for ``situation``."""
        if situation not in self._decided:
            (self._decided[situation],) = self.rows_for(situation)
        return self._decided[situation]

    def rows_for(self, situation: S) -> tuple[Rule, ...]:
        """Every row that is for ``situation``: one, or the table is wrong."""
        return tuple(row for row in self.rows if row.holds(situation))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the rows, in the table's order."""
        return tuple(row.name for row in self.rows)


YES = (True,)
NO = (False,)
