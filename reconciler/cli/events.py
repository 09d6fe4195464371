"""Where ``apply --events`` writes: a file that its owner alone may read, or stdout."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from reconciler.diagnostics import CodatSyncError, Diagnostic
from reconciler.workflow.codes import Code

if TYPE_CHECKING:
    from reconciler.outcome import Observer

EVENTS_MODE: Final = 0o600


@contextmanager
def opened_events(path: Path | None) -> Iterator[Observer | None]:
    """An observer that writes to ``path``; ``None`` where nobody asked for events.

    A stream that breaks off meanwhile does not stop the apply, and is told of at the end.

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
        path.touch(EVENTS_MODE)
        path.chmod(EVENTS_MODE)
        stream = path.open("w", encoding="utf-8")
    except OSError as error:
        raise CodatSyncError(
            Diagnostic(Code.EVENTS_UNWRITABLE, f"{path} cannot be written: {error.strerror}")
        ) from None
    with stream:
        writer = render.events_writer(stream)
        yield writer
    if writer.failure is not None:
        reason = os.strerror(writer.failure.errno or 0)
        click.echo(f"Warning: {path} holds only a part of the events: {reason}", err=True)
