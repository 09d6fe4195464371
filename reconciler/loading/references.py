"""Secret references as specs write them, such as ``${env:NAME}`` and ``${file:PATH#/pointer}``.

Nothing here repeats the text of a value that is not a reference: it may be the secret itself.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Final

from reconciler.diagnostics import Span
from reconciler.loading.spec_codes import SpecCode
from reconciler.secret_refs import (
    PROVIDERS_GROUP,
    REFERENCE,
    REFERENCE_ADVICE,
    RESERVED_VARIABLES,
    SCHEMES,
    Cell,
    Locator,
    LocatorError,
    SecretFile,
    SecretRef,
    Variable,
    holds_reference,
    literal,
    locator_of,
)
from reconciler.wording import either

LITERAL_ADVICE: Final = "a literal ${ is written $${"


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
    each table, and ``directories`` that to each directory: thousands of references name the same few.
    """

    directory: Path
    root: Path
    schemes: frozenset[str] = frozenset()
    tables: dict[str, str | ReferenceFault] = field(default_factory=dict, compare=False)
    directories: dict[str, str | None] = field(default_factory=dict, compare=False)
    """By the path as written: see ``_without_links``."""


def read(text: str, origin: ReferenceOrigin, span: Span) -> str | SecretRef | ReferenceFault:
    """The reference that a value is, the fault of one that it tries to be, or the text itself."""
    if not holds_reference(text):
        return literal(text)
    found = REFERENCE.fullmatch(text)
    if found is None:
        if REFERENCE.search(text):
            fix = "put the whole value where the reference points, and nothing around it"
            return ReferenceFault(SpecCode.REFERENCE_PARTIAL, "a reference must be the whole value", fix)
        return ReferenceFault(SpecCode.REFERENCE_FORM, "this is not written as a reference", REFERENCE_ADVICE)
    scheme = found["scheme"]
    if scheme not in SCHEMES and scheme not in origin.schemes and scheme not in _provided():
        return _unknown(scheme, origin)
    try:
        locator = locator_of(scheme, found["locator"])
    except LocatorError as error:
        return ReferenceFault(SpecCode.REFERENCE_FORM, error.problem, error.fix)
    placed = _placed(locator, origin)
    return placed if isinstance(placed, ReferenceFault) else SecretRef(placed, span)


def _unknown(scheme: str, origin: ReferenceOrigin) -> ReferenceFault:
    if scheme == "row":
        fix = "only the company of a set has rows; see companySets"
        return ReferenceFault(SpecCode.REFERENCE_SCHEME, "there is no row here", fix)
    known = either((*SCHEMES, *sorted({*origin.schemes, *_provided()})))
    fix = f"known here: {known}; others need a line under secrets.commands in workspace.yaml"
    return ReferenceFault(SpecCode.REFERENCE_SCHEME, "there is no such kind of reference", fix)


@cache
def _provided() -> frozenset[str]:
    """The schemes that installed packages provide."""
    # It takes long to be imported, and is asked for what no table of ours has.
    from importlib.metadata import entry_points

    return frozenset(entry_points(group=PROVIDERS_GROUP).names)


def is_inside(path: Path, root: Path) -> bool:
    """Whether ``path`` lies under the real path ``root``, symbolic links followed."""
    return real_path(path).is_relative_to(root)


def real_path(path: Path) -> Path:
    """``path`` with its links followed, as far as it exists; unlike ``Path.resolve``, loops are no error."""
    return Path(os.path.realpath(path))


def _placed(locator: Locator, origin: ReferenceOrigin) -> Locator | ReferenceFault:
    """The locator as plans have it: its path rewritten from the spec's directory to the workspace's root."""
    match locator:
        case Variable(name) if name.upper().startswith(RESERVED_VARIABLES):
            fix = "our own key is no authorization; call the variable something else"
            return ReferenceFault(
                SpecCode.REFERENCE_RESERVED, f"{RESERVED_VARIABLES} variables cannot be referred to", fix
            )
        case SecretFile(written):
            path = _from_root(written, origin)
        case Cell(path=written):
            if written not in origin.tables:
                origin.tables[written] = _from_root(written, origin)
            path = origin.tables[written]
        case _:
            return locator
    return path if isinstance(path, ReferenceFault) else replace(locator, path=path)


def _from_root(written: str, origin: ReferenceOrigin) -> str | ReferenceFault:
    """The path from the root. What stands in a directory without links is where that is."""
    directory, name = os.path.split(written)
    if name in _NO_NAMES:
        return _followed(written, origin)
    if directory not in origin.directories:
        origin.directories[directory] = _without_links(directory, origin)
    place = origin.directories[directory]
    return place + name if place is not None else _followed(written, origin)


_NO_NAMES: Final = ("", os.curdir, os.pardir)


def _without_links(directory: str, origin: ReferenceOrigin) -> str | None:
    """The directory from the root, with its slash; ``None`` where it is not below that, or has links."""
    place = _followed(directory, origin)
    if isinstance(place, ReferenceFault):
        return None
    try:
        if any(path.is_symlink() for path in (origin.root / place).iterdir()):
            return None
    except FileNotFoundError:
        pass  # Then there is no link either.
    except OSError:
        return None
    return "" if place == os.curdir else f"{place}/"


def _followed(written: str, origin: ReferenceOrigin) -> str | ReferenceFault:
    """The same, with every link on the way followed."""
    path = Path(os.path.normpath(origin.directory / written))
    if not path.is_relative_to(origin.root) or not is_inside(path, origin.root):
        fix = "move the file below the directory of workspace.yaml"
        return ReferenceFault(
            SpecCode.REFERENCE_OUTSIDE_ROOT, "this reference leads out of the workspace's root", fix
        )
    return path.relative_to(origin.root).as_posix()


BUILTIN_SCHEMES: Final = frozenset({*SCHEMES, "row"})
"""Those that no command may take."""
