"""Which live connection is meant: by link, by id, or by platform.

Codat gives connections neither name nor tags, so the company carries the tag ``codatSyncLinks``. An
entry holds a connection's key with the start of its id, or with its platform alone. The latter is sent
in the company's own create, before there is an id; so it speaks of a connection that was made in the
same run as the company, and age tells that one from what the customer linked himself later on.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from reconciler.live import LiveCompany, LiveConnection, Status
from reconciler.model import LINKS_TAG, DesiredCompany, DesiredConnection, Mark, Wanted, marks_of, short_id
from reconciler.plan import AttentionCode
from reconciler.planner.connection_rules import Proof

SAME_RUN: Final = timedelta(hours=1)
"""How long after its company, by Codat's own clock, a connection may have been made in the same run."""


@dataclass(frozen=True, slots=True)
class Named:
    """The live connections that an entry may mean: none is gone, one is known, several cannot be told."""

    mark: Mark
    found: tuple[LiveConnection, ...] = ()
    is_doubtful: bool = False
    """Whether what was found may be someone else's: nothing tells it from the one that was recorded."""

    @property
    def certain(self) -> LiveConnection | None:
        """The connection that it means, where that can be told."""
        return self.found[0] if len(self.found) == 1 and not self.is_doubtful else None


def recorded_links(live: LiveCompany | None) -> dict[str, Mark]:
    """The record that the company's tag holds."""
    return marks_of(live.tags.get(LINKS_TAG, "")) if live else {}


def named_by_record(
    live: LiveCompany | None, pinned: Collection[str], sending: Collection[str]
) -> dict[str, Named]:
    """What each entry of the company's record means; connections that a spec pins are nobody else's.

    ``sending`` holds the keys whose tokens are ours to send.
    """
    if live is None:
        return {}
    marks = recorded_links(live)
    connections = sorted(live.connections, key=by_age)
    names = {
        key: Named(
            mark, tuple(connection for connection in connections if short_id(connection.id) == mark.id)
        )
        for key, mark in marks.items()
        if mark.id
    }
    taken = {connection.id for name in names.values() for connection in name.found} | set(pinned)
    for key, mark in marks.items():
        if mark.platform_key:
            free = [
                connection
                for connection in connections
                if connection.platform_key == mark.platform_key and connection.id not in taken
            ]
            names[key] = _named_by_platform(mark, free, live, sends=key in sending)
    return names


def _named_by_platform(
    mark: Mark, free: Sequence[LiveConnection], live: LiveCompany, *, sends: bool
) -> Named:
    """The one that was made with its company; what nobody has authorized yet is interchangeable.

    Of two that were, the first is not ours for certain where it waits and the other works: ours may be the
    second, which got the tokens, beside one that somebody else began and left.
    """
    early = [connection for connection in free if is_as_old_as(live, connection)]
    is_waiting = [connection.status is Status.PENDING_AUTH for connection in early]
    if sends and is_waiting[:1] == [True] and not all(is_waiting):
        return Named(mark, tuple(early), is_doubtful=True)
    if early and len({connection.created for connection in early[:2]}) == len(early[:2]):
        return Named(mark, (early[0],))
    if all(connection.status is Status.PENDING_AUTH for connection in free):
        return Named(mark, tuple(free[:1]))
    is_timeless = len(free) == 1 and (live.created is None or free[0].created is None)
    return Named(mark, tuple(free), is_doubtful=not is_timeless)


def is_as_old_as(live: LiveCompany, connection: LiveConnection) -> bool:
    """Whether the connection may have been made in the run that made its company."""
    if live.created is None or connection.created is None:
        return False
    return connection.created - live.created <= SAME_RUN


def by_age(live: LiveConnection) -> tuple[str, str]:
    """Sorts connections by their creation, then by id."""
    return (live.created.isoformat() if live.created else "", live.id)


