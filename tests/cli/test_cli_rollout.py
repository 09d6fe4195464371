"""Rollout: the first company decides whether the others are started; the same command resumes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from migrating import Move, managed, tokens


@pytest.fixture
def move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Move:
    monkeypatch.chdir(tmp_path)
    made = Move(tmp_path, capsys)
    made.specs(**{key: tokens(key.upper()) for key in ("acme", "bravo", "delta", "echo")})
    return made


def test_a_canary_that_fails_keeps_the_rest_from_being_started(
    move: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DELTA", "bad-token")

    assert move.apply("--canary", "delta") == 1

    assert move.names == ["Delta"]
    assert "canary-failed" in move.out
    assert "2 done, 1 failed, 13 not started" in move.out


def test_a_canary_that_is_linked_but_does_not_sync_keeps_the_rest_from_being_started(move: Move) -> None:
    move.settings("rollout: {canary: delta}\n")
    move.specs(delta=tokens("DELTA"))
    move.apply()
    move.sandbox.happen(move.connection("delta"), "deauthorize")
    move.specs(**{key: tokens(key.upper()) for key in ("acme", "delta")})

    assert move.apply() == 1

    assert move.names == ["Delta"]
    assert "delta/books linked: reauthorization is required" in move.out


def test_the_same_command_resumes_and_the_results_read_as_one(
    move: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DELTA", "bad-token")
    move.apply("--canary", "delta", "--batch", "2")
    monkeypatch.setenv("DELTA", "good-token")

    assert move.apply("--canary", "delta", "--batch", "2", "--wait", "--format", "json") == 0

    document = json.loads(move.out)
    assert document["complete"]
    assert document["summary"]["done"] == 2 + 3 * 4
    assert document["summary"]["requests"] == 2 + 3 * 4
    assert [result["address"] for result in document["results"]] == sorted(
        (result["address"] for result in document["results"]), key=lambda value: value.split("/")[0]
    )
    assert document["verification"]["summary"]["passed"] == 4


def test_the_canary_goes_before_the_others_and_batches_one_after_the_other(move: Move) -> None:
    move.apply("--canary", "echo", "--batch", "1", "--events", str(move.directory / "events.jsonl"))

    events = [json.loads(line) for line in (move.directory / "events.jsonl").read_text().splitlines()]
    ended = [event["address"] for event in events if event["type"] == "company-ended"]
    assert ended == ["echo", "acme", "bravo", "delta"]
    assert [event["type"] for event in events].count("started") == 1
    assert [event["type"] for event in events].count("ended") == 1
    assert [event["done"] for event in events if event["type"] == "company-ended"] == [1, 2, 3, 4]
    assert events[-1]["done"] == 16
    requests = [event["requests"] for event in events if "requests" in event]
    assert requests == sorted(requests)


def test_failures_add_up_over_batches(move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
    move.settings("rollout: {maxFailures: 2}\n")
    monkeypatch.setenv("ACME", "bad-token")
    monkeypatch.setenv("BRAVO", "bad-token")

    assert move.apply("--batch", "1") == 1

    assert move.names == ["Acme", "Bravo"]
    assert "2 companies have failed, and rollout.maxFailures is 2" in move.out


def test_what_waits_for_others_is_not_waited_for(move: Move) -> None:
    move.specs(acme=managed(), bravo=tokens("BRAVO"))

    assert move.apply("--canary", "acme", "--wait") == 0
    assert move.names == ["Acme", "Bravo"]


def test_a_wait_at_the_end_fails_where_something_does_not_pass(move: Move) -> None:
    move.specs(acme=tokens("ACME"))
    move.apply()
    move.sandbox.happen(move.connection("acme"), "deauthorize")

    assert move.apply() == 0, "relink only waits"
    assert move.apply("--wait") == 1
    assert "Verified 1 connection: 1 failed." in move.out


@pytest.mark.parametrize("options", [("--canary", "nobody"), ("--canary", "acme", "--target", "bravo")])
def test_a_canary_that_the_run_is_not_about_is_misuse(move: Move, options: tuple[str, ...]) -> None:
    assert move.apply(*options) == 2
    assert move.names == []


def test_a_narrower_run_does_not_need_the_canary_of_the_workspace(move: Move) -> None:
    move.settings("rollout: {canary: acme}\n")

    assert move.apply("--target", "bravo") == 0
    assert move.names == ["Bravo"]


def test_without_any_of_this_apply_is_one_stage(move: Move) -> None:
    assert move.apply() == 0
    assert move.names == ["Acme", "Bravo", "Delta", "Echo"]
    assert "Verified" not in move.out


def test_failures_of_earlier_batches_count_within_a_batch(
    move: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    move.settings("rollout: {maxFailures: 2}\nlimits: {concurrency: 1}\n")
    for variable in ("ACME", "DELTA", "ECHO"):
        monkeypatch.setenv(variable, "bad-token")

    assert move.apply("--batch", "2") == 1

    assert len(move.names) == 3, "one of the second batch was not started"
    assert "2 companies have failed, and rollout.maxFailures is 2" in move.out


@pytest.mark.parametrize("batch", ["2", "6"])
def test_three_rejected_credentials_stop_a_platform_over_all_batches(
    move: Move, monkeypatch: pytest.MonkeyPatch, batch: str
) -> None:
    keys = [f"k{number:02}" for number in range(12)]
    move.specs(**{key: tokens(key.upper()) for key in keys})
    for key in keys:
        monkeypatch.setenv(key.upper(), "bad-token")

    assert move.apply("--batch", batch) == 1

    sent = [document for document in move.sandbox.journal() if document["method"] == "PUT"]
    assert len(sent) == 3, "of more than ten the first goes alone, and so do the next until one is accepted"
    assert "has rejected several credentials in a row" in move.out


@pytest.mark.parametrize(
    ("flags", "at_once"), [(("--concurrency", "1"), 1), (("--concurrency", "3"), 3), ((), 2)]
)
def test_as_many_companies_are_worked_on_at_once_as_the_flag_or_the_workspace_says(
    move: Move, flags: tuple[str, ...], at_once: int
) -> None:
    workspace = move.directory / "specs" / "workspace.yaml"
    workspace.write_text(workspace.read_text() + "limits: {concurrency: 2}\n")
    move.specs(**{f"c{number}": tokens("ECHO") for number in range(5)})

    assert move.apply("--events", str(move.directory / "events.jsonl"), *flags) == 0

    open_: set[str] = set()
    most = 0
    for line in (move.directory / "events.jsonl").read_text().splitlines():
        event = json.loads(line)
        company = event.get("address", "").partition("/")[0]
        if event["type"] == "action-started":
            open_.add(company)
        elif event["type"] == "company-ended":
            open_.discard(company)
        most = max(most, len(open_))
    assert most == at_once
