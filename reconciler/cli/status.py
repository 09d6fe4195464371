"""``codat-sync status`` and ``verify``: how far a migration is, and whether it holds."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import (
    Exit,
    batch_options,
    duration,
    endpoint_options,
    format_option,
    output,
    output_options,
    specs_argument,
    target_option,
)
from reconciler.cli.showing import show_error

if TYPE_CHECKING:
    from reconciler.diagnostics import CodatSyncError
    from reconciler.migration import StatusReport
    from reconciler.workflow.endpoint import Endpoint


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
    endpoint: Endpoint,
) -> Exit:
    """Show how many connections of SPECS (default: specs/) are linked, syncing, waiting, failed or gone.

    For each platform, and for each batch where apply proceeds in batches.
    Reads what a plan reads, and writes nothing. The exit status says only whether it could be read.
    """
    from reconciler.workflow import planning
    from reconciler.workflow import status as looking

    request = looking.StatusRequest(
        specs=specs,
        context=planning.Context(endpoint),
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


@click.command(
    epilog="""\b
Examples:
  codat-sync verify specs/
  codat-sync verify specs/ --target acme --wait 15m
  codat-sync verify specs/ --format json
"""
)
@specs_argument
@click.option(
    "--wait",
    metavar="DURATION",
    callback=duration,
    help="Look again until all pass, for at most so long: 90s, 15m, 2h.",
)
@format_option("text", "json")
@target_option
@endpoint_options
@output_options
def verify(
    specs: Path,
    wait: timedelta | None,
    format_: str,
    targets: tuple[str, ...],
    endpoint: Endpoint,
) -> Exit:
    """Test each connection that SPECS (default: specs/) want linked, end to end; writes nothing.

    Linked with no reauthorization required, no open error, every data type synced, the first sync
    ended. Exits 1 when one of them is not so.
    """
    from reconciler import render
    from reconciler.workflow import planning, verifying

    shown = output()
    place = planning.Context(endpoint, on_wait=None if shown.quiet else _tell)
    found = verifying.verify(
        verifying.VerifyRequest(verifying.SurveyRequest(specs, place, targets), wait or timedelta())
    )
    text = (
        render.verification_json(found)
        if format_ == "json"
        else render.verification_text(found, shown.style())
    )
    click.echo(text, nl=False)
    return Exit.OK if found.is_passed else Exit.ERROR


def _tell(seconds: float, why: str) -> None:
    click.echo(f"Waiting {max(round(seconds), 1)} s: {why}.", err=True)
