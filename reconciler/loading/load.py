"""From a path to the desired state, or to everything that stands in the way of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from reconciler.diagnostics import Diagnostic, Severity, in_reading_order
from reconciler.fields import OPTIONAL
from reconciler.loading import (
    account_file,
    company_rules,
    files,
    schema,
    sources,
    workspace_file,
    yaml_nodes,
)
from reconciler.loading.company_rules import COMPANY_RULES
from reconciler.loading.connection_rules import CONNECTION_RULES
from reconciler.loading.nodes import Document, Spot
from reconciler.loading.platforms import BUILTIN_PLATFORMS, PlatformIndex
from reconciler.loading.references import ReferenceFault, ReferenceOrigin, real_path
from reconciler.loading.sources import (
    SETS,
    CompanySpec,
    ConnectionSpec,
    Settings,
    SourceAccountSpec,
    Specs,
    preconditions,
)
from reconciler.loading.spec_codes import SpecError
from reconciler.loading.words import moment
from reconciler.model import (
    SYNC_FROM_UTC,
    UNSET,
    Desired,
    DesiredAccount,
    DesiredCompany,
    DesiredConnection,
    DesiredSourceAccount,
    Platform,
    Precondition,
    PreconditionState,
    SettingValue,
    SyncPolicy,
    SyncSettings,
    utc_text,
)
from reconciler.secret_refs import SecretRef, literal
from reconciler.wording import read_duration
from reconciler.workspace import Workspace

if TYPE_CHECKING:
    from reconciler.loading.company_sets import Room

_UNSAID: Final = SyncPolicy()


def desired(specs: Specs, *, narrowed: bool, account: DesiredAccount | None = None) -> Desired:
    """What the specs want, companies by key. No rule may have found an error in ``specs``.

    The account is of the whole workspace, so a part of it says nothing of that.
    """
    companies = sorted(specs.companies, key=lambda company: company.key)
    return Desired(
        workspace=specs.settings.workspace.name,
        companies={company.key: _company(company, specs.settings) for company in companies},
        narrowed=narrowed,
        renamed_from=specs.settings.workspace.renamed_from,
        account=None if narrowed else account,
    )


def _company(company: CompanySpec, settings: Settings) -> DesiredCompany:
    fields = company.entry.fields
    if company.name is None:
        raise ValueError(f"{company.key} has no name")
    return DesiredCompany(
        key=company.key,
        name=company.name,
        **{text.attribute: _literal(fields[text.path]) for text in OPTIONAL if text.path in fields},
        tags={literal(tag): _literal(value) for tag, value in fields.get("tags", {}).items()},
        id=company.id,
        new=fields.get("new", False),
        new_beside=tuple(sorted(identifier.lower() for identifier in fields.get("newBeside", ()))),
        renamed_from=fields.get("renamedFrom"),
        protect=fields.get("protect", UNSET),
        products=tuple(sorted(fields["products"] or ())) if "products" in fields else UNSET,
        sync_settings=_sync_settings(fields["syncSettings"])
        if fields.get("syncSettings", {}) != {}
        else UNSET,
        state=company.state,
        connections={connection.key: _connection(connection, settings) for connection in company.connections},
        span=company.entry.span,
    )


def _literal(written: str | None) -> str | None:
    return literal(written) if written is not None else None


def _sync_settings(written: SyncSettings | None) -> SyncSettings | None:
    if written is None:
        return None
    return {
        data_type: {name: _setting(name, value) for name, value in members.items()}
        for data_type, members in written.items()
    }


def _setting(name: str, value: SettingValue) -> SettingValue:
    """A value of a setting; a time as it is compared."""
    read = moment(value) if name == SYNC_FROM_UTC and isinstance(value, str) else None
    return value if read is None else utc_text(read)


def _connection(connection: ConnectionSpec, settings: Settings) -> DesiredConnection:
    platform = connection.platform
    if platform is None:
        raise ValueError(f"{connection.company}/{connection.key} has no platform")
    issued = connection.entry.fields.get("issuedAt")
    return DesiredConnection(
        key=connection.key,
        platform=connection.merged["platform"],
        platform_key=platform.key,
        source_type=platform.source_type,
        migration=connection.migration,
        wanted=connection.wanted,
        id=connection.id,
        authorization=_authorization(connection),
        issued_at=moment(issued) if issued is not None else None,
        sync=_sync(connection.merged.get("sync")),
        preconditions=_preconditions(connection, platform.key, settings),
        renamed_from=connection.entry.fields.get("renamedFrom"),
        source_accounts={account.id: _source_account(account) for account in connection.source_accounts},
        span=connection.entry.span,
    )


def _source_account(account: SourceAccountSpec) -> DesiredSourceAccount:
    fields = account.entry.fields
    return DesiredSourceAccount(
        key=account.id,
        name=literal(fields.get("accountName", "")),
        type=fields.get("accountType", ""),
        currency=fields.get("currency", ""),
        numbers={name: ref for name, ref in account.numbers.items() if isinstance(ref, SecretRef)},
        state=account.state,
    )


def _authorization(connection: ConnectionSpec) -> Mapping[str, str | SecretRef]:
    values = connection.authorization
    if any(type(value) is ReferenceFault for value in values.values()):
        raise ValueError(f"{connection.company}/{connection.key} has a reference that is none")
    return cast("Mapping[str, str | SecretRef]", values)


def _preconditions(
    connection: ConnectionSpec, platform_key: str, settings: Settings
) -> Mapping[Precondition, PreconditionState]:
    """The connection's own over its platform's over the workspace's; where it has none, they are shared."""
    shared = settings.of_platform(platform_key)
    own = connection.merged.get("preconditions")
    return {**shared, **preconditions(own)} if own else shared


