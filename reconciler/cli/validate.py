"""``codat-sync validate``: check specs offline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options import format_option, output, output_options, specs_argument
from reconciler.diagnostics import Severity


@click.command(
    epilog="""\b
Examples:
  codat-sync validate
  codat-sync validate specs/ --format sarif > specs.sarif
"""
)
@specs_argument
@format_option("text", "json", "sarif", "github")
@click.option("--sandbox", is_flag=True, help="Check as for the sandbox, where a workspace needs no name.")
@output_options
def validate(specs: Path, format_: str, sandbox: bool) -> Exit:
    """Check SPECS (default: specs/) without a request; every error at once, each with its place."""
    from reconciler import render
    from reconciler.wording import counted
    from reconciler.workflow import catalogue, validating

    found = validating.validate(specs, sandbox=sandbox)
    writers: Mapping[str, Callable[[], str]] = {
        "text": lambda: render.diagnostics_text(found.diagnostics, output().style()),
        "json": lambda: render.diagnostics_json(found.diagnostics),
        "sarif": lambda: render.diagnostics_sarif(found.diagnostics, meanings=catalogue.meanings()),
        "github": lambda: render.diagnostics_github(found.diagnostics),
    }
    if found.diagnostics or format_ != "text":
        click.echo(writers[format_](), nl=False)
    failed = any(one.severity is Severity.ERROR for one in found.diagnostics)
    if not failed and format_ == "text":
        companies, connections = counted(found.companies, "company"), counted(found.connections, "connection")
        click.echo(f"Valid: {companies} and {connections} in {counted(found.files, 'file')}.")
    return Exit.ERROR if failed else Exit.OK
