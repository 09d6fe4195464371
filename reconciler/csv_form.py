"""How people's CSV files are read: what parts the cells, and what a spreadsheet does to a value.

Spreadsheets write as their country does: semicolons where the comma is a decimal mark, tabs where one
copies from a sheet. They also take long ids for numbers, and then write another number.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

DELIMITERS: Final = (",", ";", "\t", "|")
"""What may part cells, the most usual first."""
DELIMITER_NAMES: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}

_SAID: Final = re.compile(r"\ufeff?sep=([,;\t|])", re.IGNORECASE)
_WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*"')
_MANGLED: Final = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]\d+|[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
"""``9.13035E+15`` and ``1,234``: a number as a spreadsheet shows it, not as it was written.

Spreadsheets write the exponent's sign; without one, digits around an ``e`` are a hexadecimal key.
"""
_FORMULA: Final = re.compile(r"=.*|#(?:N/A|[A-Z]{3,}[!?]|DIV/0!)", re.DOTALL)
"""``="0123"`` and ``#N/A``: a formula, or what a spreadsheet writes where one came to nothing."""


def delimiter_of(header: str) -> str:
    """The delimiter that a header line is written with: the one that parts it most often, else the comma."""
    bare = _QUOTED.sub("", header)
    return max(DELIMITERS, key=bare.count)


class BadQuotesError(Exception):
    """A record that is no CSV: the line and the problem; no text of it."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line
        self.problem = problem


def records(lines: Iterable[str], delimiter: str, first: int = 1) -> Iterator[tuple[int, list[str]]]:
    """The first line and the cells of every record; a quoted cell may go over several lines.

    ``first`` is the number of the first of the lines.

    No line is read before the record that it belongs to is asked for.

    Raises:
        BadQuotesError: a record cannot be told from the next.
    """
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    above = first - 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise _bad_quotes(first, above + reader.line_num, str(error)) from None
        if cells is None:
            return
        yield first, cells
        first = above + reader.line_num + 1


def _bad_quotes(first: int, last: int, problem: str) -> BadQuotesError:
    """The error in our words, by the fixed part of its own."""
    if "unexpected end" in problem:
        return BadQuotesError(first, "a quote is opened in this row and never closed")
    if "field limit" in problem:
        return BadQuotesError(first, f"a cell has more than {csv.field_size_limit():,} characters")
    return BadQuotesError(last, "something stands between a closing quote and the next cell")


def column_names(header: Sequence[str]) -> list[str]:
    """The names of a header, without the empty ones past the last."""
    return list(header[: max((number for number, name in enumerate(header, 1) if name.strip()), default=0)])


def said_delimiter(line: str) -> str:
    """The delimiter that Excel says in a line above the header, such as ``sep=;``; else nothing."""
    said = _SAID.fullmatch(line.rstrip("\r\n"))
    return said[1] if said else ""


def is_workbook(data: bytes) -> bool:
    """Whether a file is a spreadsheet's own, such as ``.xlsx``, and only its name is a table's."""
    return data.startswith(_WORKBOOKS)


def spoiled(cell: str) -> str:
    """What a spreadsheet made of the cell: ``as a number in its own way``; empty where it left it alone."""
    if _MANGLED.fullmatch(cell.strip()):
        return "as a number in its own way"
    return "as a formula, or as what a formula came to" if _FORMULA.fullmatch(cell.strip()) else ""


def is_blank(cells: Iterable[str]) -> bool:
    """Whether a row holds nothing: spreadsheets write such rows after the last one."""
    return not any(cell.strip() for cell in cells)


def fitted(cells: list[str], width: int) -> list[str]:
    """The cells of a row without empty ones past the last column, which spreadsheets write too."""
    return cells[:width] if len(cells) > width and is_blank(cells[width:]) else cells
