"""What the day's quota means for a plan, said before the first write."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from reconciler.codat import Meter
from reconciler.plan import Action, AuthorizeConnection, CreateConnection, DeleteConnection, Kind, Plan

LOOKS: Final[Mapping[Kind, int]] = dict.fromkeys(Kind, 0) | {
    Kind.WEBHOOK_CREATE: 1,
    Kind.WEBHOOK_DELETE: 1,
    Kind.PROFILE_UPDATE: 1,
    Kind.PROFILE_SYNC_SETTINGS: 2,
    Kind.COMPANY_ADOPT: 1,
    Kind.COMPANY_UPDATE: 1,
    Kind.COMPANY_SYNC_SETTINGS: 2,
    Kind.COMPANY_DELETE: 1,
    Kind.CONNECTION_UNLINK: 1,
    Kind.CONNECTION_DELETE: 1,
}
"""Reads that an action makes where all goes well: a look before it writes, and at settings afterwards too."""


def forecast(plan: Plan, meter: Meter, now: datetime, *, again: str) -> tuple[str, ...]:
    """What remains of the day, and what that leaves undone; nothing where Codat does not tell.

    The quota is ``1,000 x (1 + active connected companies)`` a day, so a first apply is bound by it
    (https://docs.codat.io/using-the-api/rate-limits). It counts reads as well as writes. ``again`` says how
    to go on.
    """
    spare = meter.spare(now)
    if spare is None or not plan.actions:
        return ()
    looks = sum(map(_looks, plan.actions))
    needed = plan.requests + looks
    reset = f"{meter.reset:%H:%M} UTC" if meter.reset else "00:00 UTC"
    left = f"{meter.remaining:,} requests remain of today's quota, {meter.reserve:,} of them for others"
    enough = f"{left} (limits.reserve)."
    reading = f" ({plan.requests:,} to write, {looks:,} to look)" if looks else ""
    short = (
        f"{left} (limits.reserve): this plan needs {needed:,}{reading} and will stop after about {spare:,}. "
        f"{again[0].upper()}{again[1:]} after {reset}, when the quota comes back."
    )
    return (enough if needed <= spare else short,)


def _looks(action: Action) -> int:
    """Reads that the action makes; what this plan creates itself needs no look."""
    is_known = isinstance(action, AuthorizeConnection) and action.observed is not None
    is_recorded = isinstance(action, CreateConnection | DeleteConnection) and bool(action.links)
    return LOOKS[action.kind] + is_known + is_recorded
