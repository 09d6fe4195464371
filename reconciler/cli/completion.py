"""What a shell completes (https://click.palletsprojects.com/shell-completion): addresses and codes."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from reconciler.cli.options import DEFAULT_SPECS


def complete_address(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The addresses of the specs that the command line names, or of ``specs/``."""
    from reconciler.workflow import completing

    specs = Path(str(context.params.get("specs") or DEFAULT_SPECS))
    return [CompletionItem(address) for address in completing.addresses(specs, incomplete)]


def complete_address_or_code(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The same, and every code."""
    from reconciler.workflow import completing

    codes = [CompletionItem(code) for code in completing.codes(incomplete)]
    return [*complete_address(context, parameter, incomplete), *codes]
