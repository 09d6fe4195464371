"""What an apply tells programs: events while it runs, and outputs for the next step of a job."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from installed import company, connection, write_specs
from served import Codat

from reconciler.cli.exits import Exit

TOKEN = "canary-token"


@pytest.fixture(autouse=True)
def _specs(codat: Codat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_TOKEN", TOKEN)
    write_specs(codat.directory, [company("acme", connection("books", "xero", "ACME_TOKEN"), name="Acme")])


def test_events_are_lines_of_json_with_a_version_and_a_message(codat: Codat) -> None:
    events = codat.directory / "events.jsonl"
    events.write_text("of an older run\n")
    assert codat.run("apply", "--yes", "--events", events).status == Exit.OK
    text = events.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert len(lines) > 4
    assert lines[0]["version"] == 1
    assert all(line["message"] for line in lines)
    assert TOKEN not in text
    assert stat.S_IMODE(events.stat().st_mode) == 0o600


def test_events_on_stdout_leave_no_room_for_anything_else(codat: Codat) -> None:
    done = codat.run("apply", "--yes", "--events", "-")
    assert done.status == Exit.OK
    assert all(isinstance(json.loads(line), dict) for line in done.out.splitlines())
    assert "create company" in done.err


def test_outputs_are_added_to_what_is_in_the_file(codat: Codat) -> None:
    file = codat.directory / "outputs.txt"
    file.write_text("earlier=1\n")
    assert codat.run("plan", "--outputs", file, "--out", "plan.json").status == Exit.OK
    first, *rest = file.read_text().splitlines()
    planned = dict(line.split("=", 1) for line in rest)
    assert (first, planned["has-changes"], planned["requests"]) == ("earlier=1", "true", "4")
    assert planned["digest"] == json.loads(Path("plan.json").read_text())["digest"]
    assert codat.run("apply", "plan.json", "--yes", "--outputs", file).status == Exit.OK
    assert "complete=true" in file.read_text().splitlines()


@pytest.mark.parametrize("option", ["--events", "--outputs"])
def test_a_file_that_cannot_be_written_says_so(option: str, codat: Codat) -> None:
    done = codat.run("apply", "--yes", option, "nowhere/file")
    assert (done.status, "nowhere/file cannot be written" in done.err) == (Exit.ERROR, True)
