"""What a YAML file holds: plain values whose mappings and lists know where each entry stands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from reconciler.diagnostics import Span

MERGE_KEY: Final = "<<"
"""Refused; a mapping that has one keeps its place alone, since what it merges is not read."""

Place = tuple[int, int]
"""Line and column, from 1."""


class Map(dict[str, Any]):
    """A mapping, with the places of its keys and of its values."""

    __slots__ = ("key_places", "value_places")

    def __init__(self) -> None:
        super().__init__()
        self.key_places: dict[str, Place] = {}
        self.value_places: dict[str, Place] = {}


class Seq(list[Any]):
    """A list, with the places of its items."""

    __slots__ = ("places",)

    def __init__(self) -> None:
        super().__init__()
        self.places: list[Place] = []


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
    """A mapping in a file, with its path from the document's root and where its key stands."""

    file: SourceFile
    fields: Map
    path: tuple[str, ...]
    place: Place

    @property
    def spot(self) -> Spot:
        """Where the mapping's own key stands."""
        return Spot(self.file.span(self.place), self.path)

    def key_spot(self, key: str) -> Spot:
        """Where ``key`` stands; the mapping's own place if it is not there."""
        return Spot(self.file.span(self.fields.key_places.get(key, self.place)), (*self.path, key))

    def value_spot(self, key: str) -> Spot:
        """Where the value of ``key`` stands; the mapping's own place if it is not there."""
        return Spot(self.file.span(self.fields.value_places.get(key, self.place)), (*self.path, key))

    @property
    def span(self) -> Span:
        """The place of ``spot``."""
        return self.spot.span

    def value_span(self, key: str) -> Span:
        """The place of ``value_spot``."""
        return self.value_spot(key).span

    def wrote(self, key: str) -> bool:
        """Whether ``key`` was written, even where its value was refused and left aside."""
        return key in self.fields.key_places

    def child(self, key: str) -> Entry | None:
        """The mapping under ``key``, if there is one."""
        value = self.fields.get(key)
        if not isinstance(value, Map):
            return None
        return Entry(self.file, value, (*self.path, key), self.fields.key_places[key])

    def children(self) -> tuple[Entry, ...]:
        """All mappings right below this one, as written."""
        found = (self.child(key) for key in self.fields)
        return tuple(one for one in found if one is not None)


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
