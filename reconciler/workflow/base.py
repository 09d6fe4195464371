"""The specs of a plan's base: a directory, or a git ref that is read without touching the working tree."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Container, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from reconciler.diagnostics import CodatSyncError, Diagnostic
from reconciler.model import Desired, Platform
from reconciler.secrets import for_programs
from reconciler.spec import SpecError
from reconciler.spec.files import WORKSPACE_FILES
from reconciler.workflow.codes import Code
from reconciler.workflow.reading import Offline

SUFFIXES: Final = (".yaml", ".yml", ".csv", ".json")
"""What is taken out of a ref: specs, the tables and schemas that they name, and nothing else."""

_FILE_MODES: Final = ("100644", "100755")
"""Ordinary files to git. A link is left where it is: it may lead anywhere."""


@dataclass(frozen=True, slots=True)
class Base:
    """What a change is compared with; ``desired`` is ``None`` where there are no specs, or none that load.

    A base that does not load must not keep a change from being planned that mends it.
    """

    desired: Desired | None


def read_base(base: str, specs: Path, offline: Offline, platforms: Sequence[Platform]) -> Base:
    """What the specs of ``base`` want.

    Raises:
        CodatSyncError: ``base`` is neither a directory nor a ref, or git cannot be run.
    """
    with _checked_out(base, specs) as path:
        try:
            return Base(Offline(path, offline.sandbox, None).settle(platforms).desired)
        except SpecError:
            return Base(None)


@contextmanager
def _checked_out(base: str, specs: Path) -> Iterator[Path]:
    """The base's specs as a path: the directory itself, or what the ref holds at the path of ``specs``."""
    if base and Path(base).is_dir():
        yield Path(base)
        return
    within = PurePosixPath(
        _line(_git(specs, "rev-parse", "--show-prefix", complaint="is in no git repository")),
        "" if specs.is_dir() else specs.name,
    )
    tree = _line(
        _git(
            specs,
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            f"{base}^{{tree}}",
            complaint=f"is in a repository without '{base}'; a shallow clone may lack it (fetch-depth: 0)",
        )
    )
    with ExitStack() as held:
        try:
            top = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="codat-sync-base-")))
            (top / ".git").mkdir()  # the search for workspace.yaml ends here, as in the repository
            _unpack(specs, tree, within, top)
        except OSError as error:
            fix = "make room there, or name another directory in TMPDIR"
            told = f"--base: no temporary directory can be filled: {error.strerror}"
            raise CodatSyncError(Diagnostic(Code.BAD_BASE, told, fix)) from None
        yield top / within


def _unpack(repository: Path, tree: str, within: PurePosixPath, directory: Path) -> None:
    """Write what the tree holds of the workspace that ``within`` is in below ``directory``."""
    listed = _git(repository, "ls-tree", "-r", "-z", "--full-tree", tree, complaint="cannot be listed")
    blobs = dict(map(_entry, filter(None, listed.split(b"\0"))))
    root = _root(within, blobs)
    wanted = {
        name: blob
        for name, (mode, blob) in blobs.items()
        if mode in _FILE_MODES and name.suffix in SUFFIXES and root in name.parents and ".." not in name.parts
    }
    asked = "".join(f"{blob}\n" for blob in wanted.values()).encode()
    answer = _git(repository, "cat-file", "--batch", complaint="cannot be read from the base", asked=asked)
    for name, content in zip(wanted, _contents(answer), strict=False):
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _entry(line: bytes) -> tuple[PurePosixPath, tuple[str, str]]:
    """A file's path, mode and blob, from ``git ls-tree``."""
    mode, _, rest = os.fsdecode(line).split(" ", 2)
    blob, name = rest.split("\t", 1)
    return PurePosixPath(name), (mode, blob)


def _root(within: PurePosixPath, names: Container[PurePosixPath]) -> PurePosixPath:
    """The nearest directory with a workspace.yaml; without one that of the specs themselves."""
    around = (within, *within.parents)
    return next((one for one in around if any(one / name in names for name in WORKSPACE_FILES)), within)


def _contents(answer: bytes) -> Iterator[bytes]:
    """Each blob of an answer of ``git cat-file --batch``: a line that ends in its size, then itself."""
    start = 0
    while start < len(answer):
        head = answer.index(b"\n", start)
        end = head + 1 + int(answer[start:head].rpartition(b" ")[2])
        yield answer[head + 1 : end]
        start = end + 1


def _line(printed: bytes) -> str:
    return os.fsdecode(printed.removesuffix(b"\n"))


def _git(where: Path, *arguments: str, complaint: str, asked: bytes = b"") -> bytes:
    """What git prints.

    Raises:
        CodatSyncError: there is no git, or it fails.
    """
    directory = where if where.is_dir() else where.parent
    command, environ = ["git", "-C", str(directory), *arguments], for_programs(os.environ)
    try:
        done = subprocess.run(  # noqa: S603
            command, input=asked, capture_output=True, check=True, env=environ
        )
    except FileNotFoundError:
        found = "git is not installed, and --base needs it for a ref"
    except subprocess.CalledProcessError as error:
        told = error.stderr.decode(errors="replace").partition("\n")[0]
        found = f"{where} {complaint}" + (f" (git: {told})" if told else "")
    else:
        return done.stdout
    fix = "name a directory of specs, or a ref of this repository"
    raise CodatSyncError(Diagnostic(Code.BAD_BASE, f"--base: {found}", fix))
