"""A pure function from desired and live state to a plan: pair, compare, decide by tables, check."""

from reconciler.planner.drafting import Draft, draft
from reconciler.planner.identity import Directory
from reconciler.planner.planning import finish, make_plan
from reconciler.planner.policy import Policy
from reconciler.planner.soundness import UnsoundPlanError

__all__ = ["Directory", "Draft", "Policy", "UnsoundPlanError", "draft", "finish", "make_plan"]
