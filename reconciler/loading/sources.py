"""Companies and settings as specs write them, with their places, and what a rule about them is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final, Protocol

from reconciler.diagnostics import Diagnostic, Severity, Span
from reconciler.loading.nodes import Document, Entry, Spot
from reconciler.loading.platforms import PlatformIndex
from reconciler.loading.references import ReferenceFault, ReferenceOrigin, read
from reconciler.loading.spec_codes import SpecCode
from reconciler.loading.words import AUTHORIZATION, SENT, NamePolicy, dotted
from reconciler.model import (
    ACCOUNT_NUMBER,
    BALANCE,
    Migration,
    Platform,
    Precondition,
    PreconditionState,
    Presence,
    Wanted,
)
from reconciler.secret_refs import SecretCommands, SecretRef, literal
from reconciler.workspace import Workspace

Preconditions = Mapping[Precondition, PreconditionState]


class AuthorizationCheck(Protocol):
    """Says what is wrong with an authorization (a map of text), never repeating a value."""

    def __call__(self, authorization: Mapping[str, object], /) -> tuple[str, ...]:
        """Sentences, none if the authorization fits."""


@dataclass(frozen=True, slots=True)
class PlatformSettings:
    """Settings of one platform. ``secret_fields`` says of fields whether they must be references."""

    preconditions: Preconditions = field(default_factory=dict)
    secret_fields: Mapping[str, bool] = field(default_factory=dict)
    check: AuthorizationCheck | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    """What Codat's team shall know for a managed migration."""


_NOTHING_SAID: Final = PlatformSettings()


@dataclass(frozen=True, slots=True)
class Settings:
    """What ``workspace.yaml`` says; ``workspace.name`` is empty where it names none."""

    workspace: Workspace
    names: NamePolicy = NamePolicy.REFUSE
    connection_defaults: Mapping[str, Any] = field(default_factory=dict)
    preconditions: Preconditions = field(default_factory=dict)
    platforms: Mapping[str, PlatformSettings] = field(default_factory=dict)
    """By four-letter key."""
    named: tuple[str, ...] = ()
    """The platforms that it names, as written."""
    commands: SecretCommands = field(default_factory=SecretCommands)
    names_rate: bool = False
    """Whether it says how many requests a minute Codat may be asked."""
    _merged: dict[str, Preconditions] = field(default_factory=dict, repr=False, compare=False)

    def platform(self, key: str) -> PlatformSettings:
        """The settings of a platform by its four-letter key."""
        return self.platforms.get(key, _NOTHING_SAID)

    def of_platform(self, key: str) -> Preconditions:
        """The preconditions of a platform's connections that say nothing of their own."""
        if key not in self._merged:
            self._merged[key] = {**self.preconditions, **self.platform(key).preconditions}
        return self._merged[key]


def preconditions(written: Mapping[str, str]) -> Preconditions:
    """The preconditions of a mapping that the schema has passed."""
    return {Precondition(name): PreconditionState(state) for name, state in written.items()}


COMPANIES: Final = "companies"
SETS: Final = "companySets"
SOURCE_ACCOUNTS: Final = "sourceAccounts"
NUMBERS: Final = (ACCOUNT_NUMBER, "sortCode", BALANCE)
"""What of a source account belongs to the customer alone, so that a spec holds references to it."""
_MERGED_DEEPLY: Final = ("sync", "preconditions")
_PRESENCES: Final[Mapping[str, Presence]] = {state.value: state for state in Presence}
_WANTED: Final[Mapping[str, Wanted]] = {state.value: state for state in Wanted}
_MIGRATIONS: Final[Mapping[str, Migration]] = {way.value: way for way in Migration}

"""What each word means. The row of a set that stands for all others may hold another one."""


@dataclass(frozen=True, slots=True)
class SourceAccountSpec:
    """A source account as written; ``numbers`` are what belongs to the customer alone."""

    id: str
    entry: Entry
    numbers: Mapping[str, str | SecretRef | ReferenceFault]
    state: Presence


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
    source_accounts: tuple[SourceAccountSpec, ...] = ()


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
            connection(key, each, settings, platforms, origin)
            for each in (connections.children() if connections is not None else ())
        ),
    )


def _name(written: str | None, settings: Settings) -> str | None:
    return None if written is None else SENT[settings.names](literal(written))


def connection(
    company: str, entry: Entry, settings: Settings, platforms: PlatformIndex, origin: ReferenceOrigin
) -> ConnectionSpec:
    """The connection of an entry, as far as the schema has passed it."""
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
        tuple(_source_accounts(entry, origin)),
    )


def _source_accounts(entry: Entry, origin: ReferenceOrigin) -> Iterator[SourceAccountSpec]:
    holder = entry.child(SOURCE_ACCOUNTS)
    for account in holder.children() if holder is not None else ():
        fields = account.fields
        yield SourceAccountSpec(
            account.path[-1],
            account,
            {
                name: read(fields[name], origin, account.value_span(name))
                for name in NUMBERS
                if name in fields
            },
            _PRESENCES.get(fields.get("state", ""), Presence.PRESENT),
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


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """A place where a rule is broken, and what to do."""

    span: Span
    path: str
    summary: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table."""

    code: SpecCode
    check: Callable[[Specs], Iterator[RuleFinding]]
    severity: Severity = Severity.ERROR

    def diagnostics(self, specs: Specs) -> Iterator[Diagnostic]:
        """What the rule finds in ``specs``."""
        for found in self.check(specs):
            yield Diagnostic(
                self.code, found.summary, found.fix, found.span, found.path, severity=self.severity
            )


def at_value(entry: Entry, field: str, summary: str, fix: str = "") -> RuleFinding:
    """A finding at the value of a field."""
    return at_spot(entry.value_spot(field), summary, fix)


def at_key(entry: Entry, field: str, summary: str, fix: str = "") -> RuleFinding:
    """A finding at a field's own name."""
    return at_spot(entry.key_spot(field), summary, fix)


def at_entry(entry: Entry, summary: str, fix: str = "") -> RuleFinding:
    """A finding at a whole mapping."""
    spot = entry.spot
    return RuleFinding(spot.span, dotted(spot.path), summary, fix)


def at_spot(spot: Spot, summary: str, fix: str = "") -> RuleFinding:
    """A finding at a field."""
    return RuleFinding(spot.span, dotted(spot.path, with_fields=True), summary, fix)
