"""``codat-sync links``: the URLs that customers must go through, into a file."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options import (
    context,
    endpoint_options,
    output_options,
    specs_argument,
    target_option,
)


@click.command(
    epilog="""\b
Examples:
  codat-sync links specs/ --out ../links.csv
  codat-sync links specs/ --target 'acme/*' --out ../acme.csv
"""
)
@specs_argument
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="The file to write, with mode 0600; never over an existing one, never to stdout.",
)
@target_option
@endpoint_options
@output_options
def links(
    specs: Path,
    out: Path,
    targets: tuple[str, ...],
    sandbox: bool,
    sandbox_file: Path | None,
    api_url: str | None,
) -> Exit:
    """Write the link URLs of connections that wait for their customer to a CSV file.

    A URL may carry a one-time password, so treat the file as a secret: send each customer theirs, then
    destroy it.
    """
    from reconciler import render
    from reconciler.workflow import links as linking
    from reconciler.workflow.surveying import SurveyRequest

    if str(out) == "-":
        raise click.UsageError("link URLs are not written to stdout; name a file")
    request = SurveyRequest(specs, context(sandbox, sandbox_file, api_url), targets)
    found = linking.links(request, out, render.links_csv)
    click.echo(render.links_text(found.links, str(out), not_created=found.not_created), nl=False)
    return Exit.OK
