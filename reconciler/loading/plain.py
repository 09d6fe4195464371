"""Companies in which nothing is odd: the quick way from a mapping of YAML to what it wants.

Nearly every company of a large workspace has a few fields, and its connections are of a few kinds. The
first connection of a kind goes the careful way, through ``sources.py``, every rule and ``wanting.py``; what
came of it holds for all others of its kind. A company that is not of such a plain form goes that way by
itself, and where two companies may be in each other's way, all of them do: the rules have the words for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from reconciler.diagnostics import Span
from reconciler.fields import OPTIONAL
from reconciler.loading import sources, wanting
from reconciler.loading.connection_rules import CONNECTION_RULES, is_used_once
from reconciler.loading.nodes import Entry, Map, SourceFile, place_in
from reconciler.loading.platforms import PUBLISHED
from reconciler.loading.references import ReferenceOrigin, read
from reconciler.loading.sources import CompanySpec, ConnectionSpec, Specs
from reconciler.loading.words import AUTHORIZATION, is_kept, moment
from reconciler.model import (
    MAX_TAG_VALUE,
    MAX_TAGS,
    RESERVED_TAG_PREFIX,
    UNSET,
    DesiredCompany,
    DesiredConnection,
    Platform,
    Presence,
    SourceType,
)
from reconciler.secret_refs import (
    RESERVED_VARIABLES,
    Cell,
    LocatorError,
    SecretFile,
    SecretRef,
    Variable,
    WrittenValues,
)

_OF_A_COMPANY: Final = frozenset(
    {"name", "tags", "id", "protect", "connections", *(text.path for text in OPTIONAL)}
)
_TEXTS: Final = tuple((text.path, text.attribute) for text in OPTIONAL)
_MOST_TAGS: Final = MAX_TAGS - 3
"""Tags of a plain company: even with three of ours there are no more than Codat keeps."""
_OF_A_KIND: Final = frozenset({"platform", "migration", "state", "sync", "preconditions"})
"""The fields of a connection that make its kind, beside the names of its authorization's."""
_OWN: Final = frozenset({AUTHORIZATION, "id", "issuedAt"})
"""The fields that are its own."""
_ONE_AT_A_TIME: Final = (SourceType.ACCOUNTING, SourceType.BANK_FEED)
_IS_VARIABLE: Final = re.compile(
    rf"\$\{{{Variable.scheme}:(?!(?i:{RESERVED_VARIABLES}))[A-Za-z_][A-Za-z0-9_]*\}}"
).fullmatch
"""Whether a value is a reference that needs no further look."""
_NONE: Final = Map()
_TOP: Final = (1, 1)
_REFERS: Final = "$"
"""Without it a text is no reference, and says what is written."""


@dataclass(slots=True)
class Claims:
    """What no two companies may have both: of plain ones and of others, as they are read."""

    keys: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    """Ids of connections."""
    references: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    """What is sent, and how it is written."""
    renamed: set[str] = field(default_factory=set)
    """The keys that are taken over."""
    files: dict[str, SecretRef] = field(default_factory=dict)
    """Of each file that plain companies keep secrets in the first reference."""
    clash: bool = False
    """Whether some are claimed twice."""

    def take(self, taken: set[str], values: Iterable[str]) -> None:
        """Claim values of one sort."""
        claimed = [*values]
        before = len(taken)
        taken.update(claimed)
        self.clash |= len(taken) != before + len(claimed)

    def take_name(self, sent: str, written: str) -> None:
        """Claim a name; two companies may have the same, if both write it so."""
        self.clash |= self.names.setdefault(sent, written) != written

    def take_all(self, specs: Specs) -> None:
        """Claim what those companies have that are not plain."""
        self.take(self.keys, (key for key, _ in specs.keys))
        for company in specs.companies:
            self._take(company)

    def _take(self, company: CompanySpec) -> None:
        fields, links = company.entry.fields, company.connections
        if company.name is not None:
            self.take_name(company.name, fields["name"])
        self.take(self.ids, (company.id,) if company.id else ())
        self.take(self.links, (link.id for link in links if link.id))
        self.take(self.references, (text for link in links for text in _tokens(link)))
        self.renamed.update((fields["renamedFrom"],) if "renamedFrom" in fields else ())

    @property
    def are_free(self) -> bool:
        """Whether nothing is claimed twice, and no key taken over that is still wanted."""
        return not self.clash and self.renamed.isdisjoint(self.keys)


def _tokens(link: ConnectionSpec) -> Iterable[str]:
    """The references of an authorization that no other may have."""
    values = link.authorization.items()
    return [str(value) for name, value in values if isinstance(value, SecretRef) and is_used_once(name)]


