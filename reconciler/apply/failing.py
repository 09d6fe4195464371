"""How an action ends other than well: stable codes, and sentences that say how to go on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from traceback import extract_tb
from typing import Final
from unicodedata import normalize

from reconciler.codat.errors import (
    ApiError,
    NoAnswerError,
    NotFoundError,
    RejectedError,
    ServerFaultError,
    UnreachableError,
)
from reconciler.fields import is_kept_freely
from reconciler.model import KEY_TAG, LINKS_TAG, WORKSPACE_TAG
from reconciler.outcome import RESUME as RESUME  # noqa: PLC0414 - advice is told with it
from reconciler.outcome import Failure, Result


class FailureCode(StrEnum):
    """The codes of failures that are told here; others are those of ``reconciler.codat.errors``."""

    ACCOUNT_FAILED = "account-failed"
    """The account's own settings come first, and were not all done; so no company was started."""
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
    NORMALISED = "normalised"
    """Codat keeps a text otherwise than it was sent; the company's other actions go on."""
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


RESUME_REAUTHORIZED: Final = "apply again without --reauthorize, or with it for what failed alone"
"""Where the same command would send tokens again to connections that are Linked by then."""


class Then(StrEnum):
    """Every way to go on after a failure. ``{resume}`` is how the run at hand is resumed."""

    THEN_RESUME = "then {resume}"
    LATER = "{resume} later"
    AFTER_KEYS = "{resume} in 90 minutes"
    WHEN_SYNCED = "{resume} when it has ended"
    WHEN_SECRET = "{resume} when the secret is there"  # noqa: S105 - an advice
    WHEN_REACHED = "nothing was sent, so {resume} when Codat can be reached"
    SAFE = "{resume}: that is safe, it finds out first what took effect"
    LOOKS_FIRST = "{resume}: it looks first"
    READS_FIRST = "{resume}: it reads the connection first, and sends nothing to one that is Linked"
    VERIFY_FIRST = "see with verify whether it works, and name it in --reauthorize again only if it does not"
    REFUSED = "put right what Codat refuses, then {resume}"
    REFUSED_CREATE = (
        "put right what Codat refuses, then {resume}; Codat repeats a refusal for 90 minutes, "
        "so it may take that long until it is asked anew"
    )
    CORRECT = "correct the authorization, then {resume}"
    PUT_RIGHT = "put them right, then {resume}"
    PLAN_AGAIN = "review a new plan, or {resume}"
    COMPARE = "compare the spec with what Codat keeps, then {resume}"
    MAKE_ROOM = (
        "take one of its ten tags away (set it to null in the spec), or let the customer link anew, "
        "then review a new plan"
    )
    PIN = "pin the right one by 'id' in the spec, delete the other or take its tags away"
    ADOPT = "adopt it by 'id' in the spec, or delete it and {resume}"
    WITH_PRODUCTS = (
        "where Codat wants a product of every company: say 'createWithProducts: true' in workspace.yaml and "
        "name 'products' in the spec, or set default products in Codat, then {resume}; Codat repeats a "
        "refusal for 90 minutes"
    )
    DELETE_MARK = "delete the mark of the one at Codat, then {resume} in the other"
    ACCOUNT_FIRST = "settle that first, then {resume}"
    UNPROTECT = "set 'protect: false' in its spec and apply that first"
    CANARY = "settle that first, as it says; then {resume}, which begins with this company's check"
    REPORT = "{resume}: what is done is not done twice"
    WRITE_AS_KEPT = "write it in the spec as Codat keeps it; the rest of the company goes on"


OF_ERROR: Final[Mapping[type[ApiError], Then]] = {
    NoAnswerError: Then.SAFE,
    UnreachableError: Then.WHEN_REACHED,
    ServerFaultError: Then.SAFE,
    NotFoundError: Then.PLAN_AGAIN,
    RejectedError: Then.REFUSED,
    ApiError: Then.THEN_RESUME,
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
    then: str,
    error: ApiError | None = None,
    told_by: ApiError | None = None,
    result: Result = Result.FAILED,
) -> NotDoneError:
    """The failure that ``message`` tells, with Codat's words where there are some, and how to go on.

    ``told_by`` is an error whose words ``message`` holds already.
    """
    said = f": {error.summary}" if error else ""
    source = error or told_by
    correlation_id = source.correlation_id if source else ""
    return NotDoneError(Failure(code, f"{message}{said}", correlation_id, then), result)


def changed(message: str) -> NotDoneError:
    """The failure that Codat's state is not what the plan read."""
    return not_done(FailureCode.CHANGED, f"since the plan, {message}", then=Then.PLAN_AGAIN)


def differs(field: str, asked: object, got: object) -> NotDoneError:
    """The failure that Codat took a write and answered with something else."""
    return not_done(
        FailureCode.ANSWER_DIFFERS,
        f"Codat took the request, and {field} is '{got}' where '{asked}' was asked for",
        then=Then.COMPARE,
    )


IDENTITY: Final = frozenset({f"tags.{WORKSPACE_TAG}", f"tags.{KEY_TAG}", f"tags.{LINKS_TAG}"})
"""What a company is known by; Codat keeps it as it was sent, or nothing goes on."""


def is_normalised(path: str, asked: str, got: str) -> bool:
    """Whether Codat keeps a text in its own way: a description as it likes, another in spaces and case."""
    return path not in IDENTITY and (is_kept_freely(path) or _folded(asked) == _folded(got))


def _folded(text: str) -> str:
    return " ".join(normalize("NFKC", text).casefold().split())


def normalised(paths: Iterable[tuple[str, str]]) -> NotDoneError:
    """The failure that Codat keeps these texts otherwise than they were sent."""
    kept = ", ".join(f"{path} as '{got}'" for path, got in paths)
    told = f"Codat took the request, and keeps {kept}"
    return not_done(FailureCode.NORMALISED, told, then=Then.WRITE_AS_KEPT)


def of_error(error: ApiError) -> Failure:
    """The failure of an action whose request failed."""
    then = next(one for kind, one in OF_ERROR.items() if isinstance(error, kind))
    return Failure(
        error.code, "; ".join(filter(None, (error.summary, error.fix))), error.correlation_id, then
    )


def of_bug(error: Exception) -> Failure:
    """The failure of an action that met a bug: which and where; its words may hold anything."""
    frames = extract_tb(error.__traceback__)
    where = f" in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return Failure(
        FailureCode.BUG,
        f"a bug in codat-sync ({type(error).__name__}{where}): please report it",
        then=Then.REPORT,
    )


def too_many_failed(count: int, limit: int) -> Failure | None:
    """Why nothing further may start after so many companies have failed, if so."""
    if count < limit:
        return None
    noun = "company has" if count == 1 else "companies have"
    return Failure(
        FailureCode.MAX_FAILURES,
        f"{count} {noun} failed, and rollout.maxFailures is {limit}",
        then=Then.PUT_RIGHT,
    )


def interrupted() -> Failure:
    """The failure of an action that was cut short with a write behind it."""
    return Failure(
        FailureCode.INTERRUPTED,
        "interrupted before it was known whether the last request took effect",
        then=Then.LOOKS_FIRST,
    )
