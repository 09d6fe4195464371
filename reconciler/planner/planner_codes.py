"""The codes of what the planner refuses; those of attention stand in ``reconciler.plan``."""

from __future__ import annotations

from enum import StrEnum


class PlannerCode(StrEnum):
    """Why there is no plan. Codes are stable: scripts match them."""

    ACCOUNT_OWNED = "account-owned"
    NO_SUCH_ADDRESS = "no-such-address"
    UNSOUND_PLAN = "unsound-plan"
