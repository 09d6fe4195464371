"""What ``import`` does: writes specs for companies that exist already, to be adopted by the next apply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.codat import ReadClient
from reconciler.codat.errors import NotFoundError
from reconciler.diagnostics import CodatSyncError, Diagnostic, Severity
from reconciler.model import Limits, LiveCompany
from reconciler.spec import BUILTIN_PLATFORMS, company_keys, is_nameable, spec_text
from reconciler.workflow.codes import Code
from reconciler.workflow.endpoint import Endpoint
from reconciler.workflow.new_files import write_specs
from reconciler.workflow.running import run

HEADING: Final = (
    "Companies that existed in Codat before, each pinned to its id: plan shows that they are adopted.\n"
    "Once that is applied the ids may stay. Keys may be changed before the first apply, not after."
)
_SUFFIXES: Final = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """Which companies to write, by exactly one of: all, a tag query, ids; and where to."""

    endpoint: Endpoint
    out: Path
    tags: str = ""
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """What was written, and the companies that were left out, each with why."""

    files: tuple[Path, ...]
    companies: int
    warnings: tuple[Diagnostic, ...]


def import_companies(request: ImportRequest) -> Imported:
    """Write specs; never over an existing file.

    Raises:
        CodatSyncError: a file is there already or cannot be written, or Codat cannot be read.
    """
    found = run(_read(request))
    judged = [(one, _left_out(one)) for one in found]
    wanted = [one for one, warning in judged if warning is None]
    warnings = tuple(warning for _, warning in judged if warning is not None)
    return Imported(_write(request.out, wanted), len(wanted), warnings)


def _left_out(company: LiveCompany) -> Diagnostic | None:
    """Why a company is not written; ``None`` where it is."""
    if owner := company.owner():
        why = f"company {company.id} is left out: {owner[1]} of the workspace {owner[0]} manages it already"
        return Diagnostic(Code.IMPORT_MANAGED, why, severity=Severity.WARNING)
    if not is_nameable(company):
        why = f"company {company.id} is left out: its name holds characters that Codat would remove"
        fix = "rename it in Codat, then import it with --id"
        return Diagnostic(Code.IMPORT_NAME, why, fix, severity=Severity.WARNING)
    return None


async def _read(request: ImportRequest) -> list[LiveCompany]:
    async with request.endpoint.open(ReadClient, Limits()) as client:
        if request.ids:
            found = [await _one(client, identifier) for identifier in dict.fromkeys(request.ids)]
        else:
            found = list(await client.companies(request.tags))
    return sorted(found, key=lambda one: (one.name, one.id))


async def _one(client: ReadClient, identifier: str) -> LiveCompany:
    try:
        return await client.company(identifier)
    except NotFoundError:
        raise CodatSyncError(
            Diagnostic(Code.NO_SUCH_COMPANY, f"Codat has no company with the id {identifier}", "correct --id")
        ) from None


def _write(out: Path, companies: Sequence[LiveCompany]) -> tuple[Path, ...]:
    """One file for all where ``out`` names a YAML file, otherwise a file for each below the directory."""
    keyed = company_keys(companies)
    if out.suffix in _SUFFIXES:
        texts = {out: spec_text(keyed, BUILTIN_PLATFORMS, heading=HEADING)} if keyed else {}
    else:
        texts = {
            out / f"{key}.yaml": spec_text({key: one}, BUILTIN_PLATFORMS, heading=HEADING)
            for key, one in keyed.items()
        }
    present = [path for path in texts if path.exists()]
    if present:
        raise CodatSyncError(
            *(
                Diagnostic(Code.FILE_EXISTS, f"{path} exists already", "name another file with --out")
                for path in present
            )
        )
    write_specs(texts)
    return tuple(texts)
