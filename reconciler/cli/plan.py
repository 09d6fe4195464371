"""``codat-sync plan``, ``show`` and ``explain``: what apply would do, what a saved plan will do, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler import DEFAULT_SPECS
from reconciler.cli.options import (
    Exit,
    complete_address_or_code,
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
from reconciler.cli.showing import PLAN_FORMATS, print_plan, show_plan
from reconciler.cli.streams import opened_outputs, opened_summary, plan_page

if TYPE_CHECKING:
    from reconciler.workflow.endpoint import Endpoint


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
    "--detailed-exitcode",
    is_flag=True,
    help="Exit 2 when an action is pending; what is blocked is not an action.",
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
    endpoint: Endpoint,
    **options: Any,
) -> Exit:
    """Compare SPECS (default: specs/) with Codat and print what apply would do; writes nothing."""
    from reconciler.workflow import planning

    place = planning.Context(endpoint)
    with opened_summary(summary, "plan") as tell, opened_outputs(outputs) as append:
        planned = planning.plan(planning.PlanRequest(specs, place, selection(**options), base, out))
        show_plan(planned, format_, output(), specs=specs)
        append(planned.plan)
        if summary is not None:
            tell(plan_page(planned, specs))
    if planned.plan.refusals:
        return Exit.REFUSED
    return Exit.CHANGES if detailed_exitcode and planned.plan.actions else Exit.OK


@click.command(
    epilog="""\b
Examples:
  codat-sync show plan.json
  codat-sync show plan.json --format markdown
"""
)
@click.argument("plan", type=click.Path(path_type=Path, dir_okay=False))
@format_option(*PLAN_FORMATS)
@output_options
def show(plan: Path, format_: str) -> Exit:
    """Print the saved PLAN in any format; a file that was cut or edited is refused."""
    from reconciler.workflow import endpoint, saving

    saved = saving.read(plan)
    rate = endpoint.pace(saved.plan.api, saved.workspace.limits)
    print_plan(saved.plan, format_, output(), requests_per_minute=rate, specs=saved.specs)
    return Exit.OK


@click.command(
    epilog="""\b
Examples:
  codat-sync explain unknown-field              what a code means, and what to do
  codat-sync explain acme/books                 which rule applies, and what would change it
  codat-sync explain acme/books specs/ --sandbox
"""
)
@click.argument("name", metavar="ADDRESS|CODE", shell_complete=complete_address_or_code)
@click.argument("specs", type=click.Path(path_type=Path), required=False)
@format_option("text", "json")
@endpoint_options
@output_options
def explain(
    name: str,
    specs: Path | None,
    format_: str,
    endpoint: Endpoint,
) -> Exit:
    """Explain an ADDRESS of SPECS (default: specs/), or what a CODE means.

    A word that is a code is explained as one, offline. To ask about a company of the same key, name
    SPECS too. An address is looked up as plan does it: Codat is read, and nothing is written.
    """
    from reconciler import render
    from reconciler.workflow import catalogue

    entries = [entry.document() for entry in catalogue.entries_of(name)] if specs is None else []
    if entries:
        text = (
            render.codes_json(entries) if format_ == "json" else render.codes_text(entries, output().style())
        )
    else:
        text = _address(name, specs, format_, endpoint)
    click.echo(text, nl=False)
    return Exit.OK


def _address(
    name: str,
    specs: Path | None,
    format_: str,
    endpoint: Endpoint,
) -> str:
    from reconciler import render
    from reconciler.workflow import planning

    place = planning.Context(endpoint)
    request = planning.ExplainRequest(name, specs or Path(DEFAULT_SPECS), place)
    document = planning.explain(request)
    if format_ == "json":
        return render.explanation_json(document)
    return render.explanation_text(document, output().style())
