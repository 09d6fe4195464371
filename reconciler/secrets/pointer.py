"""JSON pointers (RFC 6901)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

_INDEX: Final = re.compile(r"0|[1-9][0-9]*")
_LONGEST_INDEX: Final = 9


def steps(pointer: str) -> tuple[str, ...]:
    """The names and indexes that a pointer such as ``/a/0`` goes by."""
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def target(document: Any, names: Iterable[str]) -> Any:
    """What the steps of a pointer lead to in ``document``.

    Raises:
        LookupError: they lead nowhere.
    """
    found = document
    for name in names:
        if isinstance(found, dict):
            found = found[name]
        elif isinstance(found, list) and len(name) <= _LONGEST_INDEX and _INDEX.fullmatch(name):
            found = found[int(name)]
        else:
            raise LookupError
    return found
