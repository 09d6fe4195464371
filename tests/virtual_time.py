"""Time that passes at once: an asyncio loop whose clock jumps to the next timer when nothing else is ready.

``asyncio.sleep(3600)`` returns immediately, and ``loop.time()`` is an hour later. What goes through
the loop's clock follows by itself: timeouts, aiolimiter, and ``VirtualClock``. Meant for code in this
process, such as the sandbox behind an ASGI transport: sockets are served, but while an answer is on
its way over a real one, timers fire early.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

T = TypeVar("T")

START: Final = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
"""What ``VirtualClock`` shows when a loop begins."""
TICK: Final = 1e-6
"""Seconds that each turn of the loop takes: as on a real machine, the clock never quite stands still."""
PATIENCE: Final = 10.0
"""Real seconds to wait for a socket or a thread when no timer is left."""


class JumpingSelector(selectors.DefaultSelector):
    """Tells what is ready, and instead of waiting for it lets the clock jump."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now; if nothing is, ``timeout`` seconds have passed."""
        ready = super().select(0 if timeout is not None else PATIENCE)
        if timeout is None and not ready:
            raise RuntimeError("every task waits, and nothing is left that could wake one")
        self.now += TICK if ready or timeout is None else max(timeout, TICK)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time, which starts at zero."""

    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._jumping.now


class VirtualClock:
    """A ``reconciler.codat.pacing.Clock`` that shows the running loop's time as a date."""

    def __init__(self, start: datetime = START) -> None:
        self.start = start

    def now(self) -> datetime:
        """The start, and the seconds of the loop since; the start itself where no loop runs."""
        try:
            seconds = asyncio.get_running_loop().time()
        except RuntimeError:
            seconds = 0.0
        return self.start + timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds`` of virtual time."""
        await asyncio.sleep(seconds)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """What ``coroutine`` returns, run in a virtual loop of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)
