"""Tokens in CSV tables: ``${table:FILE#KEY.COLUMN}``.

A table is gone through once, which leaves an index: for each key of its first column where the row
begins, and no cell. A token is read from its row just before use, so memory holds the keys of a
table (about 150 bytes each) and one row. A table that changes is indexed again.
"""

from __future__ import annotations

from array import array
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from reconciler.csv_form import (
    DELIMITER_NAMES,
    BadQuotesError,
    column_names,
    delimiter_of,
    fitted,
    is_blank,
    is_workbook,
    records,
    said_delimiter,
    spoiled,
)
from reconciler.secret_refs import Cell, Secret, SecretRef
from reconciler.secrets.secret_files import (
    BOM,
    Indexes,
    SecretCode,
    changed_meanwhile,
    decoded,
    located,
    refused,
    stamp,
    unreadable,
)

_QUOTING: Final = 'a cell with the delimiter, " or a line break stands in double quotes'


class Tables:
    """Looks cells up in the tables below ``root``, a real path."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._indexes = Indexes(_Index)

    def __call__(self, ref: SecretRef, cell: Cell) -> Secret:
        """The secret in the cell that ``ref`` names.

        What is wrong with a table as such is said without the place of any one reference, so that a
        list of errors has it once.

        Raises:
            SecretError: there is no such cell, it is empty, or the table cannot be read.
        """
        path, column = cell.path, cell.column
        table = SecretRef(Cell(path=path))
        real = located(table, self._root, path)
        try:
            with real.open("rb") as file:
                index = self._indexes.of(file, real)
                if index.unsound is not None:
                    line, problem, fix = index.unsound
                    raise refused(table, SecretCode.UNREADABLE, f"line {line}: {problem}", fix)
                if column not in index.header:
                    # No name of the header is shown: a table without one has tokens there.
                    fix = f"the first line must name the columns; it has {len(index.header)}"
                    raise refused(table, SecretCode.MISSING, f"there is no column {column!r}", fix)
                secret = self._read(ref, cell, file, index)
                if stamp(file) != index.stamp:
                    raise changed_meanwhile(table, path)
                return secret
        except OSError as error:
            raise unreadable(table, self._root, path, error) from None

    def _read(self, ref: SecretRef, cell: Cell, file: BinaryIO, index: _Index) -> Secret:
        path, key, column = cell.path, cell.key, cell.column
        if key not in index.rows:
            fix = "add the row, or correct the key; the first column has the keys"
            raise refused(ref, SecretCode.MISSING, f"{path} has no row for this key", fix)
        row = index.rows[key]
        line = index.lines[row]
        if row in index.doubled:
            problem = f"{path}:{line}: this key stands in more than one row"
            raise refused(ref, SecretCode.AMBIGUOUS, problem, f"the next one is in line {index.doubled[row]}")
        value = index.read(file, row)[index.header.index(column)]
        if not value.strip():
            raise refused(
                ref, SecretCode.MISSING, f"{path}:{line}: the cell is empty", "put the secret there"
            )
        if how := spoiled(value):
            problem = f"{path}:{line}: a spreadsheet wrote this {column!r} {how}"
            fix = "format the column as text, and put the whole value there again"
            raise refused(ref, SecretCode.MANGLED, problem, fix)
        return Secret(value)


class _UnsoundError(Exception):
    """The table is no CSV that can be looked into: the line, the problem and the fix; no text of it."""


class _Index:
    """Where each row of a table begins: ``rows`` numbers the keys, ``doubled`` has lines of second rows."""

    def __init__(self, file: BinaryIO) -> None:
        self.stamp = stamp(file)
        self.header: list[str] = []
        self.delimiter = ","
        self.rows: dict[str, int] = {}
        self.doubled: dict[int, int] = {}
        self.starts = array("Q")
        self.lines = array("Q")
        self.unsound: tuple[int, str, str] | None = None
        try:
            self._read(file)
        except _UnsoundError as error:
            self.unsound = error.args

    def _read(self, file: BinaryIO) -> None:
        self.delimiter, begin, first = _recognised(file)
        for start, line, written in _records(file, begin, first, self.delimiter):
            cells = fitted(written, len(self.header)) if self.header else written
            if not self.header:
                self._name_columns(cells, line)
            elif not is_blank(cells):
                self._add(start, line, cells)
        if not self.header:
            raise _UnsoundError(1, "this table has no header", "name the columns in the first line")

    def _name_columns(self, written: list[str], line: int) -> None:
        names = column_names(written)
        if not names or len(set(names)) != len(names):
            fix = "give every column a name of its own in the first line"
            raise _UnsoundError(line, "the header is empty, or has a name twice", fix)
        self.header = names

    def _add(self, start: int, line: int, cells: list[str]) -> None:
        if len(cells) != len(self.header):
            problem = f"this row has {len(cells)} cells, and the header {len(self.header)} columns"
            raise _UnsoundError(line, problem, _fix_of_width(self.delimiter))
        known = self.rows.setdefault(cells[0], len(self.starts))
        if known < len(self.starts):
            self.doubled.setdefault(known, line)
            return
        self.starts.append(start)
        self.lines.append(line)

    def read(self, file: BinaryIO, row: int) -> list[str]:
        """The cells of one row."""
        return next(_records(file, self.starts[row], self.lines[row], self.delimiter))[2]


def _fix_of_width(delimiter: str) -> str:
    return f"write a cell for each column, and quote a cell with a {DELIMITER_NAMES[delimiter]}"


def _recognised(file: BinaryIO) -> tuple[str, int, int]:
    """The delimiter, and offset and line of the header.

    Raises:
        _UnsoundError: the file is a workbook, or UTF-16, which has no lines of its own to be looked up in.
    """
    file.seek(0)
    head = file.readline()
    if head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        raise _UnsoundError(1, "this table is UTF-16", "save it as CSV UTF-8")
    if is_workbook(head):
        raise _UnsoundError(1, "this is a workbook, and no table", "save it in the spreadsheet as CSV UTF-8")
    line = decoded(head.removeprefix(BOM)) or ""
    said = said_delimiter(line)
    return (said, len(head), 2) if said else (delimiter_of(line), 0, 1)


def _records(file: BinaryIO, start: int, line: int, delimiter: str) -> Iterator[tuple[int, int, list[str]]]:
    """Offset, line and cells of each record from ``start`` on."""
    end, taken, problem, fix = start, 0, "", _QUOTING

    def lines() -> Iterator[str]:
        nonlocal end, taken, problem, fix
        file.seek(start)
        for raw in file:
            data = raw.removeprefix(BOM) if not end else raw
            end += len(raw)
            text = decoded(data)
            if text is None:
                problem = "this line is not UTF-8 text"
                fix = "save the table as CSV UTF-8; on Windows it is mostly Windows-1252"
                return
            taken += 1
            yield text

    begin, first = start, line
    try:
        for _, cells in records(lines(), delimiter):
            if problem:
                break
            yield begin, first, cells
            begin, first = end, line + taken
    except BadQuotesError:
        problem = problem or "the quotes of this row are not right"
    if problem:
        raise _UnsoundError(first, problem, fix)
