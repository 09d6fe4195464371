"""What a CI job is handed in files: values for its next step, and a page for people."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.diagnostics import CodatSyncError, Diagnostic
from reconciler.workflow.command_codes import CommandCode
from reconciler.workflow.opening import opened_to_write

if TYPE_CHECKING:
    from reconciler.outcome import Outcome
    from reconciler.workflow.applying import Applied
    from reconciler.workflow.planning import Planned

Append = Callable[[str], None]


@contextmanager
def opened_outputs(file: Path | None) -> Iterator[Callable[[Mapping[str, Any] | Outcome], None]]:
    """What appends lines ``name=value`` for a CI to ``file``, such as the one that ``$GITHUB_OUTPUT`` names.

    Raises:
        CodatSyncError: the file cannot be opened or written.
    """
    from reconciler import render

    with _opened(file) as append:
        yield lambda result: append(render.github_outputs(result))


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
        planned.plan.document(),
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
