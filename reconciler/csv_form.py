"""How people's CSV files are written: what parts the cells, and what a spreadsheet does to a value.

Spreadsheets write as their country does: semicolons where the comma is a decimal mark, tabs where one
copies from a sheet. They also take long ids for numbers, and then write another number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

DELIMITERS: Final = (",", ";", "\t", "|")
"""What may part cells, the most usual first."""
DELIMITER_NAMES: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}

_SAID: Final = re.compile(r"\ufeff?sep=([,;\t|])", re.IGNORECASE)
_WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*"')
_MANGLED: Final = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d+|[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
"""``9.13035E+15`` and ``1,234``: a number as a spreadsheet shows it, not as it was written."""


def delimiter_of(header: str) -> str:
    """The delimiter that a header line is written with: the one that parts it most often, else the comma."""
    bare = _QUOTED.sub("", header)
    return max(DELIMITERS, key=bare.count)


def said_delimiter(line: str) -> str:
    """The delimiter that Excel says in a line above the header, such as ``sep=;``; else nothing."""
    said = _SAID.fullmatch(line.rstrip("\r\n"))
    return said[1] if said else ""


def is_workbook(data: bytes) -> bool:
    """Whether a file is a spreadsheet's own, such as ``.xlsx``, and only its name is a table's."""
    return data.startswith(_WORKBOOKS)


def is_mangled(cell: str) -> bool:
    """Whether a spreadsheet took the cell for a number and wrote it in its own way."""
    return _MANGLED.fullmatch(cell.strip()) is not None


def is_blank(cells: Iterable[str]) -> bool:
    """Whether a row holds nothing: spreadsheets write such rows after the last one."""
    return not any(cell.strip() for cell in cells)


def fitted(cells: list[str], width: int) -> list[str]:
    """The cells of a row without empty ones past the last column, which spreadsheets write too."""
    return cells[:width] if len(cells) > width and is_blank(cells[width:]) else cells
