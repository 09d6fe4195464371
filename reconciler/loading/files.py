"""Which files are specs, and their text."""

from __future__ import annotations

import codecs
import errno
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from reconciler.csv_form import is_workbook
from reconciler.diagnostics import Diagnostic, Severity
from reconciler.loading.nodes import SourceFile
from reconciler.loading.references import is_inside, real_path
from reconciler.loading.spec_codes import SpecCode

SUFFIXES: Final = (".yaml", ".yml")
WORKSPACE_FILES: Final = ("workspace.yaml", "workspace.yml")
ACCOUNT_FILES: Final = ("account.yaml", "account.yml")
"""What the account's file is called; it stands beside the workspace's, and anywhere else it is a spec."""
MAX_BYTES: Final = 64 * 1024 * 1024
READABLE: Final = "let the user that runs codat-sync read it, or take it out of the directory"

_UNPRINTABLE: Final = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
"""What YAML does not permit in a file (https://yaml.org/spec/1.2.2/#51-character-set)."""
_CONTROL: Final = re.compile(r"[^\t\n\r\x20-\x7e]")
"""The same of ASCII, which most files are; the other takes long to be compiled."""
_LOOKS_LIKE_SPEC: Final = re.compile(r"\.ya?ml([.~_-].*)?\Z", re.IGNORECASE)
"""The end of a name that someone may take for a spec's: ``.YAML``, ``.yaml.bak``, ``.yml~``."""
_HOLDS_COMPANIES: Final = re.compile(rb"^compan(?:ies|ySets)[ \t]*:", re.MULTILINE)


def source(path: Path) -> SourceFile:
    """The file as diagnostics show it: relative to the current directory where it lies below that."""
    here = Path.cwd()
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    return SourceFile(path, shown.as_posix())


def is_spec_name(name: str) -> bool:
    """Whether a file of this name is a spec."""
    return name.endswith(SUFFIXES) and not name.startswith(".") and name not in WORKSPACE_FILES


def missing(specs: Path) -> Diagnostic | None:
    """What to say where there is nothing at ``specs``."""
    if specs.is_file() or specs.is_dir():
        return None
    summary = f"there is no file or directory {source(specs).shown!r}"
    return Diagnostic(SpecCode.NO_SUCH_PATH, summary, "name the directory of your specs")


@dataclass(slots=True)
class Found:
    """The files below a directory, and what is wrong with the way to them."""

    specs: list[Path] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    walked: set[Path] = field(default_factory=set)
    """Real directories, each walked once however many links lead there."""


def find(specs: Path, root: Path) -> Found:
    """The spec files below ``specs`` (or that file itself), sorted, each real file once.

    Hidden files and directories are passed over. A symbolic link that leads out of ``root``, or
    back to a directory that it lies in, is refused. Both paths are real ones, and exist.
    """
    found = Found()
    if specs.is_file():
        found.specs.append(specs)
    else:
        _walk(specs, root, (specs,), found)
        found.specs = _each_once(sorted(found.specs, key=lambda path: path.parts))
    named = [path for path in found.specs if path.name not in WORKSPACE_FILES]
    found.specs = [path for path in named if not (path.name in ACCOUNT_FILES and path.parent == root)]
    if not named and all(diagnostic.severity is Severity.WARNING for diagnostic in found.diagnostics):
        summary = f"there is no spec in {source(specs).shown!r}"
        fix = "write a *.yaml file there; one with nothing but comments means no companies"
        found.diagnostics.append(Diagnostic(SpecCode.NO_SPECS, summary, fix))
    return found


def _walk(directory: Path, root: Path, trail: tuple[Path, ...], found: Found) -> None:
    found.walked.add(trail[-1])
    try:
        children = sorted(os.scandir(directory), key=lambda child: child.name)
    except OSError as error:
        found.diagnostics.append(_unreadable(source(directory), error))
        return
    for child in children:
        path = Path(child.path)
        is_directory = path.is_dir()
        if child.name.startswith(".") or not (is_directory or child.name.endswith(SUFFIXES)):
            found.diagnostics += _lookalike(path)
            continue
        if child.is_symlink() and not is_inside(path, root):
            summary, fix = "this link leads out of the workspace's root", "copy what it leads to"
            found.diagnostics.append(_at_top(SpecCode.SYMLINK_OUTSIDE_ROOT, path, summary, fix))
        elif is_directory and real_path(path) in trail:
            summary, fix = "this link leads back to a directory that it lies in", "remove it"
            found.diagnostics.append(_at_top(SpecCode.SYMLINK_LOOP, path, summary, fix))
        elif is_directory and real_path(path) not in found.walked:
            _walk(path, root, (*trail, real_path(path)), found)
        elif is_directory:
            continue
        elif child.name not in WORKSPACE_FILES:
            found.specs.append(path)
        elif len(trail) > 1:
            found.diagnostics.append(_ignored(path))


def _lookalike(path: Path) -> list[Diagnostic]:
    """A warning about a file that is not read, where its name may make someone think that it is."""
    if path.name.startswith(".") or not _LOOKS_LIKE_SPEC.search(path.name):
        return []
    summary = "this file looks like a spec and is not read: its name does not end in .yaml or .yml"
    fix = "rename it, or move it out of the specs' directory"
    span = source(path).span((1, 1))
    return [Diagnostic(SpecCode.LOOKS_LIKE_SPEC, summary, fix, span, severity=Severity.WARNING)]


def _each_once(paths: list[Path]) -> list[Path]:
    first: dict[Path, Path] = {}
    for path in paths:
        first.setdefault(real_path(path), path)
    return list(first.values())


