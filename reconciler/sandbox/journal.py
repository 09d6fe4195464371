"""A record of every write that came in, for tests to ask. No request body is in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from reconciler.sandbox import timestamps
from reconciler.sandbox.answers import Answer, Call
from reconciler.sandbox.store import Session


def note(
    session: Session,
    call: Call,
    answer: Answer,
    *,
    took_effect: bool,
    replayed: bool = False,
    fault: str | None = None,
) -> None:
    """Write down one write and how it was answered."""
    session.run(
        "INSERT INTO journal (at, method, path, key, status, took_effect, replayed, fault, company,"
        " connection, tokens_to_linked) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        session.now,
        call.method,
        call.template,
        call.key,
        answer.status,
        took_effect,
        replayed,
        fault,
        answer.company_id or call.path_ids.get("companyId"),
        answer.connection_id or call.path_ids.get("connectionId"),
        answer.tokens_to_linked,
    )


def entries(session: Session) -> list[dict[str, Any]]:
    """All that was written down, oldest first."""
    return _documents(session.rows("SELECT * FROM journal ORDER BY seq"))


def latest(session: Session, count: int) -> list[dict[str, Any]]:
    """The last ``count`` writes, newest first."""
    return _documents(session.rows("SELECT * FROM journal ORDER BY seq DESC LIMIT ?", count))


def _documents(rows: Iterable[sqlite3.Row]) -> list[dict[str, Any]]:
    return [
        {
            "at": timestamps.text(row["at"]),
            "method": row["method"],
            "path": row["path"],
            "idempotencyKey": row["key"],
            "status": row["status"],
            "tookEffect": bool(row["took_effect"]),
            "replayed": bool(row["replayed"]),
            "fault": row["fault"],
            "companyId": row["company"],
            "connectionId": row["connection"],
            "tokensToLinked": bool(row["tokens_to_linked"]),
        }
        for row in rows
    ]
