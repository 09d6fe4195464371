"""From a call to its answer, in one transaction: quota, key, what the route does, key, journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from reconciler.sandbox import connections, idempotency, journal, quota
from reconciler.sandbox.answers import Answer, Call, Problem
from reconciler.sandbox.store import Session, Store

Handler = Callable[[Session, Call], Answer]
"""What a route does. It raises ``Problem`` to take back what it wrote, or returns an answer to keep it."""
SCHEME: Final = "basic "


@dataclass(frozen=True, slots=True)
class ServerFault:
    """A fault inside the server: this answer, whether or not the work is done first."""

    name: str
    status: int
    is_after: bool = False
    retry_after: int | None = None

    def problem(self) -> Problem:
        """The answer that the fault gives."""
        wait = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return Problem(self.status, headers=wait)


def answer_call(store: Store, handler: Handler, call: Call, fault: ServerFault | None = None) -> Answer:
    """The answer; when this returns, all that it did is in the file."""
    with store.transaction() as session:
        call = replace(call, correlation_id=new_correlation_id(session))
        try:
            _admit(session, call)
            replay = idempotency.recall(session, call)
        except Problem as problem:
            refusal = problem.answer(call.correlation_id)
            _note(session, call, refusal, took_effect=False)
            return refusal
        if replay is not None:
            _note(session, call, replay, took_effect=False, replayed=True)
            return replay
        answer = _worked(session, handler, call, fault)
        idempotency.keep(session, call, answer)
        return answer


def new_correlation_id(session: Session) -> str:
    """What Codat's support would ask for."""
    return session.new_id("correlation").replace("-", "")


def _admit(session: Session, call: Call) -> None:
    if not call.authorization.lower().startswith(SCHEME) or not call.authorization[len(SCHEME) :].strip():
        raise Problem(401)
    quota.spend(session)
    connections.notice_refusals(session)


def _worked(session: Session, handler: Handler, call: Call, fault: ServerFault | None) -> Answer:
    """What the route answers, or what the fault makes of it."""
    if fault is not None and not fault.is_after:
        refusal = fault.problem().answer(call.correlation_id)
        _note(session, call, refusal, took_effect=False, fault=fault.name)
        return refusal
    worked = _attempted(session, handler, call)
    answer = worked if fault is None else fault.problem().answer(call.correlation_id)
    _note(session, call, worked, took_effect=worked.status < 400, fault=None if fault is None else fault.name)
    return answer


def _attempted(session: Session, handler: Handler, call: Call) -> Answer:
    session.run("SAVEPOINT work")
    try:
        answer = handler(session, call)
    except Problem as problem:
        session.run("ROLLBACK TO work")
        answer = problem.answer(call.correlation_id)
    session.run("RELEASE work")
    return answer


def _note(
    session: Session,
    call: Call,
    answer: Answer,
    *,
    took_effect: bool,
    replayed: bool = False,
    fault: str | None = None,
) -> None:
    if call.is_write:
        journal.note(session, call, answer, took_effect=took_effect, replayed=replayed, fault=fault)
