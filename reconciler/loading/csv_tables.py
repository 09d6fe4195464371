"""CSV tables, whose cells know where they stand, and the companies that rows and a template make.

No text here repeats what a cell holds, of the header neither: where a table has none, its first row
stands there, and that may hold tokens.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any, Final

from reconciler.csv_form import (
    DELIMITER_NAMES,
    BadQuotesError,
    column_names,
    delimiter_of,
    fitted,
    is_blank,
    records,
    said_delimiter,
)
from reconciler.diagnostics import Diagnostic, Span
from reconciler.loading.nodes import Entry, Map, Place, Seq, SourceFile, Spot
from reconciler.loading.spec_codes import SpecCode
from reconciler.wording import counted

_QUOTING: Final = 'begin and end a cell with ", and write "" for a " in it'


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A table's text, and the numbers of its columns by name; without columns where the header is bad."""

    file: SourceFile
    text: str
    columns: Mapping[str, int]
    delimiter: str = ","

    @property
    def header(self) -> str:
        """The first line, as it is written."""
        return self.text.partition("\n")[0]


@dataclass(frozen=True, slots=True)
class CsvRow:
    """Where a row stands: its first line, and its text, from which the places of cells are found."""

    table: CsvTable
    line: int
    text: str

    def span(self, column: str) -> Span:
        """Where the cell of a column begins."""
        table = self.table
        return table.file.span(_place(self.line, self.text, table.columns[column], table.delimiter))


def read(text: str, file: SourceFile, delimiter: str = "") -> tuple[CsvTable, tuple[Diagnostic, ...]]:
    """The table, and what is wrong with its header; ``delimiter`` is recognised there, if it is not said."""
    header = text.partition("\n")[0]
    parts = delimiter or said_delimiter(header) or delimiter_of(header)
    try:
        line, raw, names = next(_records(text, parts), (1, "", []))
    except BadQuotesError as broken:
        return CsvTable(file, text, {}, parts), (_broken(file, broken),)
    names = column_names(names)
    if not names:
        fix = "name the columns in the first line"
        return CsvTable(file, text, {}, parts), (_problem(file, (1, 1), "this table has no header", fix),)
    found: list[Diagnostic] = []
    columns: dict[str, int] = {}
    for number, name in enumerate(names):
        place = _place(line, raw, number, parts)
        if not name.strip():
            summary = f"column {number + 1} of the header has no name"
            found.append(_problem(file, place, summary, "name it, or remove the column"))
        elif name in columns:
            summary = f"columns {columns[name] + 1} and {number + 1} of the header have the same name"
            found.append(_problem(file, place, summary, "give one of the two another name"))
        columns.setdefault(name, number)
    return CsvTable(file, text, {} if found else columns, parts), tuple(found)


def rows(table: CsvTable, found: list[Diagnostic]) -> Iterator[tuple[CsvRow, list[str]]]:
    """The rows that are whole, each with its cells; what is wrong with others is added to ``found``.

    Blank lines are passed over, and so are rows of nothing but empty cells.
    """
    written_rows = _records(table.text, table.delimiter)
    next(written_rows, None)
    width = len(table.columns)
    try:
        for line, raw, written in written_rows:
            cells = fitted(written, width)
            if is_blank(cells):
                continue
            if len(cells) == width:
                yield CsvRow(table, line, raw), cells
            else:
                found.append(_uneven(table, line, raw, len(cells)))
    except BadQuotesError as broken:
        found.append(_broken(table.file, broken))


def _records(text: str, delimiter: str) -> Iterator[tuple[int, str, list[str]]]:
    """First line, text and cells of every record."""
    taken: list[str] = []
    written = StringIO(text, newline="")
    above = 1 if said_delimiter(written.readline()) else 0
    if not above:
        written.seek(0)

    def lines() -> Iterator[str]:
        for line in written:
            taken.append(line)
            yield line

    for first, cells in records(lines(), delimiter, 1 + above):
        yield first, "".join(taken), cells
        taken.clear()


def _place(line: int, text: str, number: int, delimiter: str) -> Place:
    """Line and column of the cell of this number, from 0, in a row that begins at ``line``."""
    start = _start(text, number, delimiter)
    before = text[:start]
    return line + before.count("\n"), start - (before.rfind("\n") + 1) + 1


def _start(text: str, number: int, delimiter: str) -> int:
    start = 0
    if '"' not in text:
        for _ in range(number):
            start = text.find(delimiter, start) + 1
        return start
    is_quoted = False
    for at, character in enumerate(text) if number else ():
        if character == '"':
            is_quoted = not is_quoted
        elif character == delimiter and not is_quoted:
            number -= 1
            start = at + 1
            if not number:
                break
    return start


def _uneven(table: CsvTable, line: int, raw: str, cells: int) -> Diagnostic:
    width, delimiter = len(table.columns), table.delimiter
    place = _place(line, raw, width, delimiter) if cells > width else (line, 1)
    summary = f"this row has {counted(cells, 'cell')}, and the header {counted(width, 'column')}"
    fix = f"write a cell for each column, and quote a cell that has a {DELIMITER_NAMES[delimiter]}"
    return _problem(table.file, place, summary, fix)


def _broken(file: SourceFile, broken: BadQuotesError) -> Diagnostic:
    return _problem(file, (broken.line, 1), broken.problem, _QUOTING)


def _problem(file: SourceFile, place: Place, summary: str, fix: str) -> Diagnostic:
    return Diagnostic(SpecCode.TABLE_FORM, summary, fix, file.span(place))


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
            texts += holder.fields.values()
        return tuple(dict.fromkeys(column for text in texts for column in columns_of(text)))

    def identifying(self) -> tuple[str, ...]:
        """The columns that keys and ids are made of: one wrong digit there is another company."""
        texts: list[object] = [self.entry.fields["key"]]
        for holder in mappings_of(self.template.entry):
            texts += [value for name, value in holder.fields.items() if name == "id" or name.endswith("Id")]
        return tuple(dict.fromkeys(column for text in texts for column in columns_of(text)))

    def size(self) -> CompanySize:
        """How large its companies are."""
        holders = list(mappings_of(self.template.entry))
        values = [value for holder in holders for value in holder.fields.values()]
        texts = [text for value in values for text in (value if isinstance(value, Seq) else (value,))]
        filled = [text for text in texts if isinstance(text, str) and holds_row(text)]
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
