"""What is shown while an apply runs: a bar on a terminal, few lines elsewhere, failures always."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from io import StringIO
from uuid import uuid4

import pytest

from reconciler.kinds import Kind
from reconciler.model import Address
from reconciler.outcome import Event, EventType, Failure, Result
from reconciler.render import Style
from reconciler.render.progress import progress

STARTED = Event(type=EventType.STARTED, message="applying", data={"companies": 40})
WAIT = Event(
    type=EventType.WAITING, message="waiting 30 seconds, until 12:03:20 UTC: Codat asks for fewer requests"
)
STOPPING = Event(type=EventType.STOPPING, message="stopping: 10 companies have failed")
ENDED = Event(type=EventType.ENDED, message="applied")


class Terminal(StringIO):
    """A stream that says it is a terminal, and what it can hold."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Gone(StringIO):
    """A stderr whose reader has gone away."""

    def write(self, _: str) -> int:
        raise BrokenPipeError


class GoneTerminal(Terminal):
    """A terminal that was closed."""

    def write(self, _: str) -> int:
        raise OSError(errno.EIO, "gone")


class Seconds:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


def company_ended(requests: int = 0) -> Event:
    return Event(type=EventType.COMPANY_ENDED, message="acme is done", data={"requests": requests})


def failed(
    result: Result = Result.FAILED, *, company: str = "acme", why: str = "Codat refused the credentials"
) -> Event:
    return Event(
        type=EventType.ACTION_ENDED,
        message=why,
        kind=Kind.CONNECTION_AUTHORIZE,
        address=Address(company, "books"),
        result=result,
        failure=Failure(code="rejected", what=why),
    )


def run(now: Seconds) -> Iterator[Event]:
    """40 companies, one a second, 4 requests each."""
    yield STARTED
    for done in range(1, 41):
        now.time += 1
        yield company_ended(4 * done)
    yield ENDED


def test_where_there_is_no_terminal_a_line_comes_about_every_ten_seconds():
    stream, now = StringIO(), Seconds()
    with progress(Style(), stream=stream, now=now) as observe:
        for event in run(now):
            observe(event)
    assert stream.getvalue().splitlines() == [
        "10 of 40 companies; 240 requests a minute; less than a minute left",
        "20 of 40 companies; 240 requests a minute; less than a minute left",
        "30 of 40 companies; 240 requests a minute; less than a minute left",
        "40 of 40 companies; 240 requests a minute",
    ]


def test_a_short_run_says_nothing():
    stream = StringIO()
    with progress(Style(), stream=stream, now=Seconds()) as observe:
        observe(STARTED)
        observe(company_ended())
        observe(ENDED)
    assert stream.getvalue() == ""


def test_a_long_run_says_how_many_minutes_are_left():
    stream, now = StringIO(), Seconds()
    with progress(Style(), stream=stream, now=now) as observe:
        observe(STARTED)
        now.time = 60
        observe(company_ended())
    assert stream.getvalue() == "1 of 40 companies; about 39 minutes left\n"


def test_the_time_spent_at_the_question_does_not_count():
    stream, now = StringIO(), Seconds()
    with progress(Style(), stream=stream, now=now) as observe:
        now.time = 3600
        observe(STARTED)
        now.time += 1
        observe(company_ended(4))
    assert stream.getvalue() == ""


def test_waits_stopping_and_failures_are_told_at_once():
    stream = StringIO()
    with progress(Style(), stream=stream, now=Seconds()) as observe:
        for event in (STARTED, WAIT, WAIT, failed(), STOPPING):
            observe(event)
    assert stream.getvalue().splitlines() == [
        WAIT.message,
        "x acme/books: Codat refused the credentials",
        "! stopping: 10 companies have failed",
    ]


def test_a_wait_beneath_the_client_is_told_too():
    stream = StringIO()
    with progress(Style(), stream=stream, now=Seconds()) as observe:
        observe.waiting(29.7, "Codat asks for fewer requests")
    assert stream.getvalue() == "waiting 30 seconds: Codat asks for fewer requests\n"


def test_quiet_tells_a_log_of_failures_and_stopping_alone():
    stream, now = StringIO(), Seconds()
    with progress(Style(quiet=True), stream=stream, now=now) as observe:
        for event in (*run(now), WAIT, failed(Result.INCOMPLETE), STOPPING):
            observe(event)
    assert stream.getvalue().splitlines() == [
        "x acme/books: Codat refused the credentials",
        "! stopping: 10 companies have failed",
    ]


def test_quiet_keeps_the_bar_on_a_terminal():
    stream, now = Terminal(), Seconds()
    with progress(Style(quiet=True), stream=stream, now=now) as observe:
        observe(STARTED)
        now.time = 10
        observe(company_ended(40))
        observe(WAIT)
    assert "1/40 companies" in stream.getvalue()


