"""``codat-sync explain``, as a user runs it: what it reads, what it says, what it never does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from gate import Gate
from installed import company, connection, over_http, write_specs
from loopback import serving

from reconciler.cli import run
from reconciler.cli.options import Exit
from reconciler.sandbox import Sandbox

SPECS = [company("acme", connection("books", "xero", "ACME_TOKEN"))]


@pytest.fixture
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ACME_TOKEN", "canary-token")
    return write_specs(tmp_path, SPECS)


def explained(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["explain", *arguments]) == Exit.OK
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["explain", *arguments]) == Exit.MISUSED
    return capsys.readouterr().err


# --- codes -------------------------------------------------------------------------------------


def test_a_code_is_explained_without_specs_key_or_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = explained(capsys, "unknown-field")
    assert shown.startswith("unknown-field (error, exit status 1)\n")
    assert "Cause: " in shown
    assert "Remedy: " in shown
    assert "nmae: Acme Stores" in shown


def test_a_code_of_two_meanings_has_both(capsys: pytest.CaptureFixture[str]) -> None:
    codes = json.loads(explained(capsys, "duplicate", "--format", "json"))["codes"]
    assert [(code["group"], code["severity"]) for code in codes] == [
        ("attention", "blocking"),
        ("apply", "error"),
    ]


def test_a_slip_in_a_code_is_told_where_there_are_no_specs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "did you mean 'unknown-field'" in refused(capsys, "unknwon-field")


# --- addresses ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("specs")
def test_an_address_is_explained_before_and_after_it_is_applied(capsys: pytest.CaptureFixture[str]) -> None:
    before = explained(capsys, "acme/books", "--sandbox")
    assert "acme/books: connection.create, connection.authorize and company.sync\n" in before
    assert re.search(r"spec: specs/companies\.yaml:6:7", before)
    assert run(["apply", "--sandbox", "--yes"]) == Exit.OK
    capsys.readouterr()
    after = json.loads(explained(capsys, "acme/books", "--sandbox", "--format", "json"))
    (one,) = after["explanations"]
    assert (one["actions"], one["live"]["status"]) == ([], "Linked")
    assert one["decisions"][0]["row"] == "linked"
    other = {each["fact"]: each["row"] for each in one["decisions"][0]["otherwise"]}
    assert other["reauthorize"] == "reauthorize-linked"


@pytest.mark.usefixtures("specs")
def test_it_reads_what_a_plan_reads_and_writes_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(Sandbox())
    with serving(gate) as url:
        for name, value in over_http(url).items():
            monkeypatch.setenv(name, value)
        explained(capsys, "acme/books")
        read, gate.reads = gate.reads, []
        assert run(["plan"]) == Exit.OK
    assert sorted(read) == sorted(gate.reads)
    assert gate.writes == 0


def test_a_company_that_is_called_like_a_code_is_explained_when_specs_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_specs(tmp_path, ["  orphan: {name: Orphan}\n"])
    assert explained(capsys, "orphan", "--sandbox").startswith("orphan (attention, info)")
    assert explained(capsys, "orphan", "specs", "--sandbox").startswith("orphan: company.create\n")


@pytest.mark.usefixtures("specs")
@pytest.mark.parametrize(
    ("slip", "offered"),
    [("acm/books", "'acme/books'"), ("acme/book", "'acme/books'"), ("acmee", "'acme'")],
)
def test_an_address_of_nothing_is_refused_with_what_is_near(
    capsys: pytest.CaptureFixture[str], slip: str, offered: str
) -> None:
    said = refused(capsys, slip, "--sandbox")
    assert f"'{slip}' is neither an address of the plan nor a code; did you mean {offered}" in said


@pytest.mark.usefixtures("specs")
def test_an_address_that_is_near_nothing_is_told_where_addresses_are_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "codat-sync plan shows the addresses" in refused(capsys, "qqqqqqqqqqqq", "--sandbox")


def test_bad_specs_are_told_as_they_are_by_plan(specs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (specs / "bad.yaml").write_text("version: 1\ncompanies: {bravo: {nmae: B}}\n")
    assert run(["explain", "acme", "--sandbox"]) == Exit.ERROR
    explain = capsys.readouterr().err
    assert run(["plan", "--sandbox"]) == Exit.ERROR
    assert explain == capsys.readouterr().err
    assert "unknown field 'nmae'" in explain


@pytest.mark.usefixtures("specs")
def test_no_token_is_in_an_explanation(capsys: pytest.CaptureFixture[str]) -> None:
    for flags in ((), ("-v",), ("--format", "json")):
        assert "canary" not in explained(capsys, "acme/books", "--sandbox", *flags)
