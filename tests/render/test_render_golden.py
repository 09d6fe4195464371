"""What people read, to the letter. ``pytest --update-golden`` writes it anew; review the difference."""

from __future__ import annotations

import pytest
from render_samples import (
    DIAGNOSTICS,
    NOTE,
    REFUSAL,
    broken_outcome,
    ended,
    full_plan,
    one_of_each,
    plan_of,
    some_attention,
)

from reconciler.kinds import Kind
from reconciler.model import Platform, SourceType
from reconciler.outcome import Outcome, Result
from reconciler.render import Style, diagnostics_text, outcome_text, plan_text, platforms_text

HOSTILE = (
    "\x1b[2J\x1b]8;;https://evil.example\x07[bold red]\r\nPlan: nothing\x00\x9b31m\u202e\u2066\u200b"
    "\u2028\ue000\U000e0041\ufe0f\ud800\u00a0\"' -> " + "x" * 300
)
TERMINAL = Style(color=True, width=80)
PLATFORMS = (
    Platform(key="qhyg", name="QuickBooks Online", source_type=SourceType.ACCOUNTING),
    Platform(key="suuo", name="Plaid", source_type=SourceType.BANKING, enabled=False),
)

PLANS = {
    "plan-nothing": (plan_of(unchanged=12), Style()),
    "plan-nothing-but-attention": (plan_of(attention=some_attention(), unchanged=3), Style()),
    "plan-everything": (full_plan(), Style()),
    "plan-everything-verbose": (full_plan(), Style(verbose=1)),
    "plan-everything-quiet": (full_plan(), Style(quiet=True)),
    "plan-everything-terminal": (full_plan(), TERMINAL),
    "plan-hostile": (full_plan(HOSTILE), Style()),
    "plan-hostile-terminal": (full_plan(HOSTILE), TERMINAL),
}


@pytest.mark.parametrize("name", PLANS)
def test_plan(name, golden):
    plan, style = PLANS[name]
    refusals = [REFUSAL] if plan.refusals else []
    notes = [NOTE] if plan.actions else []
    text = plan_text(plan.shown(), style, requests_per_minute=600, notes=notes, refusals=refusals)
    golden(f"{name}.txt", text)


OUTCOMES = {
    "outcome-done": (
        Outcome(
            workspace="prod",
            results=tuple(ended(action.kind, str(action.address)) for action in one_of_each()),
            requests=11,
        ),
        Style(),
    ),
    "outcome-nothing": (Outcome(workspace="prod", results=()), Style()),
    "outcome-blocked": (
        Outcome(
            workspace="prod",
            results=(ended(Kind.COMPANY_CREATE, "acme"),),
            attention=some_attention()[:1],
            requests=1,
        ),
        Style(),
    ),
    "outcome-interrupted": (
        Outcome(
            workspace="prod",
            results=(
                ended(Kind.COMPANY_CREATE, "acme"),
                ended(Kind.COMPANY_SYNC, "acme", Result.NOT_STARTED),
            ),
            requests=1,
            interrupted=True,
        ),
        Style(),
    ),
    "outcome-broken": (broken_outcome(), Style()),
    "outcome-broken-quiet": (broken_outcome(), Style(quiet=True)),
    "outcome-broken-terminal": (broken_outcome(), TERMINAL),
    "outcome-hostile": (broken_outcome(HOSTILE), Style(verbose=1)),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_outcome(name, golden):
    outcome, style = OUTCOMES[name]
    notes = ["made-up tokens stood in for 2 references"] if outcome.results else []
    golden(f"{name}.txt", outcome_text(outcome, style, notes=notes))


@pytest.mark.parametrize(
    ("name", "style"), [("diagnostics", Style()), ("diagnostics-verbose", Style(verbose=1))]
)
def test_diagnostics(name, style, golden):
    golden(f"{name}.txt", diagnostics_text(DIAGNOSTICS, style))


def test_platforms(golden):
    golden("platforms.txt", platforms_text(PLATFORMS, Style()))
