"""Long lists on a terminal: the first of each kind, and how many more there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.render.reasons import by_reason
from reconciler.render.view import ActionView, AttentionView, Group

T = TypeVar("T")

FIRST: Final = 3
"""Lines of a kind that stand for it."""
LARGE: Final = 50
"""Actions that a reader is shown one by one before a question; a larger plan is folded."""
LONG: Final = 6
"""Matters or warnings of one code that are shown one by one on a terminal."""


@dataclass(frozen=True, slots=True)
class Fold(Generic[T]):
    """Things of one kind: those that are shown, and those that are counted."""

    shown: Sequence[T]
    counted: Sequence[T] = ()


def folded_actions(actions: Sequence[ActionView]) -> list[Fold[ActionView]]:
    """Actions by what they do. What takes something away is never folded, nor is a plan of few lines."""
    if len(actions) <= LARGE:
        return [Fold(actions)]
    return _folds(
        actions, lambda action: (action.kind, action.group), lambda action: action.group is Group.REMOVE
    )


def folded_attention(items: Sequence[AttentionView]) -> list[Fold[AttentionView]]:
    """Attention by its code, each in the plan's order: what one says, the others say too."""
    return _folds(items, lambda item: item.code, lambda _: False, whole=LONG, first=1)


def folded_diagnostics(diagnostics: Sequence[Diagnostic]) -> tuple[list[Diagnostic], dict[str, int]]:
    """Diagnostics in their order, without the many warnings of a code; and how many of each are left out.

    An error is never left out, since each must be put right.
    """
    warnings = Counter(one.code for one in diagnostics if one.severity is Severity.WARNING)
    seen: Counter[str] = Counter()
    shown = []
    for one in diagnostics:
        seen[one.code] += one.severity is Severity.WARNING
        if one.severity is Severity.ERROR or warnings[one.code] <= LONG or seen[one.code] <= FIRST:
            shown.append(one)
    return shown, {code: total - FIRST for code, total in warnings.items() if total > LONG}


def _folds(
    things: Iterable[T],
    kind: Callable[[T], Hashable],
    is_kept: Callable[[T], bool],
    *,
    whole: int = FIRST + 1,
    first: int = FIRST,
) -> list[Fold[T]]:
    groups = by_reason(things, kind)
    return [
        Fold(group) if len(group) <= whole or is_kept(group[0]) else Fold(group[:first], group[first:])
        for group in groups
    ]
