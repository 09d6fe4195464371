"""Codat's own words, made fit to be shown: bounded, harmless, and without anything that we sent in secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Final

from reconciler.codat.errors import ALREADY_QUEUED
from reconciler.codat.reading import Node, WrongShapeError, read
from reconciler.model import Secret

LONGEST: Final = 500
"""Characters of Codat's message that an error keeps."""
LONGEST_ID: Final = 100
"""Characters of a correlation id that an error keeps; a GUID has 36."""
LOOKED_AT: Final = 10 * LONGEST
"""Characters of a message that are looked at before it is cut."""
MASKED: Final = "***"
RUN: Final = 6
"""Characters in a row that count as a repetition of a secret, since a message may cut one short."""


class Mask:
    """Takes secrets out of texts: whole ones of any length, and every run of six characters of longer ones.

    Upper and lower case count as the same. Holds the secrets, so it is never shown or kept in an error.
    """

    __slots__ = ("_runs", "_short")

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        values = [one.reveal().lower() for one in secrets]
        self._runs = frozenset(run for one in values for run in _runs(one))
        self._short = frozenset(one for one in values if 0 < len(one) < RUN)

    def __or__(self, other: Mask) -> Mask:
        both = Mask()
        both._runs = self._runs | other._runs
        both._short = self._short | other._short
        return both

    def __call__(self, text: str) -> str:
        """``text`` with every secret in it as ``***``."""
        low = text.lower()
        shown = text if len(low) == len(text) else low
        hidden = bytearray(len(low))
        for place, length in self._places(low):
            hidden[place : place + length] = b"\x01" * length
        return "".join(
            MASKED if secret else "".join(character for character, _ in run)
            for secret, run in groupby(zip(shown, hidden, strict=True), key=itemgetter(1))
        )

    def _places(self, low: str) -> Iterator[tuple[int, int]]:
        for place, run in enumerate(_runs(low)):
            if run in self._runs:
                yield place, RUN
        for short in self._short:
            for found in re.finditer(re.escape(short), low):
                yield found.start(), len(short)


def _runs(text: str) -> Iterator[str]:
    return (text[start : start + RUN] for start in range(len(text) - RUN + 1))


def harmless(text: str, longest: int) -> str:
    """``text`` on one line, without control or direction characters, at most ``longest`` characters."""
    line = " ".join("".join(one if one.isprintable() else " " for one in text[:LOOKED_AT]).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


@dataclass(frozen=True, slots=True)
class Words:
    """What the body of an error says (https://docs.codat.io/using-the-api/errors)."""

    message: str = ""
    correlation_id: str = ""
    is_codats: bool = False
    """Whether the body is of Codat's form at all; a proxy's page is not."""
    is_already_queued: bool = False


def of(content: bytes, mask: Mask) -> Words:
    """What an error's body says; a body that is not of Codat's form says nothing."""
    try:
        body = read(content)
        error = body.get("error").optional_text() or ""
        correlation_id = body.get("correlationId").optional_text() or ""
        parts = [error.removesuffix("."), *_validation(body), *_detailed_code(body)]
    except WrongShapeError:
        return Words()
    return Words(
        message=harmless(mask("; ".join(dict.fromkeys(filter(None, parts)))[:LOOKED_AT]), LONGEST),
        correlation_id=harmless(mask(correlation_id[:LOOKED_AT]), LONGEST_ID),
        is_codats=bool(error),
        is_already_queued=error.startswith(ALREADY_QUEUED),
    )


def _validation(body: Node) -> list[str]:
    """What is wrong with which field, ``authorization.accessToken: was rejected``."""
    errors = body.get("validation")
    if errors.value is None:
        return []
    return [
        ": ".join(filter(None, (one.get(name).optional_text() for name in ("itemId", "message"))))
        for one in errors.get("errors").items()
    ]


def _detailed_code(body: Node) -> list[str]:
    code = body.get("detailedErrorCode").value
    return [f"detailed error code {code}"] if isinstance(code, int) and code else []
