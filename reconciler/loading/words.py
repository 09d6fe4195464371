"""Words of specs and of diagnostics: names as Codat keeps them, times, keys that cannot leak a secret.

In a slip such as ``{accessToken:abc}`` YAML sees one key, so a key may hold what was meant as a
value. Keys are therefore shown only as far as they look like a name, and below ``authorization``
only where the caller knows that the value is a text of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

_REMOVED: Final = re.compile(r"[^A-Za-z0-9\s\-',&@.?!]")
_RUNS: Final = re.compile(r"\s+")
_GONE: Final = "\0"
_BETWEEN_WORDS: Final = re.compile(f"(?<=[A-Za-z0-9]){_GONE}+(?=[A-Za-z0-9])")


class NamePolicy(StrEnum):
    """What ``names`` of ``workspace.yaml`` says of characters that Codat would remove."""

    REFUSE = "refuse"
    STRIP = "strip"
    TRANSLITERATE = "transliterate"


def kept_name(name: str) -> str:
    """The name that Codat would keep: it removes other characters without a word."""
    return _REMOVED.sub("", name)


def transliterated(name: str) -> str:
    """The name in letters that Codat keeps: ``Müller GmbH`` is ``Muller GmbH``, ``A/B + C`` is ``A B C``.

    What is taken out between two words becomes one space. A name that Codat keeps stays as it is.
    """
    if kept_name(name) == name:
        return name
    letters = name.translate(
        {ord(character): _in_letters(character) for character in removed_characters(name)}
    )
    return _RUNS.sub(" ", _BETWEEN_WORDS.sub(" ", letters).replace(_GONE, "")).strip()


def _in_letters(character: str) -> str:
    from anyascii import anyascii  # here, because hardly a name needs it

    return _REMOVED.sub(_GONE, anyascii(character) or _GONE)


def _as_written(name: str) -> str:
    return name


SENT: Final[Mapping[NamePolicy, Callable[[str], str]]] = {
    NamePolicy.REFUSE: _as_written,
    NamePolicy.STRIP: kept_name,
    NamePolicy.TRANSLITERATE: transliterated,
}
"""The name that is compared and sent, by policy."""


def removed_characters(name: str) -> tuple[str, ...]:
    """The characters that Codat would remove, each once, in order."""
    return tuple(dict.fromkeys(_REMOVED.findall(name)))


def is_kept(name: str) -> bool:
    """Whether Codat keeps the name as it is, and something of it can be seen."""
    return _REMOVED.search(name) is None and bool(name.strip())


def moment(text: str) -> datetime | None:
    """The moment that an ISO 8601 time with a zone means, in UTC; ``None`` if it is no such time."""
    try:
        read = datetime.fromisoformat(text)
        return read.astimezone(UTC) if read.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


AUTHORIZATION: Final = "authorization"
_LONGEST: Final = 64
_NAME: Final = re.compile(rf"[A-Za-z0-9_.\-]{{0,{_LONGEST}}}")


def shown(key: str) -> str:
    """The part of ``key`` that looks like a name, with an ellipsis where more follows."""
    found = _NAME.match(key)
    name = found[0] if found else ""
    return name if name == key else f"{name}…"


def quoted(text: str) -> str:
    """A value that is no secret, in quotes and not at length."""
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")


def dotted(parts: Sequence[str | int], *, with_fields: bool = False) -> str:
    """The path as diagnostics write it, such as ``companies.acme.connections.books.platform``.

    It ends at ``authorization``; ``with_fields`` goes on to the field's name.
    """
    kept: list[str] = []
    for part in parts:
        kept.append(shown(str(part)))
        if part == AUTHORIZATION and not with_fields:
            break
    return ".".join(kept)


def near(word: str, known: Iterable[str]) -> str:
    """The known word that ``word`` was probably meant to be, or nothing; case does not count."""
    # A misspelt name is seldom, and this is slow to be imported.
    from difflib import get_close_matches

    by_lower = {candidate.lower(): candidate for candidate in known}
    found = get_close_matches(word.lower(), by_lower, n=1)
    return by_lower[found[0]] if found else ""


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """The question that offers the near miss, or ``otherwise``."""
    guess = near(word, known)
    return f"did you mean {guess!r}?" if guess else otherwise


def escape(letter: str) -> str:
    """A character as it is escaped between the double quotes of YAML."""
    code = ord(letter)
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"
