"""Where ``apply --events`` writes: a file that its owner alone may read, or stdout."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.diagnostics import CodatSyncError, Diagnostic
from reconciler.workflow.command_codes import CommandCode
from reconciler.workflow.opening import opened_to_write

if TYPE_CHECKING:
    from reconciler.render.events import EventsWriter

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
