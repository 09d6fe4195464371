"""What a change of the specs causes, and what was due already: two plans, one live state."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from reconciler.model import Desired, Live
from reconciler.plan import Origin, Plan
from reconciler.planner.account import AccountDraft, account_draft, as_it_will_be
from reconciler.planner.actions import Decided, decided
from reconciler.planner.decisions import draft
from reconciler.planner.policy import Policy


def with_origins(plan: Plan, base: Desired | None, live: Live, policy: Policy) -> Plan:
    """Mark each action and attention as pending where the base's specs ask for the very same, or as change.

    An action that the base asks for at the same address in another form is this change's: what
    would be applied is what the change says. Without specs in the base everything is.
    """
    due: defaultdict[tuple[str, str], list[object]] = defaultdict(list)
    noted: set[tuple[str, str]] = set()
    account = account_draft(base, live, policy) if base is not None else None
    drafted = draft(base, live, policy).companies if base is not None else ()
    live = as_it_will_be(account, live, policy)
    shares: list[AccountDraft | Decided] = [decided(one, live, policy) for one in drafted]
    for found in [*shares, *([account] if account else [])]:
        for action in found.actions:
            due[action.kind, str(action.address)].append(action.document())
        noted |= {(note.code, str(note.address)) for note in found.attention}
    return replace(
        plan,
        origins=tuple(
            _origin(action.document() in due[action.kind, str(action.address)]) for action in plan.actions
        ),
        attention_origins=tuple(_origin((note.code, str(note.address)) in noted) for note in plan.attention),
    )


def _origin(is_due: bool) -> Origin:
    return Origin.PENDING if is_due else Origin.CHANGE
