"""What a reader is shown of a plan: chosen, counted and ordered once, the same for every format.

A view holds our own words as plain strings, and text that others wrote as ``Value``; a writer escapes
each ``Value`` for its format and decides on nothing else. Only fields that are named here are taken from
a plan, so whatever else may stand in one is never shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

from reconciler.kinds import Kind
from reconciler.plan import AttentionClass


@dataclass(frozen=True, slots=True)
class Value:
    """Text that others wrote; ``quotes`` where its ends must be plain."""

    text: str
    quotes: bool = False


@dataclass(frozen=True, slots=True)
class Names:
    """Several short texts that others wrote, shown as a list."""

    texts: tuple[str, ...]


Part = str | Value | Names
Parts = tuple[Part, ...]


class Group(Enum):
    """What an action means to a reader: the sign before it, and how a sentence counts it."""

    CREATE = "+", "to create"
    ADD = "+", "to add"
    ADOPT = "~", "to adopt"
    CHANGE = "~", "to change"
    AUTHORIZE = ">", "to authorize"
    SYNC = "*", "to sync"
    REMOVE = "-", "to remove"

    @property
    def sign(self) -> str:
        """The character at the start of the line."""
        return self.value[0]

    @property
    def counted_as(self) -> str:
        """The words after the number."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A field that differs; ``None`` is no value."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class ActionView:
    """One action: a line, the changes under it, and what only ``-v`` shows."""

    kind: Kind
    group: Group
    address: str
    what: Parts
    reason: str
    is_pending: bool = False
    """Due already, whatever the change under review does."""
    changes: tuple[ChangeView, ...] = ()
    more: tuple[tuple[str, Value], ...] = ()
    """Names and values of what few readers need: ids, tags of a new company."""


@dataclass(frozen=True, slots=True)
class AttentionView:
    """One thing that no API call can settle."""

    code: str
    address: str
    message: str
    is_pending: bool = False
    """Needed already, whatever the change under review does."""


@dataclass(frozen=True, slots=True)
class AttentionGroup:
    """The attention of one class, and what the class means."""

    attention_class: AttentionClass
    meaning: str
    items: tuple[AttentionView, ...]


@dataclass(frozen=True, slots=True)
class PlanView:
    """Everything that a reader is shown of a plan, in reading order."""

    workspace: Parts
    """The workspace and the API that the plan is for."""
    warning: str
    actions: tuple[ActionView, ...]
    attention: tuple[AttentionGroup, ...]
    notes: tuple[str, ...]
    sentence: str
    origins: str
    """What was due already, whatever the change under review does; empty without a base."""
    estimate: str
    refusals: tuple[str, ...]
    tool: str

    @property
    def caused(self) -> tuple[ActionView, ...]:
        """The actions that the change under review causes; without a base all of them."""
        return tuple(action for action in self.actions if not action.is_pending)

    @property
    def pending(self) -> tuple[ActionView, ...]:
        """The actions that were due already."""
        return tuple(action for action in self.actions if action.is_pending)

    @property
    def attention_caused(self) -> tuple[AttentionGroup, ...]:
        """The attention that the change under review causes; without a base all of it."""
        return partly(self.attention, is_pending=False)

    @property
    def attention_pending(self) -> tuple[AttentionGroup, ...]:
        """The attention that was needed already."""
        return partly(self.attention, is_pending=True)

    @property
    def losses(self) -> tuple[ActionView, ...]:
        """The actions that take something away."""
        return tuple(action for action in self.actions if action.group is Group.REMOVE)


def partly(groups: Iterable[AttentionGroup], *, is_pending: bool) -> tuple[AttentionGroup, ...]:
    """What of the groups was due already, or what this change brings."""
    parts = (
        replace(group, items=tuple(item for item in group.items if item.is_pending is is_pending))
        for group in groups
    )
    return tuple(part for part in parts if part.items)
