"""Secret references as specs write them, such as ``${env:NAME}`` and ``${file:PATH#/pointer}``.

Nothing here repeats the text of a value that is not a reference: it may be the secret itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

from reconciler.diagnostics import Span
from reconciler.loading.spec_codes import SpecCode
from reconciler.secret_refs import (
    PROVIDERS_GROUP,
    REFERENCE,
    RESERVED_VARIABLES,
    SecretRef,
    holds_reference,
    literal,
)
from reconciler.wording import either

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_POINTER: Final = re.compile(r"(?:/(?:[^~/]|~[01])*)+")
LITERAL_ADVICE: Final = "a literal ${ is written $${"
REFERENCE_ADVICE: Final = "write ${env:NAME}, ${file:PATH#/pointer} or ${table:FILE#KEY.COLUMN}"


@dataclass(frozen=True, slots=True)
class ReferenceFault:
    """Why a value with ``${`` in it is no reference."""

    code: SpecCode
    summary: str
    fix: str


@dataclass(frozen=True, slots=True)
class ReferenceOrigin:
    """Where a reference stands: the directory of its file, and the workspace's root; both real paths.

    ``schemes`` are those of the commands that workspace.yaml permits. ``tables`` remembers the way to
    each table: thousands of references name the same one.
    """

    directory: Path
    root: Path
    schemes: frozenset[str] = frozenset()
    tables: dict[str, str | ReferenceFault] = field(default_factory=dict, compare=False)


def read(text: str, origin: ReferenceOrigin, span: Span) -> str | SecretRef | ReferenceFault:
    """The reference that a value is, the fault of one that it tries to be, or the text itself."""
    if not holds_reference(text):
        return literal(text)
    found = SecretRef.parse(text)
    if found is None:
        if REFERENCE.search(text):
            fix = "put the whole value where the reference points, and nothing around it"
            return ReferenceFault(SpecCode.REFERENCE_PARTIAL, "a reference must be the whole value", fix)
        return ReferenceFault(SpecCode.REFERENCE_FORM, "this is not written as a reference", REFERENCE_ADVICE)
    scheme, locator = found.scheme, found.locator
    reader = _SCHEMES.get(scheme) or (_other if scheme in origin.schemes or scheme in _provided() else None)
    if reader is None:
        return _unknown(scheme, origin)
    located = reader(locator, origin)
    return located if isinstance(located, ReferenceFault) else SecretRef(scheme, located, span)


def _unknown(scheme: str, origin: ReferenceOrigin) -> ReferenceFault:
    if scheme == "row":
        fix = "only the company of a set has rows; see companySets"
        return ReferenceFault(SpecCode.REFERENCE_SCHEME, "there is no row here", fix)
    known = either((*_SCHEMES, *sorted({*origin.schemes, *_provided()})))
    fix = f"known here: {known}; others need a line under secrets.commands in workspace.yaml"
    return ReferenceFault(SpecCode.REFERENCE_SCHEME, "there is no such kind of reference", fix)


@cache
def _provided() -> frozenset[str]:
    """The schemes that installed packages provide."""
    return frozenset(entry_points(group=PROVIDERS_GROUP).names)


def is_inside(path: Path, root: Path) -> bool:
    """Whether ``path`` lies under the real path ``root``, symbolic links followed."""
    return real_path(path).is_relative_to(root)


def real_path(path: Path) -> Path:
    """``path`` with its links followed, as far as it exists; unlike ``Path.resolve``, loops are no error."""
    return Path(os.path.realpath(path))


def _variable(locator: str, _: ReferenceOrigin) -> str | ReferenceFault:
    if not _VARIABLE.fullmatch(locator):
        fix = "write ${env:NAME} with letters, digits and '_'"
        return ReferenceFault(SpecCode.REFERENCE_FORM, "this is not the name of an environment variable", fix)
    if locator.upper().startswith(RESERVED_VARIABLES):
        fix = "our own key is no authorization; call the variable something else"
        return ReferenceFault(
            SpecCode.REFERENCE_RESERVED, f"{RESERVED_VARIABLES} variables cannot be referred to", fix
        )
    return locator


def _file(locator: str, origin: ReferenceOrigin) -> str | ReferenceFault:
    """The locator with its path rewritten from the spec's directory to the workspace's root."""
    written, separator, pointer = locator.partition("#")
    if not written.strip() or not locator.isprintable():
        return ReferenceFault(SpecCode.REFERENCE_FORM, "this reference names no file", REFERENCE_ADVICE)
    if separator and not _POINTER.fullmatch(pointer):
        fix = "write #/name, a JSON pointer into the file"
        return ReferenceFault(SpecCode.REFERENCE_FORM, "what follows '#' is not a JSON pointer", fix)
    path = _from_root(written, origin)
    return path if isinstance(path, ReferenceFault) else path + separator + pointer


def _table(locator: str, origin: ReferenceOrigin) -> str | ReferenceFault:
    """The same for a table: what follows the last point is the column, so a key may have points."""
    written, _, cell = locator.partition("#")
    key, _, column = cell.rpartition(".")
    if not (written.strip() and key and column and locator.isprintable()):
        fix = "write ${table:FILE#KEY.COLUMN}"
        return ReferenceFault(SpecCode.REFERENCE_FORM, "this reference names no cell of a table", fix)
    if written not in origin.tables:
        origin.tables[written] = _from_root(written, origin)
    path = origin.tables[written]
    return path if isinstance(path, ReferenceFault) else f"{path}#{cell}"


def _other(locator: str, _: ReferenceOrigin) -> str | ReferenceFault:
    """What a command or a package is asked for."""
    if not locator.strip() or not locator.isprintable() or locator.startswith("-"):
        fix = "write what to look up; it cannot begin with '-'"
        return ReferenceFault(SpecCode.REFERENCE_FORM, "this reference names nothing", fix)
    return locator


def _from_root(written: str, origin: ReferenceOrigin) -> str | ReferenceFault:
    path = Path(os.path.normpath(origin.directory / written))
    if not path.is_relative_to(origin.root) or not is_inside(path, origin.root):
        fix = "move the file below the directory of workspace.yaml"
        return ReferenceFault(
            SpecCode.REFERENCE_OUTSIDE_ROOT, "this reference leads out of the workspace's root", fix
        )
    return path.relative_to(origin.root).as_posix()


_SCHEMES: Final[Mapping[str, Callable[[str, ReferenceOrigin], str | ReferenceFault]]] = {
    "env": _variable,
    "file": _file,
    "table": _table,
}
BUILTIN_SCHEMES: Final = frozenset({*_SCHEMES, "row"})
"""Those that no command may take."""
