"""A pure function from desired and live state to a plan: pair, compare, decide by tables, check."""

from reconciler.planner.account import (
    concerns_account,
    marked,
    may_narrow,
    unresolved,
    webhook_address,
)
from reconciler.planner.account_explaining import account_addresses, explained_account
from reconciler.planner.connection_states import ConnectionState, states_of
from reconciler.planner.decisions import Draft, draft
from reconciler.planner.desired_document import desired_digest
from reconciler.planner.explaining import Explanation, addresses, explained
from reconciler.planner.identity import Directory
from reconciler.planner.link_states import connection_statuses
from reconciler.planner.origins import with_origins
from reconciler.planner.planner_codes import PlannerCode
from reconciler.planner.planning import check_companies, check_patterns, finish, make_plan
from reconciler.planner.policy import Earlier, Policy
from reconciler.planner.reviewing import Stale, as_reviewed, known_from
from reconciler.planner.soundness import UnsoundPlanError
from reconciler.planner.verifying import CHECKS, Namesakes, evidence_of, needs_history, verified

__all__ = [
    "CHECKS",
    "ConnectionState",
    "Directory",
    "Draft",
    "Earlier",
    "Explanation",
    "Namesakes",
    "PlannerCode",
    "Policy",
    "Stale",
    "UnsoundPlanError",
    "account_addresses",
    "addresses",
    "as_reviewed",
    "check_companies",
    "check_patterns",
    "concerns_account",
    "connection_statuses",
    "desired_digest",
    "draft",
    "evidence_of",
    "explained",
    "explained_account",
    "finish",
    "known_from",
    "make_plan",
    "marked",
    "may_narrow",
    "needs_history",
    "states_of",
    "unresolved",
    "verified",
    "webhook_address",
    "with_origins",
]
