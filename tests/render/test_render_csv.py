"""CSV for spreadsheets: hostile names stay text."""

from __future__ import annotations

import csv
from io import StringIO

import pytest

from reconciler.render.csv_tables import csv_text


@pytest.mark.parametrize(
    "hostile",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", '=HYPERLINK("x")'],
)
def test_no_cell_is_taken_for_a_formula(hostile: str) -> None:
    _, row = csv.reader(StringIO(csv_text(("name",), [(hostile,)]), newline=""))

    assert row == [f"'{hostile}"]


@pytest.mark.parametrize("plain", ["Acme, Whitby", 'He said "no"', "a=b", "Müller & Söhne", "", "a\nb"])
def test_every_other_cell_is_kept_as_it_is(plain: str) -> None:
    _, row = csv.reader(StringIO(csv_text(("name",), [(plain,)]), newline=""))

    assert row == [plain]
