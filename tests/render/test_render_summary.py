"""The page of a CI job: result and failures first, always short enough, and nothing of others but text."""

from __future__ import annotations

from dataclasses import replace

import pytest
from render_samples import DIAGNOSTICS, broken_outcome, ended, full_plan
from test_render_markdown import HOSTILE, OURS, SEEN_BY_FILTERS, finished, numbered, tokens

from reconciler.diagnostics import Diagnostic
from reconciler.kinds import Kind
from reconciler.model import Address
from reconciler.outcome import Failure, Outcome, Result
from reconciler.plan import Attention, AttentionCode
from reconciler.render import errors_markdown, outcome_markdown, plan_markdown
from reconciler.render.summary import LIMIT

MEBIBYTE = 1024 * 1024
"""GitHub refuses a longer summary of a step."""


def thousand_failures() -> Outcome:
    """A run of 1,001 companies, every one of which failed for a reason of its own."""
    results = [
        ended(
            Kind.CONNECTION_AUTHORIZE,
            f"c{n:04}/books",
            Result.FAILED,
            Failure(code="rejected", what=f"reason {n} " * 60, correlation_id=f"0HN-{n}"),
        )
        for n in range(1_001)
    ]
    matters = [
        Attention(code=AttentionCode.EXISTS, address=Address(f"a{n}"), message=f"adopt {n} " * 60)
        for n in range(1_001)
    ]
    return Outcome(workspace="prod", results=tuple(results), attention=tuple(matters))


PAGES = {
    "summary-broken": outcome_markdown(
        broken_outcome(), ["a note"], verified="x acme/books  failed\n", plan="a plan\n"
    ),
    "summary-hostile": outcome_markdown(broken_outcome(HOSTILE), [HOSTILE], verified=HOSTILE, plan=""),
    "summary-errors": errors_markdown("plan", DIAGNOSTICS),
}


@pytest.mark.parametrize("name", PAGES)
def test_page(name: str, golden) -> None:
    golden(f"{name}.md", PAGES[name])


@pytest.mark.parametrize("name", PAGES)
def test_nothing_of_others_is_markup(name: str) -> None:
    page = PAGES[name]
    html = "".join(token.content for token in tokens(page) if token.type.startswith("html"))
    assert OURS.sub("", html).strip() == ""
    kinds = {token.type for token in tokens(page)}
    assert not kinds & {"link_open", "image", "heading_close_2", "table_open"}
    for token in tokens(page):
        if token.type == "inline":
            assert SEEN_BY_FILTERS.search(finished(token)) is None


def test_result_and_failures_come_before_what_is_left_and_the_plan() -> None:
    page = outcome_markdown(broken_outcome(), plan=plan_markdown(full_plan().shown()))
    order = [
        "**Stopped: ",
        "run stopped",
        "authorize connection failed",
        "**Blocking",
        "**Not started",
        "The plan",
    ]
    assert sorted(order, key=page.index) == order


def test_failures_of_one_reason_are_one_item() -> None:
    refused = Failure(code="rejected", what="xero rejected the credentials (400)", correlation_id="0HN-1")
    results = [ended(Kind.CONNECTION_AUTHORIZE, f"c{n:02}/books", Result.FAILED, refused) for n in range(14)]
    page = outcome_markdown(Outcome(workspace="prod", results=tuple(results)))
    assert page.count("xero rejected the credentials") == 1
    assert "14 connections: **authorize connection failed** [`rejected`]" in page
    assert "`c00/books` (correlation id `0HN-1`), " in page
    assert "`c11/books` (correlation id `0HN-1`) and 2 more\n" in page


def test_a_page_is_well_below_what_github_takes_and_counts_what_it_leaves_out() -> None:
    plan = plan_markdown(numbered(10_000))
    page = outcome_markdown(thousand_failures(), verified="x" * MEBIBYTE, plan=plan)
    assert len(page.encode()) <= LIMIT < MEBIBYTE / 2
    assert page.splitlines()[3].startswith("> **Applied: 0 done, 1,001 failed")
    assert "**Not shown here, to keep the page short: " in page
    assert "What verify says: too long for this page." in page
    errors = [Diagnostic("unknown-platform", f"no platform {n} " * 60) for n in range(5_000)]
    assert len(errors_markdown("apply", errors).encode()) <= LIMIT


def test_the_same_matter_a_thousand_times_is_one_item() -> None:
    gates = (
        Attention(code=AttentionCode.GATE, address=Address(f"c{n:04}", "books"), message="not yet")
        for n in range(1_001)
    )
    page = plan_markdown(replace(full_plan(), attention=tuple(gates)).shown())
    assert page.count("not yet") == 1
    assert "- **gate** (1,001): not yet: `c0000/books`, " in page
    assert "and 989 more" in page
