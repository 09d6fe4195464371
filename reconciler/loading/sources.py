"""Companies as specs write them: typed where the schema has passed, with the place of everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from reconciler.loading.names import SENT
from reconciler.loading.nodes import Document, Entry, Spot
from reconciler.loading.platforms import PlatformIndex
from reconciler.loading.references import ReferenceFault, ReferenceOrigin, read
from reconciler.loading.settings import Settings
from reconciler.loading.words import AUTHORIZATION
from reconciler.model import Migration, Platform, Presence, SecretRef, Wanted, literal

COMPANIES: Final = "companies"
_MERGED_DEEPLY: Final = ("sync", "preconditions")
_PRESENCES: Final[Mapping[str, Presence]] = {state.value: state for state in Presence}
_WANTED: Final[Mapping[str, Wanted]] = {state.value: state for state in Wanted}
_MIGRATIONS: Final[Mapping[str, Migration]] = {way.value: way for way in Migration}

"""What each word means. The row of a set that stands for all others may hold another one."""


@dataclass(frozen=True, slots=True)
class ConnectionSpec:
    """A connection as written, with what rules ask of it time and again made out once.

    ``merged`` has the workspace's defaults under its own fields.
    """

    key: str
    company: str
    entry: Entry
    merged: Mapping[str, Any]
    platform: Platform | None
    fields: Entry | None
    """The mapping ``authorization``."""
    authorization: Mapping[str, str | SecretRef | ReferenceFault]
    wanted: Wanted
    migration: Migration
    """How it gets linked; self-service where an authorization is given and nothing else is said."""
    id: str | None
    """The id that pins it, in lower case."""


@dataclass(frozen=True, slots=True)
class CompanySpec:
    """A company as written. ``name`` is what is compared and sent, ``None`` if there is no sound one."""

    key: str
    entry: Entry
    name: str | None
    tags: Entry | None
    """The mapping ``tags``."""
    state: Presence
    id: str | None
    """The id that it adopts, in lower case."""
    connections: tuple[ConnectionSpec, ...]


@dataclass(frozen=True)
class Specs:
    """All that was read: ``keys`` has every company's key with its place, unsound companies' too."""

    companies: tuple[CompanySpec, ...]
    keys: tuple[tuple[str, Spot], ...]
    settings: Settings
    platforms: PlatformIndex
    now: datetime
    """The time of the run; nothing that a spec says of the past may lie after it."""

    @cached_property
    def connections(self) -> tuple[ConnectionSpec, ...]:
        """The connections of all companies."""
        return tuple(connection for company in self.companies for connection in company.connections)


def keys(document: Document) -> Iterator[tuple[str, Spot]]:
    """The keys of a document's companies, those that the schema refuses too."""
    companies = document.child(COMPANIES)
    if companies is not None:
        for key in companies.fields.key_places:
            yield key, companies.key_spot(key)


def entries(document: Document) -> tuple[Entry, ...]:
    """The companies of a document as they stand there."""
    holder = document.child(COMPANIES)
    return holder.children() if holder is not None else ()


def company(
    key: str, entry: Entry, settings: Settings, platforms: PlatformIndex, origin: ReferenceOrigin
) -> CompanySpec:
    """The company of an entry, as far as the schema has passed it."""
    connections = entry.child("connections")
    fields = entry.fields
    return CompanySpec(
        key,
        entry,
        _name(fields.get("name"), settings),
        entry.child("tags"),
        _PRESENCES.get(fields.get("state", ""), Presence.PRESENT),
        _lowered(fields.get("id")),
        tuple(
            _connection(key, each, settings, platforms, origin)
            for each in (connections.children() if connections is not None else ())
        ),
    )


def _name(written: str | None, settings: Settings) -> str | None:
    return None if written is None else SENT[settings.names](literal(written))


def _connection(
    company: str, entry: Entry, settings: Settings, platforms: PlatformIndex, origin: ReferenceOrigin
) -> ConnectionSpec:
    merged = _merged(settings.connection_defaults, entry.fields)
    written = merged.get("platform")
    fields = entry.child(AUTHORIZATION)
    given = Migration.SELF_SERVICE if entry.wrote(AUTHORIZATION) else Migration.LINK
    return ConnectionSpec(
        entry.path[-1],
        company,
        entry,
        merged,
        platforms.find(written) if written is not None else None,
        fields,
        {name: read(value, origin, fields.value_span(name)) for name, value in fields.fields.items()}
        if fields is not None
        else {},
        _WANTED.get(merged.get("state", ""), Wanted.LINKED),
        _MIGRATIONS.get(merged.get("migration", ""), given),
        _lowered(entry.fields.get("id")),
    )


def _merged(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> Mapping[str, Any]:
    if not defaults:
        return own
    merged = {**defaults, **own}
    for name in _MERGED_DEEPLY:
        below, above = defaults.get(name), own.get(name)
        if isinstance(below, dict) and isinstance(above, dict):
            merged[name] = {**below, **above}
    return merged


def _lowered(identifier: str | None) -> str | None:
    return identifier.lower() if identifier is not None else None
