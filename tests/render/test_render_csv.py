"""CSV for spreadsheets: hostile names stay text."""

from __future__ import annotations

import csv
from io import StringIO

import pytest

from reconciler.render.handoff import csv_text


@pytest.mark.parametrize(
    "hostile",
    [
        *["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", '=HYPERLINK("x")'],
        *["\uff1d1", "\uff0b1", "\uff0d1", "\uff20SUM(A1)"],
        *["\ufe661", "\ufe621", "\ufe631", "\ufe6bSUM(A1)", "\u22121"],
        *[f"{blank}=1" for blank in "\u00a0\u3000\u2003\u200b\ufeff\u2060\u202e\u00ad\x00\x0b\x1f\u2028"],
        " \u00a0\t \uff1d1",
    ],
)
def test_no_cell_is_taken_for_a_formula(hostile: str) -> None:
    _, row = csv.reader(StringIO(csv_text(("name",), [(hostile,)]), newline=""))

    assert row == [f"'{hostile}"]


def test_half_a_character_is_written_as_its_escape() -> None:
    text = csv_text(("name",), [("Acme \ud800",), ("Bravo \U0001f370",)])

    assert text.encode().decode() == '"name"\n"Acme \\ud800"\n"Bravo \U0001f370"\n'


@pytest.mark.parametrize("plain", ["Acme, Whitby", 'He said "no"', "a=b", "Müller & Söhne", "", "a\nb"])
def test_every_other_cell_is_kept_as_it_is(plain: str) -> None:
    _, row = csv.reader(StringIO(csv_text(("name",), [(plain,)]), newline=""))

    assert row == [plain]
