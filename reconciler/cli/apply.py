"""``codat-sync apply``: plan, ask, and carry the plan out; or carry out a saved plan as reviewed."""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler import DEFAULT_SPECS
from reconciler.cli.options import (
    Exit,
    endpoint_options,
    format_option,
    output,
    output_options,
    outputs_option,
    rollout_options,
    selection,
    selection_options,
    summary_option,
)
from reconciler.cli.showing import Extent, show_outcome, show_plan
from reconciler.cli.streams import (
    check_whole,
    opened_events,
    opened_outputs,
    opened_summary,
    outcome_page,
    record,
)

if TYPE_CHECKING:
    from reconciler.outcome import Event, Observer
    from reconciler.workflow.applying import Applied
    from reconciler.workflow.endpoint import Endpoint
    from reconciler.workflow.planning import Context, Planned, PlanRequest, SavedRequest


@click.command(
    epilog="""\b
Examples:
  codat-sync apply specs/ --sandbox --yes
  codat-sync apply specs/ --target acme
  codat-sync apply plan.json                    (a saved plan, as reviewed or not at all)
  CI=true codat-sync apply specs/               (no question; exit 1 when something failed)
"""
)
@click.argument(
    "specs", metavar="[SPECS|PLAN]", type=click.Path(path_type=Path), default=DEFAULT_SPECS, required=False
)
@format_option("text", "json")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Apply this saved plan, if SPECS still say the same.",
)
@click.option(
    "--events",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Write a line of JSON for each event to this file, or to stdout with '-'.",
)
@rollout_options
@click.option(
    "--wait-for-quota",
    is_flag=True,
    help="When the day's quota is used up, wait for the next day's and go on.",
)
@outputs_option
@summary_option
@selection_options
@endpoint_options
@output_options
def apply(
    specs: Path,
    format_: str,
    yes: bool,
    plan_file: Path | None,
    events: Path | None,
    wait_for_quota: bool,
    outputs: Path | None,
    summary: Path | None,
    canary: str | None,
    batch: int | None,
    concurrency: int | None,
    wait: timedelta | None,
    endpoint: Endpoint,
    **options: Any,
) -> Exit:
    """Bring Codat to what SPECS (default: specs/) say; run it again to go on where it stopped.

    A saved plan is applied as it was reviewed, or refused where it is stale; it is printed again only
    with -v or before a question. Asks on a terminal. Without one it goes on when CI=true or with --yes,
    and refuses otherwise.
    """
    import secrets

    from reconciler.render.progress import progress as shown_progress
    from reconciler.workflow import applying, planning, quota

    shown = output()
    # Where stdout is for a program, people read stderr.
    aside = format_ == "json" or str(events) == "-"
    asked: list[Planned] = []
    is_saved = plan_file is not None or _is_plan(specs)

    def ask(planned: Planned) -> bool:
        asked.append(planned)
        is_reviewed = is_saved and not shown.verbose and not _is_asked(yes)
        extent = Extent.SENTENCE if is_reviewed else Extent.BRIEF
        show_plan(planned, "text", shown, err=aside, echo=record, extent=extent)
        return _confirms(yes)

    with opened_summary(summary, "apply") as tell, opened_outputs(outputs) as append:
        with shown_progress(shown.style(err=True)) as progress, opened_events(events) as observer:
            place = planning.Context(endpoint, on_wait=progress.waiting)
            source = _source(specs, plan_file, place, options)
            request = applying.ApplyRequest(source, secrets.randbits(64), canary, batch, wait, concurrency)
            run = quota.apply_through_quota if wait_for_quota else applying.apply
            applied = run(request, ask=ask, observer=_both(progress, observer))
        if not asked and (applied.outcome is None or format_ == "text"):
            show_plan(applied.planned, "text", shown, err=aside, echo=record)
        if asked or applied.verification or format_ == "json":
            show_outcome(applied, format_, shown, err=aside)
        if summary is not None:
            tell(outcome_page(applied, specs, is_reviewed=is_saved))
        append(applied.outcome or applied.planned.plan)
    check_whole(events, observer)
    return _exit(applied)


def _both(first: Observer, second: Observer | None) -> Observer:
    if second is None:
        return first

    def tell(event: Event, /) -> None:
        first(event)
        second(event)

    return tell


def _is_plan(specs: Path) -> bool:
    return specs.suffix == ".json"


def _source(
    specs: Path, plan_file: Path | None, place: Context, options: dict[str, Any]
) -> PlanRequest | SavedRequest:
    """What to apply: a file of JSON is a saved plan, anything else are specs."""
    from reconciler.plan import PERMITS, Options
    from reconciler.workflow.planning import PlanRequest, SavedRequest

    is_saved = _is_plan(specs)
    if not is_saved and plan_file is None:
        return PlanRequest(specs, place, selection(**options))
    if is_saved and plan_file is not None:
        raise click.UsageError(f"{specs} and --plan name two saved plans; leave one out")
    permits = {} if plan_file is None else {name: options.pop(name) for name in PERMITS}
    if any(value not in (None, False, ()) for value in options.values()):
        raise click.UsageError("a saved plan is applied as it was made; leave the flags that choose out")
    if plan_file is None:
        return SavedRequest(specs, place)
    return SavedRequest(plan_file, place, specs, permits=Options(**permits))


def _is_asked(yes: bool) -> bool:
    """Whether somebody at a terminal is asked."""
    return not _goes_on(yes) and sys.stdin.isatty() and sys.stderr.isatty()


def _goes_on(yes: bool) -> bool:
    return yes or os.environ.get("CI", "").lower() == "true"


def _confirms(yes: bool) -> bool:
    if not _is_asked(yes):
        return _goes_on(yes)
    return click.confirm("Apply this plan?", default=False, err=True)


def _exit(applied: Applied) -> Exit:
    if applied.outcome is None:
        return Exit.REFUSED
    if applied.outcome.interrupted:
        return Exit.INTERRUPTED
    is_verified = applied.verification is None or applied.verification.is_passed
    return Exit.OK if applied.outcome.is_complete and is_verified else Exit.ERROR
