"""The schemas: closed, described, and the compiled validator never more lenient than jsonschema."""

import copy
import json
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.loading import BUILTIN_PLATFORMS, schema
from reconciler.migration import WAYS
from reconciler.model import Migration

ROOT = Path(__file__).parents[2]
OPENAPI = ROOT.parent / "shared/codat/Codat-Platform.openapi.json"
NAMES = ("spec", "workspace", "account")


def nodes(document, path="#"):
    """Every mapping of a schema that is itself a schema, with its pointer."""
    yield path, document
    for keyword in ("properties", "$defs"):
        for name, member in document.get(keyword, {}).items():
            yield from nodes(member, f"{path}/{keyword}/{name}")
    for keyword in ("additionalProperties", "propertyNames", "items"):
        if isinstance(document.get(keyword), dict):
            yield from nodes(document[keyword], f"{path}/{keyword}")


ALL = [
    pytest.param(node, id=name + path)
    for name in NAMES
    for path, node in nodes(json.loads((ROOT / f"schemas/{name}.schema.json").read_text()))
]


@pytest.mark.parametrize("node", ALL)
def test_every_mapping_is_closed_and_every_field_described(node):
    if "properties" in node:
        assert node["additionalProperties"] is False or node["title"] == "Authorization"
        for name, field in node["properties"].items():
            assert {"title", "description", "markdownDescription"} <= field.keys() or "$ref" in field, name
    if "object" in node.get("type", ()):
        assert "additionalProperties" in node


@pytest.mark.parametrize("node", [item for item in ALL if "pattern" in item.values[0]])
def test_every_pattern_is_anchored_and_says_what_to_write(node):
    assert re.fullmatch(r"\^.*\$", node["pattern"])
    assert node["patternErrorMessage"]


@pytest.mark.parametrize("name", NAMES)
def test_the_schemas_and_their_examples_are_valid(name):
    document = json.loads((ROOT / f"schemas/{name}.schema.json").read_text())
    Draft202012Validator.check_schema(document)
    for path, node in nodes(document):
        validator = Draft202012Validator({**node, "$defs": document["$defs"]})
        for example in node.get("examples", ()):
            assert validator.is_valid(example), path


def test_data_types_are_those_of_codat():
    if not OPENAPI.is_file():
        pytest.skip(f"there is no {OPENAPI.name} beside the repository")
    codat = json.loads(OPENAPI.read_text())["components"]["schemas"]["DataStatus"]["properties"]["dataType"]
    ours = schema.named("spec").document["$defs"]["dataType"]["enum"]
    assert ours == codat["enum"]


def test_editors_offer_every_platform_by_name():
    named = sorted(platform.slug for platform in BUILTIN_PLATFORMS)
    connection = schema.named("spec").document["$defs"]["connection"]["properties"]
    defaults = schema.named("workspace").document["properties"]["defaults"]["properties"]["connection"]
    assert connection["platform"]["examples"] == named
    assert defaults["properties"]["platform"]["examples"] == named


def test_editors_offer_the_fields_of_authorizations_that_codat_documents_and_take_others_alike():
    authorization = schema.named("spec").document["$defs"]["connection"]["properties"]["authorization"]
    sage = json.loads((ROOT / "schemas/platforms/sage-bank-feeds.json").read_text())
    assert {"accessToken", "refreshToken", *sage["properties"]} <= authorization["properties"].keys()
    words = {"title", "description", "markdownDescription"}
    any_other = {
        key: value for key, value in authorization["additionalProperties"].items() if key not in words
    }
    for name, field in authorization["properties"].items():
        assert {key: value for key, value in field.items() if key not in words} == any_other, name


def by_platform():
    """By a platform's name and key, what editors offer in its ``authorization``."""
    return {
        tuple(branch["if"]["properties"]["platform"]["enum"]): branch["then"]["properties"]["authorization"]
        for branch in schema.named("spec").document["$defs"]["connection"]["allOf"]
    }


def test_editors_offer_each_platform_that_takes_tokens_its_own_fields():
    names = {platform.key: platform.slug for platform in BUILTIN_PLATFORMS}
    taking = {(names[way.key], way.key) for way in WAYS if Migration.SELF_SERVICE in way.migrations}
    assert by_platform().keys() == taking
    sage = json.loads((ROOT / "schemas/platforms/sage-bank-feeds.json").read_text())
    assert by_platform()["sage-bank-feeds", "olpr"]["properties"].keys() == sage["properties"].keys()


def test_what_editors_offer_by_platform_is_described_and_refuses_nothing():
    words = {"title", "description", "markdownDescription"}
    for names, part in by_platform().items():
        assert part.keys() == words | {"properties"}, names
        for field in part["properties"].values():
            assert field.keys() == words, names


