"""schemas/plan.schema.json and what the code makes of a plan are one and the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from render_samples import full_plan, of_the_account, one_of_each, plan_of

from reconciler.actions import CreateConnection
from reconciler.kinds import Kind
from reconciler.live import Status
from reconciler.model import Address
from reconciler.plan import CLASS_OF, Attention, AttentionClass, AttentionCode, Origin
from reconciler.planner import read_plan

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "plan.schema.json").read_text("utf-8"))
DEFS = SCHEMA["$defs"]


def errors(document: dict[str, Any]) -> list[str]:
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(document)]


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


EVERY = (*of_the_account(), *one_of_each())


@pytest.mark.parametrize("action", EVERY, ids=lambda value: value.kind.value)
def test_every_kind_of_action_is_as_the_schema_says(action):
    assert errors(plan_of([action]).document()) == []


def test_the_samples_hold_every_kind():
    assert {action.kind for action in EVERY} == set(Kind)


def test_a_plan_of_everything_is_as_the_schema_says():
    assert errors(full_plan().document()) == []


def test_a_connection_that_records_links_is_as_the_schema_says():
    action = CreateConnection(
        address=Address("acme", "b"),
        reason="not in Codat",
        company_id="id",
        platform="plaid",
        platform_key="suuo",
        links={"a": "i", "b": None},
    )
    assert errors(plan_of([action]).document()) == []


@pytest.mark.parametrize("code", AttentionCode)
def test_every_attention_is_as_the_schema_says(code):
    assert (
        errors(plan_of(attention=[Attention(code=code, address=Address("acme"), message="…")]).document())
        == []
    )


def test_what_later_commands_add_is_allowed():
    document = full_plan().document()
    document["actions"][0]["origin"] = "change"
    document["actions"][1]["origin"] = "pending"
    desired = {"workspace": "prod", "narrowed": False, "companies": {}, "of a later version": 1}
    assert errors(document | {"desired": desired, "notes": ["…"]}) == []


@pytest.mark.parametrize("member", ["desired", "run"])
def test_what_a_saved_plan_holds_has_a_form(member):
    assert errors(full_plan().document() | {member: {}})


@pytest.mark.parametrize("kind", [*Kind])
def test_no_action_may_carry_a_field_that_is_not_known(kind):
    document = plan_of(EVERY).document()
    action = next(step for step in document["actions"] if step["kind"] == kind.value)
    action["authorization"] = {"accessToken": "secret"}
    assert errors(document)


@pytest.mark.parametrize("kind", ["product.add", "product.remove", "company.syncSettings"])
def test_kinds_that_are_reserved_are_not_allowed_yet(kind):
    document = plan_of().document()
    document["actions"] = [{"kind": kind, "address": "acme", "reason": ""}]
    assert errors(document)


@given(text=st.text(st.characters(exclude_characters="/")))
@example(text="\u202e\x1b[2J ${env:A} \ud800")
def test_a_plan_that_was_written_is_read_as_it_was(text):
    """Whatever stands in it; but no key and no id has a slash, which parts an address."""
    actions = (*of_the_account(), *full_plan(text).actions)
    plan = replace(full_plan(text), actions=actions, origins=(Origin.PENDING,) * len(actions)).shown()
    read = read_plan(json.loads(json.dumps(plan.document())))
    assert read == plan
    assert read.document() == plan.document()


def test_kinds_are_those_of_the_code():
    assert DEFS["action"]["properties"]["kind"]["enum"] == [kind.value for kind in Kind]
    assert set(DEFS["summary"]["required"]) == set(plan_of().document()["summary"])


def test_attention_codes_and_their_classes_are_those_of_the_code():
    by_class = {
        rule["if"]["properties"]["class"]["const"]: rule["then"]["properties"]["code"]["enum"]
        for rule in DEFS["attention"]["allOf"]
    }
    assert by_class == {
        attention_class.value: [code.value for code in AttentionCode if CLASS_OF[code] is attention_class]
        for attention_class in AttentionClass
    }


def test_statuses_are_those_of_the_code():
    assert DEFS["status"]["enum"] == [status.value for status in Status]
