r"""Text that others wrote, in Markdown as GitHub and GitLab read it.

Three contexts, each with its own writer. Within a ``fence`` and a ``code`` span nothing is interpreted,
by the parser or by what runs after it, so only the delimiters matter: they are longer than any run of
backticks inside. ``prose`` is read twice: by the parser, which entities keep from seeing any markup, and
then by filters over the finished text that look for mentions, references, emoji and bare links. Those see
through entities, so what they look for is broken up by a zero-width space after its first character.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from reconciler.render.escaping import MESSAGE_LIMIT, VALUE_LIMIT, for_terminal

_MARKUP: Final = re.compile(r"[\\`*_\[\]<>|~$&]")
"""What may open markup, HTML, an entity or a formula within a line."""
_TRIGGER: Final = re.compile(
    r"@"  # mentions, addresses of mail
    r"|[#!%&~^](?=[\w\"'`*{\[])"  # issues, merge requests, milestones, epics, labels, alerts
    r"|\$(?=\d)"  # snippets
    r"|:(?=//|[\w+-]+:)"  # links, emoji
    r"|\b[Ww]{3}(?=\.)"
    r"|[\w-](?=>)"  # projects
    r"|[\[{](?=[+-])"  # inline differences
    r"|\bGH(?=-\d)",
    re.IGNORECASE,
)
"""Where a filter over finished text would see more than text."""
_BLOCK: Final = re.compile(r"^(?=\s|[-+=#]|\d+[.)])")
"""Before what would open a list, a heading or a block of code at the start of a line."""
_BREAK: Final = "\u200b"
_RUN: Final = re.compile("`+")


def prose(text: str) -> str:
    """A sentence, which may begin a paragraph or an item: it begins no block of its own."""
    shown = _BLOCK.sub(_BREAK, for_terminal(text, MESSAGE_LIMIT))
    broken = _TRIGGER.sub(lambda found: found.group() + _BREAK, shown)
    return _MARKUP.sub(lambda found: f"&#{ord(found.group())};", broken).replace(_BREAK, "&#8203;")


def code(text: str, limit: int = VALUE_LIMIT) -> str:
    """A value as a code span."""
    shown = for_terminal(text, limit) or " "
    mark = "`" * (_longest_run([shown]) + 1)
    pad = " " if shown[0] == "`" or shown[-1] == "`" else ""
    return f"{mark}{pad}{shown}{pad}{mark}"


def fence(lines: Iterable[str]) -> str:
    """The backticks that open and close a block of these lines."""
    return "`" * max(3, _longest_run(lines) + 1)


def _longest_run(texts: Iterable[str]) -> int:
    return max((len(run) for text in texts for run in _RUN.findall(text)), default=0)
