"""An application behind a gate that holds one chosen write, so that a test can act at that very moment."""

from __future__ import annotations

import threading
from typing import Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

WRITES = ("POST", "PUT", "PATCH", "DELETE")


class Gate:
    """Holds the ``nth`` write (from 1) before or after it took effect, and never answers it.

    ``reached`` is set when the write is held; ``writes`` and ``reads`` count what came in.
    """

    def __init__(self, app: ASGIApp, nth: int = 0, when: Literal["before", "after"] = "before") -> None:
        self._app = app
        self._nth = nth
        self._when = when
        self.reached = threading.Event()
        self.writes = 0
        self.reads: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_sandbox"):
            await self._app(scope, receive, send)
            return
        if scope["method"] not in WRITES:
            self.reads.append(scope["path"])
            await self._app(scope, receive, send)
            return
        self.writes += 1
        if self.writes != self._nth:
            await self._app(scope, receive, send)
            return
        if self._when == "after":
            await self._app(scope, receive, _swallow)
        self.reached.set()
        while (await receive())["type"] != "http.disconnect":
            pass


async def _swallow(message: Message) -> None:
    """Send nothing."""
