"""``codat-sync handoff``: the pack that Codat's team needs for managed migrations."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options import (
    context,
    endpoint_options,
    output_options,
    specs_argument,
    target_option,
)

DEFAULT_OUT: Final = Path("handoff")


@click.command(
    epilog="""\b
Examples:
  codat-sync handoff specs/
  codat-sync handoff specs/ --target 'acme/*' --out first-company/
"""
)
@specs_argument
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_OUT,
    help="The directory to write, new or empty (default: handoff/).",
)
@target_option
@endpoint_options
@output_options
def handoff(
    specs: Path,
    out: Path,
    targets: tuple[str, ...],
    sandbox: bool,
    sandbox_file: Path | None,
    api_url: str | None,
) -> Exit:
    """Write what Codat's team needs to import the tokens of managed migrations.

    A table and a page per platform: companies, ids, counts, platform details, and the six steps with
    who does what. No token and no reference to one is in it.
    """
    from reconciler import render
    from reconciler.workflow import handoff as handing
    from reconciler.workflow.surveying import SurveyRequest

    request = SurveyRequest(specs, context(sandbox, sandbox_file, api_url), targets)
    found = handing.handoff(request, out, render.handoff_files)
    click.echo(render.handoff_text(found.packs, str(out)), nl=False)
    return Exit.OK
