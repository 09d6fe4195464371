"""What the day's quota means for a plan, said before the first write (DESIGN section 9)."""

from __future__ import annotations

from datetime import datetime

from reconciler.codat import Meter
from reconciler.plan import Plan


def forecast(plan: Plan, meter: Meter, now: datetime) -> tuple[str, ...]:
    """What remains of the day, and what that leaves undone; nothing where Codat does not tell.

    The quota is ``1,000 x (1 + active connected companies)`` a day, so a first apply is bound by it
    (https://docs.codat.io/using-the-api/rate-limits).
    """
    spare = meter.spare(now)
    if spare is None or not plan.actions:
        return ()
    reset = f"{meter.reset:%H:%M} UTC" if meter.reset else "00:00 UTC"
    left = f"{meter.remaining:,} requests remain of today's quota, {meter.reserve:,} of them for others"
    enough = f"{left} (limits.reserve)."
    short = (
        f"{left} (limits.reserve): this plan needs {plan.requests:,} and will stop after about {spare:,}. "
        f"Run the same command again after {reset}, when the quota comes back."
    )
    return (enough if plan.requests <= spare else short,)
