"""Which live connection is meant: by ``id``, by the record of links, or by platform (DESIGN section 5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from reconciler.model import (
    DesiredCompany,
    DesiredConnection,
    LiveCompany,
    LiveConnection,
    Status,
    Wanted,
    short_id,
)
from reconciler.plan import Code
from reconciler.planner.links import recorded_links

_RANK: Final = {
    status: rank
    for rank, status in enumerate(
        (Status.LINKED, Status.DEAUTHORIZED, Status.UNLINKED, Status.UNKNOWN, Status.PENDING_AUTH)
    )
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a wanted connection could not be paired, and the live connections that a message names."""

    code: Code
    candidates: tuple[LiveConnection, ...] = ()


@dataclass(frozen=True, slots=True)
class Pairs:
    """Each wanted connection's live one (``None``: there is none), those in trouble, and the strays."""

    live: Mapping[str, LiveConnection | None]
    trouble: Mapping[str, Trouble]
    strays: tuple[LiveConnection, ...]


@dataclass(slots=True)
class _Pairing:
    """A pairing in progress: what is settled, and the live connections that nobody has claimed yet."""

    free: dict[str, LiveConnection]
    live: dict[str, LiveConnection | None] = field(default_factory=dict)
    trouble: dict[str, Trouble] = field(default_factory=dict)
    contested: set[str] = field(default_factory=set)

    def settle(self, key: str, live: LiveConnection | None) -> None:
        self.live[key] = live
        if live is not None:
            self.free.pop(live.id, None)

    def fail(self, key: str, code: Code, candidates: Iterable[LiveConnection] = ()) -> None:
        named = tuple(candidates)
        self.trouble[key] = Trouble(code, named)
        self.contested.update(one.id for one in named)


def pair(desired: DesiredCompany, live: LiveCompany | None) -> Pairs:
    """Pair the wanted connections of a company with its live ones."""
    connections = sorted(live.connections, key=_by_age) if live else []
    pairing = _Pairing({one.id: one for one in connections})
    wanted = sorted(desired.connections.values(), key=lambda one: one.key)
    record = recorded_links(live)
    told_apart = {one.platform_key for one in wanted if one.key in record}
    rest = _by_record(_by_id(wanted, pairing), record, pairing)
    groups: defaultdict[str, list[DesiredConnection]] = defaultdict(list)
    for connection in rest:
        groups[connection.platform_key].append(connection)
    for platform, group in groups.items():
        _by_platform([one for one in group if one.wanted is not Wanted.ABSENT], pairing)
        absent = [one for one in group if one.wanted is Wanted.ABSENT]
        if platform in told_apart:
            _already_gone(absent, pairing)
        else:
            _absent_by_platform(absent, pairing)
    strays = tuple(one for one in pairing.free.values() if one.id not in pairing.contested)
    return Pairs(pairing.live, pairing.trouble, strays)


def _by_age(live: LiveConnection) -> tuple[str, str]:
    return (live.created.isoformat() if live.created else "", live.id)


def _by_id(wanted: Sequence[DesiredConnection], pairing: _Pairing) -> list[DesiredConnection]:
    """Settle the pinned connections; the others are left."""
    rest = []
    for connection in wanted:
        if connection.id is None:
            rest.append(connection)
            continue
        found = pairing.free.get(connection.id)
        if found is not None and found.platform_key != connection.platform_key:
            pairing.fail(connection.key, Code.CONFLICT, (found,))
        elif found is None and connection.wanted is not Wanted.ABSENT:
            pairing.fail(connection.key, Code.MISSING)
        else:
            pairing.settle(connection.key, found)
    return rest


def _by_record(
    wanted: Sequence[DesiredConnection], record: Mapping[str, str], pairing: _Pairing
) -> list[DesiredConnection]:
    """Settle those whose recorded connection is still there; the others are left."""
    rest = []
    for connection in wanted:
        prefix = record.get(connection.key)
        found = [
            one
            for one in pairing.free.values()
            if prefix and short_id(one.id) == prefix and one.platform_key == connection.platform_key
        ]
        if len(found) == 1:
            pairing.settle(connection.key, found[0])
        else:
            rest.append(connection)
    return rest


def _by_platform(wanted: Sequence[DesiredConnection], pairing: _Pairing) -> None:
    """Pair what is left of one platform: the best status first, but never by a guess.

    PendingAuth connections are interchangeable: nothing was ever sent to them. They go first to those
    that shall be linked, who would otherwise create one. Of any better status one may belong to a
    single wanted connection; otherwise a person must say which is which.
    """
    if not wanted:
        return
    candidates = _candidates(wanted[0], pairing)
    better = [one for one in candidates if one.status is not Status.PENDING_AUTH]
    if not better:
        needy_first = sorted(wanted, key=lambda one: one.wanted is not Wanted.LINKED)
        for number, connection in enumerate(needy_first):
            pairing.settle(connection.key, candidates[number] if number < len(candidates) else None)
        return
    best = [one for one in better if one.status is better[0].status]
    if len(wanted) == 1 and len(best) == 1:
        pairing.settle(wanted[0].key, best[0])
        return
    for connection in wanted:
        pairing.fail(connection.key, Code.AMBIGUOUS, best if len(wanted) == 1 else candidates)


def _already_gone(wanted: Sequence[DesiredConnection], pairing: _Pairing) -> None:
    """What a record told apart is gone once it is not recorded; what else is there was never meant."""
    for connection in wanted:
        pairing.settle(connection.key, None)


def _absent_by_platform(wanted: Sequence[DesiredConnection], pairing: _Pairing) -> None:
    """Pair what shall be deleted: only where no choice is left, because a delete destroys data."""
    for connection in wanted:
        candidates = _candidates(connection, pairing)
        if len(candidates) > 1 or any(one.id in pairing.contested for one in candidates):
            pairing.fail(connection.key, Code.AMBIGUOUS, candidates)
        else:
            pairing.settle(connection.key, candidates[0] if candidates else None)


def _candidates(connection: DesiredConnection, pairing: _Pairing) -> list[LiveConnection]:
    found = [one for one in pairing.free.values() if one.platform_key == connection.platform_key]
    return sorted(found, key=lambda one: _RANK[one.status])
