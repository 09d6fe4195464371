"""Schemas of authorizations that come with codat-sync: few, and a workspace's own comes first."""

import json
import os
from pathlib import Path

import pytest

from reconciler.loading import BUILTIN_PLATFORMS, SpecCode
from reconciler.loading.authorization_schema import STEPS_EACH, BoundedSchema, EndlessSchemaError
from reconciler.loading.platforms import PUBLISHED
from reconciler.model import Platform, SourceType

PLATFORMS = (
    *BUILTIN_PLATFORMS,
    Platform(key="abcd", name="Sage Bank Feeds", source_type=SourceType.BANK_FEED),
)


def test_every_published_schema_has_its_file_and_no_other_is_there():
    directory = Path(__file__).parents[2] / "schemas/platforms"
    assert {path.name for path in directory.iterdir()} == {f"{name}.json" for name in PUBLISHED}


def test_an_authorization_that_fits_is_taken(project):
    project.connection('platform: sage-bank-feeds\nauthorization: {authorizationId: "${env:A}"}')
    assert project.load(platforms=PLATFORMS).warnings == ()


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (
            '{accessToken: "${env:A}", authorizationId: "${env:A}"}',
            "it has fields that are none of authorizationId, bankId",
        ),
        ('{authId: "${env:A}"}', "it lacks authorizationId"),
    ],
)
def test_one_that_does_not_is_refused(project, written, sentence):
    project.connection(f"platform: sage-bank-feeds\nauthorization: {written}")
    found = project.errors(platforms=PLATFORMS)
    assert {item.code for item in found} == {SpecCode.AUTHORIZATION_SCHEMA}
    assert found[0].summary == "does not fit the schema that Codat's docs give for Sage Bank Feeds"
    assert sentence in [item.fix for item in found]


def test_a_workspace_s_own_schema_comes_first(project):
    project.put("specs/own.json", '{"required": ["token"]}')
    own = "version: 1\nworkspace: prod\nplatforms: {sage-bank-feeds: {schema: own.json}}\n"
    project.put("specs/workspace.yaml", own)
    project.connection('platform: sage-bank-feeds\nauthorization: {token: "${env:A}"}')
    assert project.load(platforms=PLATFORMS).warnings == ()


def test_other_platforms_take_any_map_of_text(project):
    project.connection('platform: xero\nauthorization: {anything: "${env:A}"}')
    assert project.load().warnings == ()


# --- schemas that somebody wrote to do harm ----------------------------------------------------

LITERAL = "platform: xero\nauthorization: {aId: " + "a" * 40 + "b}"


def hostile(project, schema: bytes) -> list:
    project.put("specs/workspace.yaml", "version: 1\nworkspace: prod\nplatforms: {xero: {schema: x.json}}\n")
    (project.root / "specs/x.json").write_bytes(schema)
    project.connection(LITERAL)
    return project.errors()


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        (b"\xff\xfe{}", "this file is not UTF-8 text"),
        (b'{"a":' * 10_000, "this file is not JSON"),
        (b'{"not": ' * 400 + b"{}" + b"}" * 400, "this file is nested too deep"),
        (
            b'{"description": "' + b" " * 300_000 + b'"}',
            "this file cannot be read: it is larger than 256 KiB",
        ),
        (b'{"properties": {"aId": {"pattern": "^(?=a)"}}}', "a pattern in this file is none of RE2's"),
        (b'{"patternProperties": {"(a)\\\\1": {}}}', "a pattern in this file is none of RE2's"),
        (b'{"pattern": "\\ud800"}', "a pattern in this file is none of RE2's"),
        (b'{"pattern": "(?:(?:a{1000}){1000}){1000}"}', "a pattern in this file is none of RE2's"),
        (
            b'{"unevaluatedProperties": false, "allOf": [{"patternProperties": {"(a+)+$": {}}}]}',
            "this file has unevaluatedProperties beside patternProperties",
        ),
    ],
    ids=[
        "not UTF-8",
        "endless JSON",
        "deep",
        "large",
        "look-ahead",
        "back-reference",
        "lone surrogate",
        "repeated repeats",
        "unevaluated",
    ],
)
def test_a_schema_that_cannot_be_bounded_is_refused(project, schema, told):
    (error,) = hostile(project, schema)
    assert (error.code, error.span.file) == (SpecCode.PLATFORM_SCHEMA, "specs/workspace.yaml")
    assert error.summary.startswith(told)


def doubling(levels: int) -> bytes:
    parts = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(levels)}
    return json.dumps({"$defs": {**parts, f"a{levels}": {}}, "$ref": "#/$defs/a0"}).encode()


def unevaluated(levels: int) -> bytes:
    schema: dict = {}
    for _ in range(levels):
        schema = {"allOf": [schema], "unevaluatedProperties": True}
    return json.dumps(schema).encode()


@pytest.mark.parametrize(
    "schema",
    [
        b'{"$ref": "#"}',
        b'{"$dynamicRef": "#a", "$dynamicAnchor": "a"}',
        b'{"allOf": [{"$ref": "#"}, {"$ref": "#"}]}',
        b'{"unevaluatedProperties": false, "allOf": [{"$ref": "#"}]}',
        doubling(60),
        unevaluated(60),
    ],
    ids=["itself", "itself by an anchor", "itself twice", "unevaluated", "doubling", "unevaluated levels"],
)
def test_a_check_without_end_is_given_up(project, schema):
    (error,) = hostile(project, schema)
    assert error.code == SpecCode.AUTHORIZATION_SCHEMA
    assert error.fix == "its schema leads back to itself, or unfolds to too much to be checked"


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"aId": {"pattern": "^(a+)+$"}}},
        {"patternProperties": {"^aI": {"pattern": "^(a|a)*$"}}},
        {"propertyNames": {"pattern": "^(a+)+$"}},
        {"patternProperties": {"^(b+)+$": True}, "additionalProperties": False},
        {"patternProperties": {"^(b+)+$": True}, "additionalProperties": {"pattern": "^(a+)+$"}},
    ],
    ids=["value", "by name", "names", "others", "of others"],
)
def test_a_pattern_that_would_backtrack_for_ever_is_matched_at_once(project, schema):
    (error,) = hostile(project, json.dumps(schema).encode())
    assert error.code == SpecCode.AUTHORIZATION_SCHEMA


def test_a_pipe_in_place_of_a_schema_is_not_waited_for(project):
    project.put("specs/workspace.yaml", "version: 1\nworkspace: prod\nplatforms: {xero: {schema: x.json}}\n")
    os.mkfifo(project.root / "specs/x.json")
    project.connection(LITERAL)
    (error,) = project.errors()
    assert error.summary == "this file cannot be read: it is no regular file"


def test_many_checks_of_a_costly_schema_are_given_up_together():
    schema = BoundedSchema({"allOf": [{"type": "object"}] * 5 * STEPS_EACH})
    for _ in range(4):
        assert schema.errors({"aId": "x"}) == []
    with pytest.raises(EndlessSchemaError):
        schema.errors({"aId": "x"})
