"""Codat's JSON, read by someone who knows where in it they stand, and its own words, fit to be shown.

A ``Node`` is a value and its path. It is tolerant where Codat is free to change (members nobody
asks for, members left out or null) and strict where a wrong guess would steer a plan: text that is
no text, a date that is no date. What it says names the path and the kind of thing found there, and
never the value, which may be a customer's.
"""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Final
from urllib.parse import quote_from_bytes, quote_plus

from reconciler.codat.errors import ALREADY_QUEUED, PRODUCT_BUSY
from reconciler.secret_refs import Secret

KIND_OF: Final[Mapping[type, str]] = {
    type(None): "nothing",
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
}


MOST_VALUES: Final = 600_000
"""Values in an answer; what is short on the wire may be large in memory, such as a list of empty objects."""


class WrongShapeError(Exception):
    """An answer is JSON, or meant to be, but not of the shape that Codat documents."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value in a JSON document, and how it was reached; its ``repr`` does not show the value."""

    value: Any = field(repr=False)
    name: str | int = ""
    parent: Node | None = field(default=None, repr=False)

    @property
    def path(self) -> str:
        """The way here from the top of the document: ``results[3].created``."""
        if self.parent is None:
            return str(self.name)
        above = self.parent.path
        if isinstance(self.name, int):
            return f"{above}[{self.name}]"
        return f"{above}.{self.name}" if above else self.name

    def wrong(self, expected: str) -> WrongShapeError:
        """The complaint that here stands something else than ``expected``."""
        found = KIND_OF.get(type(self.value), "something else")
        return WrongShapeError(f"{self.path or 'the whole document'}: expected {expected}, found {found}")

    def get(self, name: str) -> Node:
        """The member ``name``; one that is missing reads like one that is null.

        Raises:
            WrongShapeError: this is not an object.
        """
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        return Node(self.value.get(name), name, self)

    def items(self) -> Iterator[Node]:
        """The elements of a list; null is an empty one.

        Raises:
            WrongShapeError: this is not a list.
        """
        if self.value is None:
            return
        if not isinstance(self.value, list):
            raise self.wrong("a list")
        for index, element in enumerate(self.value):
            yield Node(element, index, self)

    def members(self) -> Iterator[Node]:
        """The members of an object that are not null; null is an empty one.

        Raises:
            WrongShapeError: this is not an object.
        """
        if self.value is None:
            return
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        for name, value in self.value.items():
            if value is not None:
                yield Node(value, name, self)

    def text(self) -> str:
        """The text here, which may be empty.

        Raises:
            WrongShapeError: this is not text.
        """
        if not isinstance(self.value, str):
            raise self.wrong("text")
        return self.value

    def identifier(self) -> str:
        """The text here, which must not be empty.

        Raises:
            WrongShapeError: this is not text, or is empty.
        """
        if not self.text():
            raise WrongShapeError(f"{self.path}: expected an id, found empty text")
        return self.text()

    def optional_text(self) -> str | None:
        """The text here, or ``None`` for null.

        Raises:
            WrongShapeError: this is neither.
        """
        return None if self.value is None else self.text()

    def flag(self, default: bool) -> bool:
        """True or false; null is ``default``.

        Raises:
            WrongShapeError: this is something else.
        """
        if self.value is None:
            return default
        if not isinstance(self.value, bool):
            raise self.wrong("true or false")
        return self.value

    def optional_count(self) -> int | None:
        """A whole number from zero, or ``None`` for null.

        Raises:
            WrongShapeError: this is something else.
        """
        if self.value is None:
            return None
        if isinstance(self.value, bool) or not isinstance(self.value, int) or self.value < 0:
            raise self.wrong("a whole number from 0")
        return self.value

    def moment(self) -> datetime:
        """The date and time here, in UTC.

        Codat writes up to seven decimals (the seventh is dropped), an offset, or no zone at all,
        which means UTC (https://docs.codat.io/core-concepts/companies).

        Raises:
            WrongShapeError: this is no such date.
        """
        try:
            moment = datetime.fromisoformat(self.text())
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise self.wrong("a date and time")

    def optional_moment(self) -> datetime | None:
        """The date and time here, or ``None`` for null and for empty text.

        Raises:
            WrongShapeError: this is something else.
        """
        return None if self.value in (None, "") else self.moment()


