"""Codat's own words, made fit to be shown: bounded, harmless, and without anything that we sent in secret."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Final
from urllib.parse import quote_from_bytes, quote_plus

from reconciler.codat.errors import ALREADY_QUEUED, PRODUCT_BUSY
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
        return Mask((*self._secrets, *other._secrets))

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
        values = [one.reveal() for one in self._secrets]
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
        is_already_queued=error.startswith((ALREADY_QUEUED, PRODUCT_BUSY)),
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
