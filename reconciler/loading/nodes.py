"""What a YAML file holds: values that know where they stand, and what a plain scalar means.

PyYAML reads YAML 1.1, where ``no`` is false, ``2026-11-20`` a date and ``010`` eight.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import Any, Final

from reconciler.diagnostics import Span

CONSTANTS: Final[dict[str, bool | float | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
"""What is neither text nor a number with digits."""
NUMBER_STARTS: Final = frozenset("+-.0123456789")
"""How every number begins."""
_LONGEST_NUMBER: Final = 300
"""Longer runs of digits are text: Python refuses to read them, and no field wants them."""

_INTEGER: Final = re.compile(r"[-+]?[0-9]+")
_OCTAL: Final = re.compile(r"0o[0-7]+")
_HEXADECIMAL: Final = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


def plain(text: str) -> str | int | float | bool | None:
    """The value of an unquoted, untagged scalar."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if text[0] not in NUMBER_STARTS or len(text) > _LONGEST_NUMBER:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEXADECIMAL.fullmatch(text):
        return int(text[2:], 16)
    return float(text) if _FLOAT.fullmatch(text) else text


MERGE_KEY: Final = "<<"
"""Refused; a mapping that has one keeps its place alone, since what it merges is not read."""

MAX_DEPTH: Final = 64
"""Mappings and lists inside of one another."""
MAX_SCALAR: Final = 64 * 1024
"""Characters of one value; the longest that Codat keeps is far shorter."""

Place = tuple[int, int]
"""Line and column, from 1."""
_NUMBERS: Final = "I"
"""How the numbers of packed places are stored."""

_TOP: Final = (1, 1)
_PLACE: Final = Struct("=2I")
_FEW: Final = 16
"""Entries of a mapping in which it is quicker to look for a place than to unpack all."""


def _packed(numbers: list[int]) -> bytes:
    """Lines and columns in turn, from 0, as bytes."""
    return array(_NUMBERS, numbers).tobytes()


def place_in(packed: bytes, position: int) -> Place:
    """One of the places that ``_packed`` made bytes of."""
    line, column = _PLACE.unpack_from(packed, position * _PLACE.size)
    return line + 1, column + 1


def _unpacked(packed: bytes) -> list[Place]:
    """The places that ``_packed`` made bytes of."""
    numbers = array(_NUMBERS)
    numbers.frombytes(packed)
    return [(line + 1, column + 1) for line, column in zip(numbers[::2], numbers[1::2], strict=True)]


class Map(dict[str, Any]):
    """A mapping, with the places of its keys and of its values.

    The places of a large spec take more room than its values, and few are ever asked for. So a mapping
    that was read quickly has them packed until then.
    """

    __slots__ = ("_packed", "_places")

    def __init__(self) -> None:
        super().__init__()
        self._packed = b""
        self._places: tuple[dict[str, Place], dict[str, Place]] | None = None

    def pack(self, numbers: list[int]) -> None:
        """Keep the places of all entries: line and column of each key and of its value, from 0."""
        self._packed = _packed(numbers)

    def packed_places(self) -> bytes:
        """The places as ``pack`` keeps them."""
        if self._places is None:
            return self._packed
        pairs = zip(self.key_places.values(), self.value_places.values(), strict=True)
        return _packed([number - 1 for pair in pairs for place in pair for number in place])

    def share_places(self, other: Map) -> None:
        """Have the places of ``other``, whose values stood there."""
        self._places = other._unpacked()

    def leave_aside(self, key: str) -> None:
        """Take the entry out, and keep its place."""
        self._unpacked()
        self.pop(key, None)

    def key_place(self, key: str) -> Place | None:
        """Where ``key`` stands, if it is there."""
        return self._place(key, 0) if self._is_packed_small else self.key_places.get(key)

    def value_place(self, key: str) -> Place | None:
        """Where the value of ``key`` stands, if it is there."""
        return self._place(key, 1) if self._is_packed_small else self.value_places.get(key)

    @property
    def _is_packed_small(self) -> bool:
        return self._places is None and len(self) <= _FEW

    def _place(self, key: str, side: int) -> Place | None:
        """One place of few, without unpacking all of them for good."""
        for position, name in enumerate(self):
            if name == key:
                return place_in(self._packed, 2 * position + side)
        return None

    @property
    def key_places(self) -> dict[str, Place]:
        """Where each key stands."""
        return self._unpacked()[0]

    @property
    def value_places(self) -> dict[str, Place]:
        """Where each value stands."""
        return self._unpacked()[1]

    def _unpacked(self) -> tuple[dict[str, Place], dict[str, Place]]:
        if self._places is None:
            places = _unpacked(self._packed)
            self._places = (
                dict(zip(self, places[::2], strict=False)),
                dict(zip(self, places[1::2], strict=False)),
            )
            self._packed = b""
        return self._places


