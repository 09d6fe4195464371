"""Desired state as JSON: whatever specs can say comes back as it was."""

from __future__ import annotations

import json

from builders import specs, wanted, wanted_connection
from hypothesis import given
from planner_states import Scenario, scenarios, searched

from reconciler.model import SecretRef
from reconciler.planner.desired_document import desired_digest, from_document, to_document


@searched
@given(scenarios())
def test_what_is_written_is_read_back(scenario: Scenario) -> None:
    document = json.loads(json.dumps(to_document(scenario.desired)))
    assert from_document(document) == scenario.desired
    assert desired_digest(from_document(document)) == desired_digest(scenario.desired)


def test_a_text_that_looks_like_a_reference_and_is_none_stays_text() -> None:
    literal = {"tenantId": "${env:X}", "other": "$${", "token": SecretRef("env", "T")}
    made = specs(wanted(wanted_connection(authorization=literal)))
    (again,) = from_document(to_document(made)).companies["acme"].connections.values()
    assert again.authorization == literal
