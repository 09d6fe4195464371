"""The specs of a plan's base: a git ref, which is read without touching the working tree, or a directory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Container, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from reconciler.loading import SpecError
from reconciler.loading.files import WORKSPACE_FILES
from reconciler.model import Desired, Platform
from reconciler.workflow.git import FIX, Repository, bad_base, repository_of
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
        CodatSyncError: ``base`` is neither a ref nor a directory, or git cannot be run.
    """
    with _checked_out(base, specs) as path:
        try:
            return Base(Offline(path, offline.sandbox, None).settle(platforms).desired)
        except SpecError:
            return Base(None)


@contextmanager
def _checked_out(base: str, specs: Path) -> Iterator[Path]:
    """The base's specs as a path: the directory itself, or what the ref holds at the path of ``specs``."""
    repository = None if _is_path(base) else repository_of(specs)
    tree = repository.tree(base) if repository else None
    if repository is None or tree is None:
        yield _directory(base, specs, repository)
        return
    within = PurePosixPath(Path(os.path.realpath(specs)).relative_to(repository.top))
    with ExitStack() as held:
        try:
            top = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="codat-sync-base-")))
            (top / ".git").mkdir()  # the search for workspace.yaml ends here, as in the repository
            _unpack(repository, tree, within, top)
        except OSError as error:
            told = f"no temporary directory can be filled: {error.strerror}"
            raise bad_base(told, "make room there, or name another directory in TMPDIR") from None
        yield top / within


def _is_path(base: str) -> bool:
    """Whether this names a directory. A bare name is a ref's: a checkout may hold a directory called so."""
    return Path(base).is_absolute() or base.replace(os.sep, "/").partition("/")[0] in (".", "..")


def _directory(base: str, specs: Path, repository: Repository | None) -> Path:
    """The directory that ``base`` names.

    Raises:
        CodatSyncError: there is none, or the name could be meant for a ref that the repository lacks.
    """
    is_there = bool(base) and Path(base).is_dir()
    if is_there and repository is None:
        return Path(base)
    if _is_path(base):
        raise bad_base(f"there is no directory {base}")
    if repository is None:
        raise bad_base(f"{specs} is in no git repository")
    told = f"{specs} is in a repository without '{base}'; a shallow clone may lack it (fetch-depth: 0)"
    raise bad_base(told, f"if you mean the directory of that name, write ./{base}" if is_there else FIX)


def _unpack(repository: Repository, tree: str, within: PurePosixPath, directory: Path) -> None:
    """Write what the tree holds of the workspace that ``within`` is in below ``directory``."""
    files = repository.files(tree)
    root = _root(within, files)
    wanted = {
        name: blob
        for name, (mode, blob) in files.items()
        if mode in _FILE_MODES and name.suffix in SUFFIXES and root in name.parents and ".." not in name.parts
    }
    for name, content in zip(wanted, repository.contents(wanted.values()), strict=True):
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _root(within: PurePosixPath, names: Container[PurePosixPath]) -> PurePosixPath:
    """The nearest directory with a workspace.yaml; without one that of the specs themselves."""
    around = (within, *within.parents)
    return next((place for place in around if any(place / name in names for name in WORKSPACE_FILES)), within)
