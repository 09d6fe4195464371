"""How a run goes on: which tokens it has sent, and what the next one must not send again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reconciler.apply.company_worker import WELL
from reconciler.apply.failing import RESUME_REAUTHORIZED, FailureCode
from reconciler.model import Address, Status
from reconciler.outcome import RESUME, ActionOutcome, Outcome
from reconciler.plan import AuthorizeConnection, Kind
from reconciler.planner import Earlier, known_from
from reconciler.workflow.planning import Planned, PlanRequest, SavedRequest

Source = PlanRequest | SavedRequest


def known_after(planned: Planned, outcome: Outcome) -> Earlier:
    """What a part of a run leaves for the next plan to know."""
    known = known_from(action.document() for action in planned.plan.actions)
    return planned.observed.policy.earlier | known | Earlier(_sent(outcome))


def with_resent(outcome: Outcome, planned: Planned, source: Source) -> Outcome:
    """The outcome, with the connections that the same command would send tokens to again."""
    sent = _sent(outcome) | planned.observed.policy.earlier.sent
    return replace(outcome, resent=_sent_again(sorted(sent), planned, source))


def resume(planned: Planned, source: Source) -> str:
    """How the failures of this run say to go on."""
    sends = (one.address for one in planned.plan.actions if one.kind is Kind.CONNECTION_AUTHORIZE)
    return RESUME_REAUTHORIZED if _sent_again(sends, planned, source) else RESUME


def lost_from_sight(planned: Planned, outcome: Outcome) -> tuple[ActionOutcome, ...]:
    """Results that no later look can settle: new tokens may have reached a connection that was Linked."""
    renewed = {
        one.address
        for one in planned.plan.actions
        if isinstance(one, AuthorizeConnection) and one.reauthorized
    }
    return tuple(one for one in outcome.results if one.address in renewed and _is_unknown(one))


def _is_unknown(one: ActionOutcome) -> bool:
    return one.failure is not None and one.failure.code == FailureCode.AUTHORIZE_UNKNOWN


def _sent(outcome: Outcome) -> frozenset[Address]:
    """Where tokens have arrived, or may have."""
    return frozenset(
        one.address
        for one in outcome.results
        if one.kind is Kind.CONNECTION_AUTHORIZE and (one.result in WELL or _is_unknown(one))
    )


def _sent_again(addresses: Iterable[Address], planned: Planned, source: Source) -> tuple[Address, ...]:
    """Which of these the same command would send tokens to, once they are Linked.

    A saved plan knows which were not Linked when it was reviewed; specs know nothing of an earlier run.
    """
    policy = planned.observed.policy
    known = Earlier(before=policy.earlier.before) if isinstance(source, SavedRequest) else Earlier()
    again = replace(policy, earlier=known)
    return tuple(one for one in addresses if again.reauthorizes(one, Status.LINKED))