@dataclass(frozen=True, slots=True)
class _Kind:
    """What holds for all connections of a kind: the first of them, and what another may not have too."""

    first: DesiredConnection
    names: tuple[str, ...]
    """The fields of its authorization."""
    tokens: tuple[int, ...]
    """Which of them hold references that no other may have."""


@dataclass(frozen=True, slots=True)
class _Link:
    """A connection that is about to be made: its kind, and what is its own."""

    key: str
    kind: _Kind
    id: str | None
    issued_at: datetime | None
    authorization: Map
    texts: tuple[str, ...]
    """The values of its authorization, as saved plans write them."""


class _Authorization(WrittenValues):
    """The authorization of a plain connection, with its places."""

    __slots__ = ("_file", "_places")

    def __init__(self, link: _Link, file: SourceFile) -> None:
        super().__init__(link.kind.names, link.texts)
        self._places = link.authorization.packed_places()
        self._file = file

    def span_of(self, name: str) -> Span | None:
        position = self._names.index(name)
        return self._file.span(place_in(self._places, 2 * position + 1))


@dataclass(slots=True)
class Plain:
    """Makes plain companies of their mappings. ``nothing`` is specs without companies, for the rules."""

    nothing: Specs
    claims: Claims = field(default_factory=Claims)
    _kinds: dict[tuple[object, ...], _Kind | None] = field(default_factory=dict)
    _sound_tags: set[str] = field(default_factory=set)

    @property
    def named(self) -> frozenset[str]:
        """The platforms that plain connections name, as written."""
        return frozenset(kind.first.platform for kind in self._kinds.values() if kind is not None)

    def sieve(
        self, entries: Iterable[Entry], origin: ReferenceOrigin, made: list[DesiredCompany]
    ) -> Iterator[Entry]:
        """The companies that are not plain; what the others want comes into ``made``.

        The schema must have passed them.
        """
        for entry in entries:
            self.claims.take(self.claims.keys, (entry.path[-1],))
            wanted = self._company(entry, origin)
            if wanted is None:
                yield entry
            else:
                made.append(wanted)

    def _company(self, entry: Entry, origin: ReferenceOrigin) -> DesiredCompany | None:
        """What the company wants, its claims made; ``None`` where it is not plain."""
        fields, key = entry.fields, entry.path[-1]
        if not (fields.keys() <= _OF_A_COMPANY and is_kept(name := fields["name"])):
            return None
        tags: Map | None = fields.get("tags")
        if tags is not None and not self._are_plain(tags):
            return None
        texts = {attribute: fields[path] for path, attribute in _TEXTS if path in fields}
        if any(text is not None and _REFERS in text for text in texts.values()):
            return None
        holder: Map = fields.get("connections", _NONE)
        links = self._links(entry, holder, origin)
        if links is None:
            return None
        identifier = _lowered(fields.get("id"))
        self._claim(name, identifier, links)
        return DesiredCompany(
            key=key,
            name=name,
            **texts,
            tags=dict(tags) if tags is not None else {},
            id=identifier,
            protect=fields.get("protect", UNSET),
            connections={link.key: _wanted(link, holder, entry.file) for link in links},
            span=entry.span,
        )

    def _are_plain(self, tags: Map) -> bool:
        """Whether tags are few, none is ours, and none has a ``$``."""
        for tag, value in tags.items():
            if value is not None and _REFERS in value:
                return False
            if tag not in self._sound_tags:
                if _REFERS in tag or tag.lower().startswith(RESERVED_TAG_PREFIX.lower()):
                    return False
                self._sound_tags.add(tag)
        return len(tags) <= _MOST_TAGS

    def _claim(self, name: str, identifier: str | None, links: Iterable[_Link]) -> None:
        claims = self.claims
        claims.take_name(name, name)
        if identifier is not None:
            claims.take(claims.ids, (identifier,))
        claims.take(claims.links, [link.id for link in links if link.id is not None])
        claims.take(claims.references, [link.texts[token] for link in links for token in link.kind.tokens])

    # --- connections ---------------------------------------------------------------------------

    def _links(self, company: Entry, holder: Map, origin: ReferenceOrigin) -> list[_Link] | None:
        """The connections; ``None`` where one is not plain, or they are not plain together."""
        links: list[_Link] = []
        platforms: set[str] = set()
        one_at_a_time: set[SourceType] = set()
        recorded = 0
        for key, fields in holder.items():
            link = self._link(company, key, fields, origin)
            if link is None:
                return None
            links.append(link)
            first = link.kind.first
            platforms.add(first.platform_key)
            if first.source_type in _ONE_AT_A_TIME:
                if first.source_type in one_at_a_time:
                    return None
                one_at_a_time.add(first.source_type)
            recorded += len(key) + len(first.platform_key) + 2
        # The entries of the record of links, with what stands inside and between them.
        is_plain = len(platforms) == len(links) and recorded - 1 <= MAX_TAG_VALUE
        return links if is_plain else None

    def _link(self, company: Entry, key: str, fields: Map, origin: ReferenceOrigin) -> _Link | None:
        identifier, issued = fields.get("id"), fields.get("issuedAt")
        authorization: Map = fields.get(AUTHORIZATION, _NONE)
        traits, values = _traits(fields), self._values(authorization, company.file, origin)
        issued_at = moment(issued) if issued is not None else None
        is_dated = issued is None or (issued_at is not None and issued_at <= self.nothing.now)
        if traits is None or values is None or not is_dated:
            return None
        texts, schemes = values
        place = (*traits, schemes)
        if place not in self._kinds:
            self._kinds[place] = self._learned(company, key, origin)
        kind = self._kinds[place]
        return (
            None if kind is None else _Link(key, kind, _lowered(identifier), issued_at, authorization, texts)
        )

    def _values(
        self, authorization: Map, file: SourceFile, origin: ReferenceOrigin
    ) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]] | None:
        """The values as saved plans write them, and the scheme of each, empty where it is no reference."""
        schemes: list[tuple[str, str]] = []
        texts: list[str] = []
        for name, text in authorization.items():
            if _IS_VARIABLE(text):
                schemes.append((name, Variable.scheme))
                texts.append(text)
            elif _REFERS not in text:
                schemes.append((name, ""))
                texts.append(text)
            else:
                found = read(text, origin, file.span(authorization.value_place(name) or _TOP))
                if not isinstance(found, SecretRef) or not _is_read_back(found):
                    return None
                if isinstance(found.locator, SecretFile | Cell):
                    self.claims.files.setdefault(found.locator.path, found)
                schemes.append((name, found.scheme))
                texts.append(str(found))
        return tuple(texts), tuple(schemes)

    def _learned(self, company: Entry, key: str, origin: ReferenceOrigin) -> _Kind | None:
        """A new kind, by its first connection; ``None`` where a rule speaks of it, or may of another."""
        holder = company.child("connections")
        entry = holder.child(key) if holder is not None else None
        if entry is None:
            return None
        settings, platforms = self.nothing.settings, self.nothing.platforms
        spec = sources.connection(company.path[-1], entry, settings, platforms, origin)
        alone = CompanySpec(company.path[-1], company, None, None, Presence.PRESENT, None, (spec,))
        specs = replace(self.nothing, companies=(alone,))
        is_ruled = any(True for rule in CONNECTION_RULES for _ in rule.check(specs))
        if spec.platform is None or is_ruled or self._is_checked(spec.platform):
            return None
        tokens = tuple(
            position
            for position, (name, value) in enumerate(spec.authorization.items())
            if isinstance(value, SecretRef) and is_used_once(name)
        )
        return _Kind(wanting.connection(spec, settings), tuple(spec.authorization), tokens)

    def _is_checked(self, platform: Platform) -> bool:
        """Whether a schema looks at the values of the platform's authorization."""
        own = self.nothing.settings.platform(platform.key).check
        return own is not None or platform.slug in PUBLISHED


