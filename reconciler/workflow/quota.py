"""What ``apply --wait-for-quota`` does: goes on by itself when the day's quota comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from reconciler.codat.errors import QuotaExhaustedError
from reconciler.outcome import Event, EventType, Observer
from reconciler.workflow.applying import Applied, ApplyRequest, apply
from reconciler.workflow.planning import Planned

AFTER_RESET: Final = timedelta(minutes=1)
"""How long after the reset to go on: clocks differ."""


def apply_through_quota(
    request: ApplyRequest, *, ask: Callable[[Planned], bool], observer: Observer
) -> Applied:
    """Apply, and as often as the day's quota runs out, wait for the next day's and apply what is left.

    The quota comes back at 00:00 UTC (https://docs.codat.io/using-the-api/rate-limits). What is left is
    planned anew each time, and the first answer of ``ask`` holds for all of it.

    Raises:
        CodatSyncError: as ``apply`` does.
    """
    applied = apply(request, ask=ask, observer=observer)
    clock = request.source.circumstances.clock
    while _is_out_of_quota(applied):
        seconds = until_reset(clock.now())
        left = timedelta(seconds=round(seconds))
        told = f"waiting for the day's quota, which comes back at 00:00 UTC, in {left}"
        observer(Event(EventType.WAITING, told, data={"seconds": seconds}))
        asyncio.run(clock.sleep(seconds))
        applied = apply(request, ask=lambda _: True, observer=observer)
    return applied


def until_reset(now: datetime) -> float:
    """Seconds until the quota is surely back."""
    tomorrow = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return (tomorrow + AFTER_RESET - now).total_seconds()


def _is_out_of_quota(applied: Applied) -> bool:
    outcome = applied.outcome
    if outcome is None or outcome.stopped is None or outcome.interrupted:
        return False
    return outcome.stopped.code == QuotaExhaustedError.code
