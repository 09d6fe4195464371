"""Codat's own end-to-end test of a migration, as a table of checks (https://docs.codat.io/get-started/migration).

A pure function from what was read to findings. A row complains where its ``is_wrong`` says so; a check
of which no row complains has passed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.migration import Finding, Verdict, Verified
from reconciler.model import (
    QUICKBOOKS_DESKTOP,
    DataStatus,
    Desired,
    Live,
    LiveCompany,
    LiveError,
    Migration,
    Platform,
    Pull,
    PullState,
    Status,
)
from reconciler.planner.connection_states import ConnectionState
from reconciler.planner.identity import folded
from reconciler.planner.sync_rules import fetched_types
from reconciler.wording import listed

_NAMED: Final = 8
"""Data types that a message names before it counts the rest."""


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
        found = (self.statuses.get(one.lower()) for one in self.asked)
        return tuple(one for one in found if one is not None and one.state is state)

    @property
    def never_synced(self) -> tuple[str, ...]:
        """The data types asked for that have no sync at all."""
        return tuple(one for one in self.asked if one.lower() not in self.statuses)

    @property
    def queued_offline(self) -> tuple[DataStatus, ...]:
        """Those that wait for the connector on the customer's machine."""
        if self.platform is None or not self.platform.is_offline:
            return ()
        return tuple(one for one in self.in_state(PullState.RUNNING) if one.is_queued)

    @property
    def running(self) -> tuple[DataStatus, ...]:
        """Those that are being synced."""
        offline = self.queued_offline
        return tuple(one for one in self.in_state(PullState.RUNNING) if one not in offline)

    @property
    def active_errors(self) -> tuple[LiveError, ...]:
        """The errors of the connection that Codat does not call resolved."""
        live = self.standing.live
        return tuple(one for one in live.errors if one.active) if live else ()

    @property
    def has_first_sync(self) -> bool:
        """Whether a sync has ended; ``lastSync`` is null until then, and may follow a little later."""
        live = self.standing.live
        if live is None:
            return False
        is_done = bool(self.asked) and len(self.in_state(PullState.DONE)) == len(self.asked)
        return live.last_sync is not None or is_done


Test = Callable[[Evidence], bool]
Say = Callable[[Evidence], str]


@dataclass(frozen=True, slots=True)
class Check:
    """A row: what is wrong, how bad it is, what to say and what to do about it."""

    name: str
    verdict: Verdict
    applies: Test
    is_wrong: Test
    message: Say
    fix: Say


def _always(_: Evidence) -> bool:
    return True


def _is_there(evidence: Evidence) -> bool:
    return evidence.standing.live is not None


def _is_linked(evidence: Evidence) -> bool:
    return evidence.standing.is_linked


def _is_synced(evidence: Evidence) -> bool:
    return evidence.standing.is_synced_by_us


def _is_managed(evidence: Evidence) -> bool:
    return evidence.standing.connection.migration is Migration.MANAGED


def _has_status(*statuses: Status) -> Test:
    return lambda one: one.standing.live is not None and one.standing.live.status in statuses


def _is_blocked(evidence: Evidence) -> bool:
    return evidence.standing.live is None and evidence.standing.is_blocked


def _is_absent(evidence: Evidence) -> bool:
    return evidence.standing.live is None and not evidence.standing.is_blocked


def _is_held_up(evidence: Evidence) -> bool:
    return _has_status(Status.PENDING_AUTH)(evidence) and evidence.standing.is_blocked


def _is_awaited(evidence: Evidence) -> bool:
    return _has_status(Status.PENDING_AUTH)(evidence) and not evidence.standing.is_blocked


def _attention(evidence: Evidence) -> str:
    note = evidence.standing.attention
    return f"{note.code}: {note.message}" if note else ""


def _absent(evidence: Evidence) -> str:
    return f"Codat has no such {'connection' if evidence.standing.live_company else 'company'}"


def _status(evidence: Evidence) -> str:
    live = evidence.standing.live
    return f"the connection is {live.status}, not Linked" if live else ""


