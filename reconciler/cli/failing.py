"""How a command fails: every error ends here, as text that one can act on and an exit status."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Final

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options import Output
from reconciler.diagnostics import CodatSyncError, Diagnostic
from reconciler.workflow.command_codes import CommandCode

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
