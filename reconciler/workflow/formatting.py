"""What ``fmt`` does: brings specs into one style, or says which are not."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from reconciler.diagnostics import CodatSyncError, Diagnostic
from reconciler.loading.formatting import formatted
from reconciler.workflow.command_codes import CommandCode


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatReport:
    """How many files were looked at, and those that formatting changes, as diagnostics show them."""

    files: int
    changed: tuple[str, ...]
    warnings: tuple[Diagnostic, ...]


def format_specs(specs: Path, *, check: bool) -> FormatReport:
    """Format every spec file of ``specs`` and its workspace file in place; with ``check`` write nothing.

    Nothing is written where any file has an error.

    Raises:
        CodatSyncError: a file cannot be read or written, or is not YAML.
    """
    results, warnings = formatted(specs)
    changed = [result for result in results if result.differs]
    for result in () if check else changed:
        try:
            _replace(result.path, result.after)
        except OSError as error:
            what = f"{result.shown} cannot be written: {error.strerror}"
            raise CodatSyncError(
                Diagnostic(CommandCode.SPEC_UNWRITABLE, what, "let the user that runs codat-sync write it")
            ) from None
    return FormatReport(
        files=len(results), changed=tuple(result.shown for result in changed), warnings=warnings
    )


def _replace(path: Path, text: str) -> None:
    """Put a whole new file in the place of the old one, of the same mode: a kill leaves one of the two."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as opened:
            opened.write(text)
        shutil.copymode(path, name)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
