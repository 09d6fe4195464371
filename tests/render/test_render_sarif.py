"""Diagnostics as SARIF 2.1.0.

The published schema comes with no package that is installed here, so ``SARIF`` below is written by hand
from the standard: the part of it that we use, closed, so that a misspelled or misplaced field fails.
"""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from render_samples import DIAGNOSTICS

from reconciler.diagnostics import Diagnostic, Severity, Span
from reconciler.render import diagnostics_sarif


def closed(required, **properties):
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required.split(),
        "properties": properties,
    }


TEXT = closed("text", text={"type": "string", "minLength": 1})
LEVEL = {"enum": ["none", "note", "warning", "error"]}
INDEX = {"type": "integer", "minimum": 0}
RULE = closed("id", id={"type": "string", "pattern": "^[a-z][a-z-]*$"}, shortDescription=TEXT)
PLACE = closed(
    "artifactLocation region",
    artifactLocation=closed("uri", uri={"type": "string", "pattern": r"^[A-Za-z0-9._~%/-]+$"}),
    region=closed(
        "startLine startColumn",
        startLine={"type": "integer", "minimum": 1},
        startColumn={"type": "integer", "minimum": 1},
    ),
)
RESULT = closed(
    "ruleId ruleIndex level message locations",
    ruleId={"type": "string"},
    ruleIndex=INDEX,
    level=LEVEL,
    message=TEXT,
    locations={"type": "array", "minItems": 1, "items": closed("physicalLocation", physicalLocation=PLACE)},
)
NOTIFICATION = closed(
    "message",
    message=TEXT,
    level=LEVEL,
    associatedRule=closed("id index", id={"type": "string"}, index=INDEX),
)
INVOCATION = closed(
    "executionSuccessful",
    executionSuccessful={"type": "boolean"},
    toolConfigurationNotifications={"type": "array", "minItems": 1, "items": NOTIFICATION},
)
DRIVER = closed(
    "name",
    name={"const": "codat-sync"},
    semanticVersion={"type": "string"},
    rules={"type": "array", "items": RULE, "uniqueItems": True},
)
RUN = closed(
    "tool results",
    tool=closed("driver", driver=DRIVER),
    invocations={"type": "array", "items": INVOCATION},
    results={"type": "array", "items": RESULT},
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
)
SARIF = closed(
    "version runs",
    **{"$schema": {"type": "string", "format": "uri"}},
    version={"const": "2.1.0"},
    runs={"type": "array", "minItems": 1, "maxItems": 1, "items": RUN},
)


def run(*diagnostics, **more):
    document = json.loads(diagnostics_sarif(diagnostics, **more))
    assert [error.message for error in Draft202012Validator(SARIF).iter_errors(document)] == []
    return document["runs"][0]


def test_sarif(golden):
    run(*DIAGNOSTICS)
    golden("diagnostics.sarif", diagnostics_sarif(DIAGNOSTICS))


def test_nothing_wrong_is_an_empty_run():
    found = run()
    assert found["results"] == []
    assert found["invocations"] == [{"executionSuccessful": True}]


def test_each_result_names_its_rule_by_id_and_index():
    found = run(*DIAGNOSTICS, *DIAGNOSTICS)
    rules = [rule["id"] for rule in found["tool"]["driver"]["rules"]]
    assert rules == ["no-specs", "unknown-platform", "unused-column"]
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in found["results"])


def test_the_level_is_the_severity():
    assert [result["level"] for result in run(*DIAGNOSTICS)["results"]] == ["error", "warning"]


def test_a_result_stands_at_line_and_column_and_says_what_to_do():
    (found,) = run(DIAGNOSTICS[1])["results"]
    place = found["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "specs/acme.yaml"},
        "region": {"startLine": 14, "startColumn": 17},
    }
    assert found["message"]["text"] == (
        "companies.acme.connections.books.platform: no platform is called 'quickboks-online'; "
        "did you mean 'quickbooks-online'?"
    )


def test_what_has_no_place_is_told_without_one():
    found = run(DIAGNOSTICS[0])
    (notification,) = found["invocations"][0]["toolConfigurationNotifications"]
    assert found["results"] == []
    assert notification["associatedRule"] == {"id": "no-specs", "index": 0}
    assert notification["message"]["text"].startswith("specs holds no spec file")
    assert not found["invocations"][0]["executionSuccessful"]


def test_specs_with_mistakes_are_a_run_that_succeeded():
    assert run(*DIAGNOSTICS[1:])["invocations"][0]["executionSuccessful"]


def test_a_rule_says_what_its_code_means_where_that_is_known():
    found = run(*DIAGNOSTICS, meanings={"no-specs": "A directory without specs."})
    meanings = [rule["shortDescription"]["text"] for rule in found["tool"]["driver"]["rules"]]
    assert meanings == ["A directory without specs.", "unknown-platform", "unused-column"]


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("specs/Café 1.yaml", "specs/Caf%C3%A9%201.yaml"),
        ("a:b.yaml", "a%3Ab.yaml"),
        ("./specs/a#b?.yaml", "specs/a%23b%3F.yaml"),
        ("../specs/acme.yaml", "../specs/acme.yaml"),
    ],
)
def test_a_path_becomes_a_relative_uri(file, uri):
    (found,) = json.loads(diagnostics_sarif([Diagnostic("a", "b", span=Span(file, 1, 1))]))["runs"][0][
        "results"
    ]
    assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri
    assert Path(unquote(uri)) == Path(file)


def test_an_absolute_path_becomes_a_file_uri():
    written = diagnostics_sarif([Diagnostic("a", "b", span=Span("/srv/specs/a b.yaml", 1, 1))])
    assert '"uri": "file:///srv/specs/a%20b.yaml"' in written


@given(text=st.text(min_size=1))
@example(text="[free money](https://evil.example)\x1b[2J\u202e\ud800")
def test_text_of_others_is_only_text(text):
    place = Span(f"specs/{text}", 3, 4)
    written = diagnostics_sarif([Diagnostic("a-b", text, text, place, text), Diagnostic("c", text)])
    assert written.isascii()
    document = json.loads(written)
    assert [error.message for error in Draft202012Validator(SARIF).iter_errors(document)] == []
    message = document["runs"][0]["results"][0]["message"]["text"]
    assert "](" not in message
    assert message.isprintable()


def test_the_same_diagnostics_give_the_same_bytes():
    warning = Diagnostic("w", "x", severity=Severity.WARNING)
    assert diagnostics_sarif([*DIAGNOSTICS, warning]) == diagnostics_sarif([*DIAGNOSTICS, warning])
