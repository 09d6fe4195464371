"""``codat-sync sandbox``: serve the simulated Codat, or empty it."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.exits import Exit
from reconciler.cli.helping import WholeSentences
from reconciler.cli.options import DEFAULT_SANDBOX_FILE, output_options
from reconciler.workflow.sandbox import SERVED_PORT

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
