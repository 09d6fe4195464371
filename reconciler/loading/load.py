"""From a path to the desired state, or to everything that stands in the way of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, partial
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.diagnostics import Diagnostic, Severity, in_reading_order
from reconciler.loading import (
    account_file,
    company_rules,
    files,
    schema,
    sources,
    wanting,
    workspace_file,
    yaml_nodes,
)
from reconciler.loading.company_rules import COMPANY_RULES
from reconciler.loading.connection_rules import CONNECTION_RULES
from reconciler.loading.nodes import Document, Entry, Spot
from reconciler.loading.plain import Plain
from reconciler.loading.platforms import BUILTIN_PLATFORMS, PlatformIndex
from reconciler.loading.references import ReferenceOrigin, real_path
from reconciler.loading.sources import (
    SETS,
    CompanySpec,
    Specs,
)
from reconciler.loading.spec_codes import SpecCode, SpecError
from reconciler.model import (
    Desired,
    DesiredAccount,
    DesiredCompany,
    Platform,
)
from reconciler.workspace import Workspace

if TYPE_CHECKING:
    from reconciler.loading.company_sets import Room

RULES = (*COMPANY_RULES, *CONNECTION_RULES)
"""Every rule that no schema can say."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Specs without an error. ``files`` are the specs that were read, as diagnostics show them.

    ``named`` are the platforms that they name, each by the name as written.
    """

    workspace: Workspace
    desired: Desired
    files: tuple[str, ...]
    warnings: tuple[Diagnostic, ...] = ()
    named: Mapping[str, Platform] = field(default_factory=dict)
    names_rate: bool = False
    """Whether ``workspace.yaml`` says how many requests a minute Codat may be asked."""

    def holds_for(self, platforms: Sequence[Platform]) -> bool:
        """Whether a load with these platforms would say the same; what the specs do not name is no matter."""
        return PlatformIndex(platforms).agrees(self.named)


def load(
    specs: Path,
    *,
    platforms: Sequence[Platform] = BUILTIN_PLATFORMS,
    sandbox: bool = False,
    now: datetime | None = None,
) -> Loaded:
    """Read the specs at ``specs``, a directory or one file, and the workspace around them.

    ``platforms`` are those that specs may name. With ``sandbox`` the workspace needs no name. ``now`` is the
    time of this machine, if no other is given.

    Raises:
        SpecError: with every error of the files, the schemas and the rules at once.
    """
    specs = real_path(specs)
    missing = files.missing(specs)
    if missing is not None:
        raise SpecError((missing,))
    location = workspace_file.locate(specs)
    index = PlatformIndex(platforms)
    settings, diagnostics = workspace_file.read(location, index, sandbox=sandbox)
    account, unaccountable = account_file.read(location.root)
    found = files.find(specs, location.root)
    nothing = sources.Specs((), (), settings, index, now or datetime.now(UTC))
    read = _read(found.specs, nothing, location.root)
    ruled = (diagnostic for rule in RULES for diagnostic in rule.diagnostics(read.specs))
    errors, warnings = _by_severity((*diagnostics, *unaccountable, *found.diagnostics, *read.found, *ruled))
    if errors:
        raise SpecError(errors, warnings)
    return Loaded(
        settings.workspace,
        _desired(read, narrowed=files.is_narrowed(specs, location.root), account=account),
        tuple(files.source(path).shown for path in found.specs),
        warnings,
        _named(read),
        settings.names_rate,
    )


@dataclass(slots=True)
class _Read:
    """What was read of spec files. ``specs`` holds the companies that are not plain."""

    specs: Specs
    plain: list[DesiredCompany]
    found: list[Diagnostic]
    """What is wrong with files, YAML, schema and sets."""
    platforms: frozenset[str] = frozenset()
    """Those that plain companies name."""


def _desired(read: _Read, *, narrowed: bool, account: DesiredAccount | None) -> Desired:
    """What the specs want, companies by key. No rule may have found an error in them.

    The account is of the whole workspace, so a part of it says nothing of that.
    """
    settings = read.specs.settings
    companies = [*read.plain, *(wanting.company(spec, settings) for spec in read.specs.companies)]
    companies.sort(key=attrgetter("key"))
    return Desired(
        workspace=settings.workspace.name,
        companies={company.key: company for company in companies},
        narrowed=narrowed,
        renamed_from=settings.workspace.renamed_from,
        account=None if narrowed else account,
    )


def _named(read: _Read) -> dict[str, Platform]:
    connections = (connection.merged["platform"] for connection in read.specs.connections)
    names = dict.fromkeys((*read.specs.settings.named, *connections, *read.platforms))
    return {name: found for name in names if (found := read.specs.platforms.find(name)) is not None}


def _read(paths: Sequence[Path], nothing: Specs, root: Path) -> _Read:
    """What the files hold, where two companies may be in each other's way all of it by the careful way."""
    plain = Plain(nothing)
    read = _read_with(plain, paths, nothing, root)
    plain.claims.take_all(read.specs)
    is_told = plain.claims.are_free and not any(
        found.code is SpecCode.TABLE_OF_SECRETS for found in read.found
    )
    return read if is_told else _read_carefully(paths, nothing, root)


