"""The headers of an answer that tell time: its own date, how long to wait, when the quota comes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx


def date(response: httpx.Response, header: str) -> datetime | None:
    """The moment in ``header``, as HTTP or ISO 8601 writes it, in UTC; ``None`` if there is none."""
    text = response.headers.get(header, "").strip()
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(text)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def count(response: httpx.Response, header: str) -> int | None:
    """The whole number in ``header``; ``None`` if there is none."""
    text = response.headers.get(header, "").strip()
    return int(text[:18]) if text.isascii() and text.isdigit() else None


def retry_after(response: httpx.Response, now: datetime) -> float | None:
    """Seconds that ``Retry-After`` asks for, written as seconds or as a date; ``None`` if it says nothing.

    A date is read against the server's own ``Date`` where it sends one, so that a wrong clock here
    does not turn a pause into an hour.
    """
    seconds = count(response, "Retry-After")
    if seconds is not None:
        return float(seconds)
    until = date(response, "Retry-After")
    if until is None:
        return None
    return max(0.0, (until - (date(response, "Date") or now)).total_seconds())


def quota_reset(response: httpx.Response, now: datetime) -> datetime | None:
    """When the daily quota comes back (https://docs.codat.io/using-the-api/rate-limits), if known."""
    told = date(response, "X-Rate-Limit-Reset")
    if told is not None:
        return told
    seconds = retry_after(response, now)
    return (
        None
        if seconds is None
        else now + timedelta(seconds=min(seconds, timedelta(days=366).total_seconds()))
    )
