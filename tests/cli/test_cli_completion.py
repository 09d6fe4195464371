"""Completion in a shell: addresses and codes, and nothing at all where the specs cannot be read."""

from __future__ import annotations

import subprocess
from contextlib import chdir
from pathlib import Path

import pytest
from click.shell_completion import BashComplete
from installed import COMMAND, company, connection, environment, write_specs

from reconciler.cli import codat_sync

VARIABLE = "_CODAT_SYNC_COMPLETE"


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


def offered(directory: Path, *words: str) -> list[str]:
    """What is offered for the last word."""
    *before, last = words
    with chdir(directory):
        offers = BashComplete(codat_sync, {}, "codat-sync", VARIABLE).get_completions(before, last)
    return [offer.value for offer in offers]


def completed(directory: Path, *words: str) -> list[str]:
    """What bash, which starts the command for it, would offer for the last word."""
    line = " ".join(["codat-sync", *words])
    done = subprocess.run(
        [COMMAND],
        cwd=directory,
        env=environment(COMP_WORDS=line, COMP_CWORD=str(len(words)), **{VARIABLE: "bash_complete"}),
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
    assert offered(directory, *words) == offers


def test_bash_is_told_what_is_offered(directory: Path) -> None:
    assert completed(directory, "plan", "--target", "acme/") == ["acme/books"]


def test_specs_that_cannot_be_read_complete_nothing(directory: Path) -> None:
    (directory / "specs" / "companies.yaml").write_text("companies: {\n")
    assert completed(directory, "plan", "--target", "a") == []
