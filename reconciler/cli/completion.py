"""What a shell completes (https://click.palletsprojects.com/shell-completion): addresses and codes."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem


def complete_address(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The addresses of the specs that the command line names, or of ``specs/``."""
    from reconciler.workflow import completing

    specs = context.params.get("specs") or _default(context)
    return [CompletionItem(address) for address in completing.addresses(Path(str(specs)), incomplete)]


def _default(context: click.Context) -> object:
    """Where the command looks for specs when it is told nothing."""
    defaults = [parameter.default for parameter in context.command.params if parameter.name == "specs"]
    return next((default for default in defaults if isinstance(default, str | Path)), "specs")


def complete_address_or_code(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The same, and every code."""
    from reconciler.workflow import completing

    codes = [CompletionItem(code) for code in completing.codes(incomplete)]
    return [*complete_address(context, parameter, incomplete), *codes]
