"""The specs of a plan's base: a directory, or a git ref that is read without touching the working tree."""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from reconciler.diagnostics import CodatSyncError, Diagnostic
from reconciler.model import Desired, Platform
from reconciler.spec import SpecError
from reconciler.workflow.codes import Code
from reconciler.workflow.reading import Offline

SPEC_FILES: Final = (":(glob)**/*.yaml", ":(glob)**/*.yml")
"""What is taken out of the ref: every file that may be a spec or workspace.yaml, and nothing else."""


def base_desired(base: str, specs: Path, offline: Offline, platforms: Sequence[Platform]) -> Desired | None:
    """What the specs of ``base`` want; ``None`` where it has none, or none that can be read.

    A base that does not load must not keep a change from being planned that mends it; then every
    action counts as this change's.

    Raises:
        CodatSyncError: ``base`` is neither a directory nor a ref, or git cannot be run.
    """
    with _checked_out(base, specs) as path:
        if path is None or not path.exists():
            return None
        try:
            return Offline(path, offline.sandbox, None).settle(platforms).desired
        except SpecError:
            return None


@contextmanager
def _checked_out(base: str, specs: Path) -> Iterator[Path | None]:
    """The base's specs as a path: the directory itself, or what the ref holds at the path of ``specs``."""
    if Path(base).is_dir():
        yield Path(base)
        return
    shown = _git(specs, "rev-parse", "--show-toplevel", complaint="is in no git repository")
    top = Path(shown.strip().decode())
    tree = _git(
        top,
        "rev-parse",
        "--verify",
        "--quiet",
        "--end-of-options",
        f"{base}^{{tree}}",
        complaint=f"is in a repository without '{base}'; a shallow clone may lack it (fetch-depth: 0)",
    )
    within = specs.resolve().relative_to(top.resolve())
    with tempfile.TemporaryDirectory(prefix="codat-sync-base-") as directory:
        if _unpack(top, tree.strip().decode(), Path(directory)):
            (
                Path(directory) / ".git"
            ).mkdir()  # the search for workspace.yaml ends here, as in the repository
            yield Path(directory) / within
        else:
            yield None


def _unpack(top: Path, tree: str, directory: Path) -> bool:
    """Write the tree's YAML files below ``directory``; whether there are any."""
    listed = _git(top, "ls-tree", "-r", "-z", "--name-only", tree, complaint="cannot be listed").split(b"\0")
    if not any(name.endswith((b".yaml", b".yml")) for name in listed):
        return False
    archive = _git(
        top, "archive", "--format=tar", tree, "--", *SPEC_FILES, complaint="cannot be read from the base"
    )
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(directory, filter="data")
    return True


def _git(where: Path, *arguments: str, complaint: str) -> bytes:
    """What git prints.

    Raises:
        CodatSyncError: there is no git, or it fails.
    """
    directory = where if where.is_dir() else where.parent
    try:
        done = subprocess.run(["git", "-C", str(directory), *arguments], capture_output=True, check=True)  # noqa: S603, S607
    except FileNotFoundError:
        found = "git is not installed, and --base needs it for a ref"
    except subprocess.CalledProcessError:
        found = f"{where} {complaint}"
    else:
        return done.stdout
    raise CodatSyncError(
        Diagnostic(
            Code.BAD_BASE, f"--base: {found}", "name a directory of specs, or a ref of this repository"
        )
    )
