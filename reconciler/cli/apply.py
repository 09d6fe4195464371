"""``codat-sync apply``: plan, ask, and carry the plan out."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options import (
    Output,
    endpoint_options,
    format_option,
    output,
    output_options,
    plan_request,
    selection_options,
    specs_argument,
)
from reconciler.cli.showing import show_outcome, show_plan

if TYPE_CHECKING:
    from reconciler.workflow.applying import Applied
    from reconciler.workflow.planning import Planned


@click.command(
    epilog="""\b
Examples:
  codat-sync apply specs/ --sandbox --yes
  codat-sync apply specs/ --target acme
  CI=true codat-sync apply specs/               (no question; exit 1 when something failed)
"""
)
@specs_argument
@format_option("text", "json")
@click.option("--yes", is_flag=True, help="Do not ask.")
@selection_options
@endpoint_options
@output_options
def apply(specs: Path, format_: str, yes: bool, **options: Any) -> Exit:
    """Bring Codat to what SPECS (default: specs/) say; run it again to go on where it stopped.

    Asks on a terminal. Without one it goes on when CI=true or with --yes, and refuses otherwise.
    """
    from reconciler import render
    from reconciler.workflow import applying

    shown = output()
    asked: list[Planned] = []

    def ask(planned: Planned) -> bool:
        asked.append(planned)
        show_plan(planned, "text", shown, err=format_ == "json")
        return _confirms(yes)

    with render.progress(shown.style(err=True)) as observer:
        request = plan_request(specs, on_wait=observer.waiting, **options)
        applied = applying.apply(request, ask=ask, observer=observer, seed=secrets.randbits(64))
    if not asked:
        _show_unasked(applied, format_, shown)
    if asked or format_ == "json":
        show_outcome(applied, format_, shown)
    return _exit(applied)


def _confirms(yes: bool) -> bool:
    if yes or os.environ.get("CI", "").lower() == "true":
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    return click.confirm("Apply this plan?", default=False, err=True)


def _show_unasked(applied: Applied, format_: str, shown: Output) -> None:
    """Print a plan that nobody was asked about: a guard refuses it, or it holds no action."""
    if applied.outcome is None or format_ == "text":
        show_plan(applied.planned, "text", shown, err=format_ == "json")


def _exit(applied: Applied) -> Exit:
    if applied.outcome is None:
        return Exit.REFUSED
    if applied.outcome.interrupted:
        return Exit.INTERRUPTED
    return Exit.OK if applied.outcome.is_complete else Exit.ERROR
