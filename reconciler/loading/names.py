"""What Codat keeps of a company's name (https://docs.codat.io/core-concepts/companies), and what we send."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from anyascii import anyascii

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
