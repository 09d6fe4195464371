"""CSV that is opened in a spreadsheet: no cell may be taken for a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes spreadsheets compute a cell (https://owasp.org/www-community/attacks/CSV_Injection)."""


def csv_text(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with a head; every cell quoted, and one that looks like a formula behind an apostrophe."""
    page = StringIO()
    writer = csv.writer(page, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_guarded(cell) for cell in row] for row in rows)
    return page.getvalue()


def _guarded(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell
