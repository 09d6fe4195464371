"""Files of references: below the workspace's root, links followed, and nowhere else."""

from __future__ import annotations

from os.path import realpath
from pathlib import Path

from reconciler.model import SecretRef
from reconciler.secrets.errors import Code, SecretError, refused


def located(ref: SecretRef, root: Path, path: str) -> Path:
    """The regular file that ``path``, counted from ``root`` (a real path), leads to.

    Raises:
        SecretError: it leads out of the root, or there is no such file.
    """
    real = Path(realpath(root / path)) if path.isprintable() else None
    if real is None or not real.is_relative_to(root):
        fix = "move the file below it"
        raise refused(ref, Code.OUTSIDE_ROOT, f"{path!r} leads out of the workspace's root", fix)
    try:
        if real.exists() and not real.is_file():
            raise refused(ref, Code.UNREADABLE, f"{path} is no regular file", "name a file")
        real.stat()
    except OSError as error:
        raise unreadable(ref, root, path, error) from None
    return real


def unreadable(ref: SecretRef, root: Path, path: str, error: OSError) -> SecretError:
    """The error for a file that is not there, or that cannot be read."""
    if isinstance(error, FileNotFoundError):
        return refused(ref, Code.MISSING, f"there is no file {path}", f"its path counts from {root}")
    problem = f"the file {path} cannot be read: {(error.strerror or 'unknown reason').lower()}"
    return refused(ref, Code.UNREADABLE, problem, "let the user that runs codat-sync read it")
