"""Files that the command line names: new ones for their owner alone, and none through a prepared link."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from reconciler.diagnostics import CodatSyncError, Diagnostic
from reconciler.workflow.command_codes import CommandCode

_SYSTEM: Final = (Path("/dev"), Path("/proc/self/fd"))
"""Where a link is the system's own, such as /dev/stdout; no checkout can put one there."""


def opened_to_write(path: Path, *, append: bool = False, mode: int = 0o600) -> int:
    """A descriptor of a file that is new, or that was a regular file and is emptied unless ``append``.

    A device or a pipe is written to as it is.

    Raises:
        OSError: it is a link or lies behind one, or it cannot be written.
    """
    is_system = any(path.is_relative_to(place) for place in _SYSTEM)
    if not is_system:
        check_no_link(path)
    flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if append else 0)
    descriptor = os.open(path, flags | (0 if is_system else getattr(os, "O_NOFOLLOW", 0)), mode)
    if not append and stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.ftruncate(descriptor, 0)
        os.fchmod(descriptor, mode)
    return descriptor


def check_no_link(path: Path) -> None:
    """Refuse a path that is a link, or that leads through one below the directory where we run.

    Raises:
        OSError: it does.
    """
    here = Path.cwd()
    full = here / path
    below = [full, *(parent for parent in full.parents if parent.is_relative_to(here) and parent != here)]
    if any(place.is_symlink() for place in below):
        raise OSError(errno.ELOOP, "it is a link, or lies behind one, and no link is followed")


OWNER_ONLY: Final = 0o600
ANYONE: Final = 0o666
"""For specs, which hold no secret: the user's umask decides."""
READABLE: Final = 0o644


def check_free(out: Path) -> None:
    """Refuse a file that is there already.

    Raises:
        CodatSyncError: it is.
    """
    if out.exists() or out.is_symlink():
        raise CodatSyncError(
            Diagnostic(
                CommandCode.FILE_EXISTS,
                f"{out} exists, and is not written over",
                "name another, or remove it",
            )
        )


def check_empty(out: Path) -> None:
    """Refuse a directory that holds anything.

    Raises:
        CodatSyncError: it does, or is no directory.
    """
    if not out.exists() and not out.is_symlink():
        return
    if not out.is_dir() or any(out.iterdir()):
        raise CodatSyncError(
            Diagnostic(
                CommandCode.FILE_EXISTS,
                f"{out} holds files already, and nothing is written over",
                fix="name a directory that is new or empty, or remove this one",
            )
        )


def write_specs(texts: Mapping[Path, str]) -> None:
    """Write files that must not exist, and the directories above them.

    Raises:
        CodatSyncError: one is there already, or cannot be written.
    """
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(path, error) from None
        write_new(path, text, mode=ANYONE)


def replace_text(path: Path, text: str) -> bool:
    """Let a file of ours hold ``text``, and say whether it was written; no link is followed.

    Raises:
        CodatSyncError: it cannot be written.
    """
    try:
        check_no_link(path)
        if path.is_file() and path.read_bytes() == text.encode():
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(opened_to_write(path, mode=READABLE), "wb") as opened:
            opened.write(text.encode())
    except OSError as error:
        raise _unwritable(path, error) from None
    return True


def write_new(path: Path, text: str, *, mode: int = OWNER_ONLY) -> None:
    """Write a file that must not exist, of this mode from the first byte on.

    Raises:
        CodatSyncError: it is there already, or cannot be written.
    """
    try:
        write_whole(path, text, mode)
    except OSError as error:
        raise _unwritable(path, error) from None


def write_whole(path: Path, text: str, mode: int) -> None:
    """Write a file that must not exist; where it cannot be written whole, nothing is left of it.

    Half a file would be taken for the whole, and would be in the way of the next run. Half a character of
    Codat's, which no file can hold, is written as its escape.

    Raises:
        OSError: it is there already, or cannot be written.
    """
    data = text.encode("utf-8", "backslashreplace")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(data)
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def write_directory(out: Path, texts: Mapping[str, str]) -> None:
    """Write the files beside ``out`` and move them there at once, so that the directory is never half there.

    Raises:
        CodatSyncError: they cannot be written, or something is there already.
    """
    # What every command starts with is in this module, and these two are slow to be imported.
    import shutil
    import tempfile

    try:
        beside = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise _unwritable(out, error) from None
    try:
        for name, text in texts.items():
            write_new(beside / name, text)
        beside.replace(out)
    except OSError as error:
        raise _unwritable(out, error) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _unwritable(path: Path, error: OSError) -> CodatSyncError:
    what = f"{path} cannot be written: {error.strerror}"
    return CodatSyncError(Diagnostic(CommandCode.FILE_EXISTS, what, "name another file"))
