"""``codat-sync verify``: Codat's end-to-end test for every wanted connection."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options import (
    context,
    duration,
    endpoint_options,
    format_option,
    output,
    output_options,
    specs_argument,
    target_option,
)


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
    sandbox: bool,
    sandbox_file: Path | None,
    api_url: str | None,
) -> Exit:
    """Test each connection that SPECS (default: specs/) want linked, end to end; writes nothing.

    Linked with no reauthorization required, no open error, every data type synced, the first sync
    ended. Exits 1 when one of them is not so.
    """
    from reconciler import render
    from reconciler.workflow import surveying, verifying

    shown = output()
    place = context(sandbox, sandbox_file, api_url, None if shown.quiet else _tell)
    found = verifying.verify(
        verifying.VerifyRequest(surveying.SurveyRequest(specs, place, targets), wait or timedelta())
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
