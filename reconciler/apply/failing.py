"""How an action ends other than well: stable codes, and sentences that say how to go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from traceback import extract_tb
from typing import Final

from reconciler.codat.errors import (
    AccountLimitError,
    ApiError,
    NoAnswerError,
    RejectedError,
    ServerFaultError,
    UnreachableError,
)
from reconciler.outcome import Failure, Result


class FailureCode(StrEnum):
    """The codes of failures that are told here; others are those of ``reconciler.codat.errors``."""

    AMBIGUOUS = "ambiguous"
    """Codat has several connections, new since the plan, that a lost create may have made."""
    ANSWER_DIFFERS = "answer-differs"
    """Codat's answer to a write is not what was asked."""
    AUTHORIZE_UNKNOWN = "authorize-unknown"
    """Whether the tokens arrived is not known, and they are not sent again."""
    BUG = "bug"
    CHANGED = "changed-since-plan"
    """Codat's state is not what the plan read."""
    DUPLICATE = "duplicate"
    """Two companies carry the same key."""
    INTERRUPTED = "interrupted"
    """Stopped by Ctrl-C before it was known whether a write took effect."""
    MAX_FAILURES = "max-failures"
    NO_ROOM = "no-room"
    """The company has no room for the tag that shows that tokens were sent."""
    NOT_CREATED = "not-created"
    """Every attempt to create it ended in a fault, and nothing is there."""
    NOT_OURS = "not-ours"
    """The company that an earlier run created no longer carries our key."""
    PLATFORM_STOPPED = "platform-stopped"
    """Several credentials in a row were rejected on the platform."""
    PROTECTED = "protected"
    REJECTED = "rejected"
    SECRET = "secret"  # noqa: S105 - a code
    """A secret could not be resolved, without a code of its own."""
    SYNC_NOT_SEEN = "sync-not-seen"
    """Codat says that a sync is in progress, and its history does not show one that serves."""


RESUME: Final = "run the same command again"
RESUME_REAUTHORIZED: Final = "apply again without --reauthorize, or with it for what failed alone"
"""Where the same command would send tokens again to connections that are Linked by then."""
PLAN_AGAIN: Final = "review a new plan, or run the same command again"

THEN: Final[Mapping[type[ApiError], str]] = {
    NoAnswerError: f"{RESUME}: that is safe, it finds out first what took effect",
    UnreachableError: f"nothing was sent, so {RESUME} when Codat can be reached",
    ServerFaultError: f"{RESUME}: that is safe, it finds out first what took effect",
    RejectedError: f"put right what Codat refuses, then {RESUME}",
    AccountLimitError: f"then {RESUME}",
}
"""How to go on after an error; the first class that fits counts."""


class NotDoneError(Exception):
    """An action that ends other than well, and with it its company."""

    def __init__(self, failure: Failure, result: Result = Result.FAILED) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.result = result


def not_done(
    code: str,
    message: str,
    *,
    then: str = RESUME,
    error: ApiError | None = None,
    result: Result = Result.FAILED,
) -> NotDoneError:
    """The failure that ``message`` tells, with Codat's words where there are some, and how to go on."""
    said = f": {error.summary}" if error else ""
    correlation_id = error.correlation_id if error else ""
    return NotDoneError(Failure(code, f"{message}{said}; {then}", correlation_id), result)


def changed(message: str) -> NotDoneError:
    """The failure that Codat's state is not what the plan read."""
    return not_done(FailureCode.CHANGED, f"since the plan, {message}", then=PLAN_AGAIN)


def differs(field: str, asked: object, got: object) -> NotDoneError:
    """The failure that Codat took a write and answered with something else."""
    return not_done(
        FailureCode.ANSWER_DIFFERS,
        f"Codat took the request, and {field} is '{got}' where '{asked}' was asked for",
        then=f"compare the spec with what Codat keeps, then {RESUME}",
    )


def of_error(error: ApiError) -> Failure:
    """The failure of an action whose request failed."""
    then = next((text for kind, text in THEN.items() if isinstance(error, kind)), f"then {RESUME}")
    return Failure(
        error.code, "; ".join(filter(None, (error.summary, error.fix, then))), error.correlation_id
    )


def of_bug(error: Exception) -> Failure:
    """The failure of an action that met a bug: which and where; its words may hold anything."""
    frames = extract_tb(error.__traceback__)
    where = f" in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return Failure(
        FailureCode.BUG,
        f"a bug in codat-sync ({type(error).__name__}{where}): please report it; {RESUME}: "
        "what is done is not done twice",
    )


def too_many_failed(count: int, limit: int) -> Failure | None:
    """Why nothing further may start after so many companies have failed, if so."""
    if count < limit:
        return None
    noun = "company has" if count == 1 else "companies have"
    return Failure(
        FailureCode.MAX_FAILURES,
        f"{count} {noun} failed, and rollout.maxFailures is {limit}; put them right, then {RESUME}",
    )


def resumed_by(failure: Failure, resume: str) -> Failure:
    """The failure, with what a run that ``--reauthorize`` steers says in the place of ``RESUME``."""
    return replace(failure, message=failure.message.replace(RESUME, resume))


def interrupted() -> Failure:
    """The failure of an action that was cut short with a write behind it."""
    return Failure(
        FailureCode.INTERRUPTED,
        f"interrupted before it was known whether the last request took effect; {RESUME}: it looks first",
    )
