"""``codat-sync explain``: why an address is planned as it is, or what a code means."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.completion import complete_address_or_code
from reconciler.cli.exits import Exit
from reconciler.cli.options import (
    context,
    endpoint_options,
    format_option,
    output,
    output_options,
)
from reconciler.model import DEFAULT_SPECS


@click.command(
    epilog="""\b
Examples:
  codat-sync explain unknown-field              what a code means, and what to do
  codat-sync explain acme/books                 which rule applies, and what would change it
  codat-sync explain acme/books specs/ --sandbox
"""
)
@click.argument("name", metavar="ADDRESS|CODE", shell_complete=complete_address_or_code)
@click.argument("specs", type=click.Path(path_type=Path), required=False)
@format_option("text", "json")
@endpoint_options
@output_options
def explain(
    name: str,
    specs: Path | None,
    format_: str,
    sandbox: bool,
    sandbox_file: Path | None,
    api_url: str | None,
) -> Exit:
    """Explain an ADDRESS of SPECS (default: specs/), or what a CODE means.

    A word that is a code is explained as one, offline. To ask about a company of the same key, name
    SPECS too. An address is looked up as plan does it: Codat is read, and nothing is written.
    """
    from reconciler import render
    from reconciler.workflow import catalogue

    entries = [one.document() for one in catalogue.entries_of(name)] if specs is None else []
    if entries:
        text = (
            render.codes_json(entries) if format_ == "json" else render.codes_text(entries, output().style())
        )
    else:
        text = _address(name, specs, format_, sandbox, sandbox_file, api_url)
    click.echo(text, nl=False)
    return Exit.OK


def _address(
    name: str,
    specs: Path | None,
    format_: str,
    sandbox: bool,
    sandbox_file: Path | None,
    api_url: str | None,
) -> str:
    from reconciler import render
    from reconciler.workflow import explaining

    place = context(sandbox, sandbox_file, api_url)
    request = explaining.ExplainRequest(name, specs or Path(DEFAULT_SPECS), place)
    document = explaining.explain(request)
    if format_ == "json":
        return render.explanation_json(document)
    return render.explanation_text(document, output().style())
