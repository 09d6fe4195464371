"""Events for programs: one line of JSON each, written while an apply runs."""

from __future__ import annotations

from typing import TextIO

from reconciler.outcome import Event
from reconciler.render.documents import as_json


class EventsWriter:
    """An ``outcome.Observer`` that writes each event as a line of ASCII and flushes it.

    Every line carries the format's version. A stream that can no longer be written is no reason to stop
    an apply: ``failure`` keeps the first error, and nothing more is written.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.failure: OSError | None = None

    def __call__(self, event: Event, /) -> None:
        """Write ``event``."""
        if self.failure is not None:
            return
        try:
            self._stream.write(as_json(event.document()) + "\n")
            self._stream.flush()
        except OSError as error:
            self.failure = error


def events_writer(stream: TextIO) -> EventsWriter:
    """An observer that writes to ``stream``, which the caller opens (mode 0600 for a file) and closes."""
    return EventsWriter(stream)
