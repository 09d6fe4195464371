"""The company of a set, with its ``${row:…}``, and how rows fill it.

What comes from a row knows its cell, what all rows share the set's YAML.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reconciler.diagnostics import Span
from reconciler.loading.csv_tables import CsvRow, CsvTable
from reconciler.loading.nodes import Entry, Map, Seq, Spot

_ROW_OPENING: Final = re.compile(r"(?<!\$)\$\{row:")
_ROW: Final = re.compile(r"(?<!\$)\$\{row:([^{}]*)\}")
"""A ``$`` before makes the text a literal one: ``$${row:x}`` says ``${row:x}``."""

Filler = Callable[[Sequence[str]], Any]
"""Makes a value of a row's cells."""


def holds_row(text: str) -> bool:
    """Whether ``text`` takes something from a row, or tries to."""
    return _ROW_OPENING.search(text) is not None


def columns_of(value: Any) -> Iterator[str]:
    """The columns that a text, or a list, takes something from."""
    if isinstance(value, str):
        yield from (found[1] for found in _ROW.finditer(value))
    elif isinstance(value, Seq):
        for item in value:
            yield from columns_of(item)


def without_rows(text: str) -> str:
    """``text`` without its ``${row:COLUMN}``."""
    return _ROW.sub("", text)


def filler(value: Any, columns: Mapping[str, int]) -> Filler:
    """How a row fills a text, or a list of texts, whose columns all exist."""
    if isinstance(value, Seq):
        items = [filler(item, columns) for item in value]

        def fill_list(cells: Sequence[str]) -> Seq:
            made = Seq()
            made.extend(fill(cells) for fill in items)
            made.share_places(value)
            return made

        return fill_list
    if not isinstance(value, str):
        return lambda _: value
    literals = _ROW.split(value)[::2]
    numbers = [columns[name] for name in columns_of(value)]
    if literals == ["", ""]:
        return lambda cells: cells[numbers[0]]
    return lambda cells: (
        literals[0]
        + "".join(cells[number] + literal for number, literal in zip(numbers, literals[1:], strict=True))
    )


class FilledMap(Map):
    """A mapping some names of which came from a row; ``written`` has those as they stand in YAML."""

    __slots__ = ("written",)

    def __init__(self) -> None:
        super().__init__()
        self.written: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class RowName:
    """A name in a mapping that differs from row to row, and the first column that it shows."""

    fill: Filler
    column: str


@dataclass(frozen=True, slots=True)
class Template:
    """A mapping of a set's company.

    ``entry`` is the mapping as it stands in YAML, ``fillers`` make what differs from row to row, and
    ``shows`` has the first column that a member shows. ``names`` are filled too, where they are ids and
    no fields. What does not differ is shared by all rows.
    """

    entry: Entry
    fillers: Mapping[str, Filler]
    shows: Mapping[str, str]
    children: Mapping[str, Template]
    names: Mapping[str, RowName]

    @property
    def differs(self) -> bool:
        """Whether rows make different mappings of it."""
        return bool(self.fillers or self.names)

    def filled(self, cells: Sequence[str]) -> Map:
        """The mapping as a row fills it."""
        fields = self.entry.fields
        if not self.differs:
            return fields
        made = self._named(cells) if self.names else Map()
        if not self.names:
            made.update(fields)
            for name, fill in self.fillers.items():
                made[name] = fill(cells)
        made.share_places(fields)
        return made

    def _named(self, cells: Sequence[str]) -> FilledMap:
        """The mapping with its names filled too; of two that become the same the last one stays."""
        made = FilledMap()
        for written, value in self.entry.fields.items():
            name, fill = self.names.get(written), self.fillers.get(written)
            called = name.fill(cells) if name else written
            made[called] = fill(cells) if fill else value
            made.written[called] = written
        return made

    def naming(self) -> Iterator[Template]:
        """It and what is below it, as far as they have names that are filled."""
        if self.names:
            yield self
        for child in self.children.values():
            yield from child.naming()


def template(entry: Entry, columns: Mapping[str, int]) -> Template:
    """The template of a mapping whose columns all exist."""
    children = {child.path[-1]: template(child, columns) for child in entry.children()}
    shows = {name: next(columns_of(value), "") for name, value in entry.fields.items()}
    differing = {name: column for name, column in shows.items() if column}
    fillers: dict[str, Filler] = {name: filler(entry.fields[name], columns) for name in differing}
    fillers |= {name: child.filled for name, child in children.items() if child.differs}
    names = {
        name: RowName(filler(name, columns), next(columns_of(name)))
        for name in entry.fields
        if any(columns_of(name))
    }
    return Template(entry, fillers, differing, children, names)


