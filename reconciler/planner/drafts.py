"""What is decided of each company and connection, and what must be read to finish a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from reconciler.kinds import Change, Kind
from reconciler.live import LiveCompany, LiveConnection
from reconciler.model import LINKS_TAG, Address, DesiredCompany, DesiredConnection, Mark
from reconciler.plan import Attention
from reconciler.planner.company_rules import CompanySituation, Want
from reconciler.planner.connection_rules import ConnectionSituation, StraySituation
from reconciler.planner.fields import FieldValue, Writer, written_by
from reconciler.planner.rules import Rule
from reconciler.planner.sync_rules import wants_sync

RECORDS: Final = "records which connection is which"
"""Why a company is updated whose record of links alone differs."""


@dataclass(frozen=True, slots=True)
class ConnectionDraft:
    """What is decided for one connection. ``row`` is ``None`` where it could not be paired."""

    address: Address
    desired: DesiredConnection | None
    live: LiveConnection | None
    row: Rule | None
    situation: ConnectionSituation | StraySituation | None
    attention: Attention | None = None
    looks_due: bool = False
    former: str = ""
    """The key under which the record names a connection that is in no spec."""

    @property
    def is_created(self) -> bool:
        """Whether this plan creates it."""
        return self.row is not None and Kind.CONNECTION_CREATE in self.row.actions

    @property
    def is_authorized(self) -> bool:
        """Whether this plan authorizes it."""
        return self.row is not None and Kind.CONNECTION_AUTHORIZE in self.row.actions


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyDraft:
    """What is decided for one company and its connections.

    ``fields`` are the managed fields as they shall be, ``changes`` what of them differs. ``links`` is
    the record of links that is to be written after this plan's creates, empty where none is. ``copied``
    speaks of other companies that carry its tags.
    """

    address: Address
    desired: DesiredCompany | None = None
    live: LiveCompany | None
    row: Rule
    situation: CompanySituation
    included: bool = True
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    links: Mapping[str, Mark] = field(default_factory=dict)
    connections: tuple[ConnectionDraft, ...] = ()
    attention: Attention | None = None
    copied: Attention | None = None
    unnamed: tuple[str, ...] = ()
    """Ids of the live connections that neither a spec nor the record of links names."""

    @property
    def why(self) -> str:
        """The reason of the company's row; a plan that only writes the record of links says so."""
        written = {change.path for change in written_by(Writer.COMPANY, self.changes)}
        only_records = Kind.COMPANY_UPDATE in self.row.actions and written == {f"tags.{LINKS_TAG}"}
        return RECORDS if only_records else self.row.why

    @property
    def proceeds(self) -> bool:
        """Whether the company is wanted, and nothing about it has to be settled first."""
        return self.situation.want is Want.PRESENT and self.row.attention is None


@dataclass(frozen=True, eq=False)
class Draft:
    """The companies that a plan may speak of, and what must be read to finish it.

    All others are as they were left, and are looked at by whoever asks for every company.
    """

    open: tuple[CompanyDraft, ...] = field(repr=False)
    """Those of the specs first, each by its key."""
    managed: int
    _settled: Callable[[], Iterable[CompanyDraft]] = field(repr=False)

    @cached_property
    def companies(self) -> tuple[CompanyDraft, ...]:
        """Every company, in the same order."""
        return tuple(sorted((*self.open, *self._settled()), key=_place))

    def connections(self) -> Iterator[ConnectionDraft]:
        """Every connection of the companies that the plan may speak of."""
        return (connection for company in self.open for connection in company.connections)

    @property
    def histories(self) -> tuple[str, ...]:
        """Ids of the companies whose history of pulls must be read: some connection looks due for a sync."""
        return tuple(
            company.live.id
            for company in self.open
            if company.live and any(connection.looks_due for connection in company.connections)
        )

    @property
    def needs_profile(self) -> bool:
        """Whether some sync may follow that fetches what the profile marks, so its settings must be read."""
        return any(
            (connection.looks_due or connection.is_authorized)
            and connection.desired is not None
            and wants_sync(connection.desired)
            and not connection.desired.sync.data_types
            for connection in self.connections()
        )


def _place(company: CompanyDraft) -> tuple[bool, str]:
    return company.desired is None, company.address.company if company.desired is not None else ""
