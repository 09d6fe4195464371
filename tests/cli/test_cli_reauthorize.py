"""--reauthorize, repeated: tokens that have arrived are never sent again to a connection that works."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from migrating import Move, tokens
from virtual_time import START

from reconciler.plan import Options
from reconciler.sandbox import Sandbox
from reconciler.workflow.applying import Applied, ApplyRequest
from reconciler.workflow.endpoint import Endpoint
from reconciler.workflow.planning import Context, PlanRequest, SavedRequest
from reconciler.workflow.quota import apply_through_quota

KEYS = ("acme", "bravo", "delta", "echo")
DAY = 24 * 3600


@pytest.fixture
def move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Move:
    """Four connections that were linked and synced, and have lost their authorization since."""
    monkeypatch.chdir(tmp_path)
    made = Move(tmp_path, capsys)
    made.settings("limits: {reserve: 0%, concurrency: 1}\n")
    made.specs(**{key: tokens(key.upper()) for key in KEYS})
    assert made.apply() == 0
    made.sandbox.advance(DAY)
    for key in KEYS:
        made.sandbox.happen(made.connection(key), "deauthorize")
        monkeypatch.setenv(key.upper(), f"new-{key}")
    return made


def statuses(move: Move) -> set[str]:
    return {move.company(key)["dataConnections"][0]["status"] for key in KEYS}


def tokens_to_linked(move: Move) -> int:
    return sum(entry["tokensToLinked"] for entry in move.sandbox.journal())


def syncs(move: Move) -> int:
    return sum(entry["path"].endswith("/data/all") for entry in move.sandbox.journal())


class Nights:
    """Sleeping through a night lets the sandbox's quota come back, and takes no time."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.nights = 0

    def now(self) -> datetime:
        return START + timedelta(days=self.nights)

    async def sleep(self, seconds: float) -> None:
        assert seconds > 600, "only the night is waited for"
        assert self.nights < 5, "it never comes to an end"
        self.nights += 1
        self.sandbox.advance(DAY)


def through_quota(move: Move, quota: int, *, plan: Path | None = None) -> tuple[Applied, Nights]:
    move.sandbox.set(quota=quota)
    clock = Nights(move.sandbox)
    place = Context(Endpoint({}, sandbox_file=move.directory / "codat.db"), clock)
    source = (
        SavedRequest(plan, place)
        if plan
        else PlanRequest(move.directory / "specs", place, Options(reauthorize=("*",)))
    )
    applied = apply_through_quota(ApplyRequest(source, 7), ask=lambda _: True, observer=lambda _: None)
    return applied, clock


@pytest.mark.parametrize("is_saved", [False, True], ids=["specs", "saved-plan"])
@pytest.mark.parametrize(
    "quota", [7, 12, *(pytest.param(quota, marks=pytest.mark.slow) for quota in range(8, 12))]
)
def test_the_next_day_sends_no_tokens_again_and_owes_no_sync(move: Move, quota: int, is_saved: bool) -> None:
    plan = move.directory / "plan.json"
    assert move("plan", "--reauthorize", "*", "--out", str(plan)) == 0
    before = syncs(move)

    applied, clock = through_quota(move, quota, plan=plan if is_saved else None)

    assert clock.nights >= 1
    assert applied.outcome is not None
    assert applied.outcome.is_complete
    assert statuses(move) == {"Linked"}
    assert tokens_to_linked(move) == 0
    assert syncs(move) == before + len(KEYS)


