"""The sandbox as one object: an ASGI application, and what tests may do to it without HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.types import Receive, Scope, Send

from reconciler.sandbox import app, control, faults, journal
from reconciler.sandbox import settings as settings_table
from reconciler.sandbox.faults import Sleep
from reconciler.sandbox.store import IN_MEMORY, Store


class Sandbox:
    """A pretend Codat, whose whole state stands in one SQLite file that several processes may share.

    ``now`` is its clock; with ``seed`` the ids that it gives are always the same ones. ``sleep`` is how a
    latency waits. ``settings`` are those of ``reconciler.sandbox.settings.SETTINGS``.

    Raises:
        SandboxError: the file is no sandbox's, or one of another version.
    """

    def __init__(
        self,
        path: str | Path = IN_MEMORY,
        *,
        now: Callable[[], datetime] | None = None,
        seed: int | None = None,
        sleep: Sleep = asyncio.sleep,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self._store = Store(path, now or _now, seed)
        self.app = app.build(self._store, sleep)
        if settings:
            self.set(**settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application."""
        await self.app(scope, receive, send)

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    def set(self, **settings: Any) -> None:
        """Change settings, such as ``quota=5``."""
        with self._store.transaction() as session:
            settings_table.change(session, settings)

    def fault(self, kind: str, **fault: Any) -> None:
        """Put a fault at the end of the script; ``reconciler.sandbox.faults`` says what it may hold."""
        with self._store.transaction() as session:
            faults.add(session, {"kind": kind, **fault})

    def happen(self, connection_id: str, event: str, **fields: Any) -> None:
        """Let one of ``control.EVENTS`` happen to a connection, such as ``deauthorize``."""
        with self._store.transaction() as session:
            control.happen(session, connection_id, event, fields)

    def wipe_tags(self, company_id: str) -> None:
        """Take all tags off a company, as someone's PUT would."""
        with self._store.transaction() as session:
            control.wipe_tags(session, company_id)

    def advance(self, seconds: float) -> None:
        """Let the sandbox's clock jump."""
        with self._store.transaction() as session:
            session.advance(seconds)

    def journal(self) -> list[dict[str, Any]]:
        """Every write that came in, oldest first."""
        with self._store.transaction() as session:
            return journal.entries(session)

    def state(self) -> dict[str, Any]:
        """Everything that it holds, without tokens and link URLs."""
        with self._store.transaction() as session:
            return control.state(session)


def _now() -> datetime:
    return datetime.now(UTC)
