"""Resolves references: the environment, files and tables below the root, commands, and providers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from os.path import realpath
from pathlib import Path
from typing import Any, Final

from reconciler.diagnostics import Diagnostic, in_reading_order
from reconciler.model import RESERVED_VARIABLES, Secret, SecretCommands, SecretRef
from reconciler.secrets.commands import Commands
from reconciler.secrets.errors import Code, SecretError, refused
from reconciler.secrets.places import located, unreadable
from reconciler.secrets.pointer import target
from reconciler.secrets.providers import Providers
from reconciler.secrets.tables import Tables
from reconciler.secrets.texts import decoded, without_newline

MAX_BYTES: Final = 64 * 1024 * 1024
AT_ONCE: Final = 8
"""Commands that a check runs at the same time."""
NO_COMMANDS: Final = SecretCommands()

_QUICK: Final = frozenset({"env", "file", "table"})

_Read = Callable[[SecretRef, str], Any]
"""Reads the file of a reference."""


class Resolver:
    """Reads a secret each time it is asked for one, and keeps none.

    ``root`` is the workspace's root; ``environ`` the environment to read variables from;
    ``commands`` those that its ``workspace.yaml`` permits. Without ``providers`` no installed
    package is asked.
    """

    def __init__(
        self,
        root: Path,
        environ: Mapping[str, str],
        *,
        commands: SecretCommands = NO_COMMANDS,
        providers: bool = True,
    ) -> None:
        self._root = Path(realpath(root))
        self._environ = environ
        self._tables = Tables(self._root)
        self._commands = Commands(commands, self._root, environ)
        self._providers = Providers() if providers else None
        self._known = ("env", "file", "table", *commands.by_scheme)

    def __call__(self, ref: SecretRef) -> Secret:
        """The secret that ``ref`` points to.

        Raises:
            SecretError: there is none, or it may not be read.
        """
        return self._resolve(ref, self._text, self._json)

    def check(self, refs: Iterable[SecretRef]) -> tuple[Diagnostic, ...]:
        """One diagnostic for every reference that cannot be resolved; reads each file only once.

        Each distinct reference to a command is tried by running it, several at a time; what it
        printed is dropped, and read anew at use: a token should not wait in memory.
        """
        text, parsed = _Once(self._text), _Once(self._json)
        quick: list[SecretRef] = []
        slow: dict[str, SecretRef] = {}
        for ref in refs:
            if self.is_slow(ref):
                slow.setdefault(str(ref), ref)
            else:
                quick.append(ref)
        found = [one for ref in quick for one in self._problems(ref, text, parsed)]
        if slow:
            with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
                for problems in pool.map(lambda ref: self._problems(ref, text, parsed), slow.values()):
                    found.extend(problems)
        return in_reading_order(found)

    def is_slow(self, ref: SecretRef) -> bool:
        """Whether resolving ``ref`` means to wait for a program or for a package's own way."""
        return ref.scheme not in _QUICK

    def _problems(self, ref: SecretRef, text: _Read, parsed: _Read) -> tuple[Diagnostic, ...]:
        try:
            self._resolve(ref, text, parsed)
        except SecretError as error:
            return error.diagnostics
        return ()

    def _resolve(self, ref: SecretRef, text: _Read, parsed: _Read) -> Secret:
        match ref.scheme:
            case "env":
                return Secret(self._variable(ref))
            case "file":
                path, separator, pointer = ref.locator.partition("#")
                if separator:
                    return Secret(_at_pointer(ref, parsed(ref, path), pointer))
                return Secret(_filled(ref, without_newline(text(ref, path))))
            case "table":
                return self._tables(ref)
            case scheme if scheme in self._commands:
                return self._commands(ref)
            case scheme if self._providers is not None and scheme in self._providers:
                return self._providers(ref)
            case _:
                fix = f"known here are {', '.join(self._known)}"
                raise refused(ref, Code.UNKNOWN_SCHEME, "there is no such kind of reference", fix)

    def _variable(self, ref: SecretRef) -> str:
        if ref.locator.upper().startswith(RESERVED_VARIABLES):
            # Specs cannot hold such a reference; a plan file that someone wrote can.
            fix = "our own key is no authorization; make the plan again from the specs"
            raise refused(ref, Code.RESERVED, f"{RESERVED_VARIABLES} variables cannot be referred to", fix)
        value = self._environ.get(ref.locator, "")
        if not value:
            state = "empty" if ref.locator in self._environ else "not set"
            problem = f"the environment variable {ref.locator} is {state}"
            raise refused(ref, Code.MISSING, problem, "set it where codat-sync runs")
        return value

    def _json(self, ref: SecretRef, path: str) -> Any:
        parsed = _parsed(self._text(ref, path))
        if parsed is None:
            fix = "a reference with #/pointer needs a JSON file"
            raise refused(ref, Code.UNREADABLE, f"the file {path} is not JSON", fix)
        return parsed

    def _text(self, ref: SecretRef, path: str) -> str:
        text = decoded(self._bytes(ref, path), "utf-8-sig")
        if text is None:
            raise refused(ref, Code.UNREADABLE, f"the file {path} is not UTF-8 text", "save it as UTF-8")
        return text

    def _bytes(self, ref: SecretRef, path: str) -> bytes:
        real = located(ref, self._root, path)
        try:
            if real.stat().st_size > MAX_BYTES:
                fix = f"secrets are kept in files of at most {MAX_BYTES // 1024 // 1024} MiB"
                raise refused(ref, Code.UNREADABLE, f"the file {path} is too large", fix)
            return real.read_bytes()
        except OSError as error:
            raise unreadable(ref, self._root, path, error) from None


class _Once:
    """Remembers for the time of one check what each file held; a file that fails is read again."""

    def __init__(self, read: _Read) -> None:
        self._read = read
        self._known: dict[str, Any] = {}

    def __call__(self, ref: SecretRef, path: str) -> Any:
        if path not in self._known:
            self._known[path] = self._read(ref, path)
        return self._known[path]


def _parsed(text: str) -> Any:
    """The JSON document; ``None`` instead of an error, which would carry the text along."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _at_pointer(ref: SecretRef, document: Any, pointer: str) -> str:
    try:
        found = target(document, pointer)
    except LookupError:
        fix = "mend the pointer, or the file"
        raise refused(ref, Code.MISSING, "the JSON pointer leads nowhere", fix) from None
    if not isinstance(found, str):
        problem = "the JSON pointer leads to something that is not text"
        raise refused(ref, Code.NOT_TEXT, problem, "point at a string")
    return _filled(ref, found)


def _filled(ref: SecretRef, value: str) -> str:
    if not value:
        raise refused(ref, Code.MISSING, "it is empty", "put the secret there")
    return value