def test_a_reason_is_told_once_while_it_happens():
    stream, now = StringIO(), Seconds()
    with progress(Style(), stream=stream, now=now) as observe:
        observe(STARTED)
        for number in range(11):
            observe(failed(company=f"c{number:02}", why="xero rejected the credentials (400)"))
        observe(failed(company="c11", why=f"since the plan, company {uuid4()} has gone"))
        observe(failed(company="c12", why=f"since the plan, company {uuid4()} has gone"))
        now.time = 20
        observe(company_ended())
    first, second, counts = stream.getvalue().splitlines()
    assert first == "x c00/books: xero rejected the credentials (400)"
    assert second.startswith("x c11/books: since the plan, company ")
    assert counts.startswith("1 of 40 companies, 13 failed")


@pytest.mark.parametrize("width", [60, 80])
def test_the_bar_is_one_row_that_a_terminal_of_sixty_columns_holds(width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    stream, now = Terminal(), Seconds()
    with progress(Style(), stream=stream, now=now) as observe:
        observe(Event(type=EventType.STARTED, message="applying", data={"companies": 1_001}))
        for done in range(1, 1_000):
            now.time += 0.4
            observe(company_ended(4 * done))
            if done % 80 == 0:
                observe(failed(company=f"c{done}", why="refused"))
    row = stream.getvalue().split("\x1b[2K")[-2].rstrip("\n").partition("\n")[0]
    assert row.split() == [
        row.split()[0], "999/1,001", "companies", "12", "failed", "600", "req/min", "00:01",
    ]  # fmt: skip
    assert len(row) <= 60


def test_failed_companies_are_counted_once():
    stream, now = StringIO(), Seconds()
    with progress(Style(), stream=stream, now=now) as observe:
        for event in (STARTED, failed(), failed()):
            observe(event)
        now.time = 20
        observe(company_ended())
    assert "1 of 40 companies, 1 failed" in stream.getvalue()


def test_nothing_is_drawn_on_a_terminal_before_the_run_starts():
    stream = Terminal()
    with progress(Style(color=True), stream=stream, now=Seconds()):
        assert stream.getvalue() == ""


def test_a_terminal_shows_a_bar_with_counts_waits_and_failures_and_takes_it_down():
    stream, now = Terminal(), Seconds()
    with progress(Style(color=True), stream=stream, now=now) as observe:
        observe(STARTED)
        now.time = 10
        observe(company_ended(40))
        observe(failed())
        observe(WAIT)
        now.time = 20
    shown = stream.getvalue()
    assert "x acme/books: Codat refused the credentials" in shown
    assert "1/40 companies" in shown
    assert "1 failed" in shown
    assert "240 req/min" in shown
    assert "waiting 30 seconds" in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("waiting"), "the cursor comes back at the end"


def test_a_terminal_without_colour_still_has_a_bar():
    stream = Terminal()
    with progress(Style(), stream=stream, now=Seconds()) as observe:
        observe(STARTED)
        observe(failed())
    assert "0/40 companies" in stream.getvalue()
    assert "\x1b[31m" not in stream.getvalue()


@pytest.mark.parametrize("variable", ["FORCE_COLOR", "TTY_COMPATIBLE"])
def test_a_log_never_gets_a_bar_whatever_the_environment_says(variable, monkeypatch):
    monkeypatch.setenv(variable, "1")
    stream = StringIO()
    with progress(Style(), stream=stream, now=Seconds()) as observe:
        observe(STARTED)
        observe(company_ended())
    assert stream.getvalue() == ""


def test_a_dumb_terminal_gets_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    with progress(Style(), stream=stream, now=Seconds()) as observe:
        observe(STARTED)
        observe(failed())
    assert stream.getvalue() == "x acme/books: Codat refused the credentials\n"


def test_an_ascii_terminal_gets_ascii():
    stream, now = Terminal(), Seconds()
    stream.encoding = "ascii"
    with progress(Style(), stream=stream, now=now) as observe:
        observe(STARTED)
        observe(Event(type=EventType.WAITING, message="Zoë"))
        observe(company_ended())
    assert stream.getvalue().isascii()


def test_a_wait_before_the_run_starts_is_told_on_a_terminal():
    stream = Terminal()
    with progress(Style(), stream=stream, now=Seconds()) as observe:
        observe.waiting(30, "Codat asks for fewer requests")
    assert stream.getvalue() == "waiting 30 seconds: Codat asks for fewer requests\n"


def test_stdout_is_left_to_results_while_a_bar_is_up():
    before = sys.stdout
    with progress(Style(), stream=Terminal(), now=Seconds()) as observe:
        observe(STARTED)
        assert sys.stdout is before


@pytest.mark.parametrize("stream", [Gone(), GoneTerminal()], ids=["pipe", "terminal"])
def test_a_stderr_that_has_gone_does_not_stop_the_apply(stream):
    with progress(Style(), stream=stream, now=Seconds()) as observe:
        observe(STARTED)
        observe(failed())
