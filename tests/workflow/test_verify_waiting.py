"""verify --wait: looks again in growing pauses, never past its time, and not for what waiting cannot help."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from virtual_time import START

from reconciler.cli import run
from reconciler.migration import Verdict, Verification
from reconciler.sandbox import Sandbox
from reconciler.workflow.endpoint import Endpoint
from reconciler.workflow.planning import Circumstances
from reconciler.workflow.surveying import SurveyRequest
from reconciler.workflow.verifying import LONGEST_PAUSE, VerifyRequest, verify

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
    place = Circumstances(Endpoint({}, sandbox_file=Path("codat.db")), clock=clock, on_wait=told)
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
