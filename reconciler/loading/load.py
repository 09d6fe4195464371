"""From a path to the desired state, or to everything that stands in the way of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from reconciler.diagnostics import Diagnostic, Severity, in_reading_order
from reconciler.loading import (
    account_file,
    building,
    company_sets,
    files,
    schema,
    sources,
    table_roles,
    workspace_file,
    yaml_nodes,
)
from reconciler.loading.company_rules import COMPANY_RULES
from reconciler.loading.connection_rules import CONNECTION_RULES
from reconciler.loading.errors import SpecError
from reconciler.loading.nodes import Document, Spot
from reconciler.loading.platforms import BUILTIN_PLATFORMS, PlatformIndex
from reconciler.loading.references import ReferenceOrigin, real_path
from reconciler.model import Desired, Platform, Workspace

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
    nothing = files.missing(specs)
    if nothing is not None:
        raise SpecError((nothing,))
    location = workspace_file.locate(specs)
    index = PlatformIndex(platforms)
    settings, diagnostics = workspace_file.read(location, index, sandbox=sandbox)
    account, unaccountable = account_file.read(location.root)
    found = files.find(specs, location.root)
    documents, unsound = _documents(found.specs)
    read, misset = _companies(
        documents, sources.Specs((), (), settings, index, now or datetime.now(UTC)), location.root
    )
    ruled = (one for rule in RULES for one in rule.diagnostics(read))
    errors, warnings = _by_severity(
        (*diagnostics, *unaccountable, *found.diagnostics, *unsound, *misset, *ruled)
    )
    if errors:
        raise SpecError(errors, warnings)
    return Loaded(
        settings.workspace,
        building.desired(read, narrowed=files.is_narrowed(specs, location.root), account=account),
        tuple(files.source(path).shown for path in found.specs),
        warnings,
        _named(read),
    )


def _named(specs: sources.Specs) -> dict[str, Platform]:
    connections = (one.merged["platform"] for one in specs.connections)
    names = dict.fromkeys((*specs.settings.named, *connections))
    return {name: found for name in names if (found := specs.platforms.find(name)) is not None}


def _documents(paths: Sequence[Path]) -> tuple[list[Document], list[Diagnostic]]:
    """All documents, without what the schema refuses, and what is wrong with files, YAML and schema."""
    kept: list[Document] = []
    found: list[Diagnostic] = []
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
            refused = schema.problems(schema.named("spec"), document)
            found.extend(problem.diagnostic for problem in refused)
            schema.leave_aside(document.root, refused)
            kept.append(document)
    return kept, found


def _companies(
    documents: Sequence[Document], nothing: sources.Specs, root: Path
) -> tuple[sources.Specs, list[Diagnostic]]:
    """The companies of all documents and of their sets, and what is wrong with the sets.

    Where a set's table holds secrets, that alone is said: whatever else was made of it may show one.
    """
    companies: list[sources.CompanySpec] = []
    keys: list[tuple[str, Spot]] = []
    found: list[Diagnostic] = []
    tables: list[tuple[Path, Spot]] = []
    room = company_sets.Room()
    for document in documents:
        origin = ReferenceOrigin(
            document.file.path.parent, root, frozenset(nothing.settings.commands.by_scheme)
        )
        make = partial(sources.company, settings=nothing.settings, platforms=nothing.platforms, origin=origin)
        companies.extend(make(entry.path[-1], entry) for entry in sources.entries(document))
        keys.extend(sources.keys(document))
        expanded = company_sets.expand(document, origin, make, nothing, room)
        companies.extend(expanded.companies)
        keys.extend(expanded.keys)
        found.extend(expanded.found)
        tables.extend(expanded.tables)
    if mixed := table_roles.of_both_kinds(tables, companies, root):
        return nothing, list(mixed)
    return replace(nothing, companies=tuple(companies), keys=tuple(keys)), found


def _by_severity(
    diagnostics: Sequence[Diagnostic],
) -> tuple[tuple[Diagnostic, ...], tuple[Diagnostic, ...]]:
    ordered = in_reading_order(diagnostics)
    return (
        tuple(one for one in ordered if one.severity is Severity.ERROR),
        tuple(one for one in ordered if one.severity is Severity.WARNING),
    )
