"""Finds and reads ``workspace.yaml``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.diagnostics import Diagnostic, Severity, Span
from reconciler.loading import schema, yaml_nodes
from reconciler.loading.files import WORKSPACE_FILES, read_text, source
from reconciler.loading.nodes import Document, Entry, Map
from reconciler.loading.platforms import PlatformIndex
from reconciler.loading.references import BUILTIN_SCHEMES, LITERAL_ADVICE, is_inside, real_path
from reconciler.loading.sources import AuthorizationCheck, PlatformSettings, Settings, preconditions
from reconciler.loading.spec_codes import SpecCode, SpecError
from reconciler.loading.words import NamePolicy, dotted
from reconciler.secret_refs import REF_PLACE, SecretCommands, holds_reference, literal
from reconciler.wording import read_duration
from reconciler.workspace import Guard, Limit, Limits, Rollout, Workspace


@dataclass(frozen=True, slots=True)
class Location:
    """Where a workspace is: its file, if it has one, and its root."""

    root: Path
    file: Path | None
    rivals: tuple[Path, ...] = ()
    """Both files, where there are two in one directory."""
    hidden: Path | None = None
    """The workspace file further up in the repository, which is not read for this one."""


def locate(specs: Path) -> Location:
    """Search from the specs' directory up to the repository's root, which is where ``.git`` is."""
    start = specs if specs.is_dir() else specs.parent
    for directory in _upwards(start):
        if files := _files(directory):
            return Location(directory, files[0], files if len(files) > 1 else (), _hidden(directory))
    return Location(start, None)


def _upwards(start: Path) -> Iterator[Path]:
    for directory in (start, *start.parents):
        yield directory
        if (directory / ".git").exists():
            return


def _files(directory: Path) -> tuple[Path, ...]:
    return tuple(path for name in WORKSPACE_FILES if (path := directory / name).is_file())


def _hidden(root: Path) -> Path | None:
    """The workspace file above ``root`` in its repository; what lies around that is not ours."""
    directories = tuple(_upwards(root))
    if not (directories[-1] / ".git").exists():
        return None
    return next((path for directory in directories[1:] for path in _files(directory)), None)


def read(
    location: Location, platforms: PlatformIndex, *, sandbox: bool
) -> tuple[Settings, tuple[Diagnostic, ...]]:
    """The settings, as far as they are sound, and what is wrong with them."""
    found: list[Diagnostic] = [_rival(path, location.rivals[0]) for path in location.rivals[1:]]
    entry = _entry(location.file, found) if location.file is not None else None
    fields: Mapping[str, Any] = entry.fields if entry is not None else {}
    is_unnamed = not entry.wrote("workspace") if entry is not None else not found
    if location.file is not None and location.hidden is not None:
        found.append(_hides(location.file, location.hidden))
    if is_unnamed and not sandbox:
        found.append(_unnamed(location, entry))
    by_platform: Mapping[str, PlatformSettings] = {}
    if entry is not None:
        found.extend(_misplaced_references(entry))
        found.extend(_unknown_default(entry, platforms))
        found.extend(_wrong_commands(entry, location.hidden))
        by_platform = _platforms(entry, platforms, location.root, found)
    settings = Settings(
        workspace=_workspace(fields, location.root, by_platform, sandbox=sandbox),
        names=NamePolicy(fields.get("names", NamePolicy.REFUSE)),
        connection_defaults=fields.get("defaults", {}).get("connection", {}),
        preconditions=preconditions(fields.get("preconditions", {})),
        platforms=by_platform,
        named=tuple(_named(entry)) if entry is not None else (),
        commands=_commands(fields.get("secrets", {})),
        names_rate="requestsPerMinute" in fields.get("limits", {}),
    )
    return settings, tuple(found)


def is_for_sandbox(specs: Path) -> bool:
    """Whether the workspace file of ``specs`` says ``sandboxOnly``, whatever else is wrong there."""
    location = locate(real_path(specs))
    entry = _entry(location.file, []) if location.file is not None else None
    return entry is not None and entry.fields.get("sandboxOnly") is True


def secret_commands(root: Path) -> SecretCommands:
    """The commands that the workspace file in ``root`` permits at this moment; none without a file.

    Raises:
        SpecError: the file cannot be read, or is unsound.
    """
    found: list[Diagnostic] = []
    files = _files(root)
    entry = _entry(files[0], found) if files else None
    if entry is not None:
        found.extend(_wrong_commands(entry, _hidden(root)))
    if found:
        raise SpecError(found)
    return _commands(entry.fields.get("secrets", {})) if entry is not None else SecretCommands()


def connection_defaults(out: Path) -> Mapping[str, Any]:
    """What the workspace around ``out``, a path that need not exist yet, says under every connection.

    It is empty where the workspace cannot be read; whoever loads specs there is told why.
    """
    directory = next(parent for parent in real_path(out).parents if parent.is_dir())
    location = locate(directory)
    entry = _entry(location.file, []) if location.file is not None else None
    fields: Mapping[str, Any] = entry.fields if entry is not None else {}
    found: Mapping[str, Any] = fields.get("defaults", {}).get("connection", {})
    return found


def _entry(path: Path, found: list[Diagnostic]) -> Entry | None:
    return sole_entry(path, "workspace", "a workspace file holds one document", found)


def sole_entry(path: Path, name: str, several: str, found: list[Diagnostic]) -> Entry | None:
    """The one mapping of a file, without what the schema ``name`` refuses; ``several`` refuses a second."""
    file = source(path)
    text = read_text(file)
    if isinstance(text, Diagnostic):
        found.append(text)
        return None
    documents, broken = yaml_nodes.read(text, file)
    found.extend(broken)
    filled = [document for document in documents if document.root is not None]
    found.extend(
        Diagnostic(SpecCode.SCHEMA, several, "join the two", file.span(surplus.place))
        for surplus in filled[1:]
    )
    if not filled:
        return None
    document = filled[0]
    refused = schema.problems(schema.named(name), document)
    found.extend(problem.diagnostic for problem in refused)
    schema.leave_aside(document.root, refused)
    return _top(document)


def _top(document: Document) -> Entry | None:
    if not isinstance(document.root, Map):
        return None
    return Entry(document.file, document.root, (), document.place)


# --- what the schema cannot say ----------------------------------------------------------------


def _rival(path: Path, first: Path) -> Diagnostic:
    summary = f"{first.name} stands in the same directory"
    return Diagnostic(SpecCode.WORKSPACE_TWICE, summary, "keep one of the two", source(path).span((1, 1)))


def _hides(path: Path, hidden: Path) -> Diagnostic:
    summary = f"{source(hidden).shown} stands further up, and is not read because this file is here"
    fix = "remove this file, or keep it if it is a workspace of its own"
    return Diagnostic(
        SpecCode.WORKSPACE_HIDDEN, summary, fix, source(path).span((1, 1)), severity=Severity.WARNING
    )


def _unnamed(location: Location, entry: Entry | None) -> Diagnostic:
    path = location.file or location.root / WORKSPACE_FILES[0]
    guess = re.sub(r"[^A-Za-z0-9._-]+", "-", location.root.name).strip("-._") or "prod"
    lines = f"write these two lines to {source(path).shown}: `version: 1` and `workspace: {guess}`"
    span = entry.span if entry is not None else None
    return Diagnostic(SpecCode.WORKSPACE_UNNAMED, "the workspace has no name", lines, span)


def _misplaced_references(entry: Entry) -> Iterator[Diagnostic]:
    for key, value in entry.fields.items():
        if isinstance(value, str) and holds_reference(value):
            summary, fix = "nothing resolves references here", f"write the value itself; {LITERAL_ADVICE}"
            yield Diagnostic(SpecCode.REFERENCE_MISPLACED, summary, fix, entry.value_span(key), key)


def _wrong_commands(entry: Entry, hidden: Path | None) -> Iterator[Diagnostic]:
    secrets = entry.child("secrets")
    commands = secrets and secrets.child("commands")
    for scheme, (program, *rest) in commands.fields.items() if commands else ():
        spot = commands.key_spot(scheme) if commands else None
        if scheme in BUILTIN_SCHEMES:
            summary, fix = f"{scheme!r} is a kind of reference of our own", "call the command something else"
        elif REF_PLACE in program:
            summary, fix = "a reference must not choose the program", f"write {REF_PLACE} in an argument"
        elif not any(REF_PLACE in argument for argument in rest):
            summary, fix = "no argument takes the reference", f"write {REF_PLACE} where it belongs, in quotes"
        elif hidden is not None:
            # Who may add a file below a workspace may not thereby choose what its apply runs.
            summary = f"no program is run for a file that hides {source(hidden).shown}"
            fix = "keep one of the two, and write the command there"
        else:
            continue
        if spot:
            yield Diagnostic(SpecCode.COMMAND_FORM, summary, fix, spot.span, dotted(spot.path))


def _unknown_default(entry: Entry, platforms: PlatformIndex) -> Iterator[Diagnostic]:
    defaults = entry.child("defaults")
    connection = defaults and defaults.child("connection")
    written = connection.fields.get("platform") if connection else None
    if connection and written is not None:
        path = dotted((*connection.path, "platform"))
        yield from _doubts(written, platforms, connection.value_span("platform"), path)


def _doubts(written: str, platforms: PlatformIndex, span: Span, path: str) -> Iterator[Diagnostic]:
    """What is to say of a platform's name that no list has."""
    platform = platforms.find(written)
    if platform is None:
        yield Diagnostic(SpecCode.UNKNOWN_PLATFORM, *platforms.unknown(written), span, path)
    elif not platforms.lists(platform):
        told = platforms.unlisted(written)
        yield Diagnostic(SpecCode.UNLISTED_PLATFORM, *told, span, path, severity=Severity.WARNING)


