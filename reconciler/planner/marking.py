"""What the record of links shall say: every connection that no spec pins, as far as its tag reaches.

It is written anew only where it fails to say what it must. So a plan that has been applied is followed
by an empty one, and whatever stands in a record besides does no harm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.live import LiveCompany, LiveConnection, Status
from reconciler.model import (
    MAX_TAG_VALUE,
    DesiredCompany,
    DesiredConnection,
    Mark,
    Wanted,
    links_tag,
    short_id,
)
from reconciler.planner.connection_rules import Proof
from reconciler.planner.link_record import is_as_old_as, recorded_links
from reconciler.planner.pairing import Pairs, alone_of_platform

Marks = Mapping[str, Mark]

_NONE: Final = Mark(id="00000000")
"""The id of none, as long as any: for an entry whose connection is gone, or is still to be created."""


@dataclass(frozen=True, slots=True)
class _Company:
    """A company whose record is made."""

    desired: DesiredCompany
    live: LiveCompany | None
    pairs: Pairs
    created: Collection[str]
    """The keys of the connections that this plan creates."""

    @property
    def connections(self) -> tuple[LiveConnection, ...]:
        return self.live.connections if self.live else ()


def record(
    desired: DesiredCompany, live: LiveCompany | None, pairs: Pairs, created: Collection[str]
) -> dict[str, Mark]:
    """The record as it shall be; empty where the one that there is will do for the keys of the specs.

    What is recorded of keys that left the specs is written along, and is no reason for a write of its own.
    """
    company = _Company(desired, live, pairs, created)
    old = recorded_links(live)
    wanted = dict(_wanted(company))
    marks = _fitted(wanted, dict(_kept(company, old, wanted)), company)
    named = {key: mark for key, mark in marks.items() if key in desired.connections}
    is_due = any(not _says(old.get(key), mark, marks, company) for key, mark in named.items())
    return marks if is_due else {}


def needs_ids(marks: Marks, desired: DesiredCompany) -> bool:
    """Whether the record tells several connections of one platform apart, so that it cannot be left out."""
    platforms = Counter(
        connection.platform_key for key, connection in desired.connections.items() if key in marks
    )
    return any(count > 1 for count in platforms.values())


def _wanted(company: _Company) -> Iterator[tuple[str, Mark]]:
    """What a spec wants and does not pin: it is known which one it is, or this plan creates it."""
    made = Counter(company.desired.connections[key].platform_key for key in company.created)
    for key, connection in company.desired.connections.items():
        found = company.pairs.live.get(key)
        if connection.id is not None or connection.wanted is Wanted.ABSENT:
            continue
        if found is not None and _is_known(key, found, company):
            yield key, Mark(id=found.id)
        elif key in company.created:
            is_first_and_only = company.live is None and made[connection.platform_key] == 1
            yield key, Mark(platform_key=connection.platform_key if is_first_and_only else "")


def _is_known(key: str, found: LiveConnection, company: _Company) -> bool:
    """Whether a connection may be recorded under ``key``, so that it is from now on ours to take away.

    One that shall not be linked is recorded only if it was before: else anything that a customer links
    there would be severed.
    """
    proof = company.pairs.proof[key]
    if proof is Proof.CERTAIN:
        return True
    is_sure = proof is Proof.ALONE or found.status is Status.PENDING_AUTH
    return is_sure and company.desired.connections[key].wanted is Wanted.LINKED


def _kept(company: _Company, old: Marks, wanted: Collection[str]) -> Iterator[tuple[str, Mark]]:
    """What is recorded besides: what shall be deleted, and what left the specs and is still there."""
    renamed = {connection.renamed_from for connection in company.desired.connections.values()}
    ids = {key: identifier for identifier, key in company.pairs.former.items()}
    doubtful = Counter(company.pairs.former.values())
    for key, mark in old.items():
        if key in wanted or (key in renamed and key not in company.desired.connections):
            continue
        if key in company.desired.connections:
            found = company.pairs.live.get(key)
            is_sure = found is not None and company.pairs.proof[key] is Proof.CERTAIN
            yield key, Mark(id=found.id) if found is not None and is_sure else mark
        elif key in ids:
            yield key, Mark(id=ids[key]) if doubtful[key] == 1 else mark


def _fitted(wanted: Marks, kept: Marks, company: _Company) -> dict[str, Mark]:
    """The record within the length of a tag: first what is wanted, with no more than it needs."""
    if _fits({**kept, **wanted}):
        return {**kept, **wanted}
    named = {key: mark for key, mark in kept.items() if key in company.desired.connections}
    if _fits({**named, **wanted}):
        return {**named, **wanted}
    marks = {key: _shortened(key, wanted, company) for key in sorted(wanted)}
    while not _fits(marks):
        marks.pop(max(marks))
    return marks


def _shortened(key: str, marks: Marks, company: _Company) -> Mark:
    """The platform in place of the id, where it tells as much."""
    found = _found(marks[key], company)
    tells = found is not None and _platform_tells(found, marks, company)
    return Mark(platform_key=found.platform_key) if found and tells else marks[key]


def _platform_tells(found: LiveConnection, marks: Marks, company: _Company) -> bool:
    """Whether a connection's platform tells it from every other, also from what may come later."""
    if company.live is None or found.platform_key not in alone_of_platform(company.connections):
        return False
    platforms = Counter(_platform(key, mark, company) for key, mark in marks.items())
    is_timeless = company.live.created is None or found.created is None
    return platforms[found.platform_key] == 1 and (is_timeless or is_as_old_as(company.live, found))


