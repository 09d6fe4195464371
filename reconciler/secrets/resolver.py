"""Resolves references: from the environment, and from files below the workspace's root."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from os.path import realpath
from pathlib import Path
from typing import Any, Final

from reconciler.diagnostics import Diagnostic, in_reading_order
from reconciler.model import Secret, SecretRef
from reconciler.secrets.errors import Code, SecretError, refused
from reconciler.secrets.pointer import target

MAX_BYTES: Final = 64 * 1024 * 1024

_Read = Callable[[SecretRef, str], Any]
"""Reads the file of a reference."""


class Resolver:
    """Reads a secret each time it is asked for one, and keeps none.

    ``root`` is the workspace's root; ``environ`` the environment to read variables from.
    """

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self._root = Path(realpath(root))
        self._environ = environ

    def __call__(self, ref: SecretRef) -> Secret:
        """The secret that ``ref`` points to.

        Raises:
            SecretError: there is none, or it may not be read.
        """
        return self._resolve(ref, self._text, self._json)

    def check(self, refs: Iterable[SecretRef]) -> tuple[Diagnostic, ...]:
        """One diagnostic for every reference that cannot be resolved; reads each file only once."""
        text, parsed = _Once(self._text), _Once(self._json)
        found: list[Diagnostic] = []
        for ref in refs:
            try:
                self._resolve(ref, text, parsed)
            except SecretError as error:
                found.extend(error.diagnostics)
        return in_reading_order(found)

    def _resolve(self, ref: SecretRef, text: _Read, parsed: _Read) -> Secret:
        match ref.scheme:
            case "env":
                return Secret(self._variable(ref))
            case "file":
                path, separator, pointer = ref.locator.partition("#")
                if separator:
                    return Secret(_at_pointer(ref, parsed(ref, path), pointer))
                return Secret(_filled(ref, _without_newline(text(ref, path))))
            case _:
                raise refused(
                    ref, Code.UNKNOWN_SCHEME, "there is no such kind of reference", "write env or file"
                )

    def _variable(self, ref: SecretRef) -> str:
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
        text = _decoded(self._bytes(ref, path))
        if text is None:
            raise refused(ref, Code.UNREADABLE, f"the file {path} is not UTF-8 text", "save it as UTF-8")
        return text

    def _bytes(self, ref: SecretRef, path: str) -> bytes:
        real = Path(realpath(self._root / path)) if path.isprintable() else None
        if real is None or not real.is_relative_to(self._root):
            fix = "move the file below it"
            raise refused(ref, Code.OUTSIDE_ROOT, f"{path!r} leads out of the workspace's root", fix)
        try:
            if real.exists() and not real.is_file():
                raise refused(ref, Code.UNREADABLE, f"{path} is no regular file", "name a file")
            if real.stat().st_size > MAX_BYTES:
                fix = f"secrets are kept in files of at most {MAX_BYTES // 1024 // 1024} MiB"
                raise refused(ref, Code.UNREADABLE, f"the file {path} is too large", fix)
            return real.read_bytes()
        except FileNotFoundError:
            fix = f"its path counts from {self._root}"
            raise refused(ref, Code.MISSING, f"there is no file {path}", fix) from None
        except OSError as error:
            problem = f"the file {path} cannot be read: {(error.strerror or 'unknown reason').lower()}"
            fix = "let the user that runs codat-sync read it"
            raise refused(ref, Code.UNREADABLE, problem, fix) from None


class _Once:
    """Remembers for the time of one check what each file held; a file that fails is read again."""

    def __init__(self, read: _Read) -> None:
        self._read = read
        self._known: dict[str, Any] = {}

    def __call__(self, ref: SecretRef, path: str) -> Any:
        if path not in self._known:
            self._known[path] = self._read(ref, path)
        return self._known[path]


def _decoded(data: bytes) -> str | None:
    """The text; ``None`` instead of an error, which would carry the bytes along."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


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


def _without_newline(text: str) -> str:
    """``text`` without the one newline that editors put at the end."""
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text


def _filled(ref: SecretRef, value: str) -> str:
    if not value:
        raise refused(ref, Code.MISSING, "it is empty", "put the secret there")
    return value
