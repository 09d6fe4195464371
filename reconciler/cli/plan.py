"""``codat-sync plan``: show what apply would do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reconciler.cli.exits import Exit
from reconciler.cli.for_ci import opened_outputs, opened_summary, plan_page
from reconciler.cli.options import (
    context,
    endpoint_options,
    format_option,
    output,
    output_options,
    outputs_option,
    selection,
    selection_options,
    specs_argument,
    summary_option,
)
from reconciler.cli.showing import PLAN_FORMATS, show_plan


@click.command(
    epilog="""\b
Examples:
  codat-sync plan specs/ --sandbox
  codat-sync plan specs/ --target 'acme/*' --format json
  codat-sync plan specs/ --base origin/main --format markdown --out plan.json
  codat-sync plan specs/ --detailed-exitcode    (2: changes are pending)
"""
)
@specs_argument
@format_option(*PLAN_FORMATS)
@click.option(
    "--detailed-exitcode", is_flag=True, help="Exit 2 when an action is pending; what is blocked is none."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Save the plan for apply; it holds references to secrets, and no secret.",
)
@click.option(
    "--base",
    metavar="REF|DIR",
    help="Tell what this change causes from what was due already: a git ref, or a directory, written ./DIR.",
)
@outputs_option
@summary_option
@selection_options
@endpoint_options
@output_options
def plan(
    specs: Path,
    format_: str,
    detailed_exitcode: bool,
    out: Path | None,
    base: str | None,
    outputs: Path | None,
    summary: Path | None,
    sandbox: bool,
    sandbox_file: Path | None,
    api_url: str | None,
    **options: Any,
) -> Exit:
    """Compare SPECS (default: specs/) with Codat and print what apply would do; writes nothing."""
    from reconciler.workflow import planning

    place = context(sandbox, sandbox_file, api_url)
    with opened_summary(summary, "plan") as tell, opened_outputs(outputs) as append:
        planned = planning.plan(planning.PlanRequest(specs, place, selection(**options), base, out))
        show_plan(planned, format_, output(), specs=specs)
        append(planned.plan.document())
        if summary is not None:
            tell(plan_page(planned, specs))
    if planned.plan.refusals:
        return Exit.REFUSED
    return Exit.CHANGES if detailed_exitcode and planned.plan.actions else Exit.OK