def _sync(written: str | Mapping[str, Any] | None) -> SyncPolicy:
    if not written:
        return _UNSAID
    if isinstance(written, str):
        return SyncPolicy(never=True)
    age = written.get("maxAge")
    return SyncPolicy(
        max_age=read_duration(age) if age is not None else None,
        data_types=tuple(written.get("dataTypes", ())),
    )


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
    ruled = (diagnostic for rule in RULES for diagnostic in rule.diagnostics(read))
    errors, warnings = _by_severity(
        (*diagnostics, *unaccountable, *found.diagnostics, *unsound, *misset, *ruled)
    )
    if errors:
        raise SpecError(errors, warnings)
    return Loaded(
        settings.workspace,
        desired(read, narrowed=files.is_narrowed(specs, location.root), account=account),
        tuple(files.source(path).shown for path in found.specs),
        warnings,
        _named(read),
        settings.names_rate,
    )


def _named(specs: sources.Specs) -> dict[str, Platform]:
    connections = (connection.merged["platform"] for connection in specs.connections)
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
    room: Room | None = None
    for document in documents:
        origin = ReferenceOrigin(
            document.file.path.parent, root, frozenset(nothing.settings.commands.by_scheme)
        )
        make = partial(sources.company, settings=nothing.settings, platforms=nothing.platforms, origin=origin)
        companies.extend(make(entry.path[-1], entry) for entry in sources.entries(document))
        keys.extend(sources.keys(document))
        if document.child(SETS) is None:
            continue
        # Most specs have no set, and start without what reads tables.
        from reconciler.loading import company_sets

        room = room or company_sets.Room()
        expanded = company_sets.expand(document, origin, make, nothing, room)
        companies.extend(expanded.companies)
        keys.extend(expanded.keys)
        found.extend(expanded.found)
        tables.extend(expanded.tables)
    if mixed := company_rules.of_both_kinds(tables, companies, root):
        return nothing, list(mixed)
    return replace(nothing, companies=tuple(companies), keys=tuple(keys)), found


def _by_severity(
    diagnostics: Sequence[Diagnostic],
) -> tuple[tuple[Diagnostic, ...], tuple[Diagnostic, ...]]:
    ordered = in_reading_order(diagnostics)
    return (
        tuple(diagnostic for diagnostic in ordered if diagnostic.severity is Severity.ERROR),
        tuple(diagnostic for diagnostic in ordered if diagnostic.severity is Severity.WARNING),
    )
