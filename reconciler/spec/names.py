"""Which characters of a company's name Codat keeps (https://docs.codat.io/core-concepts/companies)."""

from __future__ import annotations

import re
from typing import Final

_REMOVED: Final = re.compile(r"[^A-Za-z0-9\s\-',&@.?!]")


def kept_name(name: str) -> str:
    """The name that Codat would keep: it removes other characters without a word."""
    return _REMOVED.sub("", name)


def removed_characters(name: str) -> tuple[str, ...]:
    """The characters that Codat would remove, each once, in order."""
    return tuple(dict.fromkeys(_REMOVED.findall(name)))
