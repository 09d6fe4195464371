"""``codat-sync fmt``: specs in one style."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options import output, output_options, specs_argument


@click.command(
    epilog="""\b
Examples:
  codat-sync fmt specs/
  codat-sync fmt specs/ --check    (1: some file would change)
"""
)
@specs_argument
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a file would change.")
@output_options
def fmt(specs: Path, check: bool) -> Exit:
    """Format SPECS (default: specs/) and their workspace file in place; comments and values stay.

    Indentation of two spaces, lists indented below their key, no white space at the end of a line. Quotes,
    blank lines, comments, order and {…} or […] stay as you wrote them.
    """
    from reconciler import render
    from reconciler.wording import counted
    from reconciler.workflow import formatting

    shown = output()
    report = formatting.format_specs(specs, check=check)
    if report.warnings:
        click.echo(render.diagnostics_text(report.warnings, shown.style(err=True)), nl=False, err=True)
    if not shown.quiet:
        click.echo(render.names_text(report.changed, shown.style()), nl=False)
    verb = "would be formatted" if check else "formatted"
    click.echo(
        f"{counted(len(report.changed), 'file')} {verb}, {report.files - len(report.changed):,} unchanged."
    )
    return Exit.ERROR if check and report.changed else Exit.OK
