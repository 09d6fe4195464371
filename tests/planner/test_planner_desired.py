"""Desired state as JSON: whatever specs can say comes back as it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from builders import TOKENS, specs, wanted, wanted_connection
from hypothesis import given
from planner_states import Scenario, scenarios, searched

from reconciler.kinds import digest
from reconciler.model import (
    Desired,
    DesiredAccount,
    DesiredSourceAccount,
    DesiredWebhook,
    Precondition,
    PreconditionState,
    Presence,
    SyncPolicy,
    Wanted,
)
from reconciler.plan import Options
from reconciler.planner.saved_form import from_document, to_document
from reconciler.planner.specs_digest import desired_digest
from reconciler.secret_refs import SecretRef, Variable, WrittenValues
from reconciler.workspace import Guard, Limit, Workspace


@searched
@given(scenarios())
def test_what_is_written_is_read_back(scenario: Scenario) -> None:
    document = json.loads(json.dumps(to_document(scenario.desired)))
    assert from_document(document, Desired) == scenario.desired
    assert desired_digest(from_document(document, Desired)) == digest(document)
    assert desired_digest(scenario.desired) == digest(document)


def test_a_text_that_looks_like_a_reference_and_is_none_stays_text() -> None:
    literal = {"tenantId": "${env:X}", "other": "$${", "token": SecretRef(Variable("T"))}
    made = specs(wanted(wanted_connection(authorization=literal)))
    (again,) = from_document(to_document(made), Desired).companies["acme"].connections.values()
    assert again.authorization == literal


EVERYTHING: Final = replace(
    specs(
        wanted(
            wanted_connection(
                id="2e9d2c44-f675-40ba-8049-353bfcb5e171",
                renamed_from="ledger",
                issued_at=datetime(2026, 11, 20, 9, tzinfo=UTC),
                sync=SyncPolicy(max_age=timedelta(days=30), data_types=("invoices", "bills")),
                authorization=TOKENS | {"tenantId": "${env:X}"},
            ),
            description=None,
            tags={"region": "uk", "old": None},
            new_beside=("b", "a"),
            renamed_from="acmee",
            protect=False,
            products=("lending", "assess"),
            sync_settings={"invoices": {"syncSchedule": 12, "fetchOnFirstLink": True}, "bills": {}},
            id="8a210b68-6988-11ed-a1eb-0242ac120002",
        ),
        wanted(key="bravo", name='Bravo \U0001f984 \\ "', state=Presence.ABSENT),
        narrowed=True,
        renamed_from="staging",
    ),
    account=DesiredAccount(
        profile={"whiteListUrls": ("https://b.example", "https://a.example"), "iconUrl": ""},
        sync_settings={"invoices": {"syncOrder": 1}},
        webhooks={
            "new": DesiredWebhook(key="new", url=SecretRef.parse("${env:HOOK}"), event_types=("b", "a")),
            "old": DesiredWebhook(key="old", id="w1", state=Presence.ABSENT),
        },
    ),
)
SETTINGS: Final = Workspace(
    name="prod",
    root=".",
    account="acc",
    warn_after=timedelta(days=7),
    guard=Guard(max_deletes=Limit(5, percent=True)),
    platform_details={"gbol": {"x": "y"}},
)


def test_the_form_of_saved_plans_stays_as_it_is_to_the_letter(golden: Callable[[str, str], None]) -> None:
    nouns = (EVERYTHING, Options(targets=("b", "a"), allow_deletes=3), SETTINGS)
    text = json.dumps([to_document(noun) for noun in nouns], indent=2)
    golden("saved-form.json", text + "\n")


BROKEN: Final = [
    pytest.param("name", 5, id="text-number"),
    pytest.param("description", 5, id="nullable-text-number"),
    pytest.param("protect", None, id="flag-null"),
    pytest.param("new", "yes", id="flag-text"),
    pytest.param("state", "gone", id="unknown-word"),
    pytest.param("connections.books.issuedAt", "2026-11-20T09:00:00", id="no-zone"),
    pytest.param("connections.books.issuedAt", "soon", id="no-date"),
    pytest.param("connections.books.authorization.accessToken", "${env:1x}", id="no-variable"),
    pytest.param("connections.books.authorization.accessToken", "${table:t.csv}", id="no-cell"),
    pytest.param("connections.books.authorization.accessToken", "${sh:-x}", id="an-option"),
]


@pytest.mark.parametrize(("path", "value"), BROKEN)
def test_a_value_of_another_kind_is_refused_and_not_made_to_fit(path: str, value: object) -> None:
    document = to_document(EVERYTHING)
    *trail, last = path.split(".")
    holder: dict[str, Any] = document["companies"]["acme"]
    for step in trail:
        holder = holder[step]
    assert last in holder
    holder[last] = value
    with pytest.raises(ValueError):  # noqa: PT011 - of whatever text: none is shown
        from_document(document, Desired)


PLAIN: Final = wanted_connection("shop", authorization=WrittenValues(("b", "a"), ("${env:B}", "\u00e9 $${")))
NEVER: Final = replace(PLAIN, sync=SyncPolicy(never=True))
UNLINKED: Final = replace(PLAIN, wanted=Wanted.UNLINKED)
MET: Final = replace(PLAIN, preconditions=dict.fromkeys(Precondition, PreconditionState.DONE))
FEED: Final = replace(PLAIN, source_accounts={"a": DesiredSourceAccount(key="a", name="Current")})


@pytest.mark.parametrize(
    "desired",
    [
        pytest.param(EVERYTHING, id="everything"),
        pytest.param(specs(), id="nothing"),
        pytest.param(specs(wanted(PLAIN), wanted(PLAIN, key="b")), id="alike"),
        *(
            pytest.param(specs(wanted(PLAIN), wanted(other, key="b")), id=name)
            for name, other in (("sync", NEVER), ("state", UNLINKED), ("preconditions", MET), ("feed", FEED))
        ),
        pytest.param(specs(wanted(replace(PLAIN, id="i"), key="b\ud800", tags={"\u2028": ""})), id="texts"),
    ],
)
def test_the_digest_of_specs_is_that_of_their_saved_form(desired: Desired) -> None:
    assert desired_digest(desired) == digest(to_document(desired))
