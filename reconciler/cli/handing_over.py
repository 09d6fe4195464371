"""``codat-sync handoff``, ``links`` and ``retired``: what others are to do for a migration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli.options import (
    Exit,
    endpoint_options,
    format_option,
    output,
    output_options,
    specs_argument,
    target_option,
)

if TYPE_CHECKING:
    from reconciler.workflow.endpoint import Endpoint

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
    endpoint: Endpoint,
) -> Exit:
    """Write what Codat's team needs to import the tokens of managed migrations.

    A table and a page per platform: companies, ids, counts, platform details, and the six steps with
    who does what. No token and no reference to one is in it.
    """
    from reconciler import render
    from reconciler.workflow import handing_over as handing
    from reconciler.workflow.planning import Context
    from reconciler.workflow.verifying import SurveyRequest

    request = SurveyRequest(specs, Context(endpoint), targets)
    found = handing.handoff(request, out, render.handoff_files)
    click.echo(render.handoff_text(found.packs, str(out)), nl=False)
    return Exit.OK


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
    endpoint: Endpoint,
) -> Exit:
    """Write the link URLs of connections that wait for their customer to a CSV file.

    A URL may carry a one-time password, so treat the file as a secret: send each customer theirs, then
    destroy it.
    """
    from reconciler import render
    from reconciler.workflow import handing_over as linking
    from reconciler.workflow.planning import Context
    from reconciler.workflow.verifying import SurveyRequest

    if str(out) == "-":
        raise click.UsageError("link URLs are not written to stdout; name a file")
    request = SurveyRequest(specs, Context(endpoint), targets)
    found = linking.links(request, out, render.links_csv)
    click.echo(render.links_text(found.links, str(out), not_created=found.not_created), nl=False)
    return Exit.OK


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
    endpoint: Endpoint,
) -> Exit:
    """List the secret references of SPECS (default: specs/) whose every connection is Linked.

    Codat refreshes those tokens itself, so yours are stale: destroy them. No value is read or shown. A
    secret that another connection still needs is not listed.
    """
    from reconciler import render
    from reconciler.workflow import handing_over as retiring
    from reconciler.workflow.planning import Context
    from reconciler.workflow.verifying import SurveyRequest

    request = SurveyRequest(specs, Context(endpoint), targets)
    found = retiring.retired(request)
    text = (
        render.retired_json(found.secrets)
        if format_ == "json"
        else render.retired_text(found.secrets, output().style(), still_needed=found.still_needed)
    )
    click.echo(text, nl=False)
    return Exit.OK