def _how_to_link(evidence: Evidence) -> str:
    return _LINKERS[evidence.standing.connection.migration]


_LINKERS: Final[Mapping[Migration, str]] = {
    Migration.SELF_SERVICE: "run apply, which hands over the tokens",
    Migration.MANAGED: "Codat's team imports the token; ask them how far they are",
    Migration.LINK: "the customer links; codat-sync links writes the URLs to send",
}


def _errors(evidence: Evidence) -> str:
    told = "; ".join(
        f"{one.message}{f' ({one.status_code})' if one.status_code else ''}" for one in evidence.active_errors
    )
    return f"Codat reports an open error: {told}"


def _failed_types(evidence: Evidence) -> str:
    failed = evidence.in_state(PullState.FAILED)
    return f"the last sync failed: {_named(f'{one.data_type} {one.status}' for one in failed)}"


def _failed_fix(evidence: Evidence) -> str:
    statuses = {one.status.lower() for one in evidence.in_state(PullState.FAILED)}
    if "autherror" in statuses:
        return "the customer must reconnect; codat-sync links writes the URL once Codat says Deauthorized"
    return "see the company's data history in Codat, then run apply --retry-syncs"


def _unfinished(evidence: Evidence) -> str:
    running = _named(f"{one.data_type} {one.status}" for one in evidence.running)
    never = _named(evidence.never_synced)
    return "; ".join(
        filter(None, (running and f"still syncing: {running}", never and f"never synced: {never}"))
    )


def _unfinished_fix(evidence: Evidence) -> str:
    if evidence.running:
        return "wait, or verify again with --wait 15m"
    return "run apply, which starts a sync that is due"


def _offline(evidence: Evidence) -> str:
    scheduled = " and its schedule is due" if _waits_for_schedule(evidence) else ""
    named = _named(_types(evidence.queued_offline))
    return f"queued until the customer's connector is online{scheduled}: {named}"


def _offline_fix(evidence: Evidence) -> str:
    if _waits_for_schedule(evidence):
        return "the first sync runs at the time that the customer has set there; nothing is wrong here"
    return "the customer starts the connector on their machine; nothing is wrong here"


def _waits_for_schedule(evidence: Evidence) -> bool:
    """Whether this is a first sync of QuickBooks Desktop, which the customer's own schedule starts."""
    is_desktop = evidence.platform is not None and evidence.platform.key == QUICKBOOKS_DESKTOP
    return is_desktop and not evidence.has_first_sync


def _strays(evidence: Evidence) -> str:
    found = "; ".join(f"{one.id} ({_held(one)})" for one in evidence.strays)
    return f"Codat has another company of this name, which the import may have made: {found}"


def _held(company: LiveCompany) -> str:
    held = ", ".join(f"{one.platform_name or one.platform_key} {one.status}" for one in company.connections)
    return held or "no connection"


def _types(statuses: Iterable[DataStatus]) -> Iterator[str]:
    return (one.data_type for one in statuses)


def _named(names: Iterable[str]) -> str:
    return listed(tuple(names), _NAMED)