def test_a_saved_plan_applied_again_leaves_what_was_linked_by_it(
    move: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    move("plan", "--reauthorize", "*", "--out", "plan.json")
    monkeypatch.setenv("ECHO", "bad-token")
    assert apply_saved(move) == 1
    monkeypatch.setenv("ECHO", "good-token")

    assert "run the same command again" in move.out, "which is safe, since the plan knows better"
    assert apply_saved(move) == 0

    assert "2 done, 0 failed" in move.out
    assert statuses(move) == {"Linked"}
    assert tokens_to_linked(move) == 0
    assert apply_saved(move) == 0
    assert "Nothing to do" in move.out


def test_a_saved_plan_leaves_a_connection_that_the_customer_has_relinked(move: Move) -> None:
    move("plan", "--reauthorize", "acme", "--out", "plan.json")
    move.sandbox.happen(move.connection("acme"), "link")

    assert apply_saved(move) == 0

    assert move.company("acme")["dataConnections"][0]["status"] == "Linked"
    assert tokens_to_linked(move) == 0


def test_a_saved_plan_that_was_reviewed_for_a_linked_connection_is_applied_as_reviewed(move: Move) -> None:
    move.sandbox.happen(move.connection("acme"), "link")
    move("plan", "--reauthorize", "acme", "--out", "plan.json")

    assert apply_saved(move) == 0

    assert tokens_to_linked(move) == 1


class Killed(BaseException):
    """The process ends here."""


def linked_again(move: Move) -> None:
    """acme works, and a plan to send it other tokens all the same was reviewed."""
    move.sandbox.happen(move.connection("acme"), "link")
    move("plan", "--reauthorize", "acme", "--out", "plan.json")


def killed_apply(move: Move, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    def kill(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(where, kill)
        with pytest.raises(BaseExceptionGroup) as raised:
            apply_saved(move)
        assert raised.group_contains(Killed)
    move.capsys.readouterr()


def test_a_saved_plan_sends_tokens_to_a_connection_that_works_once_however_often_it_is_applied(
    move: Move,
) -> None:
    linked_again(move)
    before = syncs(move)

    assert [apply_saved(move) for _ in range(4)] == [0, 0, 0, 0]

    assert "Nothing to do" in move.out
    assert (tokens_to_linked(move), syncs(move)) == (1, before + 1)
    move.sandbox.advance(3600)
    assert apply_saved(move) == 0
    move.sandbox.happen(move.connection("acme"), "deauthorize")
    apply_saved(move)
    assert tokens_to_linked(move) == 1
    assert move.company("acme")["dataConnections"][0]["status"] == "Deauthorized"


def test_a_saved_plan_that_was_killed_between_the_tokens_and_the_sync_goes_on_with_the_sync(
    move: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked_again(move)
    before = syncs(move)
    killed_apply(move, monkeypatch, "reconciler.apply.executing.sync_company")
    assert (tokens_to_linked(move), syncs(move)) == (1, before)

    assert apply_saved(move) == 0

    assert (tokens_to_linked(move), syncs(move)) == (1, before + 1)


@pytest.mark.parametrize(
    ("where", "sent"),
    [("reconciler.codat.Client.authorize", 0), ("reconciler.apply.retried_write.SendingMark.conclude", 1)],
    ids=["before-the-tokens", "after-the-tokens"],
)
def test_a_saved_plan_that_was_killed_while_it_sent_tokens_is_refused_and_says_how_to_go_on(
    move: Move, monkeypatch: pytest.MonkeyPatch, where: str, sent: int
) -> None:
    linked_again(move)
    killed_apply(move, monkeypatch, where)

    assert apply_saved(move) == 3

    assert "see with verify whether the connection works" in " ".join(move.err.split())
    assert tokens_to_linked(move) == sent
    assert move("plan", "--reauthorize", "acme", "--out", "plan.json") == 0, "which is the way to go on"
    monkeypatch.setenv("ACME", "newer")
    assert apply_saved(move) == 0
    assert tokens_to_linked(move) == sent + 1


def test_a_saved_plan_whose_tokens_were_rejected_sends_corrected_ones(
    move: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked_again(move)
    monkeypatch.setenv("ACME", "bad-token")
    assert apply_saved(move) == 1
    monkeypatch.setenv("ACME", "good-token")

    assert apply_saved(move) == 0

    assert move.company("acme")["dataConnections"][0]["status"] == "Linked"


def test_a_saved_plan_is_refused_where_the_connection_was_synced_since(
    move: Move,
) -> None:
    linked_again(move)
    company = move.company("acme")["id"]
    move.ask(lambda client: client.sync_all(company, uuid4()))
    move.sandbox.advance(3600)

    assert apply_saved(move) == 3

    assert tokens_to_linked(move) == 0
    assert "last synced" in " ".join(move.err.split())


def test_a_plan_says_what_it_read_of_a_connection_whose_tokens_it_sends(move: Move) -> None:
    move("plan", "--reauthorize", "acme", "--format", "json")

    (action,) = (step for step in json.loads(move.out)["actions"] if step["kind"] == "connection.authorize")

    assert action["before"]["status"] == "Deauthorized"
    assert action["before"]["lastSync"]


def test_resuming_is_not_advised_where_it_would_send_tokens_again(
    move: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECHO", "bad-token")

    assert move.apply("--reauthorize", "*") == 1

    shown = " ".join(move.out.split())
    assert "same command again" not in shown
    assert "correct the authorization, then apply again without --reauthorize" in shown
    assert "leave --reauthorize out, or name with it only what is left: echo/books." in shown
    assert "would send tokens again to 3 connections" in shown

    monkeypatch.setenv("ECHO", "good-token")
    assert move.apply("--reauthorize", "echo/books") == 0
    assert statuses(move) == {"Linked"}
    assert tokens_to_linked(move) == 0


def test_without_reauthorize_the_same_command_is_advised(move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
    move.specs(foxtrot=tokens("FOXTROT"))
    monkeypatch.setenv("FOXTROT", "bad-token")

    assert move.apply("--reauthorize", "foxtrot", "--target", "foxtrot") == 1

    assert "To go on, run the same command again" in " ".join(move.out.split())


def apply_saved(move: Move) -> int:
    from reconciler.cli import run

    status = run(["apply", "plan.json", "--sandbox-file", str(move.directory / "codat.db"), "--yes"])
    move.out, move.err = move.capsys.readouterr()
    return status
