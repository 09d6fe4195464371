"""Connections: from PendingAuth to Linked and away again, and what sending tokens does."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sandbox_api import Api, id_of, invalid

from reconciler.sandbox import Sandbox

FRESH = {"accessToken": "fresh", "refreshToken": "fresh too", "realmId": "4620816365"}
REFUSED_AUTHORIZATIONS: dict[str, Any] = {
    "a bad token": {"accessToken": "bad-token", "realmId": "1"},
    "nothing": {},
    "a number": {"accessToken": 5},
    "nested": {"accessToken": {"value": "x"}},
    "null": {"accessToken": None},
    "an empty string": {"accessToken": ""},
    "a list": ["x"],
}


def test_a_new_connection_waits_to_be_authorized(api: Api) -> None:
    company = api.company()
    path = api.connection(company)
    found = api.ok("GET", path)
    assert found["status"] == "PendingAuth"
    assert (found["integrationKey"], found["sourceType"]) == ("qhyg", "Accounting")
    assert re.fullmatch(re.escape(f"http://sandbox{path}/start?otp=") + "[0-9]{6}", found["linkUrl"])
    assert "lastSync" not in found


@pytest.mark.parametrize("key", ["zzzz", "QuickBooks Online", "", None, 5])
def test_an_unknown_platform_cannot_be_connected(api: Api, key: Any) -> None:
    answer = api("POST", f"/companies/{api.company()}/connections", {"platformKey": key})
    assert answer.status_code == 400


def test_a_disabled_platform_cannot_be_connected(api: Api, sandbox: Sandbox) -> None:
    sandbox.set(disabledPlatforms=["gbol"])
    assert api.ok("GET", "/integrations/gbol")["enabled"] is False
    answer = api("POST", f"/companies/{api.company()}/connections", {"platformKey": "gbol"})
    assert answer.status_code == 400


def test_a_retired_platform_stays_on_the_connections_that_it_has(api: Api, sandbox: Sandbox) -> None:
    sandbox.set(retiredPlatforms=[])
    company = api.company()
    path = api.linked(company, "vjms")
    sandbox.set(retiredPlatforms=["vjms"])

    listed = {row["key"] for row in api.ok("GET", "/integrations", pageSize=1000)["results"]}
    assert "vjms" not in listed
    assert api("GET", "/integrations/vjms").status_code == 404
    refused = api("POST", f"/companies/{company}/connections", {"platformKey": "vjms"})
    assert (refused.status_code, refused.json()["error"]) == (400, "No integration was found with key vjms")
    found = api.ok("GET", path)
    assert (found["status"], found["platformName"], found["sourceType"]) == ("Linked", "Pandle", "Accounting")
    assert api("POST", f"/companies/{company}/data/all").status_code == 204


def test_a_platform_that_an_older_file_holds_and_no_table_knows_is_shown_by_its_key(
    api: Api, sandbox: Sandbox
) -> None:
    company = api.company()
    path = api.linked(company, "olpr")
    with sandbox._store.transaction() as session:
        session.run("UPDATE connection SET platform = 'sbfd'")

    found = api.ok("GET", path)
    assert (found["integrationKey"], found["platformName"], found["sourceType"]) == (
        "sbfd",
        "sbfd",
        "Unknown",
    )
    assert api("POST", f"/companies/{company}/data/all").status_code == 204
    assert api("POST", f"/companies/{company}/data/queue/invoices").status_code == 404
    assert api.ok("GET", f"/companies/{company}/dataStatus") == {}
    api.ok("PUT", f"{path}/authorization", {"accessToken": "second"})


def test_good_tokens_link_and_fetch_nothing(api: Api, sandbox: Sandbox) -> None:
    company = api.company()
    path = api.connection(company)
    assert api.ok("PUT", f"{path}/authorization", FRESH)["status"] == "Linked"
    sandbox.advance(3600)
    assert api.ok("GET", f"/companies/{company}/data/history")["results"] == []
    assert "lastSync" not in api.ok("GET", path)


@pytest.mark.parametrize("tokens", REFUSED_AUTHORIZATIONS.values(), ids=REFUSED_AUTHORIZATIONS)
def test_refused_tokens_leave_the_connection_as_it_was(api: Api, sandbox: Sandbox, tokens: Any) -> None:
    path = api.connection(api.company())
    assert api("PUT", f"{path}/authorization", tokens).status_code == 400
    assert api.status(path) == "PendingAuth"
    api.ok("PUT", f"{path}/authorization", FRESH)
    assert api("PUT", f"{path}/authorization", tokens).status_code == 400
    assert api.status(path) == "Linked"
    (company,) = sandbox.state()["companies"]
    assert company["dataConnections"][0]["authorizations"] == 1


def test_no_refusal_repeats_a_token(api: Api) -> None:
    path = api.connection(api.company())
    for tokens in ({"accessToken": "bad-secret"}, {"accessToken": ["bad-secret"]}):
        assert "secret" not in api("PUT", f"{path}/authorization", tokens).text


def test_spent_tokens_break_a_linked_connection(api: Api, sandbox: Sandbox) -> None:
    path = api.connection(api.company())
    api.ok("PUT", f"{path}/authorization", FRESH)
    assert api("PUT", f"{path}/authorization", FRESH).status_code == 400
    broken = api.ok("GET", path)
    assert broken["status"] == "Deauthorized"
    assert [error["status"] for error in broken["dataConnectionErrors"]] == ["Active"]
    entry = sandbox.journal()[-1]
    assert (entry["tokensToLinked"], entry["tookEffect"]) == (True, False)


def test_newer_tokens_leave_a_linked_connection_linked(api: Api, sandbox: Sandbox) -> None:
    path = api.connection(api.company())
    api.ok("PUT", f"{path}/authorization", FRESH)
    newer = {**FRESH, "accessToken": "newer", "refreshToken": "newer too"}
    assert api.ok("PUT", f"{path}/authorization", newer)["status"] == "Linked"
    (company,) = sandbox.state()["companies"]
    (connection,) = company["dataConnections"]
    assert (connection["authorizations"], connection["tokensWhileLinked"]) == (2, 1)


def test_relinking_resolves_the_errors(api: Api, sandbox: Sandbox) -> None:
    path = api.linked(api.company())
    sandbox.happen(id_of(path), "deauthorize")
    assert api.status(path) == "Deauthorized"
    sandbox.advance(60)
    api.ok("PUT", f"{path}/authorization", FRESH)
    (error,) = api.ok("GET", path)["dataConnectionErrors"]
    assert (error["status"], error["resolvedOnUtc"]) == ("Resolved", "2026-11-24T09:01:00Z")


def test_a_company_has_one_active_accounting_connection(api: Api) -> None:
    company = api.company()
    books = api.linked(company, "qhyg")
    other = api.connection(company, "gbol")
    refused = api("PUT", f"{other}/authorization", FRESH)
    assert refused.status_code == 400
    assert id_of(books) in refused.json()["error"]
    assert api.status(other) == "PendingAuth"
    for _ in range(2):
        assert api.status(api.linked(company, "suuo")) == "Linked", "banking may have several"
        assert api.status(api.linked(company, "fztf")) == "Linked", "commerce may have several"
    api.ok("PATCH", books, {"status": "Unlinked"})
    assert api.ok("PUT", f"{other}/authorization", FRESH)["status"] == "Linked"


def test_only_a_linked_connection_can_be_unlinked(api: Api, sandbox: Sandbox) -> None:
    path = api.connection(api.company())
    assert api("PATCH", path, {"status": "Unlinked"}).status_code == 400
    api.ok("PUT", f"{path}/authorization", FRESH)
    assert api.ok("PATCH", path, {"status": "Unlinked"})["status"] == "Unlinked"
    assert api("PATCH", path, {"status": "Unlinked"}).status_code == 400
    assert invalid(api("PATCH", path, {"status": "Linked"})) == {"status"}
    assert api.ok("PUT", f"{path}/authorization", FRESH)["status"] == "Linked"
    sandbox.happen(id_of(path), "deauthorize")
    assert api("PATCH", path, {"status": "Unlinked"}).status_code == 400


def test_a_deleted_connection_is_gone(api: Api) -> None:
    company = api.company()
    path = api.linked(company)
    assert api("DELETE", path).status_code == 200
    assert api("GET", path).status_code == 404
    assert api("DELETE", path).status_code == 404
    assert api.ok("GET", f"/companies/{company}/connections")["results"] == []


def test_a_connection_is_found_under_its_own_company_alone(api: Api) -> None:
    path = api.linked(api.company())
    other = f"/companies/{api.company()}/connections/{id_of(path)}"
    assert api("GET", other).status_code == 404
    assert api("DELETE", other).status_code == 404
    assert api("PUT", f"{other}/authorization", FRESH).status_code == 404


@pytest.mark.parametrize(
    ("key", "source_type", "is_offline"),
    [
        ("pqsw", "Accounting", True),
        ("hbql", "Accounting", True),
        ("olpr", "BankFeed", False),
        ("suuo", "Banking", False),
        ("vqzp", "Commerce", False),
    ],
)
def test_integrations_say_what_they_are(api: Api, key: str, source_type: str, is_offline: bool) -> None:
    found = api.ok("GET", f"/integrations/{key}")
    assert (found["sourceType"], found["isOfflineConnector"]) == (source_type, is_offline)
    assert found["enabled"] is True


def test_an_unknown_integration_is_a_404(api: Api) -> None:
    assert api("GET", "/integrations/zzzz").status_code == 404
