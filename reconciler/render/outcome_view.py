"""What a reader is shown of an outcome: what went wrong first, then what is left, then the counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from reconciler.kinds import Kind
from reconciler.outcome import ActionOutcome, Failure, Outcome, Result
from reconciler.plan import AttentionClass
from reconciler.render.plan_view import attention_clause, attention_groups, verb
from reconciler.render.view import AttentionGroup
from reconciler.wording import clauses, counted, listed

T = TypeVar("T")

_OWN: Final = re.compile(
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b[0-9a-f]{32}\b", re.IGNORECASE
)
"""What tells two failures apart although their reason is one: the ids of what failed."""
_ITS_ID: Final = "(its id)"


def shared(message: str) -> str:
    """``message`` without the ids in it, which is equal for failures of the same reason."""
    return _OWN.sub(_ITS_ID, message)


def sentence_of(messages: Sequence[str]) -> str:
    """The sentence that holds for all of them: as it is where they are equal, else without their ids."""
    return messages[0] if len(set(messages)) == 1 else shared(messages[0])


def by_reason(things: Iterable[T], reason: Callable[[T], Hashable]) -> list[list[T]]:
    """Things gathered by their reason, in the order in which each reason first occurs."""
    found: dict[Hashable, list[T]] = {}
    for thing in things:
        found.setdefault(reason(thing), []).append(thing)
    return list(found.values())


@dataclass(frozen=True, slots=True)
class FailedView:
    """Where an action failed, and what to tell Codat's support."""

    address: str
    correlation_id: str


@dataclass(frozen=True, slots=True)
class ProblemView:
    """Actions that failed, or whose end is not known, for one and the same reason."""

    what: str
    code: str
    message: str
    failed: tuple[FailedView, ...] = ()
    """Where it happened, in the plan's order; none where it is the run that stopped."""
    correlation_id: str = ""
    """What Codat's support asks for, of the first that has one."""

    @property
    def counted(self) -> str:
        """``7 connections``."""
        noun = "connection" if all("/" in failure.address for failure in self.failed) else "company"
        return counted(len(self.failed), noun)


@dataclass(frozen=True, slots=True)
class UnstartedView:
    """Actions that were not started for one and the same reason."""

    why: str
    addresses: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class OutcomeView:
    """Everything that a reader is shown of an outcome, in reading order."""

    problems: tuple[ProblemView, ...]
    unstarted: tuple[UnstartedView, ...]
    stopped: ProblemView | None
    attention: tuple[AttentionGroup, ...]
    notes: tuple[str, ...]
    resume: str
    sentence: str
    is_complete: bool


_RESUME: Final = "To go on, run the same command again: what is done is not done twice."
_SETTLE_FIRST: Final = "Settle what is blocking. "
_NAMED: Final = 5
"""Connections that are named before the rest is counted."""
_SETTLE: Final = "Settle what is blocking, then run the same command again."
_SETTLE_SAVED: Final = (
    "Settle what is blocking, then plan and review again: this plan says what the specs said "
    "when it was made."
)

_BEFORE_IT: Final = "what goes before in the same company"
_PROBLEM: Final = {Result.FAILED: "failed", Result.INCOMPLETE: "is incomplete"}


