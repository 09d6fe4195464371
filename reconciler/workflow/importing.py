"""What ``import`` does: writes specs for companies that exist already, to be adopted by the next apply."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from reconciler.codat import ReadClient
from reconciler.codat.errors import NotFoundError
from reconciler.diagnostics import CodatSyncError, Diagnostic, Severity
from reconciler.live import LiveAccount, LiveCompany, LiveConnection, LiveSourceAccount
from reconciler.loading import connection_defaults
from reconciler.loading.adoptable import Adoptable, Extra, LeftOut, Why, sieved
from reconciler.loading.writing import account_text, company_keys, spec_text
from reconciler.model import Platform, SourceType
from reconciler.workflow.command_codes import CommandCode
from reconciler.workflow.endpoint import Endpoint, run
from reconciler.workflow.new_files import write_specs
from reconciler.workflow.reading import each
from reconciler.workflow.specs import SCHEMAS, refresh
from reconciler.workspace import Limits

HEADING: Final = (
    "Companies that existed in Codat before, each pinned to its id: plan shows that they are adopted.\n"
    "Once that is applied the ids may stay. Keys may be changed before the first apply, not after."
)
LEFT_OUT_FILE: Final = "_left-out.yaml"
"""Beside a file for each company, the one with nothing but comments; no company's key begins so."""
_SUFFIXES: Final = (".yaml", ".yml")
_SPEC_SCHEMA: Final = "spec.schema.json"
_ACCOUNT_SCHEMA: Final = "account.schema.json"
_SCHEMA_PLACES: Final = (SCHEMAS, "schemas")
"""Where init puts our schemas, and where we have them."""
ACCOUNT_FILE: Final = "account.yaml"
_NAMED: Final = 3
"""Of those left out for one kind of reason, how many a message names before it counts the rest."""
_CODES: Final[Mapping[Why, CommandCode]] = {
    Why.MANAGED: CommandCode.IMPORT_MANAGED,
    Why.NAME: CommandCode.IMPORT_NAME,
    Why.TAGS: CommandCode.IMPORT_TAGS,
    Why.UNWRITABLE: CommandCode.IMPORT_UNWRITABLE,
    Why.CONNECTION: CommandCode.IMPORT_CONNECTION,
}


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """Which companies to write, by exactly one of: all, a tag query, ids; what of them; and where to."""

    endpoint: Endpoint
    out: Path
    tags: str = ""
    ids: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()

    @property
    def extras(self) -> frozenset[Extra]:
        """What is written only where it is asked for."""
        return frozenset(map(Extra, self.parts))

    @property
    def wants_accounts(self) -> bool:
        """Whether source accounts are asked for, which take a request for each bank feed."""
        return Extra.SOURCE_ACCOUNTS in self.extras


@dataclass(frozen=True, slots=True)
class Imported:
    """What was written, and what was left out, each with why."""

    files: tuple[Path, ...]
    companies: int
    warnings: tuple[Diagnostic, ...]
    notes: tuple[str, ...] = ()
    """What is left out of every import that does not ask for it."""


def import_companies(request: ImportRequest) -> Imported:
    """Write specs; never over an existing file.

    Raises:
        CodatSyncError: a file is there already or cannot be written, or Codat cannot be read.
    """
    companies, platforms, accounts = run(_read(request))
    found = sieved(companies, platforms, request.extras, connection_defaults(request.out), accounts)
    owners = (company.owner() for company in companies)
    keyed = company_keys(found.companies, {owner[1] for owner in owners if owner})
    told = [*found.left_out, *(left for company in found.companies for left in company.left_out)]
    # Those that are managed already stand in specs somewhere; a comment on each would be noise.
    commented = [left for left in found.left_out if left.why is not Why.MANAGED]
    texts = spec_texts(request.out, keyed, commented)
    _check_free(texts)
    if texts:
        _put_schemas(_directory(request.out), _SPEC_SCHEMA)
    write_specs(texts)
    return Imported(tuple(texts), len(keyed), warnings_of(told), _not_asked_for(request, found.companies))


def import_account(endpoint: Endpoint, out: Path) -> Path:
    """Write what the account itself is as ``account.yaml``; never over an existing file.

    Raises:
        CodatSyncError: the file is there already or cannot be written, or Codat cannot be read.
    """
    if out.suffix not in _SUFFIXES:
        out = out / ACCOUNT_FILE
    text = account_text(run(_read_account(endpoint)), schema_path=_schema(out.parent, _ACCOUNT_SCHEMA))
    texts = {out: text}
    _check_free(texts)
    _put_schemas(out.parent, _ACCOUNT_SCHEMA)
    write_specs(texts)
    return out


async def _read_account(endpoint: Endpoint) -> LiveAccount:
    async with endpoint.open(ReadClient, Limits()) as client:
        webhooks, profile, settings = await asyncio.gather(
            client.webhooks(), client.profile(), client.profile_sync_settings()
        )
    return LiveAccount(webhooks=webhooks, profile=profile, sync_settings=settings)


SourceAccounts = Mapping[str, Sequence[LiveSourceAccount]]
"""By the connection's id."""


