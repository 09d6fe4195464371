"""Files that the command line names, opened so that nothing is written through what a checkout prepared."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

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
