"""Parts of a view as one visible line, before a writer escapes it for its own format."""

from __future__ import annotations

from reconciler.render.escaping import for_terminal, quoted
from reconciler.render.view import Names, Part, Parts, Value
from reconciler.wording import listed


def plain(parts: Parts, *, whole_lists: bool = False) -> str:
    """Our words and the values of others, each made visible; long lists are cut unless asked for."""
    return "".join(_shown(one, whole_lists) for one in parts)


def _shown(part: Part, whole_lists: bool) -> str:
    match part:
        case str():
            return part
        case Value(text, quotes):
            return quoted(text) if quotes else for_terminal(text)
        case Names(texts):
            names = [for_terminal(one) for one in texts]
            return listed(names, None) if whole_lists else listed(names)