def _read_carefully(paths: Sequence[Path], nothing: Specs, root: Path) -> _Read:
    """The same, with every rule for every company."""
    return _read_with(None, paths, nothing, root)


def _read_with(plain: Plain | None, paths: Sequence[Path], nothing: Specs, root: Path) -> _Read:
    """The same, without a quick way where ``plain`` is ``None``.

    Where a set's table holds secrets, that alone is said: whatever else was made of it may show one.
    """
    read = _Read(nothing, [], [])
    companies: list[CompanySpec] = []
    keys: list[tuple[str, Spot]] = []
    tables: list[tuple[Path, Spot]] = []
    room: Room | None = None
    origin_of = cache(
        partial(ReferenceOrigin, root=root, schemes=frozenset(nothing.settings.commands.by_scheme))
    )
    for document, is_sound in _documents(paths, read.found):
        origin = origin_of(document.file.path.parent)
        make = partial(sources.company, settings=nothing.settings, platforms=nothing.platforms, origin=origin)
        entries: Iterable[Entry] = sources.entries(document)
        if plain is not None and is_sound:
            entries = plain.sieve(entries, origin, read.plain)
        else:
            keys.extend(sources.keys(document))
        companies.extend(make(entry.path[-1], entry) for entry in entries)
        if document.child(SETS) is None:
            continue
        # Most specs have no set, and start without what reads tables.
        from reconciler.loading import company_sets

        room = room or company_sets.Room()
        expanded = company_sets.expand(document, origin, make, nothing, room)
        companies.extend(expanded.companies)
        keys.extend(expanded.keys)
        read.found.extend(expanded.found)
        tables.extend(expanded.tables)
    references = plain.claims.files if plain is not None else {}
    if mixed := company_rules.of_both_kinds(tables, companies, root, references):
        return _Read(nothing, [], list(mixed))
    read.specs = replace(nothing, companies=tuple(companies), keys=tuple(keys))
    read.platforms = plain.named if plain is not None else frozenset()
    return read


def _documents(paths: Sequence[Path], found: list[Diagnostic]) -> Iterator[tuple[Document, bool]]:
    """All documents without what the schema refuses, and whether nothing is wrong with them.

    What is wrong with files, YAML and schema is told in ``found``.
    """
    spec = schema.named("spec")
    for path in paths:
        file = files.source(path)
        text = files.read_text(file)
        if isinstance(text, Diagnostic):
            found.append(text)
            continue
        documents, broken = yaml_nodes.read(text, file)
        found.extend(broken)
        for document in documents:
            if document.root is None:
                continue
            fits = spec.fits(document.root)
            refused = () if fits else schema.problems(spec, document)
            found.extend(problem.diagnostic for problem in refused)
            schema.leave_aside(document.root, refused)
            yield document, fits and not broken


def _by_severity(
    diagnostics: Sequence[Diagnostic],
) -> tuple[tuple[Diagnostic, ...], tuple[Diagnostic, ...]]:
    ordered = in_reading_order(diagnostics)
    return (
        tuple(diagnostic for diagnostic in ordered if diagnostic.severity is Severity.ERROR),
        tuple(diagnostic for diagnostic in ordered if diagnostic.severity is Severity.WARNING),
    )
