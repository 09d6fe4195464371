"""Progress of an apply on stderr: what its events add up to, as a bar or as lines.

Nothing is drawn before the run starts, so a question can be asked inside the ``with`` block.
"""

from __future__ import annotations

import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self, TextIO

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Column
from rich.text import Text

from reconciler.outcome import Event, EventType, Result
from reconciler.render.escaping import MESSAGE_LIMIT, encodable, for_terminal
from reconciler.render.layout import Style
from reconciler.render.outcome_view import shared
from reconciler.wording import counted

_MINUTE: Final = 60.0
_TELLING: Final = 5.0
"""Seconds before a rate says anything."""

FAILURES: Final = (Result.FAILED, Result.INCOMPLETE)


@dataclass(slots=True)
class Tally:
    """Counts what ``add`` is told of; ``started`` and every ``now`` are seconds of one clock.

    ``EventType.STARTED`` says in ``data`` how many ``companies`` there are; any event may say how many
    write ``requests`` were sent so far.
    """

    started: float
    companies: int = 0
    done: int = 0
    requests: int = 0
    failed: set[str] = field(default_factory=set)
    """Companies with a failure."""

    def add(self, event: Event) -> None:
        """Count an event."""
        self.requests = max(self.requests, _number(event, "requests"))
        if event.type is EventType.STARTED:
            self.companies = _number(event, "companies")
            self.requests = 0
        elif event.type is EventType.COMPANY_ENDED:
            self.done += 1
        elif event.type is EventType.ACTION_ENDED and event.result in FAILURES and event.address:
            self.failed.add(event.address.company)

    def sentence(self, now: float) -> str:
        """``12 of 40 companies, 1 failed; 480 requests a minute; about 2 minutes left``."""
        total = f" of {self.companies:,}" if self.companies else ""
        noun = "company" if (self.companies or self.done) == 1 else "companies"
        failed = f", {len(self.failed):,} failed" if self.failed else ""
        parts = [f"{self.done:,}{total} {noun}{failed}", self._rate(now), self._left(now)]
        return "; ".join(filter(None, parts))

    def rate(self, now: float) -> int:
        """Write requests a minute; none before that says anything."""
        elapsed = now - self.started
        return round(self.requests * _MINUTE / elapsed) if elapsed >= _TELLING else 0

    def _rate(self, now: float) -> str:
        rate = self.rate(now)
        return f"{counted(rate, 'request')} a minute" if rate else ""

    def _left(self, now: float) -> str:
        remaining = self.companies - self.done
        if not self.done or remaining <= 0 or now - self.started < _TELLING:
            return ""
        minutes = (now - self.started) / self.done * remaining / _MINUTE
        return "less than a minute left" if minutes < 1 else f"about {counted(round(minutes), 'minute')} left"


def _number(event: Event, name: str) -> int:
    found = event.data.get(name, 0)
    return found if isinstance(found, int) else 0


EVERY: Final = 10.0
"""Seconds between two lines where there is no terminal."""

Now = Callable[[], float]


class Observing(ABC):
    """An ``outcome.Observer`` and a context manager; told of waits beneath the client by ``waiting``."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._tally = Tally(now())
        self._told_of: set[Hashable] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._stop()

    def __call__(self, event: Event) -> None:
        """Take note of an event. A stderr that has gone away is no reason to stop an apply."""
        if event.type is EventType.STARTED:
            self._tally = Tally(self._now())
        self._tally.add(event)
        with suppress(OSError):
            self._take(event)

    def waiting(self, seconds: float, why: str) -> None:
        """Name a wait that nobody sends an event for, as the pacer's ``on_wait`` tells of it."""
        self(
            Event(
                type=EventType.WAITING, message=f"waiting {counted(max(round(seconds), 1), 'second')}: {why}"
            )
        )

    def _news(self, event: Event) -> str:
        """The line of an event that is worth one; a failure's is told once for each reason.

        The tally counts the others, and the outcome names them all.
        """
        text = worth_a_line(event)
        if not text or event.type is not EventType.ACTION_ENDED:
            return text
        reason = _reason(event)
        is_new = reason not in self._told_of
        self._told_of.add(reason)
        return text if is_new else ""

    @abstractmethod
    def _take(self, event: Event) -> None:
        """Show what there is to show of an event."""

    def _stop(self) -> None:  # noqa: B027 - only a bar has something to take down
        """Leave the stream as it was."""


