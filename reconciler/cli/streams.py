"""The standard streams, as they may really be, and the files that a command writes beside them.

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
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TextIO

import click

from reconciler.diagnostics import CodatSyncError, Diagnostic
from reconciler.workflow.command_codes import CommandCode
from reconciler.workflow.new_files import opened_to_write

if TYPE_CHECKING:
    from reconciler.outcome import Outcome
    from reconciler.plan import Plan
    from reconciler.render.documents import EventsWriter
    from reconciler.workflow.applying import Applied
    from reconciler.workflow.planning import Planned

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


EVENTS_MODE: Final = 0o600


@contextmanager
def opened_events(path: Path | None) -> Iterator[EventsWriter | None]:
    """An observer that writes to ``path``; ``None`` where nobody asked for events.

    A stream that breaks off meanwhile does not stop the apply; ``check_whole`` tells of it at the end.

    Raises:
        CodatSyncError: the file cannot be opened.
    """
    from reconciler import render

    if path is None:
        yield None
        return
    if str(path) == "-":
        yield render.events_writer(sys.stdout)
        return
    try:
        stream = os.fdopen(opened_to_write(path, mode=EVENTS_MODE), "w", encoding="utf-8")
    except OSError as error:
        raise CodatSyncError(
            Diagnostic(CommandCode.EVENTS_UNWRITABLE, f"{path} cannot be written: {error.strerror}")
        ) from None
    writer = render.events_writer(stream)
    try:
        yield writer
    finally:
        try:
            stream.close()
        except OSError as error:
            writer.failure = writer.failure or error


def check_whole(path: Path | None, writer: EventsWriter | None) -> None:
    """Fail where events got lost, once the outcome has been told.

    Raises:
        CodatSyncError: the stream could not be written to its end.
    """
    if writer is None or writer.failure is None:
        return
    where = "stdout" if str(path) == "-" else path
    reason = os.strerror(writer.failure.errno or 0)
    fix = "what the apply did is done, and told above"
    raise CodatSyncError(
        Diagnostic(CommandCode.EVENTS_UNWRITABLE, f"{where} holds only a part of the events: {reason}", fix)
    )


Append = Callable[[str], None]


@contextmanager
def opened_outputs(file: Path | None) -> Iterator[Callable[[Plan | Outcome], None]]:
    """What appends lines ``name=value`` for a CI to ``file``, such as the one that ``$GITHUB_OUTPUT`` names.

    Raises:
        CodatSyncError: the file cannot be opened or written.
    """
    from reconciler import render
    from reconciler.plan import Plan

    if file is None:
        yield lambda _: None
        return
    with _opened(file) as append:
        yield lambda result: append(
            render.github_outputs(result.shown() if isinstance(result, Plan) else result)
        )


@contextmanager
def opened_summary(file: Path | None, command: str) -> Iterator[Append]:
    """What appends a page to ``file``, such as the one that ``$GITHUB_STEP_SUMMARY`` names.

    Where the command fails within, the page says why.

    Raises:
        CodatSyncError: the file cannot be opened or written.
    """
    from reconciler import render

    with _opened(file) as append:
        try:
            yield append
        except CodatSyncError as error:
            append(render.errors_markdown(command, error.diagnostics))
            raise


def plan_page(planned: Planned, specs: Path) -> str:
    """The page of a plan: what a comment says of it."""
    from reconciler import render

    return render.plan_markdown(
        planned.plan.shown(),
        specs=specs.as_posix(),
        requests_per_minute=planned.requests_per_minute,
        notes=planned.forecast,
    )


def outcome_page(applied: Applied, specs: Path, *, is_reviewed: bool) -> str:
    """The page of an apply; a plan that was reviewed is not in it again."""
    from reconciler import render

    plan = plan_page(applied.planned, specs)
    if applied.outcome is None:
        return plan
    verified = applied.verification
    return render.outcome_markdown(
        applied.outcome,
        applied.notes,
        verified=render.verification_text(verified, render.Style()) if verified else "",
        plan="" if is_reviewed else plan,
    )


@contextmanager
def _opened(file: Path | None) -> Iterator[Append]:
    """What appends to ``file``, opened before anything is done: no result is left without its place."""
    if file is None:
        yield lambda _: None
        return
    try:
        stream = os.fdopen(opened_to_write(file, append=True, mode=0o666), "a", encoding="utf-8")
    except OSError as error:
        raise _unwritable(file, error) from None

    def append(text: str) -> None:
        try:
            stream.write(text)
            stream.flush()
        except OSError as error:
            raise _unwritable(file, error) from None

    with closing(stream):
        yield append


def _unwritable(file: Path, error: OSError) -> CodatSyncError:
    told = f"{file} cannot be written: {error.strerror}"
    return CodatSyncError(Diagnostic(CommandCode.OUTPUTS_UNWRITABLE, told))