CHECKS: Final = (
    Check("in-codat", Verdict.FAILED, _always, _is_blocked, _attention, lambda _: "settle what plan names"),
    Check("in-codat", Verdict.PENDING, _always, _is_absent, _absent, lambda _: "run apply, which creates it"),
    Check(
        "linked",
        Verdict.FAILED,
        _is_there,
        _has_status(Status.DEAUTHORIZED),
        lambda _: "reauthorization is required: access was revoked or has expired",
        lambda _: "the customer must reconnect; codat-sync links writes the URL to send",
    ),
    Check(
        "linked",
        Verdict.FAILED,
        _is_there,
        _has_status(Status.UNLINKED, Status.UNKNOWN),
        _status,
        lambda _: "plan says what to do about it",
    ),
    Check("linked", Verdict.FAILED, _is_there, _is_held_up, _status, _attention),
    Check("linked", Verdict.PENDING, _is_there, _is_awaited, _status, _how_to_link),
    Check(
        "no-open-error",
        Verdict.FAILED,
        _is_linked,
        lambda one: bool(one.active_errors),
        _errors,
        lambda _: "see the connection in Codat; an error that Codat resolves no longer counts",
    ),
    Check(
        "data",
        Verdict.FAILED,
        _is_synced,
        lambda one: not one.asked,
        lambda _: "no data type is asked for: the Codat profile fetches none that this platform has",
        lambda _: "mark some under Settings > Data types in Codat, or name them with sync.dataTypes",
    ),
    Check(
        "data",
        Verdict.FAILED,
        _is_synced,
        lambda one: bool(one.in_state(PullState.FAILED)),
        _failed_types,
        _failed_fix,
    ),
    Check(
        "data",
        Verdict.PENDING,
        _is_synced,
        lambda one: bool(one.running or one.never_synced),
        _unfinished,
        _unfinished_fix,
    ),
    Check(
        "data",
        Verdict.OFFLINE,
        _is_synced,
        lambda one: bool(one.queued_offline),
        _offline,
        _offline_fix,
    ),
    Check(
        "first-sync",
        Verdict.PENDING,
        lambda one: _is_synced(one) and not one.queued_offline,
        lambda one: not one.has_first_sync,
        lambda _: "the first sync has not ended",
        _unfinished_fix,
    ),
    Check(
        "no-stray-company",
        Verdict.FAILED,
        lambda one: _is_managed(one) and _is_there(one),
        lambda one: bool(one.strays),
        _strays,
        lambda _: (
            "tell Codat's team which company is meant, and delete the other when they have moved the token"
        ),
    ),
)
"""Every check, in the order in which it is shown. A check may have rows of several verdicts."""


def verified(evidence: Evidence) -> Verified:
    """What the checks find at one connection."""
    standing = evidence.standing
    return Verified(
        standing.address,
        standing.connection.platform,
        tuple(_findings(evidence)),
        standing.live_company.id if standing.live_company else None,
        standing.live.id if standing.live else None,
    )


def _findings(evidence: Evidence) -> Iterator[Finding]:
    """The complaints of every check that applies, or that it passed."""
    applicable = [one for one in CHECKS if one.applies(evidence)]
    for name in dict.fromkeys(one.name for one in applicable):
        wrong = [one for one in applicable if one.name == name and one.is_wrong(evidence)]
        for row in wrong:
            yield Finding(name, row.verdict, row.message(evidence), row.fix(evidence))
        if not wrong:
            yield Finding(name, Verdict.PASSED)


# --- gathering evidence from what was read -----------------------------------------------------


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
    platform = next((one for one in live.platforms if one.key == key), None)
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
    return {one.data_type.lower(): one for one in statuses}


def _newest(pulls: Iterable[Pull], connection_id: str) -> dict[str, DataStatus]:
    own = sorted((one for one in pulls if one.connection_id == connection_id), key=lambda one: one.requested)
    return {one.data_type.lower(): DataStatus(one.data_type, one.status, one.state) for one in own}


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
    has = {one.lower() for one in known} or set(own)
    return tuple(sorted(one for one in fetched if one.lower() in has))


@dataclass(frozen=True, slots=True)
class Namesakes:
    """The live companies that nobody manages and no spec names, by name."""

    by_name: Mapping[str, tuple[LiveCompany, ...]]

    @classmethod
    def of(cls, desired: Desired, companies: Iterable[LiveCompany]) -> Namesakes:
        """Index ``companies``, in the order of ids."""
        claimed = {one.id for one in desired.companies.values() if one.id}
        by_name: defaultdict[str, tuple[LiveCompany, ...]] = defaultdict(tuple)
        for company in sorted(companies, key=lambda one: one.id):
            if company.owner() is None and company.id not in claimed:
                by_name[folded(company.name)] += (company,)
        return cls(by_name)

    def strays(self, standing: ConnectionState) -> tuple[LiveCompany, ...]:
        """Those that have the name of a managed migration's company, as an import may have made them."""
        if standing.connection.migration is not Migration.MANAGED:
            return ()
        return self.by_name.get(folded(standing.company.name), ())
