"""CSV tables, whose cells know where they stand.

No text here repeats what a cell holds, of the header neither: where a table has none, its first row
stands there, and that may hold tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Final

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
from reconciler.loading.nodes import Place, SourceFile
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