def test_the_examples_have_only_fields_that_editors_offer():
    offered = {name: part["properties"].keys() for names, part in by_platform().items() for name in names}
    companies = [
        company
        for file in (ROOT / "specs").glob("*.yaml")
        for company in (yaml.safe_load(file.read_text()).get("companies") or {}).values()
    ]
    written = [
        (connection["platform"], connection["authorization"].keys())
        for company in companies
        for connection in company.get("connections", {}).values()
        if "authorization" in connection
    ]
    assert written
    assert [(platform, fields) for platform, fields in written if not fields <= offered[platform]] == []


@pytest.mark.parametrize("other", NAMES[1:])
def test_the_schemas_share_what_they_both_have(other):
    spec, shared = schema.named("spec").document["$defs"], schema.named(other).document["$defs"]
    for name in spec.keys() & shared.keys():
        assert spec[name] == shared[name], name


GOOD = {
    "spec": {
        "version": 1,
        "companies": {
            "acme": {
                "name": "Acme",
                "description": None,
                "tags": {"region": "uk", "old": None},
                "id": "8a210b68-6988-11ed-a1eb-0242ac120002",
                "new": False,
                "renamedFrom": "acme-old",
                "protect": True,
                "state": "present",
                "connections": {
                    "books": {
                        "platform": "xero",
                        "migration": "self-service",
                        "authorization": {"accessToken": "${env:A}"},
                        "issuedAt": "2026-11-20T09:00:00Z",
                        "state": "linked",
                        "sync": {"maxAge": "30d", "dataTypes": ["bills", "invoices"]},
                        "id": "8a210b68-6988-11ed-a1eb-0242ac120002",
                        "preconditions": {"callbackUrlAdded": "done"},
                    },
                    "bank": {"sync": "never"},
                },
            }
        },
        "companySets": {
            "all": {"from": "a.csv", "key": "${row:id}", "company": {"name": "${row:name}", "tags": {}}}
        },
    },
    "workspace": {
        "version": 1,
        "workspace": "prod",
        "account": "Example",
        "defaults": {"connection": {"migration": "link", "sync": {"maxAge": "2h"}}},
        "preconditions": {"legacySyncDisabled": "todo"},
        "platforms": {"xero": {"fields": {"shop": {"secret": False}}, "schema": "x.json"}},
        "rollout": {"canary": "acme", "batch": 5, "maxFailures": 1},
        "limits": {"requestsPerMinute": 1, "concurrency": 1, "pageSize": 5000, "reserve": "0%"},
        "guard": {"maxDeletes": 0, "maxUnlinks": "100%"},
        "names": "strip",
        "secrets": {"commands": {"vault": ["vault", "get", "{ref}"]}, "timeout": "30s"},
        "sandboxOnly": True,
    },
    "account": {
        "version": 1,
        "profile": {
            "redirectUrl": "https://x",
            "whiteListUrls": ["https://x"],
            "syncSettings": {"bills": {"syncSchedule": 1}},
        },
        "webhooks": {
            "a": {"url": "https://x", "eventTypes": ["x"], "disabled": True},
            "b": {"state": "absent"},
        },
    },
}

words = st.sampled_from(
    ["", "x", "acme\n", "a b", "never", "done", "30d", "30d\n", "10%", "bills", "é", "x" * 28, "x" * 101]
)
scalars = st.none() | st.booleans() | st.integers(-1, 6000) | st.floats() | words
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2)
)


def paths(value, path=()):
    yield path
    if isinstance(value, dict | list):
        for step, member in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths(member, (*path, step))


@st.composite
def damaged(draw, good):
    """A good document in which one place is replaced, removed or given another entry."""
    document = copy.deepcopy(good)
    path = draw(st.sampled_from([place for place in paths(good) if place]))
    *trail, last = path
    holder = document
    for step in trail:
        holder = holder[step]
    deed = draw(st.sampled_from(["replace", "remove", "add"]))
    if deed == "replace":
        holder[last] = draw(values)
    elif deed == "remove":
        del holder[last]
    elif isinstance(holder, dict):
        holder[draw(words)] = draw(values)
    else:
        holder.append(draw(values))
    return document


@pytest.mark.parametrize("name", NAMES)
def test_the_predicate_passes_what_is_good(name):
    assert schema.named(name).fits(GOOD[name])


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_what_the_predicate_passes_jsonschema_passes(name, data):
    document = data.draw(damaged(GOOD[name]))
    known = schema.named(name)
    if known.fits(document):
        assert known.validator.is_valid(document)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_what_jsonschema_passes_the_predicate_mostly_does(name, data):
    """Only whole numbers written as 1.0 take the slow way."""
    document = data.draw(damaged(GOOD[name]))
    known = schema.named(name)
    if known.validator.is_valid(document):
        text = json.dumps(document)
        assert known.fits(document) or ".0" in text or "e+" in text
