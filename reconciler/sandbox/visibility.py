"""What listings show: an index may lag behind what was created."""

from __future__ import annotations

from reconciler.sandbox import timestamps
from reconciler.sandbox.settings import read
from reconciler.sandbox.store import Session
from reconciler.sandbox.tagquery import Condition

REQUESTS = "requests"
"""The counter of requests that have come in."""


def of_new(session: Session) -> tuple[int, int]:
    """The moment and the request from which on listings show what is created now."""
    settings = read(session)
    return (
        session.now + timestamps.span(settings["lagSeconds"]),
        _requests(session) + settings["lagRequests"] + 1,
    )


def listed(session: Session) -> Condition:
    """What listings show now."""
    return Condition("visible_at <= ? AND visible_from <= ?", (session.now, _requests(session)))


def _requests(session: Session) -> int:
    return session.counted(REQUESTS, 0)
