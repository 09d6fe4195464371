"""What GitHub's runner reads holds one command for each diagnostic, and nothing that others slip in."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from render_samples import DIAGNOSTICS, broken_outcome, ended, full_plan, plan_of

from reconciler.diagnostics import Diagnostic, Span
from reconciler.kinds import Kind
from reconciler.outcome import Outcome, Result
from reconciler.render import diagnostics_github, github_outputs

COMMAND = re.compile(r"::(error|warning) ((?:\w+=[^,:\r\n]*)(?:,\w+=[^,:\r\n]*)*)::([^\r\n]*)")
HOSTILE = "x,line=9::y\r\n::set-output name=a::b\n::stop-commands::c%0A%25##[add-mask]d\x1b[2J"


def unescaped(text):
    for escape, character in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(escape, character)
    return text


def commands(shown):
    """What the runner makes of a step's output: (command, properties, message) for each line."""
    for line in shown.splitlines():
        command, properties, message = COMMAND.fullmatch(line).groups()
        pairs = (text.split("=", 1) for text in properties.split(","))
        yield command, {name: unescaped(value) for name, value in pairs}, unescaped(message)


def outputs(result):
    return dict(line.split("=", 1) for line in github_outputs(result).splitlines())


def test_annotations(golden):
    golden("diagnostics.github.txt", diagnostics_github(DIAGNOSTICS))


def test_each_diagnostic_stands_beside_its_line():
    shown = list(commands(diagnostics_github(DIAGNOSTICS)))
    assert shown[0] == (
        "error",
        {"title": "no-specs"},
        "specs holds no spec file; write one, or name another directory",
    )
    place = {"file": "specs/customers.csv", "line": "1", "col": "9", "title": "unused-column"}
    assert shown[2] == ("warning", place, "companySets.customers: no company uses the column 'fax'")


def test_what_means_something_to_the_runner_arrives_as_it_was_written():
    ((_, properties, message),) = commands(
        diagnostics_github([Diagnostic("a", "100%25: a%0Ab, c", span=Span("a,b:100%.yaml", 1, 2))])
    )
    assert properties["file"] == "a,b:100%.yaml"
    assert message == "100%25: a%0Ab, c"


@given(text=st.text())
@example(text=HOSTILE)
def test_nobody_slips_a_command_or_a_property_in(text):
    diagnostic = Diagnostic(text, text, text, Span(text, 1, 2), text)
    shown = diagnostics_github([diagnostic, diagnostic])
    assert shown.count("\n") == 2
    for _, properties, _ in commands(shown):
        assert list(properties) == ["file", "line", "col", "title"]
        assert properties["line"] == "1"


# --- outputs -----------------------------------------------------------------------------------


def test_outputs_of_a_plan(golden):
    golden("outputs-plan.txt", github_outputs(full_plan().shown()))


def test_outputs_of_an_apply(golden):
    golden("outputs-apply.txt", github_outputs(broken_outcome()))


def test_a_plan_counts_every_kind():
    plan = full_plan().shown()
    found = outputs(plan)
    assert {kind: int(found[kind.value.replace(".", "-")]) for kind in Kind} == {
        kind: plan.document()["summary"][kind.value] for kind in Kind
    }
    assert found["digest"] == plan.document()["digest"]


@pytest.mark.parametrize(
    ("plan", "changes", "refused"),
    [(plan_of(unchanged=3).shown(), "false", "false"), (full_plan().shown(), "true", "true")],
)
def test_a_plan_says_whether_it_changes_anything(plan, changes, refused):
    found = outputs(plan)
    assert (found["has-changes"], found["refused"]) == (changes, refused)


def test_an_apply_says_whether_it_did_anything():
    done = Outcome(workspace="prod", results=(ended(Kind.COMPANY_CREATE, "acme"),), requests=1)
    already = Outcome(workspace="prod", results=(ended(Kind.COMPANY_CREATE, "acme", Result.ALREADY),))
    assert (outputs(done)["has-changes"], outputs(done)["complete"]) == ("true", "true")
    assert (outputs(already)["has-changes"], outputs(already)["complete"]) == ("false", "true")


@given(text=st.text())
@example(text=HOSTILE)
def test_nobody_slips_an_output_in(text):
    names = [line.partition("=")[0] for line in github_outputs(full_plan(text).shown()).splitlines()]
    assert names == list(outputs(full_plan().shown()))
    assert len(outputs(broken_outcome(text))) == len(outputs(broken_outcome()))