def progress(style: Style, *, stream: TextIO | None = None, now: Now = time.monotonic) -> Observing:
    """The observer that suits ``stream`` (stderr); in a log, ``quiet`` leaves failures alone."""
    stream = sys.stderr if stream is None else stream
    console = Console(file=stream, no_color=not style.color, highlight=False, markup=False, emoji=False)
    if stream.isatty() and not console.is_dumb_terminal:
        return Bar(console, now)
    return Lines(stream, now, quiet=style.quiet)


class Lines(Observing):
    """Plain lines: the tally about every ten seconds; waits, stopping and failures at once."""

    def __init__(self, stream: TextIO, now: Now, *, quiet: bool = False) -> None:
        super().__init__(now)
        self._stream = stream
        self._quiet = quiet
        self._told = now()
        self._waiting = ""

    def _take(self, event: Event) -> None:
        if text := self._news(event):
            self._write(text)
        if self._quiet:
            return
        if event.type is EventType.STARTED:
            self._told = self._now()
        if event.type is EventType.WAITING and event.message != self._waiting:
            self._waiting = event.message
            self._write(for_terminal(event.message, MESSAGE_LIMIT))
        if self._now() - self._told >= EVERY:
            self._told = self._now()
            self._write(self._tally.sentence(self._told))

    def _write(self, text: str) -> None:
        self._stream.write(f"{encodable(text, self._stream.encoding or 'utf-8')}\n")
        self._stream.flush()


class _Rows(Progress):
    """The bar, and beneath it the wait that is going on."""

    wait = ""

    def get_renderables(self) -> Iterator[RenderableType]:
        """The rows as rich draws them, four times a second or so."""
        yield self.make_tasks_table(self.tasks)
        if self.wait:
            yield Text(self.wait, "yellow", no_wrap=True, overflow="crop")


class Bar(Observing):
    """A bar that stays at the bottom; failures stay readable above it."""

    def __init__(self, console: Console, now: Now) -> None:
        super().__init__(now)
        self._console = console
        self._progress: _Rows | None = None
        self._task = TaskID(0)

    def _take(self, event: Event) -> None:
        if event.type is EventType.STARTED:
            self._start()
        if text := self._news(event):
            self._print(text, "red")
        if self._progress is not None:
            self._update(self._progress, event)
        elif event.type is EventType.WAITING:
            self._print(for_terminal(event.message, MESSAGE_LIMIT), "yellow")
        if event.type is EventType.ENDED:
            self._stop()

    def _print(self, text: str, look: str) -> None:
        self._console.print(Text(encodable(text, self._console.encoding), look), soft_wrap=True)

    def _start(self) -> None:
        self._stop()
        self._progress = _Rows(
            BarColumn(bar_width=10),
            _text("{task.completed:,}/{task.total:,} companies"),
            _text("{task.fields[failed]}", "red"),
            _text("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
            console=self._console,
            transient=True,
            redirect_stdout=False,  # events may be going there
            redirect_stderr=False,
            get_time=self._now,
        )
        self._task = self._progress.add_task("", total=self._tally.companies, failed="", rate="")
        self._progress.start()

    def _update(self, shown: _Rows, event: Event) -> None:
        wait = for_terminal(event.message, MESSAGE_LIMIT) if event.type is EventType.WAITING else ""
        shown.wait = encodable(wait, self._console.encoding)
        failed, rate = len(self._tally.failed), self._tally.rate(self._now())
        shown.update(
            self._task,
            completed=self._tally.done,
            failed=f"{failed:,} failed" if failed else "",
            rate=f"{rate:,} req/min" if rate else "",
            refresh=bool(wait),
        )

    def _stop(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def _text(form: str, look: str = "none") -> TextColumn:
    """A column of a fixed place in the row: cut where the terminal is narrower, never on a second line."""
    return TextColumn(form, style=look, markup=False, table_column=Column(no_wrap=True, overflow="crop"))


def _reason(event: Event) -> Hashable:
    failure = event.failure
    told = failure.message if failure else event.message
    return event.kind, event.result, failure and failure.code, shared(told)


def worth_a_line(event: Event) -> str:
    """The line of a failure, or of a run that stops early; empty for other events."""
    if event.type is EventType.STOPPING:
        return f"! {for_terminal(event.message, MESSAGE_LIMIT)}"
    if event.type is not EventType.ACTION_ENDED or event.result not in FAILURES:
        return ""
    address = str(event.address or "")
    place = "" if address in event.message else f"{for_terminal(address)}: "
    return f"x {place}{for_terminal(event.message, MESSAGE_LIMIT)}"