class Seq(list[Any]):
    """A list, with the places of its items."""

    __slots__ = ("_packed", "_places")

    def __init__(self) -> None:
        super().__init__()
        self._packed = b""
        self._places: list[Place] | None = None

    def pack(self, numbers: list[int]) -> None:
        """Keep the places of all items: line and column of each, from 0."""
        self._packed = _packed(numbers)

    def share_places(self, other: Seq) -> None:
        """Have the places of ``other``, whose items stood there."""
        self._places = other.places

    @property
    def places(self) -> list[Place]:
        """Where each item stands."""
        if self._places is None:
            self._places, self._packed = _unpacked(self._packed), b""
        return self._places


Value = Map | Seq | str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that was read: its absolute path, the path as diagnostics show it, and what it is."""

    path: Path
    shown: str
    format: str = "YAML"

    def span(self, place: Place) -> Span:
        """The place in this file."""
        return Span(self.shown, *place)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something stands, for diagnostics: its place, and its path."""

    span: Span
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A mapping in a file, with its path from the document's root."""

    file: SourceFile
    fields: Map
    path: tuple[str, ...]
    stands: Map | Place
    """The mapping that has its key, or its own place where none has."""

    @property
    def place(self) -> Place:
        """Where its key stands."""
        if isinstance(self.stands, Map):
            return self.stands.key_place(self.path[-1]) or _TOP
        return self.stands

    @property
    def spot(self) -> Spot:
        """Where the mapping's own key stands."""
        return Spot(self.file.span(self.place), self.path)

    def key_spot(self, key: str) -> Spot:
        """Where ``key`` stands; the mapping's own place if it is not there."""
        return Spot(self.file.span(self.fields.key_place(key) or self.place), (*self.path, key))

    def value_spot(self, key: str) -> Spot:
        """Where the value of ``key`` stands; the mapping's own place if it is not there."""
        return Spot(self.value_span(key), (*self.path, key))

    @property
    def span(self) -> Span:
        """The place of ``spot``."""
        return self.file.span(self.place)

    def value_span(self, key: str) -> Span:
        """The place of ``value_spot``."""
        return self.file.span(self.fields.value_place(key) or self.place)

    def wrote(self, key: str) -> bool:
        """Whether ``key`` was written, even where its value was refused and left aside."""
        return key in self.fields or self.fields.key_place(key) is not None

    def child(self, key: str) -> Entry | None:
        """The mapping under ``key``, if there is one."""
        value = self.fields.get(key)
        if not isinstance(value, Map):
            return None
        return Entry(self.file, value, (*self.path, key), self.fields)

    def children(self) -> tuple[Entry, ...]:
        """All mappings right below this one, as written."""
        return tuple(child for key in self.fields if (child := self.child(key)) is not None)


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document of a file."""

    file: SourceFile
    root: Value
    place: Place

    def child(self, key: str) -> Entry | None:
        """The mapping under ``key`` at the top of the document, if there is one."""
        if not isinstance(self.root, Map):
            return None
        return Entry(self.file, self.root, (), self.place).child(key)
