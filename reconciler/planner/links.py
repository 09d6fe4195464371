"""The record of links: which connection of a company is which, kept in a tag, and what it proves.

Codat gives connections neither name nor tags, so the company carries the tag ``codatSyncLinks``. An
entry holds a connection's key with the start of its id, or with its platform alone. The latter is sent
in the company's own create, before there is an id; so it speaks of a connection that was made in the
same run as the company, and age tells that one from what the customer linked himself later on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from reconciler.model import LINKS_TAG, LiveCompany, LiveConnection, Mark, Status, marks_of, short_id

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


def named_by_record(live: LiveCompany | None, pinned: Collection[str]) -> dict[str, Named]:
    """What each entry of the company's record means; connections that a spec pins are nobody else's."""
    if live is None:
        return {}
    marks = recorded_links(live)
    connections = sorted(live.connections, key=by_age)
    names = {
        key: Named(mark, tuple(one for one in connections if short_id(one.id) == mark.id))
        for key, mark in marks.items()
        if mark.id
    }
    taken = {one.id for name in names.values() for one in name.found} | set(pinned)
    for key, mark in marks.items():
        if mark.platform_key:
            free = [
                one for one in connections if one.platform_key == mark.platform_key and one.id not in taken
            ]
            names[key] = _by_platform(mark, free, live)
    return names


def _by_platform(mark: Mark, free: Sequence[LiveConnection], live: LiveCompany) -> Named:
    """The one that was made with its company; what nobody has authorized yet is interchangeable."""
    early = [one for one in free if is_as_old_as(live, one)]
    if early and len({one.created for one in early[:2]}) == len(early[:2]):
        return Named(mark, (early[0],))
    if all(one.status is Status.PENDING_AUTH for one in free):
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
        platform for platform, count in Counter(one.platform_key for one in connections).items() if count == 1
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
            *(one.platform_key for one in name.found),
            *((wanted[key],) if key in wanted and not name.found else ()),
        )
        if platform
    )
