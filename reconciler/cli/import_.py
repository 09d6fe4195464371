"""``codat-sync import``: write specs for companies that exist already."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import Exit, endpoint_options, output, output_options

if TYPE_CHECKING:
    from reconciler.workflow.endpoint import Endpoint

DEFAULT_OUT = Path("specs") / "imported.yaml"
DEFAULT_ACCOUNT = Path("specs") / "account.yaml"


_EXTRAS = ("products", "syncSettings", "sourceAccounts")


def _extras(_: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    """The parts that ``--with`` names."""
    named = tuple(dict.fromkeys(value.split(","))) if value is not None else ()
    for part in named:
        if part not in _EXTRAS:
            raise click.BadParameter(f"{part!r} is none of {', '.join(_EXTRAS)}", param=parameter)
    return named


@click.command(
    "import",
    epilog="""\b
Examples:
  codat-sync import --all
  codat-sync import --all --with products,syncSettings
  codat-sync import --tags 'region = uk' --out specs/uk.yaml
  codat-sync import --account
  codat-sync import --id 8a210b68-6988-11ed-a1eb-0242ac120002 --out specs/imported/
""",
)
@click.option("--all", "everything", is_flag=True, help="Every company that no workspace manages yet.")
@click.option("--tags", metavar="QUERY", default="", help="Those that this tag query of Codat's finds.")
@click.option("--id", "ids", multiple=True, metavar="ID", help="This company (repeatable).")
@click.option("--account", is_flag=True, help="The account itself: profile, sync settings and webhooks.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A file for all (*.yaml), or a directory for a file each; never over an existing one. "
    "[default: specs/imported.yaml; for --account specs/account.yaml]",
)
@click.option(
    "--with",
    "extras",
    metavar="PARTS",
    callback=_extras,
    help="Write these parts too: products, syncSettings, sourceAccounts (with commas between).",
)
@endpoint_options
@output_options
def import_(
    everything: bool,
    tags: str,
    ids: tuple[str, ...],
    account: bool,
    out: Path | None,
    extras: tuple[str, ...],
    endpoint: Endpoint,
) -> Exit:
    """Write specs, with ids and keys, for companies that exist; plan then shows that they are adopted."""
    from reconciler import render
    from reconciler.workflow import importing

    if [everything, bool(tags), bool(ids), account].count(True) != 1:
        raise click.UsageError("say which companies: one of --all, --tags QUERY, --id ID; or --account")
    if account and extras:
        raise click.UsageError("--with is about companies, and --account about none")
    if not all(target.isprintable() for target in (tags, *ids)):
        raise click.UsageError("what --tags and --id name must be printable text")
    if account:
        click.echo(f"Wrote the account to {importing.import_account(endpoint, out or DEFAULT_ACCOUNT)}.")
        return Exit.OK
    out = out or DEFAULT_OUT
    found = importing.import_companies(importing.ImportRequest(endpoint, out, tags, ids, extras))
    if found.warnings:
        click.echo(render.diagnostics_text(found.warnings, output().style(err=True)), nl=False, err=True)
    for note in found.notes:
        click.echo(note, err=True)
    counted = "1 company" if found.companies == 1 else f"{found.companies} companies"
    click.echo(f"Wrote {counted} to {out}." if found.files else "Nothing to write.")
    return Exit.OK
