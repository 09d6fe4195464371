"""Files of references, what bytes that may hold a secret are as text, and why there is none."""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import StrEnum
from os.path import realpath
from pathlib import Path
from typing import BinaryIO, Final, Generic, Protocol, TypeVar

from reconciler.diagnostics import CodatSyncError, Diagnostic
from reconciler.secret_refs import SecretRef


class SecretCode(StrEnum):
    """What can be wrong with a reference when it is resolved."""

    MISSING = "secret-missing"
    RESERVED = "secret-reserved"
    IS_KEY = "secret-is-key"
    UNREADABLE = "secret-unreadable"
    OUTSIDE_ROOT = "secret-outside-root"
    NOT_URL = "secret-not-url"
    NOT_TEXT = "secret-not-text"
    AMBIGUOUS = "secret-ambiguous"
    MANGLED = "secret-mangled"
    SPACE = "secret-space"
    COMMAND = "secret-command"
    PROVIDER = "secret-provider"
    UNKNOWN_SCHEME = "secret-unknown-scheme"


class SecretError(CodatSyncError):
    """A reference cannot be resolved."""


class AbsentError(SecretError):
    """There is nothing where a reference leads: no file, variable or command."""


def absent(ref: SecretRef, code: SecretCode, problem: str, fix: str) -> AbsentError:
    """The error of a reference that leads nowhere."""
    return AbsentError(Diagnostic(code, f"{ref}: {problem}", fix, ref.span))


def refused(ref: SecretRef, code: SecretCode, problem: str, fix: str) -> SecretError:
    """The error that names the reference and the place where it stands."""
    return SecretError(Diagnostic(code, f"{ref}: {problem}", fix, ref.span))


BOM: Final = b"\xef\xbb\xbf"
"""What some editors put before UTF-8."""


def decoded(data: bytes, encoding: str = "utf-8") -> str | None:
    """The text; ``None`` instead of an error, which would hold the bytes."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def without_newline(text: str) -> str:
    """``text`` without the one newline that editors and programs put at the end."""
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text


def is_sendable(text: str) -> bool:
    """Whether ``text`` is whole characters: a variable may hold any bytes, and JSON half a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


MAX_BYTES: Final = 64 * 1024 * 1024
"""How large a file may be that is read as a whole."""


def located(ref: SecretRef, root: Path, path: str) -> Path:
    """The regular file that ``path``, counted from ``root`` (a real path), leads to.

    Raises:
        SecretError: it leads out of the root, or there is no such file.
    """
    real = Path(realpath(root / path)) if path.isprintable() else None
    if real is None or not real.is_relative_to(root):
        fix = "move the file below it"
        raise refused(ref, SecretCode.OUTSIDE_ROOT, f"{path!r} leads out of the workspace's root", fix)
    try:
        if real.exists() and not real.is_file():
            raise refused(ref, SecretCode.UNREADABLE, f"{path} is no regular file", "name a file")
        real.stat()
    except OSError as error:
        raise unreadable(ref, root, path, error) from None
    return real


def unreadable(ref: SecretRef, root: Path, path: str, error: OSError) -> SecretError:
    """The error for a file that is not there, or that cannot be read."""
    if isinstance(error, FileNotFoundError):
        return absent(ref, SecretCode.MISSING, f"there is no file {path}", f"its path counts from {root}")
    problem = f"the file {path} cannot be read: {(error.strerror or 'unknown reason').lower()}"
    return refused(ref, SecretCode.UNREADABLE, problem, "let the user that runs codat-sync read it")


def too_large(ref: SecretRef, path: str) -> SecretError:
    """The error for a file of more than ``MAX_BYTES``."""
    fix = f"secrets are kept in files of at most {MAX_BYTES // 1024 // 1024} MiB"
    return refused(ref, SecretCode.UNREADABLE, f"the file {path} is too large", fix)


def changed_meanwhile(ref: SecretRef, path: str) -> SecretError:
    """The error for a file that was written while a part of it was read: the part may be another's."""
    fix = "let what writes it put a new file in its place"
    return refused(ref, SecretCode.UNREADABLE, f"the file {path} changed while it was read", fix)


def stamp(file: BinaryIO) -> tuple[int, ...]:
    """What changes when an open file does."""
    found = os.fstat(file.fileno())
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


class Stamped(Protocol):
    """What was found out of a file, with the file's stamp at that time."""

    stamp: tuple[int, ...]


IndexT = TypeVar("IndexT", bound=Stamped)


class Indexes(Generic[IndexT]):
    """What ``make`` found out of each file; of one that has changed it is found out anew."""

    def __init__(self, make: Callable[[BinaryIO], IndexT]) -> None:
        self._make = make
        self._known: dict[Path, IndexT] = {}

    def of(self, file: BinaryIO, real: Path) -> IndexT:
        """The index of an open file, whose real path is ``real``."""
        known = self._known.get(real)
        if known is None or known.stamp != stamp(file):
            known = self._known[real] = self._make(file)
        return known
