"""A pure function from desired and live state to a plan: pair, compare, decide by tables, check."""

from reconciler.planner.account import (
    concerns_account,
    marked,
    may_narrow,
    unresolved,
    webhook_address,
)
from reconciler.planner.account_explaining import account_addresses, explained_account
from reconciler.planner.drafts import Draft
from reconciler.planner.explaining import Explanation, addresses, explained
from reconciler.planner.identity import Directory
from reconciler.planner.planning import (
    check_companies,
    check_patterns,
    draft,
    finish,
    make_plan,
    with_origins,
)
from reconciler.planner.policy import Earlier, Policy
from reconciler.planner.reviewing import Stale, as_reviewed, known_from
from reconciler.planner.saved_form import from_document, read_plan, to_document
from reconciler.planner.soundness import PlannerCode, UnsoundPlanError
from reconciler.planner.source_accounts import feeds_to_read
from reconciler.planner.specs_digest import desired_digest

__all__ = [
    "Directory",
    "Draft",
    "Earlier",
    "Explanation",
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
    "desired_digest",
    "draft",
    "explained",
    "explained_account",
    "feeds_to_read",
    "finish",
    "from_document",
    "known_from",
    "make_plan",
    "marked",
    "may_narrow",
    "read_plan",
    "to_document",
    "unresolved",
    "webhook_address",
    "with_origins",
]
