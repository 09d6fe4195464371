"""The specs of a plan's base: a directory, or a git ref, read without touching the working tree.

A checkout may hold what looks like a repository, so git is told which one to ask and looks for none. Its
protocols, hooks and monitors are off, it fetches nothing, and of our environment it is given no secret.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from reconciler.diagnostics import CodatSyncError, Diagnostic
from reconciler.loading import SpecError
from reconciler.loading.files import WORKSPACE_FILES
from reconciler.model import Desired, Platform
from reconciler.workflow.command_codes import CommandCode
from reconciler.workflow.reading import Offline

FIX: Final = "name a ref of this repository, or a directory as a path that begins with './', '../' or '/'"

_SETTINGS: Final = (
    "safe.bareRepository=explicit",
    "protocol.allow=never",
    f"core.hooksPath={os.devnull}",
    f"core.attributesFile={os.devnull}",
    "core.fsmonitor=false",
    "core.sshCommand=false",
)
"""Set over what the repository's own configuration says."""

_VARIABLES: Final[Mapping[str, str]] = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_LAZY_FETCH": "1",
    # Git older than that variable fetches what a partial clone lacks; here it may speak no protocol.
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_KEPT: Final = frozenset({"SYSTEMROOT", "TEMP", "TMP", "TMPDIR"})
"""What git is given of our environment, beside the absolute directories of PATH."""


@dataclass(frozen=True, slots=True)
class Repository:
    """The repository in the directory ``top``, and the program that reads it."""

    top: Path
    program: str

    def tree(self, ref: str) -> str | None:
        """The tree that ``ref`` names; ``None`` where it names none."""
        done = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{tree}}")
        return None if done.returncode else os.fsdecode(done.stdout.removesuffix(b"\n"))

    def files(self, tree: str) -> Mapping[PurePosixPath, tuple[str, str]]:
        """The mode and the blob of every file in a tree, by its path.

        Raises:
            CodatSyncError: git cannot list it.
        """
        listed = self._printed("ls-tree", "-r", "-z", "--full-tree", tree)
        return dict(map(_entry, filter(None, listed.split(b"\0"))))

    def contents(self, blobs: Iterable[str]) -> Iterator[bytes]:
        """What each of these blobs holds, in their order.

        Raises:
            CodatSyncError: one is not there, as in a partial clone.
        """
        answer = self._printed("cat-file", "--batch", asked="".join(f"{blob}\n" for blob in blobs).encode())
        start = 0
        while start < len(answer):
            head = answer.index(b"\n", start)
            size = answer[start:head].rpartition(b" ")[2]
            if not size.isdigit():
                raise self._unreadable("it lacks files of the base")
            end = head + 1 + int(size)
            yield answer[head + 1 : end]
            start = end + 1

    def tracks(self, path: Path) -> bool:
        """Whether the current commit holds this path or something below it."""
        within = path.relative_to(self.top).as_posix()
        done = self._run("ls-tree", "-z", "--full-tree", "HEAD", "--", within)
        return not done.returncode and bool(done.stdout)

    def _printed(self, *arguments: str, asked: bytes = b"") -> bytes:
        done = self._run(*arguments, asked=asked)
        if done.returncode:
            raise self._unreadable(done.stderr.decode(errors="replace").partition("\n")[0])
        return done.stdout

    def _run(self, *arguments: str, asked: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        settings = (part for setting in _SETTINGS for part in ("-c", setting))
        command = [self.program, *settings, "--no-pager", f"--git-dir={self.top / '.git'}", *arguments]
        kept = {name: value for name, value in os.environ.items() if name.upper() in _KEPT}
        variables = {**kept, "PATH": _search_path(), **_VARIABLES}
        try:
            return subprocess.run(  # noqa: S603
                command, input=asked, capture_output=True, check=False, env=variables, cwd=self.top
            )
        except (OSError, ValueError) as error:
            told = (error.strerror if isinstance(error, OSError) else None) or "it holds what no argument can"
            raise bad_base(f"git cannot be run: {told}") from None

    def _unreadable(self, why: str) -> CodatSyncError:
        told = f"the base cannot be read from the repository at {self.top}: {why}"
        return bad_base(told, "fetch it whole: a partial clone (--filter) lacks files, and none are fetched")


def repository_of(specs: Path) -> Repository | None:
    """The repository that holds the specs, looked for from the top; ``None`` where there is none.

    A directory below may hold a repository of its own, planted or not: the outermost that has the specs in
    its current commit is asked. Where none has, it is the nearest, as it is for git.

    Raises:
        CodatSyncError: there is one, and git is not installed.
    """
    path = Path(os.path.realpath(specs))
    tops = [directory for directory in (*reversed(path.parents), path) if _is_ours(directory, path)]
    if not tops:
        return None
    program = shutil.which("git", path=_search_path())
    if program is None:
        raise bad_base("git is not installed, and --base needs it for a ref")
    *outer, nearest = (Repository(top, program) for top in tops)
    return next((repository for repository in outer if repository.tracks(path)), nearest)


def bad_base(found: str, fix: str = FIX) -> CodatSyncError:
    """The error of a base that cannot be read."""
    return CodatSyncError(Diagnostic(CommandCode.BAD_BASE, f"--base: {found}", fix))


def _is_ours(directory: Path, path: Path) -> bool:
    """Whether a repository is there that belongs to the owner of ``path``: in /tmp it may be anybody's."""
    place = directory / ".git"
    try:
        return place.stat().st_uid == path.stat().st_uid and (place.is_file() or (place / "HEAD").exists())
    except OSError:
        return False


def _search_path() -> str:
    """PATH without relative directories, which would find programs in a checkout."""
    directories = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(directory for directory in directories if Path(directory).is_absolute())


def _entry(line: bytes) -> tuple[PurePosixPath, tuple[str, str]]:
    """A file's path, mode and blob, from ``git ls-tree``."""
    mode, _, rest = os.fsdecode(line).split(" ", 2)
    blob, name = rest.split("\t", 1)
    return PurePosixPath(name), (mode, blob)


SUFFIXES: Final = (".yaml", ".yml", ".csv", ".json")
"""What is taken out of a ref: specs, the tables and schemas that they name, and nothing else."""

_FILE_MODES: Final = ("100644", "100755")
"""Ordinary files to git. A link is left where it is: it may lead anywhere."""


@dataclass(frozen=True, slots=True)
class Base:
    """What a change is compared with; ``desired`` is ``None`` where there are no specs, or none that load.

    A base that does not load must not keep a change from being planned that corrects it.
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
