"""``codat-sync init``: a first workspace."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options import output_options
from reconciler.model import DEFAULT_SPECS

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
    from reconciler.workflow import starting

    if schemas:
        if workspace is not None:
            raise click.UsageError("--schemas writes the schemas alone; leave --workspace out")
        if not directory.is_dir():
            raise click.BadParameter(f"there is no directory {str(directory)!r}", param_hint="DIRECTORY")
        for path, is_written in starting.refresh(directory):
            click.echo(f"{'Wrote' if is_written else 'Up to date:'} {path}")
        return Exit.OK
    name = workspace or _asked()
    if not _NAME.fullmatch(name):
        raise click.BadParameter(
            "a workspace's name is up to 64 letters, digits, '.', '-' and '_'",
            param_hint="--workspace",
        )
    for path in starting.start(directory, name):
        click.echo(f"Wrote {path}")
    click.echo(f"Next: write your first company into {directory}/companies.yaml.")
    return Exit.OK


def _asked() -> str:
    if not sys.stdin.isatty():
        raise click.UsageError("name the workspace with --workspace NAME: nobody can be asked here")
    answer: str = click.prompt("Name of the workspace, for example prod", default="prod")
    return answer
