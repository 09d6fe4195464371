"""What ``apply --wait-for-quota`` does: goes on by itself when the day's quota comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from reconciler.codat.errors import QuotaExhaustedError
from reconciler.codat.pacing import Clock
from reconciler.outcome import ActionOutcome, Event, EventType, Observer, Outcome
from reconciler.workflow.applying import Applied, ApplyRequest, apply, known_after, lost_from_sight
from reconciler.workflow.endpoint import run
from reconciler.workflow.planning import Planned

AFTER_RESET: Final = timedelta(minutes=1)
"""How long after the reset to go on: clocks differ."""


def apply_through_quota(
    request: ApplyRequest, *, ask: Callable[[Planned], bool], observer: Observer
) -> Applied:
    """Apply, and as often as the day's quota runs out, wait for the next day's and apply what is left.

    The quota comes back at 00:00 UTC (https://docs.codat.io/using-the-api/rate-limits). What is left is
    planned anew each time, and the first answer of ``ask`` holds for all of it. Tokens that were sent are
    not sent again, whatever ``--reauthorize`` names. Each part has a seed of its own: under the keys of
    the part before, Codat would replay answers for 90 minutes
    (https://docs.codat.io/using-the-api/write-data/idempotency).

    Raises:
        CodatSyncError: as ``apply`` does.
    """
    applied = apply(request, ask=ask, observer=observer)
    unknown: tuple[ActionOutcome, ...] = ()
    while applied.outcome is not None and _is_out_of_quota(applied.outcome):
        unknown += lost_from_sight(applied.planned, applied.outcome)
        known = known_after(applied.planned, applied.outcome)
        _wait_for_reset(request.source.context.clock, observer)
        request = replace(request, seed=request.seed + 1, source=replace(request.source, earlier=known))
        applied = apply(request, ask=lambda _: True, observer=observer)
    return _with_results(applied, unknown)


def _wait_for_reset(clock: Clock, observer: Observer) -> None:
    seconds = until_reset(clock.now())
    left = timedelta(seconds=round(seconds))
    told = f"waiting for the day's quota, which comes back at 00:00 UTC, in {left}"
    observer(Event(type=EventType.WAITING, message=told, data={"seconds": seconds}))
    run(clock.sleep(seconds))


def _with_results(applied: Applied, earlier: Iterable[ActionOutcome]) -> Applied:
    """The last part, with results of earlier ones that it did not come back to."""
    if applied.outcome is None:
        return applied
    again = {(result.kind, result.address) for result in applied.outcome.results}
    left = tuple(result for result in earlier if (result.kind, result.address) not in again)
    return replace(applied, outcome=replace(applied.outcome, results=(*left, *applied.outcome.results)))


def until_reset(now: datetime) -> float:
    """Seconds until the quota is surely back."""
    tomorrow = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return (tomorrow + AFTER_RESET - now).total_seconds()


def _is_out_of_quota(outcome: Outcome) -> bool:
    if outcome.stopped is None or outcome.interrupted:
        return False
    return outcome.stopped.code == QuotaExhaustedError.code
