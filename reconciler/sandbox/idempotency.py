"""Idempotency keys (https://docs.codat.io/using-the-api/write-data/idempotency).

The first answer under a key is kept in the same transaction as what it did, so no crash can part the
two, and is given again for 90 minutes on the sandbox's own clock: errors too, save for a 429, which
releases the key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from reconciler.sandbox.answers import Answer, Call, Problem
from reconciler.sandbox.store import Session
from reconciler.sandbox.timestamps import SECOND

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
