"""``codat-sync show``: print a saved plan."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options import format_option, output, output_options
from reconciler.cli.showing import PLAN_FORMATS, show_document


@click.command(
    epilog="""\b
Examples:
  codat-sync show plan.json
  codat-sync show plan.json --format markdown
"""
)
@click.argument("plan", type=click.Path(path_type=Path, dir_okay=False))
@format_option(*PLAN_FORMATS)
@output_options
def show(plan: Path, format_: str) -> Exit:
    """Print the saved PLAN in any format; a file that was cut or edited is refused."""
    from reconciler.workflow import endpoint, saving

    saved = saving.read(plan)
    rate = endpoint.pace(str(saved.document["api"]), saved.workspace.limits)
    show_document(saved.shown, format_, output(), requests_per_minute=rate, specs=saved.specs)
    return Exit.OK
