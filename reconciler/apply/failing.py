"""How an action ends other than well: stable codes, and sentences that say how to go on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
from reconciler.outcome import Failure, FailureCode, Result, Then

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
    return NotDoneError(
        Failure(code=code, what=f"{message}{said}", correlation_id=correlation_id, then=then), result
    )


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
    then = next(advice for kind, advice in OF_ERROR.items() if isinstance(error, kind))
    return Failure(
        code=error.code,
        what="; ".join(filter(None, (error.summary, error.fix))),
        correlation_id=error.correlation_id,
        then=then,
    )


def of_bug(error: Exception) -> Failure:
    """The failure of an action that met a bug: which and where; its words may hold anything."""
    frames = extract_tb(error.__traceback__)
    where = f" in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return Failure(
        code=FailureCode.BUG,
        what=f"a bug in codat-sync ({type(error).__name__}{where}): please report it",
        then=Then.REPORT,
    )


def interrupted() -> Failure:
    """The failure of an action that was cut short with a write behind it."""
    return Failure(
        code=FailureCode.INTERRUPTED,
        what="interrupted before it was known whether the last request took effect",
        then=Then.LOOKS_FIRST,
    )