def read(content: bytes) -> Node:
    """The JSON document in ``content``.

    Raises:
        WrongShapeError: it is empty, cut, no JSON at all, or of more values than Codat has reason to send.
    """
    if sum(map(content.count, (b",", b"{", b"["))) > MOST_VALUES:
        raise WrongShapeError(f"the answer has more than {MOST_VALUES:,} values")
    try:
        return Node(json.loads(content))
    except (ValueError, RecursionError):
        pass
    raise WrongShapeError("the answer is not JSON" if content else "the answer is empty")


LONGEST: Final = 500
"""Characters of Codat's message that an error keeps."""
LONGEST_ID: Final = 100
"""Characters of a correlation id that an error keeps; a GUID has 36."""
LOOKED_AT: Final = 10 * LONGEST
"""Characters of a message that are looked at before it is cut."""
MASKED: Final = "***"
RUN: Final = 6
"""Characters in a row that count as a repetition of a secret, since a message may cut one short."""
_URL_SAFE: Final = str.maketrans("+/", "-_")


class Mask:
    """Takes secrets out of texts: whole ones of any length, and every run of six characters of longer ones.

    A secret counts in each form that a message may quote it in: base64 of it alone or within something,
    percent-encoded, escaped as in JSON or HTML, hexadecimal. Upper and lower case count as the same. Holds
    the secrets, so it is never shown or kept in an error; what it looks for is made when there is an error.
    """

    __slots__ = ("_secrets",)

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._secrets = tuple(secrets)

    def __or__(self, other: Mask) -> Mask:
        known = {secret.reveal() for secret in self._secrets}
        return Mask((*self._secrets, *(secret for secret in other._secrets if secret.reveal() not in known)))

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
        values = [secret.reveal() for secret in self._secrets]
        forms = {form.lower() for value in values for form in _forms(value)}
        known = {run for form in forms for run in _runs(form)}
        for place, run in enumerate(_runs(low)):
            if run in known:
                yield place, RUN
        for short in {value.lower() for value in values if 0 < len(value) < RUN}:
            for found in re.finditer(re.escape(short), low):
                yield found.start(), len(short)


def _forms(value: str) -> Iterator[str]:
    """``value`` as it is, and as messages quote it; what is shorter than a run is told by itself alone."""
    data = value.encode("utf-8", "surrogatepass")
    yield value
    yield from _in_base64(data)
    yield data.hex()
    for safe in ("", "/", "~()*!'"):
        yield quote_from_bytes(data, safe)
    yield quote_plus(data)
    yield "".join(f"%{byte:02x}" for byte in data)
    for is_ascii in (True, False):
        yield json.dumps(value, ensure_ascii=is_ascii)[1:-1]
    yield json.dumps(value)[1:-1].replace("/", "\\/")
    yield "".join(f"\\u{ord(character):04x}" for character in value)
    yield html.escape(value)


def _in_base64(data: bytes) -> Iterator[str]:
    """The characters that stand for ``data`` alone, wherever in something encoded it begins."""
    for before in range(3):
        encoded = b64encode(bytes(before) + data).decode()
        begins = -(-before * 8 // 6)
        ends = (before + len(data)) * 8 // 6
        for altered in (encoded, encoded.translate(_URL_SAFE)):
            yield altered[begins:ends]


def _runs(text: str) -> Iterator[str]:
    return (text[start : start + RUN] for start in range(len(text) - RUN + 1))


def harmless(text: str, longest: int) -> str:
    """``text`` on one line, without control or direction characters, at most ``longest`` characters."""
    line = " ".join(
        "".join(character if character.isprintable() else " " for character in text[:LOOKED_AT]).split()
    )
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
        is_already_queued=error.startswith((ALREADY_QUEUED, PRODUCT_BUSY)),
    )


def _validation(body: Node) -> list[str]:
    """What is wrong with which field, ``authorization.accessToken: was rejected``."""
    errors = body.get("validation")
    if errors.value is None:
        return []
    return [
        ": ".join(filter(None, (error.get(name).optional_text() for name in ("itemId", "message"))))
        for error in errors.get("errors").items()
    ]


def _detailed_code(body: Node) -> list[str]:
    code = body.get("detailedErrorCode").value
    return [f"detailed error code {code}"] if isinstance(code, int) and code else []
