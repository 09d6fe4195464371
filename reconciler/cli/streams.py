"""The standard streams, as they may really be: closed, broken, full, or in another encoding.

What a command was asked for goes to stdout, and a command whose answer cannot be written has failed. What
is said beside it goes to stderr, and a stderr that cannot be written changes nothing. An apply is not
undone by its output: what stdout does not take of its record goes to stderr.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from typing import Final, Protocol, TextIO

import click

_UNWRITABLE: Final = frozenset(
    {errno.EPIPE, errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO, errno.EBADF, errno.ENXIO}
)
# Nobody reads a closed stdout, and writing to it shall fail as it does elsewhere; stderr takes anything.
_INSTEAD: Final = ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY))


class Aside(io.TextIOWrapper):
    """A stderr that never fails: what it cannot take is lost, and the command goes on."""

    def write(self, text: str, /) -> int:
        """Write ``text``, or lose it."""
        try:
            return super().write(text)
        except OSError:
            discard(self)
            return len(text)

    def flush(self) -> None:
        """Hand over what was written, or lose it."""
        try:
            super().flush()
        except OSError:
            discard(self)


def prepare() -> None:
    """Make the streams of this process such that a command may use them without a thought.

    A closed one is opened on nothing: the next file that is opened would take its number, and our words
    would go into it.
    """
    for number, flags in _INSTEAD:
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)
    sys.stdin = sys.stdin or os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    raw = sys.stderr.buffer if sys.stderr else os.fdopen(2, "wb", closefd=False)
    encoding = sys.stderr.encoding if sys.stderr else "utf-8"
    sys.stderr = Aside(raw, encoding=encoding, errors="backslashreplace", line_buffering=True)


def is_lost_output(error: OSError) -> bool:
    """Whether what failed is our printing: files of ours say themselves that they cannot be written."""
    return error.errno in _UNWRITABLE


def discard(stream: TextIO) -> None:
    """Let whatever is still to be written to ``stream`` go nowhere, or Python would fail at its own end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def let_go() -> None:
    """Drop what waits in a stream that cannot be written."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            discard(stream)


class Echo(Protocol):
    """Prints a text to stdout, or to stderr."""

    def __call__(self, text: str, *, err: bool = False) -> None:
        """Print ``text``."""


def said(text: str, *, err: bool = False) -> None:
    """Print ``text``; a stdout that cannot be written is an error."""
    click.echo(text, nl=False, err=err)


def record(text: str, *, err: bool = False) -> None:
    """Print what must not be lost: to stderr where stdout does not take it, and all that follows too.

    Raises:
        OSError: another failure than of the stream.
    """
    try:
        click.echo(text, nl=False, err=err)
    except OSError as error:
        if err or not is_lost_output(error):
            raise
        let_go()
        sys.stdout = sys.stderr
        click.echo(text, nl=False)


def for_page(text: str) -> str:
    """A page of HTML such that stdout can hold it, and its bytes are those of UTF-8, as the page says."""
    name = codecs.lookup(sys.stdout.encoding or "utf-8").name
    return text if name == "utf-8" else text.encode("ascii", "xmlcharrefreplace").decode("ascii")
