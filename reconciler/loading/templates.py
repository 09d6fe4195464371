"""The company of a set: text with ``${row:COLUMN}`` in it, and the companies that rows make of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reconciler.diagnostics import Span
from reconciler.loading.csv_tables import CsvRow
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


@dataclass(frozen=True, slots=True)
class Template:
    """A mapping of a set's company.

    ``entry`` is the mapping as it stands in YAML, ``fillers`` make what differs from row to row, and
    ``shows`` has the first column that a member shows. What does not differ is shared by all rows.
    """

    entry: Entry
    fillers: Mapping[str, Filler]
    shows: Mapping[str, str]
    children: Mapping[str, Template]

    def filled(self, cells: Sequence[str]) -> Map:
        """The mapping as a row fills it."""
        fields = self.entry.fields
        if not self.fillers:
            return fields
        made = Map()
        made.update(fields)
        made.share_places(fields)
        for name, fill in self.fillers.items():
            made[name] = fill(cells)
        return made


def template(entry: Entry, columns: Mapping[str, int]) -> Template:
    """The template of a mapping whose columns all exist."""
    children = {child.path[-1]: template(child, columns) for child in entry.children()}
    shows = {name: next(columns_of(value), "") for name, value in entry.fields.items()}
    differing = {name: column for name, column in shows.items() if column}
    fillers: dict[str, Filler] = {name: filler(entry.fields[name], columns) for name in differing}
    fillers |= {name: child.filled for name, child in children.items() if child.fillers}
    return Template(entry, fillers, differing, children)


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
        """In the set's YAML, since keys are not filled."""
        return self.template.entry.key_spot(key)

    def value_spot(self, key: str) -> Spot:
        """At the first cell that the value shows, or in the set's YAML."""
        column = self.template.shows.get(key)
        if column is None:
            return self.template.entry.value_spot(key)
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
        child, fields = self.template.children.get(key), self.fields.get(key)
        if child is None or not isinstance(fields, Map):
            return None
        return RowEntry(self.row.table.file, fields, (*self.path, key), child.entry.place, child, self.row)
