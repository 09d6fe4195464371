"""CSV that is opened in a spreadsheet: no cell may be taken for a formula."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable, Sequence
from io import StringIO
from itertools import dropwhile
from typing import Final

from reconciler.render.escaping import encodable, is_visible

_FORMULA: Final = frozenset("=+-@\u2212")
"""What makes spreadsheets compute a cell (https://owasp.org/www-community/attacks/CSV_Injection).

Full-width and small forms count as the signs that they stand for, and as minus the sign of its own too.
"""
_BREAKS: Final = ("\t", "\r", "\n")


def csv_text(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with a head; every cell quoted, and one that looks like a formula behind an apostrophe.

    Half a character, which no file can hold, is written as its escape.
    """
    page = StringIO()
    writer = csv.writer(page, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_guarded(encodable(cell, "utf-8")) for cell in row] for row in rows)
    return page.getvalue()


def _guarded(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(" ").startswith(_BREAKS) or _begins_formula(cell) else cell


def _begins_formula(cell: str) -> bool:
    """Whether the first character that one sees is a formula's: spreadsheets pass over the blank ones."""
    first = next(dropwhile(_is_blank, cell), "")
    return unicodedata.normalize("NFKC", first)[:1] in _FORMULA


def _is_blank(character: str) -> bool:
    return character.isspace() or not is_visible(character)