@dataclass(frozen=True, slots=True)
class RowEntry(Entry):
    """A mapping of a company that a set expands to.

    What comes from the row stands where its cell stands; what all rows share stands in the set's
    YAML, so a fault in it is told once and not once for each row. ``column`` is the one that the
    mapping itself stands at.
    """

    template: Template
    row: CsvRow
    column: str = ""

    @property
    def spot(self) -> Spot:
        """At the row, where a member of the mapping itself comes from there."""
        column = self.column or next(iter(self.template.shows.values()), "")
        return Spot(self.row.span(column), self.path) if column else self.template.entry.spot

    def key_spot(self, key: str) -> Spot:
        """At the first cell that the name shows, or in the set's YAML."""
        written = self._written(key)
        name = self.template.names.get(written)
        if name is None:
            return self.template.entry.key_spot(written)
        return Spot(self.row.span(name.column), (*self.path, key))

    def value_spot(self, key: str) -> Spot:
        """At the first cell that the value shows, or in the set's YAML."""
        written = self._written(key)
        column = self.template.shows.get(written)
        if column is None:
            return self.template.entry.value_spot(written)
        return Spot(self.row.span(column), (*self.path, key))

    @property
    def span(self) -> Span:
        """The place of ``spot``."""
        return self.spot.span

    def value_span(self, key: str) -> Span:
        """The place of ``value_spot``."""
        return self.value_spot(key).span

    def child(self, key: str) -> Entry | None:
        """The mapping under ``key``, if there is one."""
        written, fields = self._written(key), self.fields.get(key)
        child, name = self.template.children.get(written), self.template.names.get(written)
        if child is None or not isinstance(fields, Map):
            return None
        column = name.column if name else ""
        return RowEntry(
            self.row.table.file, fields, (*self.path, key), child.entry.place, child, self.row, column
        )

    def _written(self, key: str) -> str:
        """The name as it stands in the set's YAML."""
        return self.fields.written.get(key, key) if isinstance(self.fields, FilledMap) else key


_MAPPING: Final = 1024


_VALUE: Final = 64
"""Bytes, about, that a mapping and a value of a company take."""


_WIDEST: Final = 4
"""Bytes of a character, where not all are ASCII."""


def mappings_of(entry: Entry) -> Iterator[Entry]:
    """The entry and every mapping below it."""
    yield entry
    for child in entry.children():
        yield from mappings_of(child)


@dataclass(frozen=True, slots=True)
class CompanySet:
    """A set without a fault: how a row becomes a company."""

    entry: Entry
    template: Template
    table: CsvTable

    @property
    def key_column(self) -> str:
        """The column that a company's own place is in."""
        return next(columns_of(self.entry.fields["key"]))

    def columns(self) -> tuple[str, ...]:
        """Every column that is used."""
        texts = [self.entry.fields["key"]]
        for holder in mappings_of(self.template.entry):
            texts += [*holder.fields.values(), *holder.fields]
        return tuple(dict.fromkeys(column for text in texts for column in columns_of(text)))

    def identifying(self) -> tuple[str, ...]:
        """The columns that keys and ids are made of: one wrong digit there is another company."""
        texts: list[object] = [self.entry.fields["key"]]
        for holder in mappings_of(self.template.entry):
            texts += [value for name, value in holder.fields.items() if name == "id" or name.endswith("Id")]
            texts += holder.fields
        return tuple(dict.fromkeys(column for text in texts for column in columns_of(text)))

    def size(self) -> CompanySize:
        """How large its companies are."""
        holders = list(mappings_of(self.template.entry))
        values = [value for holder in holders for value in holder.fields.values()]
        texts = [text for value in values for text in (value if isinstance(value, Seq) else (value,))]
        names = [name for holder in holders for name in holder.fields]
        filled = [text for text in (*texts, *names) if isinstance(text, str) and holds_row(text)]
        return CompanySize(
            len(holders) * _MAPPING + len(texts) * _VALUE,
            sum(len(without_rows(text)) for text in filled),
            Counter(self.table.columns[name] for text in filled for name in columns_of(text)),
        )


@dataclass(frozen=True, slots=True)
class CompanySize:
    """How large the company of a row is: what all rows share, and how often each cell stands in it."""

    values: int
    """Bytes, about, without the texts."""
    literal: int
    uses: Mapping[int, int]

    def text(self, cells: Sequence[str]) -> int:
        """Bytes of the texts that a row makes, at most."""
        filled = sum(len(cells[number]) * times for number, times in self.uses.items())
        is_narrow = all(cells[number].isascii() for number in self.uses)
        return (self.literal + filled) * (1 if is_narrow else _WIDEST)
