"""``codat-sync status``: one screen that says how far a migration is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.exits import Exit
from reconciler.cli.failing import show_error
from reconciler.cli.options import (
    batch_options,
    context,
    duration,
    endpoint_options,
    format_option,
    output,
    output_options,
    specs_argument,
    target_option,
)

if TYPE_CHECKING:
    from reconciler.diagnostics import CodatSyncError
    from reconciler.migration import StatusReport


@click.command(
    epilog="""\b
Examples:
  codat-sync status specs/
  codat-sync status specs/ --target 'acme*' --format json
  codat-sync status specs/ --watch 30s
"""
)
@specs_argument
@format_option("text", "json")
@click.option(
    "--watch",
    "every",
    metavar="[DURATION]",
    is_flag=False,
    flag_value="30s",
    callback=duration,
    help="Look again and again until Ctrl-C, with this pause (30s).",
)
@batch_options
@target_option
@endpoint_options
@output_options
def status(
    specs: Path,
    every: timedelta | None,
    format_: str,
    canary: str | None,
    batch: int | None,
    targets: tuple[str, ...],
    sandbox: bool,
    sandbox_file: Path | None,
    api_url: str | None,
) -> Exit:
    """Show how many connections of SPECS (default: specs/) are linked, syncing, waiting, failed or gone.

    For each platform, and for each batch where apply proceeds in batches.
    Reads what a plan reads, and writes nothing. The exit status says only whether it could be read.
    """
    from reconciler.workflow import status as looking

    request = looking.StatusRequest(
        specs=specs,
        context=context(sandbox, sandbox_file, api_url),
        targets=targets,
        canary=canary,
        batch=batch,
    )
    if every is None:
        _show(looking.status(request), format_)
        return Exit.OK
    if not every:
        raise click.BadParameter("a pause of no time would use up the day's quota", param_hint="'--watch'")

    def show(report: StatusReport) -> None:
        if format_ == "text":
            click.clear()
        _show(report, format_)

    looking.watch(request, every, show, lambda error: _missed(error, every))
    return Exit.OK


def _missed(error: CodatSyncError, every: timedelta) -> None:
    """Say that what stands on the screen is older than it should be."""
    show_error(error, output())
    click.echo(f"Looking again in {every.total_seconds():g} seconds.", err=True)


def _show(report: StatusReport, format_: str) -> None:
    from reconciler import render

    text = render.status_json(report) if format_ == "json" else render.status_text(report, output().style())
    click.echo(text, nl=False)
