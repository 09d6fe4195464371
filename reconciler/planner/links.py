"""The record of links: which of several connections of one platform is which, kept in a tag.

Codat gives connections neither name nor tags, so the company carries the tag ``codatSyncLinks``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from reconciler.model import (
    LINKS_TAG,
    MAX_TAG_VALUE,
    DesiredCompany,
    DesiredConnection,
    LiveCompany,
    LiveConnection,
    Wanted,
    links_tag,
)

Paired = Mapping[str, LiveConnection | None]

_ANY_ID: Final = "00000000-0000-0000-0000-000000000000"


def recorded_links(live: LiveCompany | None) -> dict[str, str]:
    """The record of links that the company's tag holds: connection key to the first 8 of an id."""
    text = live.tags.get(LINKS_TAG, "") if live else ""
    entries = (entry.partition(":") for entry in text.split(",") if entry)
    return {key: identifier for key, separator, identifier in entries if separator and identifier}


def record(
    desired: DesiredCompany, live: LiveCompany | None, paired: Paired, created: Collection[str]
) -> dict[str, str | None]:
    """The record as it shall be; empty where none is needed.

    It holds those that are paired, and those that this plan creates (``None`` for an id that is not
    known yet). Whoever is recorded stays so while a spec names it, as far as there is room: paired by
    its platform it might be taken for a connection that no spec means.
    """
    found = {one.key: paired.get(one.key) for one in _needing_record(desired)}
    links = {key: one.id if one else None for key, one in found.items() if one is not None or key in created}
    kept = _kept(desired, live, paired, links) if links else {}
    return {**kept, **links} if _fits([*kept, *links]) else links


def _needing_record(desired: DesiredCompany) -> tuple[DesiredConnection, ...]:
    """The connections whose links must be recorded: several of one platform, none pinned by ``id``."""
    groups: defaultdict[str, list[DesiredConnection]] = defaultdict(list)
    for connection in desired.connections.values():
        if connection.wanted is not Wanted.ABSENT:
            groups[connection.platform_key].append(connection)
    several = (group for group in groups.values() if len(group) > 1)
    return tuple(one for group in several for one in group if one.id is None)


def _kept(
    desired: DesiredCompany, live: LiveCompany | None, paired: Paired, links: Collection[str]
) -> dict[str, str]:
    """Those to record besides: all that is recorded, and what shall be deleted from among them.

    The record is written before the deletes, and a run that is killed between must find them again.
    """
    unpinned = {key: one for key, one in desired.connections.items() if one.id is None}
    platforms = {desired.connections[key].platform_key for key in links}
    old = {key: text for key, text in recorded_links(live).items() if key in unpinned}
    leaving = {
        key: one.id
        for key, one in paired.items()
        if one is not None
        and key in unpinned
        and unpinned[key].wanted is Wanted.ABSENT
        and one.platform_key in platforms
    }
    return {**old, **leaving}


def _fits(keys: Iterable[str]) -> bool:
    """Whether a record of these connections fits into its tag."""
    return len(links_tag(dict.fromkeys(keys, _ANY_ID))) <= MAX_TAG_VALUE
