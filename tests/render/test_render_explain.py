"""What an explanation looks like, and that no value of Codat's or of a spec's can forge a part of it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from test_render_escaping import COMMANDS, DANGEROUS, check, hostile, styles

from reconciler.render import Style, codes_json, codes_text, explanation_json, explanation_text

RESULT = {"row": "authorize", "why": "PendingAuth", "actions": ["connection.authorize"], "attention": None}
DOCUMENT: dict[str, Any] = {
    "formatVersion": 1,
    "address": "acme/books",
    "workspace": "prod",
    "api": "https://api.codat.io",
    "explanations": [
        {
            "address": "acme/books",
            "spec": {"file": "specs/acme.yaml", "line": 7, "column": 7},
            "live": {
                "id": "c1",
                "platform": "Xero",
                "status": "PendingAuth",
                "created": "2026-11-20T09:00:00+00:00",
                "lastSync": None,
                "errors": [{"statusCode": "401", "erredAt": None, "active": True}],
                "lastPull": None,
            },
            "note": "",
            "decisions": [
                {
                    "table": "connection",
                    **RESULT,
                    "facts": [{"fact": "live", "says": "live status", "value": "PendingAuth"}],
                    "otherwise": [
                        {
                            "fact": "live",
                            "says": "live status",
                            "values": ["Unlinked"],
                            "row": "severed",
                            "why": "someone withdrew access on purpose",
                            "actions": [],
                            "attention": "unlinked",
                        }
                    ],
                }
            ],
            "actions": [
                {
                    "kind": "connection.authorize",
                    "address": "acme/books",
                    "reason": "PendingAuth",
                    "changes": [{"path": "name", "before": None, "after": "Acme"}],
                }
            ],
            "attention": [
                {"code": "gate", "class": "blocking", "address": "acme/books", "message": "not yet"}
            ],
        }
    ],
    "refusals": ["the plan would prune 2"],
}
SHOWN = """\
acme/books: connection.authorize
  name: (none) -> "Acme"
  attention gate (blocking): not yet
  spec: specs/acme.yaml:7:7
  live
    id: "c1"
    platform: "Xero"
    status: "PendingAuth"
    created: "2026-11-20T09:00:00+00:00"
    errors.0.statusCode: "401"
    errors.0.active: True

Rule authorize (of the connection table): PendingAuth: connection.authorize
  because
    live status: PendingAuth
  otherwise, if
    live status: Unlinked -> attention unlinked (rule severed: someone withdrew access on purpose)

The plan is refused: the plan would prune 2
"""
ENTRY = {
    "code": "gate",
    "group": "attention",
    "severity": "blocking",
    "exit": None,
    "summary": "Not confirmed.",
    "cause": "It is early.",
    "remedy": "Confirm it.",
    "example": "platforms:\n  xero: {}",
}


def replaced(value: Any, text: str) -> Any:
    """The document with every text that is not a name of a rule's table as ``text``."""
    if isinstance(value, dict):
        return {key: replaced(item, text) for key, item in value.items()}
    if isinstance(value, list):
        return [replaced(item, text) for item in value]
    return text if isinstance(value, str) else value


def test_an_explanation_has_result_place_live_values_rule_and_what_would_change_it() -> None:
    assert explanation_text(DOCUMENT, Style()) == SHOWN


def test_a_quiet_explanation_is_the_result_alone() -> None:
    shown = explanation_text({**DOCUMENT, "refusals": []}, Style(quiet=True))
    assert shown == "acme/books: connection.authorize\n"


def test_what_codat_does_not_have_is_said() -> None:
    (one,) = DOCUMENT["explanations"]
    absent = {**DOCUMENT, "explanations": [{**one, "live": None, "spec": None, "actions": []}]}
    shown = explanation_text(absent, Style())
    assert "acme/books: nothing to do\n" in shown
    assert "  spec: in no spec\n  live: not in Codat\n" in shown


def test_a_code_has_summary_cause_remedy_and_example() -> None:
    assert codes_text([ENTRY, {**ENTRY, "group": "apply", "severity": "error", "exit": 1}], Style()) == (
        "gate (attention, blocking)\nNot confirmed.\nCause: It is early.\nRemedy: Confirm it.\n"
        "Example:\n    platforms:\n      xero: {}\n\n"
        "gate (failure of apply, error, exit status 1)\nNot confirmed.\nCause: It is early.\n"
        "Remedy: Confirm it.\nExample:\n    platforms:\n      xero: {}\n"
    )


def test_json_is_the_document_as_it_is() -> None:
    assert json.loads(explanation_json(DOCUMENT)) == DOCUMENT
    assert json.loads(codes_json([ENTRY])) == {"formatVersion": 1, "codes": [ENTRY]}


@given(text=hostile, style=styles)
@example(text=DANGEROUS, style=Style())
@example(text=DANGEROUS, style=Style(color=True, width=40))
@example(text=COMMANDS, style=Style())
@example(text="x" * 100_000, style=Style())
@example(text=":", style=Style())
def test_no_explanation_shows_anything_dangerous(text: str, style: Style) -> None:
    check(explanation_text(replaced(DOCUMENT, text), style), style)
    tags = {f"{text}{number}": text for number in range(20)}
    (one,) = DOCUMENT["explanations"]
    check(explanation_text({**DOCUMENT, "explanations": [{**one, "live": {"tags": tags}}]}, style), style)


@given(text=hostile)
@example(text=COMMANDS)
def test_json_of_an_explanation_is_ascii(text: str) -> None:
    written = explanation_json(replaced(DOCUMENT, text))
    assert written.isascii()
    assert "##[" not in written


@given(text=st.text(max_size=200))
def test_a_live_value_cannot_forge_a_line(text: str) -> None:
    (one,) = DOCUMENT["explanations"]
    forged = {**DOCUMENT, "explanations": [{**one, "live": {"name": f"{text}\nRule forged"}}]}
    assert not re.search(r"^Rule forged", explanation_text(forged, Style()), re.MULTILINE)


@pytest.mark.parametrize("width", [1, 20, 80])
def test_a_narrow_terminal_loses_nothing(width: int) -> None:
    shown = re.sub(r"\s+", "", explanation_text(DOCUMENT, Style(width=width)))
    assert shown == re.sub(r"\s+", "", SHOWN)