def _traits(fields: Map) -> list[object] | None:
    """What tells a connection's kind from others, its authorization's aside; ``None`` where it is of none."""
    traits: list[object] = []
    for name, value in fields.items():
        if name in _OF_A_KIND:
            if type(value) is str:
                traits += (name, value)
            elif type(value) is Map and all(type(text) is str for text in value.values()):
                traits += (name, tuple(value.items()))
            else:
                return None
        elif name not in _OWN:
            return None
    return traits


def _wanted(link: _Link, holder: Map, file: SourceFile) -> DesiredConnection:
    first, place = link.kind.first, holder.key_place(link.key)
    return DesiredConnection(
        key=link.key,
        platform=first.platform,
        platform_key=first.platform_key,
        source_type=first.source_type,
        migration=first.migration,
        wanted=first.wanted,
        id=link.id,
        authorization=_Authorization(link, file) if link.texts else first.authorization,
        issued_at=link.issued_at,
        sync=first.sync,
        preconditions=first.preconditions,
        source_accounts=first.source_accounts,
        span=file.span(place) if place is not None else None,
    )


def _is_read_back(ref: SecretRef) -> bool:
    """Whether its text says it: from the root, a path may have braces or a ``#`` that were not written."""
    try:
        return SecretRef.parse(str(ref)) == ref
    except LocatorError:
        return False


def _lowered(identifier: str | None) -> str | None:
    return identifier.lower() if identifier is not None else None
