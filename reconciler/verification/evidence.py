"""Everything that a check of a migration may look at, gathered from what was read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.live import DataStatus, Live, LiveCompany, LiveError, Pull, PullState
from reconciler.model import Desired, Migration, Platform
from reconciler.planner.identity import folded
from reconciler.planner.sync_rules import fetched_types
from reconciler.verification.connection_states import ConnectionState


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that a check may look at."""

    standing: ConnectionState
    platform: Platform | None
    asked: tuple[str, ...]
    """The data types that this connection is asked to sync."""
    statuses: Mapping[str, DataStatus]
    """Where its syncs stand, by data type in lower case."""
    strays: tuple[LiveCompany, ...]
    """Companies of the same name that nobody manages."""

    def in_state(self, state: PullState) -> tuple[DataStatus, ...]:
        """The data types asked for whose newest sync is in ``state``."""
        found = (self.statuses.get(data_type.lower()) for data_type in self.asked)
        return tuple(status for status in found if status is not None and status.state is state)

    @property
    def never_synced(self) -> tuple[str, ...]:
        """The data types asked for that have no sync at all."""
        return tuple(data_type for data_type in self.asked if data_type.lower() not in self.statuses)

    @property
    def queued_offline(self) -> tuple[DataStatus, ...]:
        """Those that wait for the connector on the customer's machine."""
        if self.platform is None or not self.platform.is_offline:
            return ()
        return tuple(status for status in self.in_state(PullState.RUNNING) if status.is_queued)

    @property
    def running(self) -> tuple[DataStatus, ...]:
        """Those that are being synced."""
        offline = self.queued_offline
        return tuple(status for status in self.in_state(PullState.RUNNING) if status not in offline)

    @property
    def active_errors(self) -> tuple[LiveError, ...]:
        """The errors of the connection that Codat does not call resolved."""
        live = self.standing.live
        return tuple(error for error in live.errors if error.active) if live else ()

    @property
    def has_first_sync(self) -> bool:
        """Whether a sync has ended; ``lastSync`` is null until then, and may follow a little later."""
        live = self.standing.live
        if live is None:
            return False
        is_done = bool(self.asked) and len(self.in_state(PullState.DONE)) == len(self.asked)
        return live.last_sync is not None or is_done


def evidence_of(
    standing: ConnectionState,
    live: Live,
    statuses: Sequence[DataStatus],
    strays: tuple[LiveCompany, ...],
) -> Evidence:
    """What the checks look at for one connection.

    Args:
        standing: the connection.
        live: what was read of Codat; platforms, the profile's types, and histories where they were read.
        statuses: the company's data status.
        strays: companies of the same name that nobody manages.
    """
    key = standing.connection.platform_key
    platform = next((known for known in live.platforms if known.key == key), None)
    own = _own_statuses(standing, live, statuses)
    fetched = fetched_types(standing.company, standing.live_company, live.fetched_types)
    return Evidence(
        standing,
        platform,
        _asked(standing, platform, fetched or frozenset(), own),
        own,
        strays,
    )


def needs_history(standing: ConnectionState) -> bool:
    """Whether the company's data status may speak of another connection than this one."""
    return standing.live_company is not None and len(standing.live_company.connections) > 1


def _own_statuses(
    standing: ConnectionState, live: Live, statuses: Sequence[DataStatus]
) -> Mapping[str, DataStatus]:
    """The connection's own: by its history where the company has several connections, else the company's."""
    company = standing.live_company
    if company is None or standing.live is None:
        return {}
    if needs_history(standing) and company.id in live.pulls:
        return _newest(live.pulls[company.id], standing.live.id)
    return {status.data_type.lower(): status for status in statuses}


def _newest(pulls: Iterable[Pull], connection_id: str) -> dict[str, DataStatus]:
    own = sorted(
        (pull for pull in pulls if pull.connection_id == connection_id), key=lambda pull: pull.requested
    )
    return {
        pull.data_type.lower(): DataStatus(data_type=pull.data_type, status=pull.status, state=pull.state)
        for pull in own
    }


def _asked(
    standing: ConnectionState,
    platform: Platform | None,
    fetched: frozenset[str],
    own: Mapping[str, DataStatus],
) -> tuple[str, ...]:
    """The types that the spec names, else those fetched on first link that the platform has.

    Where Codat does not say what a platform has, those count that were ever synced.
    """
    if standing.connection.sync.data_types:
        return standing.connection.sync.data_types
    known = platform.data_types if platform else frozenset()
    has = {data_type.lower() for data_type in known} or set(own)
    return tuple(sorted(data_type for data_type in fetched if data_type.lower() in has))


@dataclass(frozen=True, slots=True)
class Namesakes:
    """The live companies that nobody manages and no spec names, by name."""

    by_name: Mapping[str, tuple[LiveCompany, ...]]

    @classmethod
    def of(cls, desired: Desired, companies: Iterable[LiveCompany]) -> Namesakes:
        """Index ``companies``, in the order of ids."""
        claimed = {company.id for company in desired.companies.values() if company.id}
        by_name: defaultdict[str, tuple[LiveCompany, ...]] = defaultdict(tuple)
        for company in sorted(companies, key=lambda company: company.id):
            if company.owner() is None and company.id not in claimed:
                by_name[folded(company.name)] += (company,)
        return cls(by_name)

    def strays(self, standing: ConnectionState) -> tuple[LiveCompany, ...]:
        """Those that have the name of a managed migration's company, as an import may have made them."""
        if standing.connection.migration is not Migration.MANAGED:
            return ()
        return self.by_name.get(folded(standing.company.name), ())
