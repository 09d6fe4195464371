"""Completion in a shell: addresses and codes, and nothing at all where the specs cannot be read."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from installed import COMMAND, company, connection, environment, write_specs


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    write_specs(
        tmp_path,
        [
            company("acme", connection("books", "xero", "T")),
            company("bravo", connection("bank", "plaid", "T")),
        ],
    )
    return tmp_path


def completed(directory: Path, *words: str) -> list[str]:
    """What bash would offer for the last word."""
    line = " ".join(["codat-sync", *words])
    done = subprocess.run(
        [COMMAND],
        cwd=directory,
        env=environment(_CODAT_SYNC_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=str(len(words))),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return [offer.partition(",")[2] for offer in done.stdout.splitlines() if offer]


@pytest.mark.parametrize(
    ("words", "offers"),
    [
        (("plan", "specs", "--target", "a"), ["acme", "acme/books"]),
        (("apply", "--target", "bravo/"), ["bravo/bank"]),
        (("apply", "--reauthorize", "acme/"), ["acme/books"]),
        (("apply", "--canary", "br"), ["bravo", "bravo/bank"]),
        (("status", "--target", "acme/"), ["acme/books"]),
        (("explain", "acme/"), ["acme/books"]),
        (("explain", "alias"), ["alias-bomb"]),
    ],
    ids=" ".join,
)
def test_an_address_is_completed(directory: Path, words: tuple[str, ...], offers: list[str]) -> None:
    assert completed(directory, *words) == offers


def test_specs_that_cannot_be_read_complete_nothing(directory: Path) -> None:
    (directory / "specs" / "companies.yaml").write_text("companies: {\n")
    assert completed(directory, "plan", "--target", "a") == []
