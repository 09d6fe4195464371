"""How a result is to be printed, as the caller found or was asked for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Style:
    """The looks of a text. The default is what a pipe gets: plain, and one line for one thing.

    ``width`` is the terminal's, in cells; ``None`` means that nothing is wrapped. ``folds`` where long lists
    are cut for the eye, which scrolls; what a pipe gets is whole. ``encoding`` is the
    stream's: what it cannot hold is shown as an escape, so that printing never fails.
    """

    color: bool = False
    verbose: int = 0
    quiet: bool = False
    width: int | None = None
    encoding: str = "utf-8"
    folds: bool = False