def _ignored(path: Path) -> Diagnostic:
    summary = "this workspace file is not read, because it lies below the specs' directory"
    span = source(path).span((1, 1))
    return Diagnostic(
        SpecCode.WORKSPACE_IGNORED, summary, "move it up, or remove it", span, severity=Severity.WARNING
    )


def _at_top(code: SpecCode, path: Path, summary: str, fix: str = "") -> Diagnostic:
    return Diagnostic(code, summary, fix, source(path).span((1, 1)))


def _unreadable(file: SourceFile, error: OSError) -> Diagnostic:
    reason = (error.strerror or "unknown reason").lower()
    return Diagnostic(SpecCode.UNREADABLE_FILE, f"cannot be read: {reason}", READABLE, file.span((1, 1)))


# --- bytes -------------------------------------------------------------------------------------


REFUSED_FILE: Final = frozenset({errno.EINVAL, errno.EFBIG})
"""What ``read_regular`` itself refuses; its words for it say more than "cannot be read"."""


def read_regular(path: Path, most: int) -> bytes:
    """The bytes of a regular file, ``most`` of them at most.

    Raises:
        OSError: there is no such file, it is a pipe, a device or a directory, or it is larger.
    """
    # Without O_NONBLOCK a pipe that nobody writes to would keep us here.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most // 1024:,} KiB")
    return data


# --- text --------------------------------------------------------------------------------------


def read_text(file: SourceFile) -> str | Diagnostic:
    """The text of a file, a byte order mark dropped; or why there is none."""
    data = _data(file)
    return data if isinstance(data, Diagnostic) else _utf8(file, data)


def _data(file: SourceFile) -> bytes | Diagnostic:
    try:
        if file.path.exists() and not file.path.is_file():
            return _at_top(SpecCode.UNREADABLE_FILE, file.path, "is no regular file", READABLE)
        if file.path.stat().st_size > MAX_BYTES:
            summary = f"is larger than {MAX_BYTES // 1024 // 1024} MiB"
            return Diagnostic(SpecCode.FILE_TOO_LARGE, summary, "split the file", file.span((1, 1)))
        return file.path.read_bytes()
    except OSError as error:
        return _unreadable(file, error)


def _utf8(file: SourceFile, data: bytes) -> str | Diagnostic:
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        return _not_text(file, before, "this byte is not UTF-8")
    return _printable(file, text)


def _printable(file: SourceFile, text: str) -> str | Diagnostic:
    strange = _CONTROL.search(text) if text.isascii() else re.search(_UNPRINTABLE, text)
    if strange is not None:
        return _not_text(
            file, text[: strange.start()], f"{file.format} does not permit this control character"
        )
    return text


WINDOWS: Final = "windows-1252"
_AS_TEXT: Final = "save it in the spreadsheet as CSV UTF-8"
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class TableText:
    """A table's text, and whether its encoding was guessed because nothing says it."""

    text: str
    is_guessed: bool = False


def read_table(file: SourceFile, encoding: str = "") -> TableText | Diagnostic:
    """The text of a table as spreadsheets write it: UTF-8, UTF-16 (also without its mark), or Windows-1252.

    ``encoding`` is what the set says; without it, what is no UTF-8 is taken for Windows-1252.
    """
    data = _data(file)
    if isinstance(data, Diagnostic):
        return data
    if is_workbook(data):
        return Diagnostic(SpecCode.NOT_UTF8, "is a workbook, and no table", _AS_TEXT, file.span((1, 1)))
    if data.startswith(_UTF_16):
        return _decoded(file, data, "utf-16")
    for half, byte_order in enumerate(("utf-16-be", "utf-16-le")):
        if data[half : half + 1] == b"\0":
            return _decoded(file, data, byte_order)
    if encoding:
        return _decoded(file, data, "utf-8-sig" if encoding == "utf-8" else encoding)
    text = _utf8(file, data)
    if isinstance(text, str):
        return TableText(text)
    guess = _decoded(file, data, WINDOWS)
    return TableText(guess.text, is_guessed=True) if isinstance(guess, TableText) else text


def _decoded(file: SourceFile, data: bytes, encoding: str) -> TableText | Diagnostic:
    try:
        text = _printable(file, data.decode(encoding))
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(encoding, "replace")
        return _not_text(file, before, f"these bytes are not {encoding.removesuffix('-sig').upper()}")
    return text if isinstance(text, Diagnostic) else TableText(text)


def _not_text(file: SourceFile, before: str, summary: str) -> Diagnostic:
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    return Diagnostic(SpecCode.NOT_UTF8, summary, "save the file as UTF-8 text", file.span((line, column)))


# --- narrowed runs -----------------------------------------------------------------------------


def is_narrowed(specs: Path, root: Path) -> bool:
    """Whether other specs of the workspace exist, or may exist, outside of ``specs``.

    A single file is always a part. A directory that is the root is the whole. A directory below the
    root is a part only where another ``*.yaml`` or ``*.yml`` file under the root, neither hidden nor
    reached by a link, has a line that starts with ``companies:`` or ``companySets:``.
    """
    if not specs.is_dir():
        return True
    if specs == root:
        return False
    return any(_holds_companies(path) for path in _others(root, specs))


def _others(root: Path, specs: Path) -> Iterator[Path]:
    for directory, names, files in os.walk(root):
        here = Path(directory)
        names[:] = sorted(name for name in names if not name.startswith(".") and here / name != specs)
        yield from (here / name for name in sorted(files) if is_spec_name(name))


def _holds_companies(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        # One that is too large to be read counts as a spec: then nothing is an orphan.
        return path.stat().st_size > MAX_BYTES or _HOLDS_COMPANIES.search(path.read_bytes()) is not None
    except OSError:
        return False
