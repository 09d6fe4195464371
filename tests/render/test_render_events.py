"""Events arrive while an apply runs, one line of JSON each, and never stop it."""

from __future__ import annotations

import json
from io import StringIO

from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.kinds import Kind
from reconciler.model import Address
from reconciler.outcome import Event, EventType, Observer, Result
from reconciler.render import events_writer

FAILED = Event(
    type=EventType.ACTION_ENDED,
    message="Codat refused the credentials",
    kind=Kind.CONNECTION_AUTHORIZE,
    address=Address("acme", "books"),
    result=Result.FAILED,
    data={"requests": 7},
)


class Flushed(StringIO):
    """Shows only what was flushed, as a file does to who reads it."""

    seen = ""

    def flush(self):
        self.seen = self.getvalue()


class Full(StringIO):
    def write(self, _):
        raise OSError(28, "No space left on device")


def test_each_event_can_be_read_at_once():
    stream = Flushed()
    observe: Observer = events_writer(stream)
    for number in range(1, 4):
        observe(FAILED)
        assert stream.seen.count("\n") == number


def test_every_line_carries_the_version_and_a_message():
    stream = StringIO()
    observe = events_writer(stream)
    for event_type in EventType:
        observe(Event(type=event_type, message=f"it is {event_type.value}"))
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["version"] for line in lines] == [1] * len(EventType)
    assert [line["type"] for line in lines] == [event_type.value for event_type in EventType]
    assert all(line["message"] for line in lines)


def test_an_event_is_its_document():
    stream = StringIO()
    events_writer(stream)(FAILED)
    assert json.loads(stream.getvalue()) == FAILED.document()


@given(text=st.text())
@example(text='\n{"type": "ended"}\r\x1b[2J\u2028\u202e\ud800 ##[add-mask]x')
def test_an_event_is_one_line_of_ascii_whatever_it_says(text):
    stream = StringIO()
    events_writer(stream)(
        Event(type=EventType.WAITING, message=text, address=Address(text), data={"why": text})
    )
    written = stream.getvalue()
    assert written.isascii()
    assert written.count("\n") == 1
    assert written[:-1].isprintable()
    assert "##[" not in written


def test_a_full_disk_does_not_stop_an_apply_and_is_not_forgotten():
    observe = events_writer(Full())
    observe(FAILED)
    observe(FAILED)
    assert observe.failure is not None
    assert "No space left" in str(observe.failure)
