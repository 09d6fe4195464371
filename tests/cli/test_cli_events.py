"""What an apply tells programs: events while it runs, and outputs for the next step of a job."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from installed import COMMAND, company, connection, write_specs
from served import Codat

from reconciler.cli.options import Exit

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


def test_a_run_with_nothing_to_do_begins_and_ends_as_every_other(codat: Codat) -> None:
    assert codat.run("apply", "--yes").status == Exit.OK
    assert codat.run("apply", "--yes", "--events", "events.jsonl").status == Exit.OK
    lines = [json.loads(line) for line in Path("events.jsonl").read_text().splitlines()]
    assert [(line["version"], line["type"]) for line in lines] == [(1, "started"), (1, "ended")]


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


def test_a_full_disk_stops_no_apply_and_the_outcome_is_told_before_the_loss(
    codat: Codat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that is always full stands for the disk; it stays open to others."""
    monkeypatch.setattr(os, "fchmod", lambda *_: pytest.fail("not ours to close to others"))
    done = codat.run("apply", "--yes", "--events", "/dev/full")
    assert done.status == Exit.ERROR
    assert "Applied: 4 done, 0 failed" in done.out
    assert "/dev/full holds only a part of the events: No space left on device" in done.err
    assert codat.company("Acme")["dataConnections"][0]["status"] == "Linked"


@pytest.mark.parametrize(
    "arguments",
    [("plan",), ("validate",), ("platforms",), ("apply", "--yes", "--format", "json"), ("--help",)],
)
def test_output_that_gets_lost_is_told_and_is_no_bug(arguments: tuple[str, ...], codat: Codat) -> None:
    with Path("/dev/full").open("w") as full, redirect_stdout(full):
        done = codat.run(*arguments)
    is_applied = arguments[0] == "apply"
    assert done.status == (Exit.OK if is_applied else Exit.ERROR)
    assert is_applied or "the output cannot be written: No space left on device" in done.err
    assert ('"result": "done"' in done.err) is is_applied, "the record of what was done is not lost"
    assert "bug" not in done.err


def test_events_that_nobody_reads_to_the_end_are_told_of(codat: Codat) -> None:
    with subprocess.Popen(
        [COMMAND, "apply", "--yes", "--events", "-"],
        cwd=codat.directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as apply:
        apply.stdout.close()
        told = apply.stderr.read()
    assert apply.returncode == Exit.ERROR
    assert "Applied: 4 done, 0 failed" in told
    assert "stdout holds only a part of the events: Broken pipe" in told
    assert "Exception" not in told
