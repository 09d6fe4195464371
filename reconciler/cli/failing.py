"""How a command fails: every error ends here, as text that one can act on and an exit status."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from typing import Final

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options import Output
from reconciler.diagnostics import CodatSyncError, Diagnostic
from reconciler.workflow.codes import Code

_UNWRITABLE: Final = frozenset({errno.EPIPE, errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO})
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


def is_lost_output(error: OSError) -> bool:
    """Whether what failed is our printing: files of ours say themselves that they cannot be written."""
    return error.errno in _UNWRITABLE


def let_go() -> None:
    """Drop what waits in a stream that cannot be written, or Python would fail at its own end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def show_lost(error: OSError, output: Output) -> Exit:
    """Say that our output got lost; quietly where whoever read it has gone, as ``| head`` does."""
    if isinstance(error, BrokenPipeError):
        return Exit.ERROR
    fix = "what was done is done; run the same command again to see it"
    told = Diagnostic(Code.STDOUT_UNWRITABLE, f"the output cannot be written: {error.strerror}", fix)
    return show_error(CodatSyncError(told), output)