async def _read(request: ImportRequest) -> tuple[list[LiveCompany], tuple[Platform, ...], SourceAccounts]:
    async with request.endpoint.open(ReadClient, Limits()) as client:
        platforms = await client.platforms()
        if request.ids:
            found = [await _one(client, identifier) for identifier in dict.fromkeys(request.ids)]
        else:
            found = list(await client.companies(request.tags))
        if Extra.SYNC_SETTINGS in request.extras:
            ids = [company.id for company in found if company.owner() is None]
            settings = await each(ids, client.sync_settings, Limits().at_first)
            found = [replace(company, sync_settings=settings.get(company.id)) for company in found]
        accounts = await _read_source_accounts(client, found) if request.wants_accounts else {}
    return sorted(found, key=lambda company: (company.name, company.id)), platforms, accounts


async def _read_source_accounts(client: ReadClient, companies: Sequence[LiveCompany]) -> SourceAccounts:
    feeds = {
        connection.id: company.id
        for company in companies
        if company.owner() is None
        for connection in _feeds(company)
    }

    async def accounts_of(connection_id: str) -> Sequence[LiveSourceAccount]:
        return await client.source_accounts(feeds[connection_id], connection_id)

    return await each(feeds, accounts_of, Limits().at_first)


def _feeds(company: LiveCompany) -> list[LiveConnection]:
    """Its bank feeds, as far as Codat calls them so."""
    return [
        connection for connection in company.connections if connection.source_type is SourceType.BANK_FEED
    ]


async def _one(client: ReadClient, identifier: str) -> LiveCompany:
    try:
        return await client.company(identifier)
    except NotFoundError:
        raise CodatSyncError(
            Diagnostic(
                CommandCode.NO_SUCH_COMPANY, f"Codat has no company with the id {identifier}", "correct --id"
            )
        ) from None


# --- files -------------------------------------------------------------------------------------


def spec_texts(out: Path, keyed: Mapping[str, Adoptable], left_out: Sequence[LeftOut]) -> dict[Path, str]:
    """One file for all where ``out`` names a YAML file, otherwise a file for each below the directory."""
    schema = _schema(_directory(out), _SPEC_SCHEMA)
    if out.suffix in _SUFFIXES:
        return {out: spec_text(keyed, left_out, schema=schema, heading=HEADING)} if keyed or left_out else {}
    texts = {
        out / f"{key}.yaml": spec_text({key: adoptable}, schema=schema, heading=HEADING)
        for key, adoptable in keyed.items()
    }
    if left_out:
        texts[out / LEFT_OUT_FILE] = spec_text({}, left_out, schema=schema, heading="Not imported:")
    return texts


def _directory(out: Path) -> Path:
    return out.parent if out.suffix in _SUFFIXES else out


def _schema(directory: Path, name: str) -> str:
    """Where an editor finds the schema from ``directory``: where it is already, else beside the specs."""
    start = directory.absolute()
    found = _found_schema(start, name) or start / SCHEMAS / name
    return Path(os.path.relpath(found, start)).as_posix()


def _found_schema(start: Path, name: str) -> Path | None:
    """The schema of that name nearest to ``start``, within its repository."""
    for parent in (start, *start.parents):
        for place in _SCHEMA_PLACES:
            if (parent / place / name).is_file():
                return parent / place / name
        if (parent / ".git").exists():
            break
    return None


def _put_schemas(directory: Path, name: str) -> None:
    """Let the schema that the first line of a spec names be there."""
    if _found_schema(directory.absolute(), name) is None:
        refresh(directory)


def _check_free(texts: Mapping[Path, str]) -> None:
    present = [path for path in texts if path.exists()]
    if present:
        raise CodatSyncError(
            *(
                Diagnostic(CommandCode.FILE_EXISTS, f"{path} exists already", "name another file with --out")
                for path in present
            )
        )


# --- what is told ------------------------------------------------------------------------------


def warnings_of(left_out: Iterable[LeftOut]) -> tuple[Diagnostic, ...]:
    """One warning for each kind of reason: how many there are, the first of them, and what to do."""
    by_why: defaultdict[Why, list[LeftOut]] = defaultdict(list)
    for left in left_out:
        by_why[left.why].append(left)
    return tuple(_warning(why, by_why[why]) for why in Why if by_why[why])


def _warning(why: Why, group: Sequence[LeftOut]) -> Diagnostic:
    named = "; ".join(f"{left.what}: {left.reason}" for left in group[:_NAMED])
    more = f"; and {len(group) - _NAMED} more" if len(group) > _NAMED else ""
    summary = f"{len(group):,} left out: {named}{more}"
    return Diagnostic(_CODES[why], summary, group[0].fix, severity=Severity.WARNING)


def _not_asked_for(request: ImportRequest, companies: Sequence[Adoptable]) -> tuple[str, ...]:
    if not companies:
        return ()
    with_products = sum(bool(company.company.products) for company in companies)
    notes = []
    if Extra.PRODUCTS not in request.extras and with_products:
        counted = "1 company" if with_products == 1 else f"{with_products} companies"
        notes.append(f"Products are left out ({counted}): --with products writes them.")
    if Extra.SYNC_SETTINGS not in request.extras:
        notes.append(
            "Sync settings are left out: --with syncSettings reads and writes those that are a company's own."
        )
    if not request.wants_accounts and any(_feeds(company.company) for company in companies):
        notes.append("Source accounts of bank feeds are left out: --with sourceAccounts writes them.")
    if request.wants_accounts:
        notes.append(
            "Numbers of source accounts are the customers', and not written. The references that stand there "
            "are followed only where an account is created anew."
        )
    return tuple(notes)
