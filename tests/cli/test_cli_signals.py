"""SIGTERM and Ctrl-C at a request: what is in flight ends, nothing new starts, the next run completes."""

from __future__ import annotations

import asyncio
import signal
import threading
from pathlib import Path
from typing import Final, Literal

import pytest
from gate import WRITES as METHODS
from installed import over_http, run, start
from loopback import serving
from small_migration import ENV, WRITES, expect_whole, specs_in
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.sandbox import Sandbox

When = Literal["before", "after"]


class Turnstile:
    """Holds the ``nth`` write (from 1) before or after it took effect, until it is let through."""

    def __init__(self, app: ASGIApp, nth: int, when: When) -> None:
        self._app = app
        self._nth = nth
        self._when = when
        self._writes = 0
        self.reached = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_write = scope["type"] == "http" and scope["method"] in METHODS
        self._writes += is_write
        if not is_write or self._writes != self._nth:
            await self._app(scope, receive, send)
        elif self._when == "before":
            await self._hold()
            await self._app(scope, receive, send)
        else:
            answer: list[Message] = []
            await self._app(scope, receive, _into(answer))
            await self._hold()
            for message in answer:
                await send(message)

    async def _hold(self) -> None:
        self._loop, self._open = asyncio.get_running_loop(), asyncio.Event()
        self.reached.set()
        await self._open.wait()

    def let_through(self) -> None:
        """Go on; called from another thread."""
        self._loop.call_soon_threadsafe(self._open.set)


def _into(answer: list[Message]) -> Send:
    async def keep(message: Message) -> None:
        answer.append(message)

    return keep


BOUNDARIES: Final = ((1, "before"), (2, "after"), (6, "before"), (8, "after"), (WRITES, "after"))
STOPS: Final = [
    ((signal.SIGINT, signal.SIGTERM)[place % 2], *boundary) for place, boundary in enumerate(BOUNDARIES)
]
"""Each boundary by one of the signals, in turn: the same handler takes both."""


@pytest.mark.parametrize(
    ("number", "nth", "when"),
    [pytest.param(*stop, marks=() if stop in STOPS[:2] else pytest.mark.slow) for stop in STOPS],
)
def test_a_stopped_apply_says_so_and_is_completed_by_the_next(
    nth: int, when: When, number: signal.Signals, tmp_path: Path
) -> None:
    specs = specs_in(tmp_path)
    sandbox = Sandbox(tmp_path / "codat.db", settings={"syncSeconds": 600})
    turnstile = Turnstile(sandbox, nth, when)
    with serving(turnstile) as url:
        env = over_http(url) | ENV
        process = start("apply", specs, "--yes", cwd=tmp_path, env=env)
        assert turnstile.reached.wait(30), process.communicate(timeout=5)
        process.send_signal(number)
        assert process.stderr is not None
        assert any("stopping" in line for line in process.stderr), "it does not say that it stops"
        turnstile.let_through()
        out, err = process.communicate(timeout=30)
        assert process.returncode == 130, out + err
        assert "Traceback" not in out + err
        done = run("apply", specs, "--yes", cwd=tmp_path, env=env)
        assert done.returncode == 0, done.stdout + done.stderr
    expect_whole(sandbox)


@pytest.mark.slow
@pytest.mark.parametrize("is_ignored", [False, True], ids=["a terminal that closes", "nohup"])
def test_sighup_stops_an_apply_however_often_it_comes_unless_it_is_ignored(
    is_ignored: bool, tmp_path: Path
) -> None:
    specs = specs_in(tmp_path)
    turnstile = Turnstile(Sandbox(tmp_path / "codat.db", settings={"syncSeconds": 600}), 2, "before")
    with serving(turnstile) as url:
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN if is_ignored else signal.SIG_DFL)
        try:
            process = start("apply", specs, "--yes", cwd=tmp_path, env=over_http(url) | ENV)
        finally:
            signal.signal(signal.SIGHUP, before)
        assert turnstile.reached.wait(30), process.communicate(timeout=5)
        assert process.stderr is not None
        process.send_signal(signal.SIGHUP)
        if not is_ignored:
            assert any("stopping" in line for line in process.stderr)
        process.send_signal(signal.SIGHUP)
        turnstile.let_through()
        out, err = process.communicate(timeout=60)
        assert process.returncode == (0 if is_ignored else 130), out + err
