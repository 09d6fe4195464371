"""verify --wait: looks again in growing pauses, never past its time, and not for what waiting cannot help."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from virtual_time import START

from reconciler.cli import run
from reconciler.codat import ReadClient
from reconciler.codat.errors import ApiError, ServerFaultError, UnauthorizedError
from reconciler.migration import Verdict, Verification
from reconciler.outcome import Event, EventType, Observer
from reconciler.sandbox import Sandbox
from reconciler.workflow.applying import Applied, ApplyRequest, apply
from reconciler.workflow.endpoint import Endpoint
from reconciler.workflow.planning import Context, PlanRequest
from reconciler.workflow.verifying import LONGEST_PAUSE, SurveyRequest, VerifyRequest, verify

SPEC = """\
version: 1
companies:
  acme:
    name: Acme
    connections: {books: {platform: xero, authorization: {accessToken: "${env:A}"}}}
"""


class SandboxClock:
    """Sleeping lets the sandbox's clock jump, and takes no time."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.slept: list[float] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=sum(self.slept))

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.sandbox.advance(seconds)


@pytest.fixture
def clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> SandboxClock:
    """The clock of a sandbox to which one company was applied; its sync takes 100 s."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "acme.yaml").write_text(SPEC)
    sandbox = Sandbox(tmp_path / "codat.db", settings={"syncSeconds": 100})
    assert run(["apply", "specs", "--sandbox-file", "codat.db", "--yes"]) == 0
    capsys.readouterr()
    return SandboxClock(sandbox)


def waited(
    clock: SandboxClock, minutes: float, told: Callable[[float, str], None] | None = None
) -> Verification:
    place = Context(Endpoint({}, sandbox_file=Path("codat.db")), clock=clock, on_wait=told)
    return verify(VerifyRequest(SurveyRequest(Path("specs"), place), timedelta(minutes=minutes)))


def test_it_looks_again_in_growing_pauses_until_all_pass(clock: SandboxClock) -> None:
    told: list[str] = []

    assert waited(clock, 15, lambda _, why: told.append(why)).is_passed

    assert clock.slept == [1, 2, 4, 8, 16, 32, 60][: len(clock.slept)]
    assert sum(clock.slept) >= 100
    assert set(told) == {"verifying: 1 of 1 connections are not there yet"}


def test_it_ends_when_the_time_is_up(clock: SandboxClock) -> None:
    found = waited(clock, 1)

    assert found.counts[Verdict.PENDING] == 1
    assert sum(clock.slept) == 60


def test_without_a_wait_it_looks_once(clock: SandboxClock) -> None:
    assert not waited(clock, 0).is_passed
    assert clock.slept == []


def test_what_does_not_come_by_itself_is_not_waited_for(clock: SandboxClock) -> None:
    identifier = clock.sandbox.state()["companies"][0]["dataConnections"][0]["id"]
    clock.sandbox.happen(identifier, "deauthorize")

    assert waited(clock, 60).counts[Verdict.FAILED] == 1
    assert clock.slept == []


def test_no_pause_is_longer_than_the_longest(clock: SandboxClock) -> None:
    (Path("specs") / "acme.yaml").write_text(SPEC.replace("acme:", "bravo:").replace("Acme", "Bravo"))

    assert not waited(clock, 10).is_passed
    assert max(clock.slept) == LONGEST_PAUSE
    assert sum(clock.slept) == 600


# --- looks that fail ---------------------------------------------------------------------------


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> list[ApiError]:
    """What reads of the data status answer, one after the other, until none is left."""
    errors: list[ApiError] = []
    read = ReadClient.data_status

    async def data_status(client: ReadClient, company_id: str) -> object:
        if errors:
            raise errors.pop(0)
        return await read(client, company_id)

    monkeypatch.setattr(ReadClient, "data_status", data_status)
    return errors


def test_a_look_that_fails_is_tried_again_while_there_is_time(
    clock: SandboxClock, failing: list[ApiError]
) -> None:
    failing += [ServerFaultError("503: offline")] * 3
    told: list[str] = []

    assert waited(clock, 15, lambda _, why: told.append(why)).is_passed

    assert told[:3] == ["verifying: a look failed, and is tried again: 503: offline"] * 3


def test_what_could_not_be_read_in_time_is_reported_as_not_verified(
    clock: SandboxClock, failing: list[ApiError]
) -> None:
    failing += [ServerFaultError("503: offline", fix="try later", correlation_id="c-1")] * 99

    found = waited(clock, 1)

    assert sum(clock.slept) == 60
    assert not found.is_passed
    document = found.document()
    assert document["unread"]["message"] == "503: offline (correlation id c-1)"
    assert document["unread"]["fix"] == "try later"
    assert [(connection["address"], connection["verdict"]) for connection in document["connections"]] == [
        ("acme/books", "pending")
    ]


def test_a_failure_that_no_waiting_helps_ends_the_wait(clock: SandboxClock, failing: list[ApiError]) -> None:
    failing += [UnauthorizedError("401: the key is wrong")]

    assert not waited(clock, 15).is_passed

    assert clock.slept == []


# --- after an apply ----------------------------------------------------------------------------


def applied(
    clock: SandboxClock, events: list[Event], observer: Observer | None = None, **options: object
) -> Applied:
    (Path("specs") / "bravo.yaml").write_text(SPEC.replace("acme:", "bravo:").replace("Acme", "Bravo"))
    clock.sandbox.set(syncSeconds=0)
    place = Context(Endpoint({}, sandbox_file=Path("codat.db")), clock=clock)
    request = ApplyRequest(PlanRequest(Path("specs"), place), 7, **options)  # type: ignore[arg-type]
    return apply(request, ask=lambda _: True, observer=observer or events.append)


@pytest.mark.parametrize("error", [ServerFaultError("503: offline"), UnauthorizedError("401: wrong")])
def test_what_was_applied_is_told_although_it_cannot_be_verified(
    clock: SandboxClock, failing: list[ApiError], error: ApiError
) -> None:
    failing += [error] * 999
    events: list[Event] = []

    found = applied(clock, events, wait=timedelta(minutes=1))

    assert found.outcome is not None
    assert found.outcome.is_complete
    assert found.verification is not None
    assert not found.verification.is_passed
    assert found.verification.unread is not None
    assert EventType.ENDED in {event.type for event in events}


def test_a_canary_that_cannot_be_verified_is_told_as_such_and_the_run_ends_in_order(
    clock: SandboxClock, failing: list[ApiError]
) -> None:
    failing += [ServerFaultError("503: offline")] * 999
    events: list[Event] = []

    found = applied(clock, events, canary="acme")

    assert found.outcome is not None
    assert found.outcome.stopped is not None
    assert "acme went first and could not be verified: 503: offline" in found.outcome.stopped.message
    assert {result.result.value for result in found.outcome.results} == {"not-started"}
    assert events[-1].type is EventType.ENDED


def test_where_the_event_loop_takes_no_signals_as_on_windows_ctrl_c_is_heard_all_the_same(
    clock: SandboxClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(asyncio.SelectorEventLoop, "add_signal_handler", missing)
    monkeypatch.setattr(asyncio.SelectorEventLoop, "remove_signal_handler", missing)
    before = signal.getsignal(signal.SIGTERM)

    def interrupt(event: Event) -> None:
        if event.type is EventType.ACTION_STARTED:
            signal.raise_signal(signal.SIGTERM)
            monkeypatch.setattr(signal, "raise_signal", lambda _: None)

    found = applied(clock, [], observer=interrupt)

    assert found.outcome is not None
    assert found.outcome.interrupted
    assert signal.getsignal(signal.SIGTERM) is before


def test_ctrl_c_is_heard_within_a_look(clock: SandboxClock, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str] = []

    async def endless(_client: ReadClient, company_id: str) -> object:
        if not looks:
            signal.raise_signal(signal.SIGINT)
        looks.append(company_id)
        return await asyncio.Event().wait()

    monkeypatch.setattr(ReadClient, "data_status", endless)

    found = applied(clock, [], wait=timedelta(minutes=1))

    assert found.outcome is not None
    assert found.outcome.interrupted
    assert all(result.result.value == "done" for result in found.outcome.results)
    assert found.verification is not None
    assert found.verification.unread is not None
    assert looks
