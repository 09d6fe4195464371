r"""Text from Codat and from specs is hostile: made visible and short before it reaches a terminal.

A company may be called anything, and so may hold sequences that move the cursor, erase a line, turn the
reading direction round, or hide text in characters without a glyph. All of them are shown as escapes
(``\x1b``, ``\u202e``), so what a reader sees is what is there, and no value can forge a line of ours.
Where a step's output is read for commands, as on GitHub, no value is one.
"""

from __future__ import annotations

import re
from typing import Final

VALUE_LIMIT: Final = 200
"""Characters shown of a name, a tag, an address."""
MESSAGE_LIMIT: Final = 2000
"""Characters shown of a sentence: it may name several ids and lines to write."""

_WITHOUT_GLYPH: Final = re.compile(
    "["
    "\u034f"  # combining grapheme joiner
    "\u115f\u1160\u3164\uffa0"  # Hangul fillers
    "\u17b4\u17b5"  # Khmer inherent vowels
    "\u180b-\u180f"  # Mongolian selectors
    "\u2800"  # blank Braille pattern
    "\ufe00-\ufe0f\U000e0100-\U000e01ef"  # variation selectors
    "]"
)
"""Characters that Unicode calls printable and nobody can see."""
_COMMAND: Final = re.compile(r"\A(\s*):(?=:)|#(?=\[)(?<=##)")
"""What GitHub's runner takes for a command: ``::`` at the start of a line, ``##[`` anywhere in one."""


def for_terminal(text: str, limit: int = VALUE_LIMIT) -> str:
    """``text`` with everything dangerous or invisible as an escape, cut after ``limit`` characters.

    Escaped are control characters, line breaks, bidi controls, zero-width and tag characters, spaces
    other than the common one, surrogates, and what Unicode has not assigned. An escape is never cut in
    two, and counts by its own length.
    """
    if "::" in text or "##[" in text:
        text = _COMMAND.sub(lambda found: f"{found[1] or ''}\\x{ord(found[0][-1]):x}", text)
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    length = 0
    for position, character in enumerate(text):
        visible = character if is_visible(character) else escaped(character)
        length += len(visible)
        if length > limit:
            return f"{''.join(shown)}... [{len(text) - position} more characters]"
        shown.append(visible)
    return "".join(shown)


def quoted(text: str | None) -> str:
    """A value between quotes, so that its ends are plain; ``None`` is ``(none)``, which no value can be."""
    if text is None:
        return "(none)"
    backslashed = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{for_terminal(backslashed)}"'


def is_visible(character: str) -> bool:
    """Whether a character has a glyph of its own, or is the common space."""
    return character.isprintable() and not _WITHOUT_GLYPH.match(character)


def escaped(character: str) -> str:
    r"""A character as Python writes it: ``\n``, ``\x1b``, ``\u202e``, ``\U000e0041``."""
    return character.encode("unicode_escape").decode("ascii")


def encodable(text: str, encoding: str) -> str:
    """``text`` with escapes for what ``encoding`` cannot hold."""
    try:
        return text.encode(encoding, "backslashreplace").decode(encoding)
    except LookupError:
        return text.encode("ascii", "backslashreplace").decode("ascii")
