"""Fits a page into a number of bytes: whole entries, important blocks first, the rest counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

_COUNT: Final = 12
"""Bytes kept for a number."""


@dataclass(frozen=True, slots=True)
class Block:
    """Entries between a head and a tail. ``entries`` are whole lines; one is shown whole or not at all.

    ``rank`` says who is served first, the smallest first. ``more`` is the line that takes the place of
    the entries that are left out, with ``{count}`` in it; ``noun`` is what one entry is called.
    """

    rank: int
    noun: str
    entries: tuple[str, ...]
    head: str = ""
    tail: str = ""
    more: str = ""

    def shown(self, count: int) -> str:
        """The block with its first ``count`` entries; empty without any."""
        if not count:
            return ""
        rest = len(self.entries) - count
        more = self.more.format(count=f"{rest:,}") if rest else ""
        return "".join((self.head, *self.entries[:count], more, self.tail))

    def fitting(self, room: int) -> int:
        """How many entries fit into ``room`` bytes, head and tail included."""
        whole = size(self.head) + size(self.tail)
        cut = whole + size(self.more) + _COUNT
        fits = 0
        for position, entry in enumerate(self.entries, 1):
            whole += size(entry)
            cut += size(entry)
            if cut <= room:
                fits = position
        return len(self.entries) if whole <= room else fits


def fit(blocks: Sequence[Block], room: int) -> tuple[tuple[str, ...], dict[str, int]]:
    """The text of each block, in the order given, and how many entries are left out, by noun."""
    texts = [""] * len(blocks)
    left_out: dict[str, int] = {}
    for position in sorted(range(len(blocks)), key=lambda one: blocks[one].rank):
        block = blocks[position]
        count = block.fitting(room)
        texts[position] = block.shown(count)
        room -= size(texts[position])
        if rest := len(block.entries) - count:
            left_out[block.noun] = left_out.get(block.noun, 0) + rest
    return tuple(texts), left_out


def size(text: str) -> int:
    """Bytes of ``text`` in UTF-8, which are never fewer than its characters."""
    return len(text.encode())


def total(texts: Iterable[str]) -> int:
    """Bytes of several texts."""
    return sum(map(size, texts))
