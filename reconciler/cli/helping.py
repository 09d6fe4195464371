"""How help is laid out."""

from __future__ import annotations

import sys

import click


class WholeSentences(click.Group):
    """A group whose help cuts no description: a long one goes on in the next line, at any width."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a row for each command."""
        rows = [
            (name, self.commands[name].get_short_help_str(sys.maxsize)) for name in self.list_commands(ctx)
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