def _platform(key: str, mark: Mark, company: _Company) -> str:
    found, wanted = _found(mark, company), company.desired.connections.get(key)
    return mark.platform_key or (found or wanted or mark).platform_key


def _found(mark: Mark, company: _Company) -> LiveConnection | None:
    return company.live.connection(mark.id) if company.live and mark.id else None


def _says(old: Mark | None, mark: Mark, marks: Marks, company: _Company) -> bool:
    """Whether the old entry says what ``mark`` says."""
    if old is None or mark.is_to_come:
        return False
    if old == mark or (old.id and mark.id and old.id == short_id(mark.id)):
        return True
    found = _found(mark, company)
    return found is not None and bool(old.platform_key) and _platform_tells(found, marks, company)


def _fits(marks: Marks) -> bool:
    text = links_tag({key: _NONE if mark.is_to_come else mark for key, mark in marks.items()})
    return len(text) <= MAX_TAG_VALUE


def before_creates(
    live: LiveCompany, desired: DesiredCompany, pairs: Pairs, created: Collection[str]
) -> Marks:
    """The record to write before connections are created; empty where the one that there is will do.

    An entry that holds a platform alone, and whose connection is gone, would mean what is created next
    on that platform under another key, by all that a run can tell which goes on after a kill.
    """
    old = recorded_links(live)
    platforms = {desired.connections[key].platform_key for key in created}
    renamed = {connection.renamed_from: key for key, connection in desired.connections.items()}
    gone = {
        key: _NONE
        for key, mark in old.items()
        if mark.platform_key in platforms
        and key not in pairs.former.values()
        and _is_gone(key if key in desired.connections else renamed.get(key, key), pairs, created)
    }
    return {**old, **gone} if gone and _fits({**old, **gone}) else {}


def _is_gone(key: str, pairs: Pairs, created: Collection[str]) -> bool:
    """Whether nothing is there under ``key``, and nothing will be."""
    return key not in created and key not in pairs.trouble and pairs.live.get(key) is None


def before_deletes(live: LiveCompany, deleted: Collection[tuple[DesiredConnection, str]]) -> dict[str, Mark]:
    """The entries to write before connections are deleted (with their ids), where only platforms stand.

    Whatever comes after on that platform, while the spec still says ``absent``, must not be taken for it.
    """
    old = recorded_links(live)
    found = {
        connection.key: Mark(id=identifier)
        for connection, identifier in deleted
        if old.get(connection.key, old.get(connection.renamed_from or "", Mark())).platform_key
    }
    return found if _fits({**old, **found}) else {}


def settled(marks: Marks) -> dict[str, Mark]:
    """The entries that can be written before anything is created."""
    return {key: mark for key, mark in marks.items() if not mark.is_to_come}
