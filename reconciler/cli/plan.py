"""``codat-sync plan``: show what apply would do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options import (
    endpoint_options,
    format_option,
    output,
    output_options,
    plan_request,
    selection_options,
    specs_argument,
)
from reconciler.cli.showing import show_plan


@click.command(
    epilog="""\b
Examples:
  codat-sync plan specs/ --sandbox
  codat-sync plan specs/ --target 'acme/*' --format json
  codat-sync plan specs/ --detailed-exitcode    (2: changes are pending)
"""
)
@specs_argument
@format_option("text", "json")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when an action is pending.")
@selection_options
@endpoint_options
@output_options
def plan(specs: Path, format_: str, detailed_exitcode: bool, **options: Any) -> Exit:
    """Compare SPECS (default: specs/) with Codat and print what apply would do; writes nothing."""
    from reconciler.workflow import planning

    planned = planning.plan(plan_request(specs, **options))
    show_plan(planned, format_, output())
    if planned.plan.refusals:
        return Exit.REFUSED
    return Exit.CHANGES if detailed_exitcode and planned.plan.actions else Exit.OK
