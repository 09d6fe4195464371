"""Whatever Codat or a spec calls a thing, a reader sees it as it is, and it can forge nothing."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from io import StringIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from render_samples import broken_outcome, full_plan

from reconciler.diagnostics import Diagnostic, Span
from reconciler.kinds import Kind
from reconciler.model import Address, Platform
from reconciler.outcome import Event, EventType, Result
from reconciler.render import (
    Style,
    diagnostics_json,
    diagnostics_sarif,
    diagnostics_text,
    outcome_json,
    outcome_text,
    plan_json,
    plan_text,
    platforms_json,
    platforms_text,
)
from reconciler.render.escaping import VALUE_LIMIT, encodable, for_terminal, quoted
from reconciler.render.progress import progress

DANGEROUS = "\x1b\x9b\x07\x00\x08\r\n\t\x7f\x85\u200e\u200f\u061c\u202a\u202e\u2066\u2069\u200b\u2028\u2029"
DANGEROUS += "\ufeff\u00ad\U000e0041\U000e007f\ufe0f\U000e0100\u3164\u2800\ud800\udfff\ue000\uffff\u00a0"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
LONGEST_LINE = 5000
RUNNER = re.compile(r"##\[|^\s*::")
"""What GitHub's runner takes for a command in a step's output (actions/runner, ActionCommand.cs)."""
COMMANDS = "::stop-commands::x ##[add-mask]y ###[group]"

hostile = st.text(st.one_of(st.sampled_from(DANGEROUS + '[]"\\{}'), st.characters()), max_size=400)
styles = st.builds(
    Style,
    color=st.booleans(),
    verbose=st.integers(0, 1),
    quiet=st.booleans(),
    width=st.sampled_from([None, 1, 40, 200]),
    encoding=st.sampled_from(["utf-8", "ascii", "cp1252"]),
)
worst = (
    example(text=DANGEROUS, style=Style()),
    example(text=DANGEROUS, style=Style(color=True, width=40)),
    example(text=COMMANDS, style=Style()),
)


def check(shown: str, style: Style) -> None:
    """Nothing dangerous, no endless line, and a stream of the style's encoding can hold it."""
    shown.encode(style.encoding)
    plain = COLOURS.sub("", shown) if style.color else shown
    for line in plain.split("\n"):
        assert len(line) <= LONGEST_LINE
        assert not set(line) & set(DANGEROUS)
        assert not {unicodedata.category(character)[0] for character in line} & {"C"}
        assert not {unicodedata.category(character) for character in line} & {"Zl", "Zp"}
        assert not RUNNER.search(line)


@given(text=hostile, style=styles)
@worst[0]
@worst[1]
@worst[2]
def test_no_plan_shows_anything_dangerous(text, style):
    plan = full_plan(text).shown()
    shown = plan_text(plan, style, requests_per_minute=600, notes=[text], refusals=[text])
    check(shown, style)


@given(text=hostile, style=styles)
@worst[0]
@worst[1]
@worst[2]
def test_no_outcome_shows_anything_dangerous(text, style):
    check(outcome_text(broken_outcome(text), style, notes=[text]), style)


@given(text=hostile, style=styles)
@worst[0]
@worst[1]
@worst[2]
def test_no_diagnostic_shows_anything_dangerous(text, style):
    diagnostic = Diagnostic(text, text, text, Span(text, 1, 1), text, detail=text)
    check(diagnostics_text([diagnostic, diagnostic], style), style)


@given(text=hostile, style=styles)
@worst[0]
@worst[1]
@worst[2]
def test_no_platform_shows_anything_dangerous(text, style):
    check(platforms_text([Platform(key=text, name=text)], style), style)


@given(text=hostile, style=styles)
@worst[0]
@worst[1]
@worst[2]
def test_no_progress_shows_anything_dangerous(text, style):
    stream = StringIO()
    with progress(style, stream=stream, now=lambda: 0.0) as observe:
        observe(Event(type=EventType.WAITING, message=text))
        observe(
            Event(
                type=EventType.ACTION_ENDED,
                message=text,
                kind=Kind.COMPANY_SYNC,
                address=Address(text),
                result=Result.FAILED,
            )
        )
        observe(Event(type=EventType.STOPPING, message=text))
        observe.waiting(3, text)
    check(stream.getvalue(), replace(style, color=False, encoding="utf-8"))


@given(text=hostile)
@example(text=COMMANDS)
def test_json_is_ascii_without_control_characters(text):
    diagnostic = Diagnostic(text, text, text, Span(text, 1, 1), text)
    for written in (
        plan_json(full_plan(text).shown()),
        outcome_json(broken_outcome(text)),
        diagnostics_json([diagnostic]),
        diagnostics_sarif([diagnostic]),
        platforms_json([Platform(key=text, name=text)]),
    ):
        assert written.isascii()
        assert written.replace("\n", "").isprintable()
        assert not any(RUNNER.search(line) for line in written.splitlines())


@given(text=hostile)
def test_a_value_cannot_forge_a_line(text):
    honest, forged = (
        plan_text(full_plan(word).shown(), Style(verbose=1), requests_per_minute=600) for word in ("", text)
    )
    starts = [[line[:2] for line in shown.splitlines()] for shown in (honest, forged)]
    assert sorted(starts[0]) == sorted(starts[1])


def test_a_wrapped_value_stays_indented_and_so_cannot_forge_a_line():
    shown = plan_text(full_plan(" Plan: nothing" * 20).shown(), Style(width=40))
    assert sum(line.startswith("Plan: ") for line in shown.splitlines()) == 1


@pytest.mark.parametrize("character", DANGEROUS, ids=lambda value: f"U+{ord(value):04X}")
def test_each_dangerous_character_becomes_an_escape_that_names_it(character):
    shown = for_terminal(f"a{character}b")
    assert shown.isascii()
    assert shown == f"a{character.encode('unicode_escape').decode()}b"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::debug::x", r"\x3a:debug::x"),
        ("  ::debug::x", r"  \x3a:debug::x"),
        ("a ##[group]b", r"a #\x23[group]b"),
        ("a: b :: c #[d]", "a: b :: c #[d]"),
    ],
)
def test_no_value_commands_a_runner(text, shown):
    assert for_terminal(text) == shown


@pytest.mark.parametrize("text", ["Acme Stores", "Café Zoë", "株式会社", "مقهى", "🍰 & Söhne"])
def test_ordinary_names_are_shown_as_they_are(text):
    assert for_terminal(text) == text


def test_a_long_value_is_cut_and_says_how_many_characters_more_there_are():
    assert for_terminal("x" * 250) == "x" * VALUE_LIMIT + "... [50 more characters]"


def test_an_escape_is_never_cut_in_two():
    assert for_terminal("x" * 198 + "\x1b" + "y") == "x" * 198 + "... [2 more characters]"


def test_a_quoted_value_cannot_end_itself():
    assert quoted('a" -> "b\\') == r'"a\" -> \"b\\"'


def test_no_value_looks_like_the_absence_of_one():
    assert quoted(None) != quoted("(none)")


@pytest.mark.parametrize(
    ("encoding", "shown"), [("utf-8", "Zoë"), ("ascii", r"Zo\xeb"), ("no-such-encoding", r"Zo\xeb")]
)
def test_what_a_stream_cannot_hold_is_escaped(encoding, shown):
    assert encodable("Zoë", encoding) == shown


def test_markup_is_text():
    assert "[bold red]x[/]" in plan_text(full_plan("[bold red]x[/]").shown(), Style(color=True))
