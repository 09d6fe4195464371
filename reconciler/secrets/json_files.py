"""Tokens in JSON files, ``${file:PATH#/pointer}``, by JSON pointer (RFC 6901).

What is small is parsed at each use. Of what is large an index is made when it is first gone through: for
each member of a large object or list where its value stands, and no value. A token is read from its part
of the file just before use. A file that changes is indexed again.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, Final

from reconciler.secret_refs import SecretFile, SecretRef
from reconciler.secrets.secret_files import (
    BOM,
    MAX_BYTES,
    Indexes,
    SecretCode,
    changed_meanwhile,
    decoded,
    located,
    refused,
    stamp,
    too_large,
    unreadable,
)

_INDEX: Final = re.compile(r"0|[1-9][0-9]*")
_LONGEST_INDEX: Final = 9


def steps(pointer: str) -> tuple[str, ...]:
    """The names and indexes that a pointer such as ``/a/0`` goes by."""
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def target(document: Any, names: Iterable[str]) -> Any:
    """What the steps of a pointer lead to in ``document``.

    Raises:
        LookupError: they lead nowhere.
    """
    found = document
    for name in names:
        if isinstance(found, dict):
            found = found[name]
        elif isinstance(found, list) and len(name) <= _LONGEST_INDEX and _INDEX.fullmatch(name):
            found = found[int(name)]
        else:
            raise LookupError
    return found


SMALL: Final = 16 * 1024
"""Bytes of JSON that are parsed at each use: it takes about a tenth of a millisecond."""

_DECODER: Final = json.JSONDecoder()
_SPACE: Final = re.compile(r"[ \t\n\r]*")

_Part = tuple[int, int]
"""Where a value begins and ends in the file, in bytes."""


class JsonFiles:
    """Looks texts up in the JSON files below ``root``, a real path."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._indexes = Indexes(_Index)

    def __call__(self, ref: SecretRef, wanted: SecretFile) -> str:
        """The text that ``ref`` points to.

        Raises:
            SecretError: it points to no text, or the file cannot be read.
        """
        path = wanted.path
        real = located(ref, self._root, path)
        try:
            with real.open("rb") as file:
                if real.stat().st_size > MAX_BYTES:
                    raise too_large(ref, path)
                index = self._indexes.of(file, real)
                found = index.at(file, steps(wanted.pointer))
                if stamp(file) != index.stamp:
                    raise changed_meanwhile(ref, path)
        except LookupError:
            fix = "correct the pointer, or the file"
            raise refused(ref, SecretCode.MISSING, "the JSON pointer leads nowhere", fix) from None
        except _UnsoundError as error:
            raise refused(
                ref, SecretCode.UNREADABLE, f"the file {path} is not {error.wanted}", error.fix
            ) from None
        except OSError as error:
            raise unreadable(ref, self._root, path, error) from None
        if not isinstance(found, str):
            problem = "the JSON pointer leads to something that is not text"
            raise refused(ref, SecretCode.NOT_TEXT, problem, "point at a string")
        return found


class _UnsoundError(Exception):
    """The file is not what it should be; no text of it is here."""

    def __init__(self, wanted: str, fix: str) -> None:
        super().__init__(wanted)
        self.wanted = wanted
        self.fix = fix


class _Index:
    """Where the members of a file's large values stand, by the steps of the pointer to such a value."""

    def __init__(self, file: BinaryIO) -> None:
        self.stamp = stamp(file)
        self._members: dict[tuple[str, ...], dict[str, _Part]] = {}
        self._unsound: tuple[str, str] | None = None
        start = len(BOM) if file.read(len(BOM)) == BOM else 0
        self._whole = (start, file.seek(0, os.SEEK_END))
        try:
            _value(file, self._whole)
        except _UnsoundError as error:
            self._unsound = (error.wanted, error.fix)

    def at(self, file: BinaryIO, names: tuple[str, ...]) -> Any:
        """The value that the steps of a pointer lead to.

        Raises:
            LookupError: they lead nowhere.
            _UnsoundError: the file is no JSON.
        """
        if self._unsound is not None:
            raise _UnsoundError(*self._unsound)
        part, depth = self._whole, 0
        while part[1] - part[0] > SMALL and depth < len(names):
            part = self._of(file, names[:depth], part)[names[depth]]
            depth += 1
        return target(_value(file, part), names[depth:])

    def _of(self, file: BinaryIO, names: tuple[str, ...], part: _Part) -> dict[str, _Part]:
        if names not in self._members:
            self._members[names] = dict(_members(_text(file, part), part[0]))
        return self._members[names]


def _text(file: BinaryIO, part: _Part) -> str:
    start, end = part
    file.seek(start)
    text = decoded(file.read(end - start))
    if text is None:
        raise _UnsoundError("UTF-8 text", "save it as UTF-8")
    return text


def _value(file: BinaryIO, part: _Part) -> Any:
    text = _text(file, part)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    # Raised here and not above, where the error that carries the text would come along.
    raise _UnsoundError("JSON", "a reference with #/pointer needs a JSON file")


def _members(text: str, start: int) -> Iterator[tuple[str, _Part]]:
    """Name and place of each member of an object or a list: sound JSON, whose first byte is ``start``."""
    at = _after_space(text, 0)
    is_object = text[at] == "{"
    if not is_object and text[at] != "[":
        return
    at, passed = _after_space(text, at + 1), 0
    for number in count():
        if text[at] in "]}":
            return
        name = str(number)
        if is_object:
            name, at = _DECODER.raw_decode(text, at)
            at = _after_space(text, _after_space(text, at) + 1)
        _, end = _DECODER.raw_decode(text, at)
        start += len(text[passed:at].encode())
        size = len(text[at:end].encode())
        yield name, (start, start + size)
        start, passed = start + size, end
        at = _after_space(text, end)
        if text[at] == ",":
            at = _after_space(text, at + 1)


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