def alone_of_platform(connections: Iterable[LiveConnection]) -> frozenset[str]:
    """The platforms of which there is one connection."""
    return frozenset(
        platform
        for platform, count in Counter(connection.platform_key for connection in connections).items()
        if count == 1
    )


def platforms_told(names: Mapping[str, Named], wanted: Mapping[str, str]) -> frozenset[str]:
    """The platforms that the record speaks of: on these, what it does not name was not made by us.

    ``wanted`` holds the platform of each key that the specs want.
    """
    return frozenset(
        platform
        for key, name in names.items()
        for platform in (
            name.mark.platform_key,
            *(connection.platform_key for connection in name.found),
            *((wanted[key],) if key in wanted and not name.found else ()),
        )
        if platform
    )


_RANK: Final = {
    status: rank
    for rank, status in enumerate(
        (Status.LINKED, Status.DEAUTHORIZED, Status.UNLINKED, Status.UNKNOWN, Status.PENDING_AUTH)
    )
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a wanted connection could not be paired: the live connections, and the keys that want them too."""

    code: AttentionCode
    candidates: tuple[LiveConnection, ...] = ()
    rivals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pairs:
    """Each wanted connection's live one (``None``: there is none), those in trouble, and the strays.

    ``proof`` says how sure a pair is. ``former`` holds the key under which the record names a stray.
    """

    live: Mapping[str, LiveConnection | None]
    trouble: Mapping[str, Trouble]
    strays: tuple[LiveConnection, ...]
    proof: Mapping[str, Proof] = field(default_factory=dict)
    former: Mapping[str, str] = field(default_factory=dict)
    is_recorded: bool = field(default=False, compare=False)
    """Whether the record of links says just this already."""


@dataclass(slots=True)
class _Pairing:
    """A pairing in progress: what is settled, and the live connections that nobody has claimed yet."""

    free: dict[str, LiveConnection]
    live: dict[str, LiveConnection | None] = field(default_factory=dict)
    proof: dict[str, Proof] = field(default_factory=dict)
    trouble: dict[str, Trouble] = field(default_factory=dict)
    contested: set[str] = field(default_factory=set)
    former: dict[str, str] = field(default_factory=dict)

    def settle(self, key: str, live: LiveConnection | None, proof: Proof = Proof.CERTAIN) -> None:
        self.live[key] = live
        self.proof[key] = proof
        if live is not None:
            self.free.pop(live.id, None)

    def fail(
        self,
        key: str,
        code: AttentionCode,
        candidates: Iterable[LiveConnection] = (),
        rivals: Iterable[str] = (),
    ) -> None:
        named = tuple(candidates)
        self.trouble[key] = Trouble(code, named, tuple(rivals))
        self.contested.update(found.id for found in named)

    def candidates(self, platform: str) -> list[LiveConnection]:
        """What the record does not name, the best status first."""
        found = (live for live in self.free.values() if live.platform_key == platform)
        return sorted(
            (live for live in found if live.id not in self.former), key=lambda live: _RANK[live.status]
        )


def pair(desired: DesiredCompany, live: LiveCompany | None) -> Pairs:
    """Pair the wanted connections of a company with its live ones."""
    plainly = recorded(desired, live) if live else None
    return pair_carefully(desired, live) if plainly is None else plainly


def recorded(desired: DesiredCompany, live: LiveCompany) -> Pairs | None:
    """The pairs of a company in which all is as it was left, as nearly all are: the quick way.

    The record names every wanted connection and nothing else, each has a platform of its own, and no
    other is there. Anything else is paired with care, with the same result where both ways have one.
    """
    wanted, marks = desired.connections, recorded_links(live)
    free = {found.platform_key: found for found in live.connections}
    if not len(free) == len(live.connections) == len(wanted) or marks.keys() != wanted.keys():
        return None
    pairs: dict[str, LiveConnection | None] = {}
    for key, connection in sorted(wanted.items()):
        found = free.pop(connection.platform_key, None)
        is_plain = connection.id is None and connection.renamed_from is None
        if found is None or not is_plain or connection.wanted is Wanted.ABSENT:
            return None
        if not _is_named_by(marks[key], found, live):
            return None
        pairs[key] = found
    return Pairs(pairs, {}, (), dict.fromkeys(pairs, Proof.CERTAIN), is_recorded=True)


def _is_named_by(mark: Mark, found: LiveConnection, live: LiveCompany) -> bool:
    """Whether the entry means this connection, which is the only one of its platform, and no other."""
    if mark.id:
        return [mark.id == short_id(other.id) for other in live.connections].count(True) == 1 and (
            mark.id == short_id(found.id)
        )
    return mark.platform_key == found.platform_key and is_as_old_as(live, found)


def pair_carefully(desired: DesiredCompany, live: LiveCompany | None) -> Pairs:
    """The same, whatever is there."""
    connections = sorted(live.connections, key=by_age) if live else []
    pairing = _Pairing({found.id: found for found in connections})
    wanted = sorted(desired.connections.values(), key=lambda connection: connection.key)
    pinned = {connection.id for connection in wanted if connection.id is not None}
    sending = {
        key
        for connection in wanted
        if connection.wanted is Wanted.LINKED and connection.authorization
        for key in (connection.key, connection.renamed_from)
        if key is not None
    }
    recorded = named_by_record(live, pinned, sending)
    names = _by_holder(recorded, desired)
    platforms = {connection.key: connection.platform_key for connection in wanted}
    # A pin overrules an entry; that its platform was told apart still holds, as long as the key is wanted.
    held = {key: name for key, name in recorded.items() if key in platforms}
    told = platforms_told(held, platforms) | platforms_told(names, platforms)
    rest = _by_record(_by_id(wanted, pairing), names, pairing)
    _set_former_apart(names, pairing)
    groups: defaultdict[str, list[DesiredConnection]] = defaultdict(list)
    for connection in rest:
        groups[connection.platform_key].append(connection)
    for platform, group in groups.items():
        _by_platform(
            [connection for connection in group if connection.wanted is not Wanted.ABSENT],
            pairing,
            is_told=platform in told,
        )
        absent = [connection for connection in group if connection.wanted is Wanted.ABSENT]
        if platform in told:
            _already_gone(absent, pairing)
        else:
            _absent_by_platform(absent, pairing)
    strays = tuple(found for found in pairing.free.values() if found.id not in pairing.contested)
    former = {found.id: pairing.former[found.id] for found in strays if found.id in pairing.former}
    return Pairs(pairing.live, pairing.trouble, strays, pairing.proof, former)


def _by_holder(names: Mapping[str, Named], desired: DesiredCompany) -> dict[str, Named]:
    """The record as the specs' keys have it: a connection that is renamed takes the old key's entry over.

    What a spec pins overrules the record, for the key that is pinned and for the connection.
    """
    connections = desired.connections.values()
    pinned = {connection.id for connection in connections}
    held = {
        key: name
        for key, name in names.items()
        if not (name.found and pinned.issuperset(live.id for live in name.found))
    }
    for connection in connections:
        old = connection.renamed_from
        if connection.id is not None:
            held.pop(connection.key, None)
        elif old is not None and old in held and connection.key not in names:
            held[connection.key] = held.pop(old)
    return held


def _by_id(wanted: Sequence[DesiredConnection], pairing: _Pairing) -> list[DesiredConnection]:
    """Settle the pinned connections; the others are left."""
    rest = []
    for connection in wanted:
        if connection.id is None:
            rest.append(connection)
            continue
        found = pairing.free.get(connection.id)
        if found is not None and found.platform_key != connection.platform_key:
            pairing.fail(connection.key, AttentionCode.CONFLICT, (found,))
        elif found is None and connection.wanted is not Wanted.ABSENT:
            pairing.fail(connection.key, AttentionCode.MISSING)
        else:
            pairing.settle(connection.key, found)
    return rest


def _by_record(
    wanted: Sequence[DesiredConnection], names: Mapping[str, Named], pairing: _Pairing
) -> list[DesiredConnection]:
    """Settle those that the record holds, also those whose connection is gone; the others are left.

    What the record does not name is never taken for a connection that is gone.
    """
    rest = []
    for connection in wanted:
        name = names.get(connection.key)
        if name is None or _is_of_another_platform(name, connection):
            rest.append(connection)
            continue
        others = (other.key for other in wanted if other is not connection)
        rivals = [key for key in others if key in names and _are_rivals(name, names[key])]
        found = tuple(live for live in name.found if live.id in pairing.free)
        if (len(name.found) > 1 or name.is_doubtful or rivals) and name.found:
            pairing.fail(connection.key, AttentionCode.AMBIGUOUS, name.found, rivals)
        else:
            pairing.settle(connection.key, found[0] if found else None)
    return rest


def _is_of_another_platform(name: Named, connection: DesiredConnection) -> bool:
    """Whether the spec has given the key to another platform since."""
    platforms = {name.mark.platform_key, *(live.platform_key for live in name.found)} - {""}
    return bool(platforms) and connection.platform_key not in platforms


def _are_rivals(name: Named, other: Named) -> bool:
    return not {live.id for live in name.found}.isdisjoint(live.id for live in other.found)


def _set_former_apart(names: Mapping[str, Named], pairing: _Pairing) -> None:
    """What the record names and no spec means by that name is nobody else's."""
    for key, name in sorted(names.items()):
        for live in name.found:
            if live.id in pairing.free and live.id not in pairing.contested:
                pairing.former.setdefault(live.id, key)


def _by_platform(wanted: Sequence[DesiredConnection], pairing: _Pairing, *, is_told: bool) -> None:
    """Pair what is left of one platform: the best status first, but never by a guess.

    PendingAuth connections are interchangeable: nothing was ever sent to them. They go first to those
    that shall be linked, who would otherwise create one. Of any better status one may belong to a
    single wanted connection; otherwise a person must say which is which.
    """
    if not wanted:
        return
    candidates = pairing.candidates(wanted[0].platform_key)
    is_only_choice = len(wanted) == len(candidates) == 1 and not is_told
    proof = Proof.ALONE if is_only_choice else Proof.GUESSED
    better = [live for live in candidates if live.status is not Status.PENDING_AUTH]
    if not better:
        needy_first = sorted(wanted, key=lambda connection: connection.wanted is not Wanted.LINKED)
        for number, connection in enumerate(needy_first):
            pairing.settle(connection.key, candidates[number] if number < len(candidates) else None, proof)
        return
    best = [live for live in better if live.status is better[0].status]
    if len(wanted) == 1 and len(best) == 1:
        pairing.settle(wanted[0].key, best[0], proof)
        return
    for connection in wanted:
        rivals = [other.key for other in wanted if other is not connection]
        pairing.fail(
            connection.key, AttentionCode.AMBIGUOUS, best if len(wanted) == 1 else candidates, rivals
        )


def _already_gone(wanted: Sequence[DesiredConnection], pairing: _Pairing) -> None:
    """What a record told apart is gone once it is not recorded; what else is there was never meant."""
    for connection in wanted:
        pairing.settle(connection.key, None)


def _absent_by_platform(wanted: Sequence[DesiredConnection], pairing: _Pairing) -> None:
    """Pair what shall be deleted: only where no choice is left, because a delete destroys data."""
    for connection in wanted:
        candidates = pairing.candidates(connection.platform_key)
        if len(candidates) > 1 or any(live.id in pairing.contested for live in candidates):
            pairing.fail(connection.key, AttentionCode.AMBIGUOUS, candidates)
        else:
            pairing.settle(connection.key, candidates[0] if candidates else None, Proof.GUESSED)
