"""Prints plans and outcomes in the format that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.options import Output

if TYPE_CHECKING:
    from reconciler.workflow.applying import Applied
    from reconciler.workflow.planning import Planned


def show_plan(planned: Planned, format_: str, output: Output, *, err: bool = False) -> None:
    """Print a plan to stdout, or to stderr where stdout is for something else."""
    from reconciler import render

    plan = planned.plan
    if format_ == "json":
        click.echo(render.plan_json(plan.document()), nl=False, err=err)
        return
    text = render.plan_text(
        plan.document(),
        output.style(err=err),
        requests_per_minute=planned.requests_per_minute,
    )
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
