"""Failures that share a reason: told in one sentence, however many there are."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Final, TypeVar

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
