"""How diagnostics name things: keys and paths that cannot leak a secret, near misses.

In a slip such as ``{accessToken:abc}`` YAML sees one key, so a key may hold what was meant as a
value. Keys are therefore shown only as far as they look like a name, and below ``authorization``
only where the caller knows that the value is a text of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Final

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
    by_lower = {one.lower(): one for one in known}
    found = get_close_matches(word.lower(), by_lower, n=1)
    return by_lower[found[0]] if found else ""


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """The question that offers the near miss, or ``otherwise``."""
    guess = near(word, known)
    return f"did you mean {guess!r}?" if guess else otherwise
