"""JSON pointers (RFC 6901)."""

from __future__ import annotations

import re
from typing import Any, Final

_INDEX: Final = re.compile(r"0|[1-9][0-9]*")
_LONGEST_INDEX: Final = 9


def target(document: Any, pointer: str) -> Any:
    """What ``pointer`` (such as ``/a/0``) leads to in ``document``.

    Raises:
        LookupError: it leads nowhere.
    """
    found = document
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict):
            found = found[name]
        elif isinstance(found, list) and len(name) <= _LONGEST_INDEX and _INDEX.fullmatch(name):
            found = found[int(name)]
        else:
            raise LookupError
    return found
