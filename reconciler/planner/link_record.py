"""What the record of links says: which live connection each of its entries means.

Codat gives connections neither name nor tags, so the company carries the tag ``codatSyncLinks``. An
entry holds a connection's key with the start of its id, or with its platform alone. The latter is sent
in the company's own create, before there is an id; so it speaks of a connection that was made in the
same run as the company, and age tells that one from what the customer linked himself later on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from reconciler.live import LiveCompany, LiveConnection, Status
from reconciler.model import LINKS_TAG, Mark, marks_of, short_id

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
