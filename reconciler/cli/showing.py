"""Prints plans and outcomes in the format that was asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from reconciler.cli.options import Output
from reconciler.cli.streams import Echo, for_page, record, said
from reconciler.diagnostics import CodatSyncError, Diagnostic
from reconciler.model import DEFAULT_SPECS
from reconciler.workflow.command_codes import CommandCode
from reconciler.workflow.opening import opened_to_write

if TYPE_CHECKING:
    from reconciler.outcome import Outcome
    from reconciler.workflow.applying import Applied
    from reconciler.workflow.planning import Planned

PLAN_FORMATS: Final = ("text", "json", "markdown", "html")


def show_plan(
    planned: Planned,
    format_: str,
    output: Output,
    *,
    specs: Path = Path(DEFAULT_SPECS),
    err: bool = False,
    echo: Echo = said,
) -> None:
    """Print a plan to stdout, or to stderr where stdout is for something else; warnings always to stderr.

    ``echo`` prints it.
    """
    from reconciler import render

    if planned.warnings and not output.quiet:
        text = render.diagnostics_text(planned.warnings, output.style(err=True))
        click.echo(text, nl=False, err=True)
    rate = planned.requests_per_minute
    show_document(
        planned.plan.document(),
        format_,
        output,
        requests_per_minute=rate,
        notes=planned.forecast,
        specs=specs,
        err=err,
        echo=echo,
    )


def show_document(
    document: Mapping[str, Any],
    format_: str,
    output: Output,
    *,
    requests_per_minute: int,
    notes: tuple[str, ...] = (),
    specs: Path = Path(DEFAULT_SPECS),
    err: bool = False,
    echo: Echo = said,
) -> None:
    """Print a plan's document; ``specs`` is the directory that a comment is marked with."""
    from reconciler import render

    told: dict[str, Any] = {"requests_per_minute": requests_per_minute, "notes": notes}
    writers: Mapping[str, Callable[[], str]] = {
        "text": lambda: render.plan_text(document, output.style(err=err), **told),
        "json": lambda: render.plan_json(document),
        "markdown": lambda: render.plan_markdown(document, specs=specs.as_posix(), **told),
        "html": lambda: for_page(render.plan_html(document, **told)),
    }
    echo(writers[format_](), err=err)


def show_outcome(applied: Applied, format_: str, output: Output, *, err: bool = False) -> None:
    """Print what became of a plan; as JSON to stdout, unless that does not take it."""
    from reconciler import render

    if applied.outcome is None:
        return
    if format_ == "json":
        record(render.outcome_json(applied.outcome, applied.verification))
        return
    text = render.outcome_text(applied.outcome, output.style(err=err), notes=applied.notes)
    if applied.verification is not None:
        text += "\n" + render.verification_text(applied.verification, output.style(err=err))
    record(text, err=err)


@contextmanager
def opened_outputs(file: Path | None) -> Iterator[Callable[[Mapping[str, Any] | Outcome], None]]:
    """What appends lines ``name=value`` for a CI to ``file``, such as the one that ``$GITHUB_OUTPUT`` names.

    It is opened before anything is done, so that no apply is made whose outputs have no place.

    Raises:
        CodatSyncError: the file cannot be opened or written.
    """
    from reconciler import render

    if file is None:
        yield lambda _: None
        return
    try:
        stream = os.fdopen(opened_to_write(file, append=True, mode=0o666), "a", encoding="utf-8")
    except OSError as error:
        raise _unwritable(file, error) from None

    def append(result: Mapping[str, Any] | Outcome) -> None:
        try:
            stream.write(render.github_outputs(result))
            stream.flush()
        except OSError as error:
            raise _unwritable(file, error) from None

    with closing(stream):
        yield append


def _unwritable(file: Path, error: OSError) -> CodatSyncError:
    told = f"{file} cannot be written: {error.strerror}"
    return CodatSyncError(Diagnostic(CommandCode.OUTPUTS_UNWRITABLE, told))