def outcome_view(outcome: Outcome, notes: Sequence[str] = ()) -> OutcomeView:
    """The view of an outcome."""
    groups = attention_groups(outcome.attention)
    return OutcomeView(
        problems=tuple(_problem(group) for group in by_reason(_problems(outcome), _reason)),
        unstarted=tuple(_unstarted(outcome)),
        stopped=_stopped(outcome),
        attention=groups,
        notes=tuple(notes),
        resume=_resume(outcome),
        sentence=_sentence(outcome, groups),
        is_complete=outcome.is_complete,
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """What an action's failure says; empty where it says nothing."""

    code: str = ""
    message: str = ""
    correlation_id: str = ""

    @classmethod
    def of(cls, failure: Failure | None) -> _Told:
        return cls(failure.code, failure.message, failure.correlation_id) if failure else cls()


def _problems(outcome: Outcome) -> Iterator[ActionOutcome]:
    return (result for result in outcome.results if result.result in _PROBLEM)


def _reason(result: ActionOutcome) -> Hashable:
    failure = _Told.of(result.failure)
    return result.kind, result.result, failure.code, shared(failure.message)


def _problem(group: Sequence[ActionOutcome]) -> ProblemView:
    failures = [_Told.of(result.failure) for result in group]
    return ProblemView(
        what=f"{verb(group[0].kind)} {_PROBLEM[group[0].result]}",
        code=failures[0].code,
        message=sentence_of([failure.message for failure in failures]),
        failed=tuple(
            FailedView(str(result.address), failure.correlation_id)
            for result, failure in zip(group, failures, strict=True)
        ),
        correlation_id=next((failure.correlation_id for failure in failures if failure.correlation_id), ""),
    )


def _stopped(outcome: Outcome) -> ProblemView | None:
    if outcome.stopped is None:
        return None
    stopped = outcome.stopped
    return ProblemView(
        "the run stopped", stopped.code, stopped.message, correlation_id=stopped.correlation_id
    )


def _unstarted(outcome: Outcome) -> Iterator[UnstartedView]:
    """What was not started, gathered by reason, in the plan's order."""
    culprits = {result.address.company: result for result in outcome.results if result.result in _PROBLEM}
    unstarted = (result for result in outcome.results if result.result is Result.NOT_STARTED)

    def why(result: ActionOutcome) -> str:
        return _why_unstarted(result, culprits.get(result.address.company), outcome)

    for actions in by_reason(unstarted, why):
        addresses = tuple(dict.fromkeys(str(action.address) for action in actions))
        culprit = culprits.get(actions[0].address.company)
        reason = why(actions[0])
        if len(addresses) == 1 and culprit is not None:
            reason = reason.replace(_BEFORE_IT, str(culprit.address))
        yield UnstartedView(reason, addresses, len(actions))


def _why_unstarted(result: ActionOutcome, culprit: ActionOutcome | None, outcome: Outcome) -> str:
    if result.failure and result.failure.message:
        return result.failure.message
    if culprit is not None:
        return f"{_BEFORE_IT} {_PROBLEM[culprit.result]}"
    if outcome.interrupted:
        return "interrupted"
    return "the run stopped" if outcome.stopped else ""


def _resume(outcome: Outcome) -> str:
    if outcome.is_complete:
        return ""
    blocking = any(attention.attention_class is AttentionClass.BLOCKING for attention in outcome.attention)
    undone = any(result.result not in (Result.DONE, Result.ALREADY) for result in outcome.results)
    settle = blocking and not undone
    if outcome.resent:
        return f"{_SETTLE_FIRST if settle else ''}{_without_reauthorize(outcome)}"
    if not settle:
        return _RESUME
    return _SETTLE_SAVED if outcome.was_saved else _SETTLE


def _without_reauthorize(outcome: Outcome) -> str:
    """How to go on where the same command would send tokens to connections that work."""
    left = [
        str(result.address)
        for result in outcome.results
        if result.kind is Kind.CONNECTION_AUTHORIZE and result.address not in outcome.resent
    ]
    only = f", or name with it only what is left: {listed(left, _NAMED)}" if left else ""
    sent = counted(len(outcome.resent), "connection")
    return (
        f"To go on, leave --reauthorize out{only}. The same command would send tokens again to {sent} "
        "that may be Linked by now, and break them."
    )


def _sentence(outcome: Outcome, groups: tuple[AttentionGroup, ...]) -> str:
    attending = attention_clause(groups)
    if not outcome.results and not outcome.interrupted and outcome.stopped is None:
        return f"Nothing to do{'; ' if attending else ''}{attending}."
    counts = outcome.counts
    done = ", ".join(
        filter(
            None,
            (
                f"{counts[Result.DONE]:,} done",
                clauses([(counts[Result.ALREADY], "done already")]),
                f"{counts[Result.FAILED]:,} failed",
                clauses([(counts[Result.INCOMPLETE], "incomplete")]),
                f"{counts[Result.NOT_STARTED]:,} not started",
            ),
        )
    )
    how = "Interrupted" if outcome.interrupted else "Stopped" if outcome.stopped else "Applied"
    requests = counted(outcome.requests, "write request")
    return f"{how}: {'; '.join(filter(None, (done, requests, attending)))}."
