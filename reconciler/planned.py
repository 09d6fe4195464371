"""What all actions have, and the form in which a plan shows, saves and compares them.

What a person may see of an action is its ``ShownAction``; whatever else it holds serves the executor and is
never shown. Renderers and the review of saved plans know this form alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, ClassVar, Final

from reconciler.kinds import Change, Kind, digest
from reconciler.model import Address

MARK_LENGTH: Final = 6
"""Characters of a mark: a tag of 100 holds those of six connections."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A part of a plan that is shown; a member that is ``None`` does not stand in its JSON."""

    def document(self) -> dict[str, Any]:
        """The JSON form, members in the order of the class."""
        return {
            name: _written(value)
            for attribute, name in _NAMES[type(self)]
            if (value := getattr(self, attribute)) is not None
        }


def _written(value: object) -> object:
    if type(value) is str:  # most values are, and this takes no look at their classes
        return value
    if isinstance(value, Shown | Change):
        return value.document()
    if isinstance(value, tuple):
        return [_written(part) for part in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Address | Kind) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownConnection(Shown):
    """A connection that goes with its company."""

    connection_id: str
    platform: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTarget(Shown):
    """A connection that is synced; without data types, whatever is fetched on first link."""

    address: Address
    data_types: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownState(Shown):
    """What something was before an action, or will be after it: those of its members that tell.

    ``texts`` are those of a company, by path; in JSON they stand beside the others.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] | None = None
    products: tuple[str, ...] | None = None
    product: str | None = None
    platform: str | None = None
    url: str | None = None
    place: str | None = None
    event_types: tuple[str, ...] | None = None
    company_tags: tuple[str, ...] | None = None
    disabled: bool | None = None
    source_account: str | None = None
    account_name: str | None = None
    account_type: str | None = None
    currency: str | None = None
    status: str | None = None
    last_sync: datetime | None = None
    sent: str | None = None
    """The mark of the tokens that were sent last to a connection that is Linked."""
    connections: tuple[ShownConnection, ...] | None = None

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        members = Shown.document(self)
        return {**members.pop("texts"), **members}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownAction(Shown):
    """An action as a plan shows it: no secret, no link URL; of what is sent, names and not values."""

    kind: Kind
    address: Address
    reason: str
    company_id: str | None = None
    connection_id: str | None = None
    webhook_id: str | None = None
    source_account: str | None = None
    platform: str | None = None
    before: ShownState | None = None
    after: ShownState | None = None
    changes: tuple[Change, ...] | None = None
    narrows: tuple[str, ...] | None = None
    """Paths by which Codat drops data that it has synced."""
    narrowed_companies: int | None = None
    connections: tuple[ShownTarget, ...] | None = None
    products: tuple[str, ...] | None = None
    pruned: bool | None = None
    fields: tuple[str, ...] | None = None
    records_links: bool | None = None
    """Whether the record of links is written with it."""

    @property
    def mark(self) -> str:
        """What tells this sending of tokens from every other: it follows from what was reviewed."""
        told = {
            "connectionId": self.connection_id,
            "before": self.before.document() if self.before else None,
            "fields": None if self.fields is None else list(self.fields),
        }
        return digest(told).removeprefix("sha256:")[:MARK_LENGTH]

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of what differs."""
        return tuple(change.path for change in self.changes or ())


def camel(attribute: str) -> str:
    """The name in JSON of a member."""
    first, *rest = attribute.split("_")
    return first + "".join(word.title() for word in rest)


_NAMES: Final[Mapping[type[Shown], tuple[tuple[str, str], ...]]] = {
    noun: tuple((member.name, camel(member.name)) for member in fields(noun))
    for noun in (ShownConnection, ShownTarget, ShownState, ShownAction)
}
"""The members of each noun, and their names in JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned(ABC):
    """What every action has: where it is, and why it is done."""

    kind: ClassVar[Kind]
    address: Address
    reason: str

    @property
    def requests(self) -> int:
        """Write requests that the action takes."""
        return 1

    def bare(self) -> ShownAction:
        """What is shown of every action."""
        return ShownAction(kind=self.kind, address=self.address, reason=self.reason)

    @abstractmethod
    def shown(self) -> ShownAction:
        """What a person may see of it."""

    def document(self) -> dict[str, Any]:
        """The JSON form of what a person may see of it."""
        return self.shown().document()