def _named(entry: Entry) -> Iterator[str]:
    holder = entry.child("platforms")
    yield from (child.path[-1] for child in (holder.children() if holder else ()))
    default = entry.fields.get("defaults", {}).get("connection", {}).get("platform")
    if default is not None:
        yield default


def _platforms(
    entry: Entry, platforms: PlatformIndex, root: Path, found: list[Diagnostic]
) -> dict[str, PlatformSettings]:
    """The settings by platform key; unknown platforms, and two entries for one, are reported."""
    holder = entry.child("platforms")
    settings: dict[str, PlatformSettings] = {}
    for child in holder.children() if holder else ():
        name = child.path[-1]
        platform = platforms.find(name)
        found.extend(_doubts(name, platforms, child.span, dotted(child.path)))
        if platform is None:
            continue
        if platform.key in settings:
            summary = f"there are two entries for {platform.name}"
            fix = "keep one of the two"
            found.append(Diagnostic(SpecCode.PLATFORM_TWICE, summary, fix, child.span, dotted(child.path)))
        fields = child.fields.get("fields", {})
        settings[platform.key] = PlatformSettings(
            preconditions=preconditions(child.fields.get("preconditions", {})),
            secret_fields={field: said["secret"] for field, said in fields.items() if "secret" in said},
            check=_check(child, root, found),
            details=dict(child.fields.get("details", {})),
        )
    return settings


