"""What ``validate`` and ``init`` do: specs offline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.diagnostics import Diagnostic
from reconciler.loading import SpecError, file_text, load
from reconciler.workflow.new_files import replace_text, write_specs


@dataclass(frozen=True, slots=True)
class Validated:
    """What the specs hold, and what is wrong with them; no file is counted where they cannot be read."""

    diagnostics: tuple[Diagnostic, ...]
    files: int = 0
    companies: int = 0
    connections: int = 0


def validate(specs: Path, *, sandbox: bool = False) -> Validated:
    """Check specs without a request and without a secret."""
    try:
        loaded = load(specs, sandbox=sandbox)
    except SpecError as error:
        return Validated(error.diagnostics)
    companies = loaded.desired.companies.values()
    return Validated(
        loaded.warnings,
        len(loaded.files),
        len(companies),
        sum(len(company.connections) for company in companies),
    )


SCHEMAS: Final = ".schemas"
"""Where editors find our schemas; hidden, so that the loader passes it by."""

_WORKSPACE: Final = """\
# yaml-language-server: $schema={schemas}/workspace.schema.json
version: 1
# Written to every company that these specs manage; it stays the same for ever.
workspace: {name}

# Before tokens are sent, both must be done (or not-applicable): add Codat's callback URL to your
# provider application, and stop your own application from syncing or refreshing these companies.
# preconditions: {{callbackUrlAdded: done, legacySyncDisabled: done}}

# Refuse to run against another account than this one (the name in Codat, under Settings).
# account: Harbour Lending

# How much one run may destroy without being told so on the command line.
# guard: {{maxDeletes: 0, maxUnlinks: 10, maxNarrowings: 0}}
"""
_SPEC: Final = """\
# yaml-language-server: $schema={schemas}/spec.schema.json
#
# Change this into your first company, then run:
#   codat-sync validate {directory}
#   codat-sync plan {directory} --sandbox      (no account needed)
#   codat-sync plan {directory}                (with CODAT_API_KEY)
version: 1
companies:
  # acme:                          # the key: yours, unique, stable for ever
  #   name: Acme Stores
  #   tags: {{uid: cust_1MtJ}}
  #   connections:
  #     books:
  #       platform: xero           # codat-sync platforms lists them
  #       authorization:           # leave it out, and the customers link it themselves
  #         accessToken: ${{env:ACME_XERO_ACCESS_TOKEN}}
  #         refreshToken: ${{file:secrets/acme.json#/refreshToken}}
"""


def start(directory: Path, workspace: str) -> tuple[Path, ...]:
    """Write ``workspace.yaml`` and a commented spec, never over an existing file, and schemas for editors.

    Raises:
        CodatSyncError: one of the files is there already, or cannot be written.
    """
    texts = {
        directory / "workspace.yaml": _WORKSPACE.format(schemas=SCHEMAS, name=workspace),
        directory / "companies.yaml": _SPEC.format(schemas=SCHEMAS, directory=directory),
    }
    write_specs(texts)
    return (*texts, *(path for path, is_written in refresh(directory) if is_written))


def refresh(directory: Path) -> tuple[tuple[Path, bool], ...]:
    """Bring the schemas for editors to those of this version; says of each whether it was written.

    Raises:
        CodatSyncError: one cannot be written.
    """
    return tuple((path, replace_text(path, text)) for path, text in _schemas(directory).items())


def _schemas(directory: Path) -> dict[Path, str]:
    names = ("spec.schema.json", "workspace.schema.json", "account.schema.json")
    return {directory / SCHEMAS / name: file_text(name) for name in names}
