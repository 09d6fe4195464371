"""Prints results in the format that was asked for, and every error as text that one can act on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from reconciler import DEFAULT_SPECS
from reconciler.cli.options import Exit, Output
from reconciler.cli.streams import Echo, for_page, record, said
from reconciler.diagnostics import CodatSyncError, Diagnostic
from reconciler.workflow.command_codes import CommandCode

if TYPE_CHECKING:
    from reconciler.plan import ShownPlan
    from reconciler.workflow.applying import Applied
    from reconciler.workflow.planning import Planned

PLAN_FORMATS: Final = ("text", "json", "markdown", "html")


class Extent(Enum):
    """How much of a plan's text is shown."""

    WHOLE = auto()
    BRIEF = auto()
    """A large one folded on a terminal, where a question follows."""
    SENTENCE = auto()
    """The counts alone: it was reviewed before."""


def show_plan(
    planned: Planned,
    format_: str,
    output: Output,
    *,
    specs: Path = Path(DEFAULT_SPECS),
    err: bool = False,
    echo: Echo = said,
    extent: Extent = Extent.WHOLE,
) -> None:
    """Print a plan to stdout, or to stderr where stdout is for something else; warnings always to stderr.

    ``echo`` prints it.
    """
    from reconciler import render

    if planned.warnings and not output.quiet:
        text = render.diagnostics_text(planned.warnings, output.style(err=True))
        click.echo(text, nl=False, err=True)
    rate = planned.requests_per_minute
    print_plan(
        planned.plan.shown(),
        format_,
        output,
        requests_per_minute=rate,
        notes=planned.forecast,
        specs=specs,
        err=err,
        echo=echo,
        extent=extent,
    )


def print_plan(
    plan: ShownPlan,
    format_: str,
    output: Output,
    *,
    requests_per_minute: int | None,
    notes: tuple[str, ...] = (),
    specs: Path = Path(DEFAULT_SPECS),
    err: bool = False,
    echo: Echo = said,
    extent: Extent = Extent.WHOLE,
) -> None:
    """Print what is shown of a plan; ``specs`` is the directory that a comment is marked with.

    ``extent`` says how much of the text is shown.
    """
    from reconciler import render

    told: dict[str, Any] = {"requests_per_minute": requests_per_minute, "notes": notes}
    style = output.style(err=err)
    if extent is Extent.SENTENCE:
        style = replace(style, quiet=True)
    writers: Mapping[str, Callable[[], str]] = {
        "text": lambda: render.plan_text(plan, style, is_asked=extent is Extent.BRIEF, **told),
        "json": lambda: render.plan_json(plan),
        "markdown": lambda: render.plan_markdown(plan, specs=specs.as_posix(), **told),
        "html": lambda: for_page(render.plan_html(plan, **told)),
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


ISSUES: Final = "https://github.com/codat-sync/codat-sync/issues"


def show_error(error: CodatSyncError, output: Output) -> Exit:
    """Print an error's diagnostics to stderr."""
    from reconciler.render import diagnostics_text

    click.echo(diagnostics_text(error.diagnostics, output.style(err=True)), err=True, nl=False)
    return Exit(error.exit_code)


def show_misuse(error: click.ClickException) -> Exit:
    """Print what is wrong with the command line, as click words it."""
    error.show(sys.stderr)
    return Exit.MISUSED


def show_interrupt() -> Exit:
    """Say that the run was interrupted before anything was being written."""
    click.echo("Interrupted; run the same command again to go on.", err=True)
    return Exit.INTERRUPTED


def show_bug(error: Exception, output: Output) -> Exit:
    """Ask for a report. A bug's own message and values may hold a secret, so neither is shown."""
    click.echo(
        f"codat-sync failed with {type(error).__name__}: this is a bug in codat-sync, not in your specs.\n"
        f"Run the same command again: what was done is not done twice. Please report it at {ISSUES}\n"
        f"with the output of the same command with -v.",
        err=True,
    )
    if output.verbose:
        import traceback

        for frame in traceback.extract_tb(error.__traceback__):
            click.echo(f"  {frame.filename}:{frame.lineno} in {frame.name}", err=True)
    return Exit.ERROR


def show_lost(error: OSError, output: Output) -> Exit:
    """Say that our output got lost; quietly where whoever read it has gone, as ``| head`` does."""
    if isinstance(error, BrokenPipeError):
        return Exit.ERROR
    fix = "what was done is done; run the same command again to see it"
    told = Diagnostic(CommandCode.STDOUT_UNWRITABLE, f"the output cannot be written: {error.strerror}", fix)
    return show_error(CodatSyncError(told), output)


def is_nowhere() -> bool:
    """Whether the directory that the command runs in is not there any more."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def show_nowhere(output: Output) -> Exit:
    """Say that the current directory is gone."""
    fix = "change into a directory that is there, and run the command again"
    return show_error(
        CodatSyncError(
            Diagnostic(CommandCode.DIRECTORY_GONE, "the current directory is not there any more", fix)
        ),
        output,
    )
