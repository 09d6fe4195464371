"""Counts are true and worded right, and nothing that must not be shown is shown."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from render_samples import (
    REFUSAL,
    SECRET_TEXT,
    broken_outcome,
    ended,
    full_plan,
    of_the_account,
    one_of_each,
    plan_of,
    some_attention,
)

from reconciler.actions import (
    AuthorizeConnection,
    CreateCompany,
    CreateConnection,
    DeleteCompany,
    SetSyncSettings,
    in_order,
)
from reconciler.diagnostics import Diagnostic, Severity
from reconciler.fields import by_path
from reconciler.kinds import Kind
from reconciler.live import LiveConnection, Status
from reconciler.model import Address
from reconciler.outcome import Failure, Outcome, Result
from reconciler.plan import Attention, AttentionCode, Origin
from reconciler.render import (
    Style,
    diagnostics_json,
    diagnostics_text,
    outcome_json,
    outcome_text,
    plan_html,
    plan_json,
    plan_markdown,
    plan_text,
    platforms_json,
)
from reconciler.render.plan_view import verb
from reconciler.wording import counted, duration, joined, listed

PLAIN = Style()


def lines(plan, style=PLAIN, **more):
    return plan_text(plan.shown(), style, **more).splitlines()


def sentence(plan):
    return lines(plan, Style(quiet=True))[0]


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_action_is_one_line_with_address_and_reason(kind):
    action = next(step for step in (*of_the_account(), *one_of_each()) if step.kind is kind)
    shown = [line for line in lines(plan_of([action])) if line[:1] in {*"+~>*-"}]
    assert len(shown) == 1
    assert str(action.address) in shown[0]
    assert verb(kind) in shown[0]
    assert action.reason in shown[0]


@pytest.mark.parametrize(
    ("statuses", "told"),
    [
        ((), 'Charlie" and all its data at Codat ('),
        ((Status.UNLINKED,), "at Codat, and 1 connection ("),
        ((Status.LINKED,), "at Codat, and 1 connection, which is Linked ("),
        ((Status.LINKED, Status.LINKED, Status.PENDING_AUTH), "and 3 connections, 2 of them Linked ("),
    ],
    ids=["none", "one", "one Linked", "several"],
)
def test_a_delete_says_how_many_connections_are_lost(statuses, told):
    deletion = next(action for action in one_of_each() if isinstance(action, DeleteCompany))
    lost = tuple(
        LiveConnection(id=str(number), platform_key="gbol", platform_name="Xero", status=item)
        for number, item in enumerate(statuses)
    )
    plan = plan_of([replace(deletion, observed=replace(deletion.observed, connections=lost))])
    assert told in plan_text(plan.shown(), PLAIN)


@pytest.mark.parametrize(
    ("kind", "sign"),
    [
        (Kind.COMPANY_CREATE, "+"),
        (Kind.COMPANY_ADOPT, "~"),
        (Kind.COMPANY_UPDATE, "~"),
        (Kind.COMPANY_DELETE, "-"),
        (Kind.CONNECTION_CREATE, "+"),
        (Kind.CONNECTION_AUTHORIZE, ">"),
        (Kind.CONNECTION_UNLINK, "-"),
        (Kind.CONNECTION_DELETE, "-"),
        (Kind.COMPANY_SYNC, "*"),
        (Kind.PRODUCT_ADD, "+"),
        (Kind.PRODUCT_REMOVE, "-"),
        (Kind.COMPANY_SYNC_SETTINGS, "~"),
        (Kind.SOURCE_ACCOUNT_CREATE, "+"),
        (Kind.SOURCE_ACCOUNT_UPDATE, "~"),
        (Kind.SOURCE_ACCOUNT_DELETE, "-"),
    ],
)
def test_the_sign_says_what_an_action_means(kind, sign):
    action = next(step for step in (*of_the_account(), *one_of_each()) if step.kind is kind)
    assert any(line.startswith(f"{sign} {action.address} ") for line in lines(plan_of([action])))


def test_actions_stand_in_the_plans_order():
    signs = [line[0] for line in lines(full_plan()) if line[:2] in {"+ ", "~ ", "> ", "* ", "- "}]
    assert "".join(signs) == "+++>*~~-~---" + "-~+" + "*"


def test_the_counts_of_the_sentence_add_up():
    text = sentence(full_plan())
    assert text == (
        "Plan: 3 to create, 1 to add, 1 to adopt, 3 to change, 1 to authorize, 2 to sync, 5 to remove; "
        "4 need attention (1 blocking); 12 unchanged."
    )
    assert len(full_plan().actions) == 3 + 1 + 1 + 3 + 1 + 2 + 5


def test_one_is_worded_as_one():
    plan = plan_of(one_of_each()[:1], some_attention()[1:2])
    assert sentence(plan) == "Plan: 1 to create; 1 needs attention."
    assert "This takes 1 write request, about 1 minute at 1 request a minute." in lines(
        plan, requests_per_minute=1
    )


@pytest.mark.parametrize(
    ("unchanged", "attention", "text"),
    [
        (12, (), "Nothing to do: 12 companies and connections are as specified."),
        (1, (), "Nothing to do: 1 company or connection is as specified."),
        (0, (), "Nothing to do."),
        (
            2,
            some_attention()[3:],
            "Nothing to do: 2 companies and connections are as specified; 1 needs attention.",
        ),
        (2, some_attention()[:1], "Blocked: 1 needs attention (1 blocking); 2 unchanged."),
        (2, some_attention()[1:2], "Nothing to do: 2 unchanged; 1 needs attention."),
        (0, some_attention()[3:], "Nothing to do; 1 needs attention."),
    ],
    ids=["many", "one", "none", "info", "blocking", "waiting", "info-alone"],
)
def test_nothing_to_do_claims_only_what_is_so(unchanged, attention, text):
    assert sentence(plan_of(attention=attention, unchanged=unchanged)) == text


def test_losses_are_counted_on_top():
    assert lines(full_plan())[1] == (
        "Warning: this plan deletes 1 company, 1 connection and 1 source account, and unlinks 1 connection, "
        "and removes 1 product."
    )
    deletion = [action for action in one_of_each() if isinstance(action, DeleteCompany)]
    assert lines(plan_of(deletion * 2))[1] == "Warning: this plan deletes 2 companies."


def test_sync_settings_that_narrow_are_shown_as_a_removal():
    (settings,) = (action for action in one_of_each() if isinstance(action, SetSyncSettings))
    shown = lines(plan_of([replace(settings, narrows=("syncSettings.invoices.syncFromWindow",))]))
    assert shown[1] == "Warning: this plan narrows sync settings of 1 company with synced data."
    assert [line for line in shown if line.startswith("-") and "narrow sync settings" in line], shown


def test_a_plan_that_takes_nothing_away_warns_of_nothing():
    assert not any("Warning" in line for line in lines(plan_of(one_of_each()[:4])))


def test_losses_are_red():
    shown = plan_text(full_plan().shown(), Style(color=True))
    loss = next(line for line in shown.splitlines() if "delete company" in line)
    assert "\x1b[1;31mdelete company" in loss or "\x1b[31mdelete company" in loss


def test_a_refusal_is_the_last_line_even_when_quiet():
    for style in (Style(), Style(quiet=True)):
        shown = lines(full_plan(), style, refusals=[REFUSAL])
        assert shown[-1] == f"Refused: {REFUSAL}"


def test_a_saved_plan_that_was_refused_says_so():
    assert lines(full_plan())[-1] == f"Refused: {REFUSAL}"


def test_without_a_terminal_nothing_is_wrapped_or_coloured():
    shown = plan_text(full_plan("y" * 100).shown(), Style())
    assert max(map(len, shown.splitlines())) > 200
    assert "\x1b" not in shown


@pytest.mark.parametrize("width", [40, 80, 120])
def test_on_a_terminal_no_line_is_wider_than_it(width):
    shown = plan_text(full_plan().shown(), Style(width=width), requests_per_minute=600)
    assert max(map(len, shown.splitlines())) <= width
    outcome = outcome_text(broken_outcome(), Style(width=width))
    assert max(map(len, outcome.splitlines())) <= width


def test_ids_are_shown_only_when_asked_for():
    plain, verbose = (plan_text(full_plan().shown(), Style(verbose=item)) for item in (0, 1))
    assert "companyId" not in plain
    assert "companyId: 8a210b68" in verbose


def test_the_products_that_a_create_names_are_shown_in_every_format():
    create = next(action for action in one_of_each() if isinstance(action, CreateCompany))
    plan = plan_of([replace(create, products=("assess", "spend"))]).shown()
    for page in (plan_text(plan, Style()), plan_markdown(plan), plan_html(plan)):
        assert "with products assess, spend" in re.sub(r"<[^>]*>|`", "", page)


def test_what_blocks_a_saved_plan_is_settled_by_a_new_one():
    blocked = Outcome(workspace="prod", results=(), attention=tuple(some_attention()))
    assert "then run the same command again" in outcome_text(blocked, PLAIN)
    told = outcome_text(replace(blocked, was_saved=True), PLAIN)
    assert "then plan and review again" in told
    assert "run the same command" not in told


def test_authorization_values_are_never_shown():
    action = next(step for step in one_of_each() if isinstance(step, AuthorizeConnection))
    told = replace(action, authorization={"accessToken": SECRET_TEXT, "realmId": SECRET_TEXT})
    shown = plan_text(plan_of([told]).shown(), Style(verbose=2))
    assert "with accessToken, realmId" in shown
    assert SECRET_TEXT not in shown


def test_many_fields_are_cut_short_unless_asked_for():
    action = next(step for step in one_of_each() if isinstance(step, AuthorizeConnection))
    many = replace(action, authorization={f"field{number:02}": "" for number in range(15)})
    plan = plan_of([many]).shown()
    assert "field11 and 3 more" in plan_text(plan, Style())
    assert "field14" in plan_text(plan, Style(verbose=1))


def test_what_this_change_causes_leads_and_what_was_due_already_is_said_once():
    due, new = Origin.PENDING, Origin.CHANGE
    plan = replace(
        plan_of(one_of_each()[:3], some_attention()),
        origins=(due, new, due),
        attention_origins=(due, new, new, due),
    )
    shown = lines(plan, Style())
    assert "This change: 1 to add; 2 need attention." in shown
    assert "Due already, whatever this change does: 2 actions and 2 matters that need attention." in shown
    (caused,) = (line for line in shown if "add product" in line)
    assert shown.index(caused) < shown.index("Due already (2)")
    assert sum("ue already" in line for line in shown) == 2
    assert "Already before this change: Blocking: not done until you settle it (1)" in shown


def test_a_change_that_causes_nothing_says_so():
    plan = replace(plan_of(one_of_each()[:1]), origins=(Origin.PENDING,))
    assert "This change causes nothing." in lines(plan, Style())


def test_attention_stands_after_the_actions_the_blocking_first():
    shown = lines(full_plan())
    signs = [line.split()[1] for line in shown if line.startswith("! ")]
    assert signs == ["echo", "foxtrot/books", "golf/bank", "old-key"]
    assert shown.index(next(item for item in shown if item.startswith("! "))) > max(
        position for position, line in enumerate(shown) if line[:2] in {"+ ", "* "}
    )


# --- outcomes ----------------------------------------------------------------------------------


def test_each_failure_has_its_reason_and_what_codats_support_asks_for():
    shown = outcome_text(broken_outcome(), Style())
    assert "x acme/books  authorize connection failed [rejected]: Codat refused" in shown
    assert "x bravo/shop  authorize connection is incomplete [authorize-unknown]: Codat's answer" in shown
    assert "correlation id 0HN-1" in shown
    assert "run the same command again" in shown


def test_what_was_not_started_says_why():
    shown = outcome_text(broken_outcome(), Style()).splitlines()
    assert "  acme: acme/books failed" in shown
    assert "  charlie, delta: the run stopped" in shown


def test_the_counts_of_an_outcome_are_true():
    assert outcome_text(broken_outcome(), Style(quiet=True)).splitlines()[-1] == (
        "Stopped: 1 done, 1 done already, 1 failed, 1 incomplete, 3 not started; 5 write requests; "
        "4 need attention (1 blocking)."
    )


def test_an_outcome_that_is_complete_asks_for_nothing():
    shown = outcome_text(
        Outcome(workspace="prod", results=(ended(Kind.COMPANY_CREATE, "acme"),), requests=1), Style()
    )
    assert shown == "Applied: 1 done, 0 failed, 0 not started; 1 write request.\n"


def test_what_blocks_is_named_after_an_apply_and_what_informs_is_not():
    outcome = Outcome(
        workspace="prod",
        results=(ended(Kind.COMPANY_CREATE, "acme"),),
        attention=some_attention(),
        requests=1,
    )
    shown = outcome_text(outcome, Style())
    assert "! echo" in shown
    assert "! golf/bank" in shown
    assert "! old-key" not in shown
    assert "Settle what is blocking" in shown


def test_many_that_were_not_started_are_cut_short_unless_asked_for():
    results = tuple(ended(Kind.COMPANY_CREATE, f"c{number}", Result.NOT_STARTED) for number in range(100))
    outcome = Outcome(workspace="prod", results=results, interrupted=True)
    assert "c11 and 88 more: interrupted" in outcome_text(outcome, Style())
    assert "c99" in outcome_text(outcome, Style(verbose=1))


# --- diagnostics and JSON ----------------------------------------------------------------------


def test_a_single_diagnostic_needs_no_count():
    diagnostic = Diagnostic("not-confirmed", "the plan was not confirmed")
    assert diagnostics_text([diagnostic], Style()) == "the plan was not confirmed\n"


def test_diagnostics_are_counted_by_severity():
    error, warning = Diagnostic("a", "b"), Diagnostic("c", "d", severity=Severity.WARNING)
    assert diagnostics_text([error, error, warning], Style()).splitlines()[-1] == "2 errors, 1 warning"
    assert diagnostics_text([error, warning, warning], Style()).splitlines()[-1] == "1 error, 2 warnings"


def test_diagnostics_as_json_have_the_agreed_fields():
    warning = Diagnostic("c", "d", "e", path="acme", severity=Severity.WARNING, detail="f")
    assert json.loads(diagnostics_json([warning])) == {
        "formatVersion": 1,
        "valid": True,
        "summary": {"errors": 0, "warnings": 1},
        "diagnostics": [
            {
                "code": "c",
                "severity": "warning",
                "message": "d",
                "fix": "e",
                "path": "acme",
                "file": None,
                "line": None,
                "column": None,
                "detail": "f",
            }
        ],
    }


def test_json_is_the_document_and_nothing_else():
    plan, outcome = full_plan("é"), broken_outcome("é")
    assert json.loads(plan_json(plan.shown())) == plan.document()
    assert list(json.loads(plan_json(plan.shown()))) == list(plan.document())
    assert json.loads(outcome_json(outcome)) == outcome.document()
    assert plan_json(plan.shown()).endswith("}\n")
    assert json.loads(platforms_json([])) == {"formatVersion": 1, "platforms": []}


# --- wording -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requests", "per_minute", "said"),
    [
        (14, 600, "less than a minute"),
        (600, 600, "about 1 minute"),
        (6000, 600, "about 10 minutes"),
        (72000, 600, "about 2 hours"),
    ],
)
def test_duration(requests, per_minute, said):
    assert duration(requests, per_minute) == said


def test_lists_and_counts():
    assert counted(1, "company") == "1 company"
    assert counted(1200, "company") == "1,200 companies"
    assert counted(0, "request") == "0 requests"
    assert [joined("abc"[:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert listed(["a", "b", "c"], 2) == "a, b and 1 more"


def test_every_attention_code_can_be_shown():
    plan = plan_of(
        attention=[Attention(code=code, address=Address("acme"), message="…") for code in AttentionCode]
    )
    assert sum(line.startswith("! ") for line in lines(plan)) == len(AttentionCode)


def refused(company, message="xero rejected the credentials (400)", correlation_id="", code="rejected"):
    failure = Failure(
        code=code,
        what=message,
        correlation_id=correlation_id,
        then="correct the authorization, then {resume}",
    )
    return ended(Kind.CONNECTION_AUTHORIZE, f"{company}/books", Result.FAILED, failure)


def test_failures_of_one_reason_are_one_sentence_with_every_address_and_its_correlation_id():
    results = [refused(f"c{number:02}", correlation_id=f"0HN-{number}") for number in range(14)]
    results += [ended(Kind.COMPANY_SYNC, f"c{number:02}", Result.NOT_STARTED) for number in range(14)]
    shown = outcome_text(Outcome(workspace="prod", results=tuple(results)), PLAIN).splitlines()
    assert shown[0] == (
        "x 14 connections  authorize connection failed [rejected]: xero rejected the credentials (400); "
        "correct the authorization, then run the same command again"
    )
    assert shown[1].split(", ") == [
        "    c00/books (0HN-0)",
        *(f"c{number:02}/books (0HN-{number})" for number in range(1, 12)),
        "c12/books",
        "c13/books",
    ]
    assert shown[2] == "    (in brackets: correlation ids, for Codat's support)"
    assert shown[4:6] == [
        "Not started (14)",
        f"  {listed([f'c{number:02}' for number in range(14)])}: what goes before in the same company failed",
    ]


def test_ids_do_not_make_two_reasons_of_one():
    gone = [
        f"since the plan, company 8a210b68-6988-11ed-a1eb-0242ac12000{number} has gone" for number in "12"
    ]
    other = refused("c", "xero rejected the credentials (400)")
    results = (refused("a", gone[0]), other, refused("b", gone[1]))
    first, _, second, *_ = outcome_text(Outcome(workspace="prod", results=results), PLAIN).splitlines()
    assert first.startswith(
        "x 2 connections  authorize connection failed [rejected]: since the plan, company (its id)"
    )
    assert second.startswith("x c/books ")


@pytest.mark.parametrize(
    "other",
    [
        refused("b", code="changed-since-plan"),
        refused("b", message="xero rejected the credentials (422)"),
        ended(Kind.COMPANY_SYNC, "b", Result.FAILED, refused("b").failure),
    ],
    ids=["code", "message", "kind"],
)
def test_another_reason_is_a_sentence_of_its_own(other):
    shown = outcome_text(Outcome(workspace="prod", results=(refused("a"), other)), PLAIN)
    assert shown.count("\nx ") == 1
    assert shown.startswith("x a/books ")


# --- long lists on a terminal ------------------------------------------------------------------

TERMINAL = Style(width=80, folds=True)


def large_plan():
    """A thousand new companies that are not to be migrated yet, and two that are deleted."""
    keys = [f"c{number:04}" for number in range(1_000)]
    gone = [action for action in one_of_each() if isinstance(action, DeleteCompany)]
    actions = in_order(
        (
            *(
                CreateCompany(
                    address=Address(key), reason="not in Codat", fields=by_path({"name": key.upper()}, {})
                )
                for key in keys
            ),
            *(
                CreateConnection(
                    address=Address(key, "books"),
                    reason="not in Codat",
                    company_id=None,
                    platform="xero",
                    platform_key="gbol",
                )
                for key in keys
            ),
            *(replace(gone[0], address=Address(f"old{number}")) for number in range(9)),
        )
    )
    return plan_of(
        actions,
        [
            Attention(code=AttentionCode.GATE, address=Address(key, "books"), message="not yet")
            for key in keys
        ],
    )


def test_a_large_plan_leaves_the_question_in_sight():
    shown = plan_text(large_plan().shown(), TERMINAL, is_asked=True).splitlines()
    assert len(shown) < 40
    assert [line for line in shown if line.startswith("+ c")] == [
        f'+ c000{number}        create company "C000{number}" (not in Codat)' for number in range(3)
    ] + [f"+ c000{number}/books  create connection on xero (not in Codat)" for number in range(3)]
    assert "+ ... 997 more: create company (-v shows all)" in shown
    assert "+ ... 997 more: create connection (-v shows all)" in shown
    assert sum(line.startswith("- old") for line in shown) == 9, "what is deleted is shown one by one"
    assert shown[-2] == "Plan: 2,000 to create, 9 to remove; 1,000 need attention (1,000 blocking)."


@pytest.mark.parametrize(
    ("style", "is_asked"),
    [(Style(), True), (Style(width=80, verbose=1), True), (TERMINAL, False)],
    ids=["a pipe", "-v", "plan"],
)
def test_every_action_is_a_line_where_nothing_is_asked_or_all_is_wanted(style, is_asked):
    shown = plan_text(large_plan().shown(), style, is_asked=is_asked).splitlines()
    assert sum(line.startswith("+ c") for line in shown) == 2_000


def test_a_small_plan_is_not_folded_before_the_question():
    small = plan_of(one_of_each() * 3)
    folded = plan_text(small.shown(), TERMINAL, is_asked=True)
    assert folded == plan_text(small.shown(), TERMINAL)


def test_the_same_attention_is_said_once_on_a_terminal_and_everywhere_in_a_pipe():
    plan = large_plan()
    shown = plan_text(plan.shown(), TERMINAL)
    assert shown.count("gate: not yet") == 1
    assert "! ... 999 more: gate (-v shows all): c0001/books, " in shown
    assert plan_text(plan.shown(), PLAIN).count("gate: not yet") == 1_000
    outcome = Outcome(workspace="prod", results=(), attention=plan.attention)
    assert outcome_text(outcome, TERMINAL).count("gate: not yet") == 1
    assert outcome_text(outcome, PLAIN).count("gate: not yet") == 1_000


def test_warnings_of_a_kind_are_folded_on_a_terminal_and_errors_never():
    warnings = [Diagnostic("unused", f"column {number}", severity=Severity.WARNING) for number in range(500)]
    errors = [Diagnostic("unknown-platform", f"no platform {number}") for number in range(500)]
    shown = diagnostics_text([*warnings, *errors], TERMINAL).splitlines()
    assert len(shown) == 3 + 1 + 500 + 1
    assert "... 497 more warnings of this kind [unused] (-v shows all)" in shown
    assert shown[-1] == "500 errors, 500 warnings"
    assert len(diagnostics_text([*warnings, *errors], PLAIN).splitlines()) == 1_001