def _check(entry: Entry, root: Path, found: list[Diagnostic]) -> AuthorizationCheck | None:
    written = entry.fields.get("schema")
    if written is None:
        return None
    span, path = entry.value_span("schema"), dotted((*entry.path, "schema"))
    if not written.isprintable() or not is_inside(root / written, root):
        summary, fix = "this file is not below the workspace's root", "move it there"
        found.append(Diagnostic(SpecCode.PLATFORM_SCHEMA, summary, fix, span, path))
        return None
    # Most workspaces name no schema, and start without jsonschema.
    from reconciler.loading import authorization_schema

    try:
        return authorization_schema.read(root / written)
    except authorization_schema.UnusableSchemaError as error:
        found.append(Diagnostic(SpecCode.PLATFORM_SCHEMA, str(error), "name a JSON Schema file", span, path))
        return None


# --- the settings themselves -------------------------------------------------------------------


def _workspace(
    fields: Mapping[str, Any], root: Path, platforms: Mapping[str, PlatformSettings], *, sandbox: bool
) -> Workspace:
    warn_after = fields.get("custody", {}).get("warnAfter")
    return Workspace(
        name=fields.get("workspace", "sandbox" if sandbox else ""),
        root=str(root),
        account=literal(fields["account"]) if "account" in fields else None,
        guard=_guard(fields.get("guard", {})),
        limits=_limits(fields.get("limits", {})),
        rollout=_rollout(fields.get("rollout", {})),
        sandbox_only=fields.get("sandboxOnly", False),
        warn_after=read_duration(warn_after) if warn_after is not None else None,
        platform_details={key: platform.details for key, platform in platforms.items() if platform.details},
        renamed_from=fields.get("workspaceRenamedFrom"),
        create_with_products=fields.get("createWithProducts", False),
    )


def _commands(fields: Mapping[str, Any]) -> SecretCommands:
    permitted = {scheme: tuple(arguments) for scheme, arguments in fields.get("commands", {}).items()}
    limit = fields.get("timeout")
    return SecretCommands(permitted, read_duration(limit) if limit else SecretCommands().timeout)


def _guard(fields: Mapping[str, Any]) -> Guard:
    default = Guard()
    return Guard(
        max_deletes=_limit(fields["maxDeletes"]) if "maxDeletes" in fields else default.max_deletes,
        max_unlinks=_limit(fields["maxUnlinks"]) if "maxUnlinks" in fields else default.max_unlinks,
        max_narrowings=_limit(fields["maxNarrowings"])
        if "maxNarrowings" in fields
        else default.max_narrowings,
        max_source_account_deletes=_limit(fields["maxSourceAccountDeletes"])
        if "maxSourceAccountDeletes" in fields
        else default.max_source_account_deletes,
    )


def _limit(written: int | str) -> Limit:
    return Limit(_percent(written), percent=True) if isinstance(written, str) else Limit(int(written))


def _percent(written: str) -> int:
    return int(written.removesuffix("%"))


def _limits(fields: Mapping[str, Any]) -> Limits:
    default = Limits()
    return Limits(
        requests_per_minute=int(fields.get("requestsPerMinute", default.requests_per_minute)),
        concurrency=int(fields["concurrency"]) if "concurrency" in fields else None,
        page_size=int(fields.get("pageSize", default.page_size)),
        reserve_percent=_percent(fields["reserve"]) if "reserve" in fields else default.reserve_percent,
    )


def _rollout(fields: Mapping[str, Any]) -> Rollout:
    batch = fields.get("batch")
    return Rollout(
        canary=fields.get("canary"),
        batch=int(batch) if batch is not None else None,
        max_failures=int(fields.get("maxFailures", Rollout().max_failures)),
    )
