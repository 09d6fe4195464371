"""Which actions a change of the specs causes, and which were due already: two plans, one live state."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from reconciler.model import Desired, Live
from reconciler.plan import Origin, Plan
from reconciler.planner.acting import decided
from reconciler.planner.drafting import draft
from reconciler.planner.policy import Policy


def with_origins(plan: Plan, base: Desired | None, live: Live, policy: Policy) -> Plan:
    """Mark each action of ``plan`` as pending where the base's specs ask for the very same, or as change.

    An action that the base asks for at the same address in another form is this change's: what
    would be applied is what the change says. Without specs in the base every action is.
    """
    due: defaultdict[tuple[str, str], list[object]] = defaultdict(list)
    for company in draft(base, live, policy).companies if base is not None else ():
        for action in decided(company, live, policy).actions:
            due[action.kind, str(action.address)].append(action.document())
    origins = tuple(
        Origin.PENDING if action.document() in due[action.kind, str(action.address)] else Origin.CHANGE
        for action in plan.actions
    )
    return replace(plan, origins=origins)
