"""``codat-sync retired``: the secrets that should now be destroyed."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options import (
    context,
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
  codat-sync retired specs/
  codat-sync retired specs/ --target acme --format json
"""
)
@specs_argument
@format_option("text", "json")
@target_option
@endpoint_options
@output_options
def retired(
    specs: Path,
    format_: str,
    targets: tuple[str, ...],
    sandbox: bool,
    sandbox_file: Path | None,
    api_url: str | None,
) -> Exit:
    """List the secret references of SPECS (default: specs/) whose every connection is Linked.

    Codat refreshes those tokens itself, so yours are stale: destroy them. No value is read or shown. A
    secret that another connection still needs is not listed.
    """
    from reconciler import render
    from reconciler.workflow import retired as retiring
    from reconciler.workflow.surveying import SurveyRequest

    request = SurveyRequest(specs, context(sandbox, sandbox_file, api_url), targets)
    found = retiring.retired(request)
    text = (
        render.retired_json(found.secrets)
        if format_ == "json"
        else render.retired_text(found.secrets, output().style(), still_needed=found.still_needed)
    )
    click.echo(text, nl=False)
    return Exit.OK
