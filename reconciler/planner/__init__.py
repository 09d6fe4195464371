"""A pure function from desired and live state to a plan: pair, compare, decide by tables, check."""

from reconciler.planner.desired_document import desired_digest
from reconciler.planner.drafting import Draft, draft
from reconciler.planner.identity import Directory
from reconciler.planner.origins import with_origins
from reconciler.planner.planning import finish, make_plan
from reconciler.planner.policy import Policy
from reconciler.planner.reviewing import Stale, as_reviewed
from reconciler.planner.soundness import UnsoundPlanError

__all__ = [
    "Directory",
    "Draft",
    "Policy",
    "Stale",
    "UnsoundPlanError",
    "as_reviewed",
    "desired_digest",
    "draft",
    "finish",
    "make_plan",
    "with_origins",
]
