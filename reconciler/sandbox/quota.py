"""The daily quota (https://docs.codat.io/using-the-api/rate-limits): it binds where a test asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from reconciler.sandbox import timestamps, visibility
from reconciler.sandbox.answers import Problem
from reconciler.sandbox.settings import read
from reconciler.sandbox.store import Session

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
    session.counted(visibility.REQUESTS)
    if _is_enforced(session) and _spent(session) >= limit(session):
        wait = (_midnight(session) - timestamps.as_datetime(session.now)).total_seconds()
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
    return timestamps.as_datetime(session.now).date().isoformat()


def _midnight(session: Session) -> datetime:
    """When the quota comes back, in UTC."""
    tomorrow = timestamps.as_datetime(session.now) + timedelta(days=1)
    return tomorrow.replace(hour=0, minute=0, second=0, microsecond=0)
