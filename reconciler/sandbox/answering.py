"""From a call to its answer, in one transaction: quota, key, what the route does, key, journal.

The first answer under a key is kept in the same transaction as what it did, so no crash can part the
two, and is given again for 90 minutes on the sandbox's own clock: errors too, save for a 429, which
releases the key.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from reconciler.sandbox import connections, paging, store
from reconciler.sandbox.answers import Answer, Call, Problem
from reconciler.sandbox.settings import read
from reconciler.sandbox.store import SECOND, Session, Store

READS_KEPT: Final = 1000
"""A read is forgotten after so many further requests; every write is kept."""
_QUERY_KEPT: Final = 200
"""Characters of a read's query."""


def note(
    session: Session,
    call: Call,
    answer: Answer,
    *,
    took_effect: bool,
    replayed: bool = False,
    fault: str | None = None,
) -> None:
    """Write down one request and how it was answered."""
    session.run(
        "INSERT INTO journal (at, method, path, query, is_write, key, status, took_effect, replayed, fault,"
        " company, connection, tokens_to_linked) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        session.now,
        call.method,
        call.template,
        "&".join(f"{name}={value}" for name, value in call.query.items())[:_QUERY_KEPT],
        call.is_write,
        call.key,
        answer.status,
        call.is_write and took_effect,
        replayed,
        fault,
        answer.company_id or call.path_ids.get("companyId"),
        answer.connection_id or call.path_ids.get("connectionId"),
        answer.tokens_to_linked,
    )
    session.run("DELETE FROM journal WHERE seq = last_insert_rowid() - ? AND NOT is_write", READS_KEPT)


def entries(session: Session) -> list[dict[str, Any]]:
    """All writes, oldest first."""
    return _documents(session.rows("SELECT * FROM journal WHERE is_write ORDER BY seq"))


def noted(session: Session, *, only_writes: bool) -> int:
    """How many requests ``latest`` can show."""
    return int(session.value("SELECT count(*) FROM journal WHERE is_write >= ?", only_writes))


def latest(
    session: Session, count: int, skipped: int = 0, *, only_writes: bool = False
) -> list[dict[str, Any]]:
    """``count`` requests after the first ``skipped``, newest first, each with its query."""
    rows = session.rows(
        "SELECT * FROM journal WHERE is_write >= ? ORDER BY seq DESC LIMIT ? OFFSET ?",
        only_writes,
        count,
        skipped,
    )
    return [{**document, "query": row["query"]} for document, row in zip(_documents(rows), rows, strict=True)]


