"""``codat-sync sandbox`` and ``platforms``: the simulated Codat, and the integrations of an account."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import (
    DEFAULT_SANDBOX_FILE,
    Exit,
    WholeSentences,
    endpoint_options,
    format_option,
    output,
    output_options,
)
from reconciler.workflow.sandbox import SERVED_PORT

if TYPE_CHECKING:
    from reconciler.workflow.endpoint import Endpoint

_FILE = click.option(
    "--sandbox-file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEFAULT_SANDBOX_FILE,
    show_default=True,
    help="Where the sandbox keeps its state.",
)


@click.group(cls=WholeSentences)
def sandbox() -> None:
    """The simulated Codat API, for --sandbox and for any client."""


@sandbox.command(
    epilog="""\b
Examples:
  codat-sync sandbox serve --port 8080
  CODAT_API_URL=http://127.0.0.1:8080 CODAT_API_KEY=any codat-sync plan specs/
"""
)
@_FILE
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=SERVED_PORT,
    show_default=True,
    help="0 picks a free port.",
)
@output_options
def serve(sandbox_file: Path, port: int) -> Exit:
    """Serve the sandbox on a loopback port until Ctrl-C."""
    from reconciler.workflow import sandbox as simulated

    simulated.serve_sandbox(
        sandbox_file, port, lambda url: click.echo(f"The sandbox listens on {url}; any API key will do.")
    )
    return Exit.OK


@sandbox.command(
    epilog="""\b
Example:
  codat-sync sandbox reset
"""
)
@_FILE
@output_options
def reset(sandbox_file: Path) -> Exit:
    """Forget everything that the sandbox holds."""
    from reconciler.workflow import sandbox as simulated

    simulated.reset_sandbox(sandbox_file)
    click.echo(f"The sandbox at {sandbox_file} is empty.")
    return Exit.OK


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
def platforms(format_: str, endpoint: Endpoint) -> Exit:
    """List the platforms by name, key, type, whether the account has them enabled, and how they migrate."""
    from reconciler import render
    from reconciler.workflow import endpoint as listing

    found = listing.platforms(endpoint)
    text = (
        render.platforms_json(found) if format_ == "json" else render.platforms_text(found, output().style())
    )
    click.echo(text, nl=False)
    return Exit.OK
