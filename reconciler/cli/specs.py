"""``codat-sync init``, ``fmt`` and ``validate``: specs offline."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import click

from reconciler import DEFAULT_SPECS
from reconciler.cli.options import Exit, format_option, output, output_options, specs_argument
from reconciler.diagnostics import Diagnostic, Severity

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@click.command(
    epilog="""\b
Examples:
  codat-sync init
  codat-sync init infra/codat --workspace prod
  codat-sync init --schemas                        (after an upgrade)
"""
)
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=DEFAULT_SPECS)
@click.option("--workspace", metavar="NAME", help="The workspace's name; asked for on a terminal.")
@click.option(
    "--schemas", is_flag=True, help="Only refresh the schemas for editors in DIRECTORY, after an upgrade."
)
@output_options
def init(directory: Path, workspace: str | None, schemas: bool) -> Exit:
    """Write workspace.yaml and a commented spec into DIRECTORY (default: specs/).

    Editors get completion and checks by it. Nothing is written over, save the schemas with --schemas,
    and no request is made.
    """
    from reconciler.workflow import specs

    if schemas:
        if workspace is not None:
            raise click.UsageError("--schemas writes the schemas alone; leave --workspace out")
        if not directory.is_dir():
            raise click.BadParameter(f"there is no directory {str(directory)!r}", param_hint="DIRECTORY")
        for path, is_written in specs.refresh(directory):
            click.echo(f"{'Wrote' if is_written else 'Up to date:'} {path}")
        return Exit.OK
    name = workspace or _asked()
    if not _NAME.fullmatch(name):
        raise click.BadParameter(
            "a workspace's name is up to 64 letters, digits, '.', '-' and '_'",
            param_hint="--workspace",
        )
    for path in specs.start(directory, name):
        click.echo(f"Wrote {path}")
    click.echo(f"Next: write your first company into {directory}/companies.yaml.")
    return Exit.OK


def _asked() -> str:
    if not sys.stdin.isatty():
        raise click.UsageError("name the workspace with --workspace NAME: nobody can be asked here")
    answer: str = click.prompt("Name of the workspace, for example prod", default="prod")
    return answer


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
    from reconciler.wording import counted
    from reconciler.workflow import specs as validating

    found = validating.validate(specs, sandbox=sandbox)
    if found.diagnostics or format_ != "text":
        click.echo(_told(found.diagnostics, format_), nl=False)
    failed = any(diagnostic.severity is Severity.ERROR for diagnostic in found.diagnostics)
    if not failed and format_ == "text":
        companies, connections = counted(found.companies, "company"), counted(found.connections, "connection")
        click.echo(f"Valid: {companies} and {connections} in {counted(found.files, 'file')}.")
    return Exit.ERROR if failed else Exit.OK


def _told(diagnostics: Sequence[Diagnostic], format_: str) -> str:
    from reconciler import render
    from reconciler.workflow import catalogue

    writers: Mapping[str, Callable[[], str]] = {
        "text": lambda: render.diagnostics_text(diagnostics, output().style()),
        "json": lambda: render.diagnostics_json(diagnostics),
        "sarif": lambda: render.diagnostics_sarif(diagnostics, meanings=catalogue.meanings()),
        "github": lambda: render.diagnostics_github(diagnostics),
    }
    return writers[format_]()
