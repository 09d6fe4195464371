"""Prints plans and outcomes in the format that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from reconciler.cli.options import DEFAULT_SPECS, Output

if TYPE_CHECKING:
    from reconciler.workflow.applying import Applied
    from reconciler.workflow.planning import Planned

PLAN_FORMATS: Final = ("text", "json")


def show_plan(
    planned: Planned, format_: str, output: Output, *, specs: Path = Path(DEFAULT_SPECS), err: bool = False
) -> None:
    """Print a plan to stdout, or to stderr where stdout is for something else."""
    rate = planned.requests_per_minute
    show_document(planned.plan.document(), format_, output, requests_per_minute=rate, specs=specs, err=err)


def show_document(
    document: Mapping[str, Any],
    format_: str,
    output: Output,
    *,
    requests_per_minute: int,
    specs: Path = Path(DEFAULT_SPECS),
    err: bool = False,
) -> None:
    """Print a plan's document; ``specs`` is the directory that a comment is marked with."""
    from reconciler import render

    if format_ == "json":
        text = render.plan_json(document)
    else:
        text = render.plan_text(document, output.style(err=err), requests_per_minute=requests_per_minute)
    click.echo(text, nl=False, err=err)


def show_outcome(applied: Applied, format_: str, output: Output) -> None:
    """Print what became of a plan."""
    from reconciler import render

    if applied.outcome is None:
        return
    if format_ == "json":
        click.echo(render.outcome_json(applied.outcome), nl=False)
        return
    click.echo(render.outcome_text(applied.outcome, output.style(), notes=applied.notes), nl=False)
