"""status: how far a migration is, by the same rules that a plan follows, and without a write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from migrating import Move, managed, tokens

LINK = "books: {platform: xero, migration: link}"


@pytest.fixture
def move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Move:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ECHO", "token-of-echo")
    monkeypatch.setenv("BAD", "bad-token")
    return Move(tmp_path, capsys)


def report(move: Move, *arguments: str) -> dict[str, Any]:
    assert move("status", "--format", "json", *arguments) == 0, move.err
    document: dict[str, Any] = json.loads(move.out)
    return document


def states(move: Move, *arguments: str) -> dict[str, str]:
    return {row["address"]: row["state"] for row in report(move, *arguments)["connections"]}


def test_before_an_apply_everything_waits_for_it(move: Move) -> None:
    move.specs(acme=tokens("ECHO"), bravo=managed())

    assert states(move) == {"acme/books": "waitingForApply", "bravo/books": "waitingForApply"}


def test_after_an_apply_each_connection_waits_for_whoever_acts_next(move: Move) -> None:
    move.specs(acme=managed(), bravo=LINK, delta=tokens("ECHO"))
    move.apply()

    found = report(move)

    assert {row["address"]: row["state"] for row in found["connections"]} == {
        "acme/books": "waitingForCodat",
        "bravo/books": "waitingForCustomer",
        "delta/books": "linked",
    }
    assert found["summary"] == {
        "connections": 3,
        "linked": 1,
        "syncing": 0,
        "waitingForApply": 0,
        "waitingForCustomer": 1,
        "waitingForCodat": 1,
        "blocked": 0,
        "failed": 0,
        "gone": 0,
    }
    assert found["platforms"]["xero"]["linked"] == 1
    assert found["platforms"]["freeagent"] == dict.fromkeys(found["platforms"]["xero"], 0) | {
        "waitingForCodat": 1
    }


@pytest.mark.parametrize(
    ("event", "state"),
    [("deauthorize", "waitingForCustomer"), ("unlink", "gone")],
    ids=["revoked", "withdrawn"],
)
def test_what_happens_at_codat_is_seen(move: Move, event: str, state: str) -> None:
    move.specs(acme=tokens("ECHO"))
    move.apply()
    move.sandbox.happen(move.connection("acme"), event)

    assert states(move) == {"acme/books": state}


def test_a_sync_that_runs_is_syncing(move: Move) -> None:
    move.sandbox.set(syncSeconds=600)
    move.specs(acme=tokens("ECHO"))
    move.apply()

    assert states(move) == {"acme/books": "syncing"}


def test_a_company_that_is_blocked_blocks_its_connections(move: Move) -> None:
    move.specs(acme=tokens("ECHO"))
    move.apply()
    move.sandbox.wipe_tags(move.company("acme")["id"])

    assert states(move) == {"acme/books": "blocked"}


def test_a_pinned_company_that_is_not_there_is_gone(move: Move) -> None:
    move.specs(acme=tokens("ECHO"))
    path = move.directory / "specs" / "companies.yaml"
    pinned = "    id: 8a210b68-6988-11ed-a1eb-0242ac120002\n    connections"
    path.write_text(path.read_text().replace("    connections", pinned, 1))

    assert states(move) == {"acme/books": "gone"}


def test_it_writes_nothing(move: Move) -> None:
    move.specs(acme=tokens("ECHO"), bravo=LINK)

    report(move)

    assert move.names == []


def test_targets_narrow_it(move: Move) -> None:
    move.specs(acme=LINK, bravo=LINK)

    assert list(states(move, "--target", "bravo")) == ["bravo/books"]


def test_the_screen_counts_platforms_and_names_a_reason_once(move: Move) -> None:
    move.specs(**{f"c{number:02}": LINK for number in range(20)}, delta=tokens("ECHO"))
    move.apply()

    assert move("status") == 0

    assert "Waiting for the customer (20)" in move.out
    assert move.out.count("send them the link URL") == 1
    assert "c11/books and 8 more" in move.out
    assert move.out.splitlines()[-1] == "21 connections: 1 linked, 20 waiting for the customer."
    move("status", "-q")
    assert move.out == "21 connections: 1 linked, 20 waiting for the customer.\n"


def some_linked(move: Move) -> None:
    """Twelve companies, the first five of which are linked."""
    move.specs(**{f"c{number:02}": tokens("ECHO") for number in range(12)})
    move.apply("--target", "c0[0-4]", "--yes")


def test_each_batch_is_counted_in_the_order_in_which_apply_takes_it(move: Move) -> None:
    some_linked(move)

    found = report(move, "--canary", "c03", "--batch", "4")["batches"]

    shown = [
        (item["name"], item["first"], item["last"], item["linked"], item["waitingForApply"]) for item in found
    ]
    assert shown == [
        ("canary", "c03", "c03", 1, 0),
        ("batch 1", "c00", "c04", 4, 0),
        ("batch 2", "c05", "c08", 0, 4),
        ("batch 3", "c09", "c11", 0, 3),
    ]
    assert report(move)["batches"] == [], "apply takes all at once"


def test_batches_come_from_the_workspace_and_those_that_are_alike_share_a_row(move: Move) -> None:
    some_linked(move)
    workspace = move.directory / "specs" / "workspace.yaml"
    workspace.write_text(workspace.read_text() + "rollout: {batch: 2}\n")

    assert move("status") == 0

    rows = [" ".join(line.split()) for line in move.out.splitlines() if line.startswith(" batch")]
    assert rows == [
        "batch linked waiting for apply",
        "batches 1 to 2: c00 to c03 4 ·",
        "batch 3: c04 to c05 1 1",
        "batches 4 to 6: c06 to c11 · 6",
    ]


def test_a_look_that_fails_is_told_and_watching_goes_on(move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
    from reconciler.codat.errors import UnreachableError
    from reconciler.codat.pacing import SystemClock
    from reconciler.workflow import status

    move.specs(acme=LINK)
    looked, pauses = status._looked, 0

    async def sleep(_: SystemClock, _seconds: float) -> None:
        nonlocal pauses
        pauses += 1
        if pauses == 3:
            raise KeyboardInterrupt

    async def look(request: status.StatusRequest) -> Any:
        if pauses == 1:
            raise UnreachableError("cannot reach api.codat.io")
        return await looked(request)

    monkeypatch.setattr(SystemClock, "sleep", sleep)
    monkeypatch.setattr(status, "_looked", look)

    assert move("status", "--watch", "45s", "-q") == 130
    assert "cannot reach api.codat.io" in move.err
    assert "Looking again in 45 seconds." in move.err
    assert move.out.count("1 connection:") == 2


def test_watching_without_a_pause_is_a_misused_command_line(move: Move) -> None:
    move.specs(acme=LINK)

    assert move("status", "--watch", "0s") == 2
    assert "day's quota" in move.err


def test_watching_looks_again_until_interrupted(move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
    from reconciler.codat.pacing import SystemClock

    move.specs(acme=LINK)
    pauses: list[float] = []

    async def sleep(_: SystemClock, seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(SystemClock, "sleep", sleep)

    assert move("status", "--watch", "45s", "-q") == 130
    assert pauses == [45, 45, 45]
    assert move.out.count("1 connection:") == 3
