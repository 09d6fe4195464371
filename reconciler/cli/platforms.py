"""``codat-sync platforms``: list the integrations that the account has."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options import endpoint, endpoint_options, format_option, output, output_options


@click.command(
    epilog="""\b
Examples:
  codat-sync platforms --sandbox
  codat-sync platforms --format json
"""
)
@format_option("text", "json")
@endpoint_options
@output_options
def platforms(format_: str, sandbox: bool, sandbox_file: Path | None, api_url: str | None) -> Exit:
    """List the platforms by name, key, type, whether the account has them enabled, and how they migrate."""
    from reconciler import render
    from reconciler.workflow import platforms as listing

    found = listing.platforms(endpoint(sandbox, sandbox_file, api_url))
    text = (
        render.platforms_json(found) if format_ == "json" else render.platforms_text(found, output().style())
    )
    click.echo(text, nl=False)
    return Exit.OK