def _documents(rows: Iterable[sqlite3.Row]) -> list[dict[str, Any]]:
    return [
        {
            "at": store.text(row["at"]),
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


PER_ACTIVE_COMPANY: Final = 1000
"""Requests a day for each company with a linked connection, and once more for the client."""


def limit(session: Session) -> int:
    """Requests that may be sent today."""
    own = read(session)["quota"]
    if own is not None:
        return int(own)
    active = session.value("SELECT count(DISTINCT company) FROM connection WHERE status = 'Linked'")
    return int(PER_ACTIVE_COMPANY * (1 + active))


def spend(session: Session) -> None:
    """Count one request.

    Raises:
        Problem: 429, the quota is enforced and used up; such a request is not counted.
    """
    session.counted(paging.REQUESTS)
    if _is_enforced(session) and _spent(session) >= limit(session):
        wait = (_midnight(session) - store.as_datetime(session.now)).total_seconds()
        raise Problem(429, headers={"Retry-After": str(int(wait) + 1)})
    session.run(
        "INSERT INTO spent VALUES (?, 1) ON CONFLICT (day) DO UPDATE SET requests = requests + 1",
        _today(session),
    )


def headers(session: Session) -> Mapping[str, str]:
    """What every answer says about the quota; it does not run down where it is not enforced."""
    most = limit(session)
    spent = _spent(session) if _is_enforced(session) else 0
    return {
        "X-Rate-Limit-Limit": str(most),
        "X-Rate-Limit-Remaining": str(max(0, most - spent)),
        "X-Rate-Limit-Reset": f"{_midnight(session):%Y-%m-%dT%H:%M:%SZ}",
    }


def _is_enforced(session: Session) -> bool:
    settings = read(session)
    return bool(settings["enforceQuota"]) or settings["quota"] is not None


def _spent(session: Session) -> int:
    return int(session.value("SELECT requests FROM spent WHERE day = ?", _today(session)) or 0)


def _today(session: Session) -> str:
    return store.as_datetime(session.now).date().isoformat()


def _midnight(session: Session) -> datetime:
    """When the quota comes back, in UTC."""
    tomorrow = store.as_datetime(session.now) + timedelta(days=1)
    return tomorrow.replace(hour=0, minute=0, second=0, microsecond=0)


METHODS: Final = ("POST", "PATCH")
"""What takes a key; PUT and DELETE ignore it."""
KEPT: Final = 90 * 60 * SECOND
"""How long an answer is given again, in microseconds."""
RELEASING: Final = 429


def key_of(method: str, header: str | None) -> str | None:
    """The key that counts for this request."""
    return header.strip().lower() if header is not None and method in METHODS else None


def recall(session: Session, call: Call) -> Answer | None:
    """The answer that was given under the call's key, if one was.

    Raises:
        Problem: 400, the key is no GUID; 422, the key came with another body, or on another path.
    """
    if call.key is None:
        return None
    _check_guid(call.key)
    session.run("DELETE FROM answer WHERE given <= ?", session.now - KEPT)
    row = session.row("SELECT * FROM answer WHERE key = ?", call.key)
    if row is None:
        return None
    is_same = (row["method"], row["path"]) == (call.method, call.path)
    if not is_same or row["fingerprint"] != _fingerprint(call):
        raise Problem(422)
    return Answer(row["status"], json.loads(row["document"]))


def keep(session: Session, call: Call, answer: Answer) -> None:
    """Keep the first answer under the call's key."""
    if call.key is None or answer.status == RELEASING:
        return
    session.run(
        "INSERT INTO answer VALUES (?, ?, ?, ?, ?, ?, ?)",
        call.method,
        call.path,
        call.key,
        _fingerprint(call),
        answer.status,
        answer.json(call.origin),
        session.now,
    )


def _check_guid(key: str) -> None:
    try:
        UUID(key)
    except ValueError:
        raise Problem(400, invalid={"Idempotency-Key": "must be a GUID"}) from None


def _fingerprint(call: Call) -> bytes:
    """What must be the same under the same key: query and body."""
    query = json.dumps(sorted(call.query.items())).encode()
    return hashlib.blake2b(query + b"\0" + call.body).digest()


class Claims:
    """The keys of requests that are being worked on in this process, which need no place in the file."""

    def __init__(self) -> None:
        self._held: set[tuple[str, str, str]] = set()

    @contextmanager
    def claim(self, method: str, path: str, key: str | None) -> Iterator[bool]:
        """Whether the key is ours while the block runs; it is not where another request holds it."""
        if key is None:
            yield True
            return
        claim = (method, path, key)
        if claim in self._held:
            yield False
            return
        self._held.add(claim)
        try:
            yield True
        finally:
            self._held.remove(claim)


Handler = Callable[[Session, Call], Answer]
"""What a route does. It raises ``Problem`` to take back what it wrote, or returns an answer to keep it."""
SCHEME: Final = "basic "


@dataclass(frozen=True, slots=True)
class ServerFault:
    """A fault inside the server: this answer, whether or not the work is done first."""

    name: str
    status: int
    is_after: bool = False
    retry_after: int | None = None

    def problem(self) -> Problem:
        """The answer that the fault gives."""
        wait = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return Problem(self.status, headers=wait)


def answer_call(store: Store, handler: Handler, call: Call, fault: ServerFault | None = None) -> Answer:
    """The answer; when this returns, all that it did is in the file."""
    with store.transaction() as session:
        call = replace(call, correlation_id=new_correlation_id(session))
        try:
            _admit(session, call)
            replay = recall(session, call)
        except Problem as problem:
            refusal = problem.answer(call.correlation_id)
            note(session, call, refusal, took_effect=False)
            return refusal
        if replay is not None:
            note(session, call, replay, took_effect=False, replayed=True)
            return replay
        answer = _worked(session, handler, call, fault)
        keep(session, call, answer)
        return answer


def new_correlation_id(session: Session) -> str:
    """What Codat's support would ask for."""
    return session.new_id("correlation").replace("-", "")


def _admit(session: Session, call: Call) -> None:
    if not call.authorization.lower().startswith(SCHEME) or not call.authorization[len(SCHEME) :].strip():
        raise Problem(401)
    spend(session)
    connections.notice_refusals(session)


def _worked(session: Session, handler: Handler, call: Call, fault: ServerFault | None) -> Answer:
    """What the route answers, or what the fault makes of it."""
    if fault is not None and not fault.is_after:
        refusal = fault.problem().answer(call.correlation_id)
        note(session, call, refusal, took_effect=False, fault=fault.name)
        return refusal
    worked = _attempted(session, handler, call)
    answer = worked if fault is None else fault.problem().answer(call.correlation_id)
    note(session, call, worked, took_effect=worked.status < 400, fault=None if fault is None else fault.name)
    return answer


def _attempted(session: Session, handler: Handler, call: Call) -> Answer:
    session.run("SAVEPOINT work")
    try:
        answer = handler(session, call)
    except Problem as problem:
        session.run("ROLLBACK TO work")
        answer = problem.answer(call.correlation_id)
    session.run("RELEASE work")
    return answer
