"""Syncs: they take time, show where they stand, and end well or badly."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_api import NOBODY, Api, id_of

from reconciler.sandbox import Sandbox
from reconciler.sandbox.integrations import DATA_TYPES, FETCHED_ON_FIRST_LINK


@pytest.fixture
def company(api: Api) -> str:
    return f"/companies/{api.company()}"


def history(api: Api, company: str, **query: Any) -> list[dict[str, Any]]:
    return list(
        api.ok("GET", f"{company}/data/history", orderBy="-requested", pageSize=1000, **query)["results"]
    )


def setting(data_type: str, fetch: bool) -> dict[str, Any]:
    return {"dataType": data_type, "fetchOnFirstLink": fetch, "syncSchedule": 24, "syncOrder": 0}


def test_a_sync_is_queued_then_fetching_then_complete(api: Api, sandbox: Sandbox, company: str) -> None:
    path = api.linked(id_of(company))
    api.ok("POST", f"{company}/data/all")
    statuses = []
    for _ in range(3):
        pulls = history(api, company)
        statuses.append({(pull["status"], pull["isCompleted"], "completed" in pull) for pull in pulls})
        assert ("lastSync" in api.ok("GET", path)) is (len(statuses) == 3)
        sandbox.advance(1)
    assert statuses == [{("Queued", False, False)}, {("Fetching", False, False)}, {("Complete", True, True)}]
    found = api.ok("GET", company)
    assert found["lastSync"] == found["dataConnections"][0]["lastSync"] == "2026-11-24T09:00:02Z"


def test_a_sync_fetches_what_is_marked_and_supported_on_every_linked_connection(
    api: Api, company: str
) -> None:
    linked = {key: id_of(api.linked(id_of(company), key)) for key in ("qhyg", "suuo", "fztf", "olpr")}
    api.connection(id_of(company), "upvr")
    api.ok("POST", f"{company}/data/all")
    expected = {
        (linked[key], data_type)
        for key, source in (("qhyg", "Accounting"), ("suuo", "Banking"), ("fztf", "Commerce"))
        for data_type in DATA_TYPES[source]
        if data_type in FETCHED_ON_FIRST_LINK
    }
    assert {
        (document["connectionId"], document["dataType"]) for document in history(api, company)
    } == expected


def test_the_first_time_a_customer_links_what_is_marked_is_fetched_and_never_again(
    api: Api, sandbox: Sandbox, company: str
) -> None:
    path = api.connection(id_of(company))
    sandbox.happen(id_of(path), "link")
    queued = history(api, company)
    assert {document["dataType"] for document in queued} == FETCHED_ON_FIRST_LINK & set(
        DATA_TYPES["Accounting"]
    )
    assert {document["status"] for document in queued} == {"Queued"}
    sandbox.advance(60)
    sandbox.happen(id_of(path), "deauthorize")
    sandbox.happen(id_of(path), "link")
    assert len(history(api, company)) == len(queued)


def test_an_import_by_codats_team_fetches_nothing(api: Api, sandbox: Sandbox, company: str) -> None:
    path = api.connection(id_of(company))
    sandbox.happen(id_of(path), "import")
    assert api.status(path) == "Linked"
    assert history(api, company) == []


def test_a_company_without_a_linked_connection_cannot_sync(api: Api, company: str) -> None:
    api.connection(id_of(company))
    assert api("POST", f"{company}/data/all").status_code == 400
    assert api("POST", f"{company}/data/queue/invoices").status_code == 400


def test_what_is_in_progress_cannot_be_queued(api: Api, sandbox: Sandbox, company: str) -> None:
    api.linked(id_of(company))
    running = api.ok("POST", f"{company}/data/queue/invoices")["id"]
    for path in ("data/all", "data/queue/invoices"):
        refused = api("POST", f"{company}/{path}")
        assert refused.status_code == 400
        assert refused.json()["error"] == (
            f"DatasetAlreadyInProgressException: Cannot queue invoices sync for {id_of(company)}"
            f" as previous sync {running} is still in progress"
        )
    assert len(history(api, company)) == 1, "a refused sync queues nothing at all"
    sandbox.advance(2)
    assert api("POST", f"{company}/data/all").status_code == 204


def test_one_type_is_queued_for_the_connection_that_is_named(api: Api, company: str) -> None:
    first, second = api.linked(id_of(company), "suuo"), api.linked(id_of(company), "upvr")
    pull = api.ok("POST", f"{company}/data/queue/banking-accounts", connectionId=id_of(second))
    assert (pull["connectionId"], pull["dataType"], pull["status"]) == (
        id_of(second),
        "banking-accounts",
        "Queued",
    )
    api.ok("POST", f"{company}/data/queue/banking-accounts", connectionId=id_of(first))
    assert {document["connectionId"] for document in history(api, company)} == {id_of(first), id_of(second)}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("data/queue/pastries", 404),
        ("data/queue/commerce-orders", 404),
        (f"data/queue/invoices?connectionId={NOBODY}", 400),
    ],
)
def test_what_cannot_be_fetched_is_refused(api: Api, company: str, path: str, status: int) -> None:
    api.linked(id_of(company))
    assert api("POST", f"{company}/{path}").status_code == status


def test_offline_connectors_stay_queued_until_they_come_online(
    api: Api, sandbox: Sandbox, company: str
) -> None:
    path = api.linked(id_of(company), "pqsw")
    api.ok("POST", f"{company}/data/all")
    sandbox.advance(30 * 86_400)
    assert {document["status"] for document in history(api, company)} == {"Queued"}
    assert "DatasetAlreadyInProgress" in api("POST", f"{company}/data/all").text
    sandbox.happen(id_of(path), "online")
    sandbox.advance(2)
    assert {document["status"] for document in history(api, company)} == {"Complete"}


def test_history_is_queried_ordered_and_paged(api: Api, sandbox: Sandbox, company: str) -> None:
    first, second = api.linked(id_of(company), "suuo"), api.linked(id_of(company), "upvr")
    for connection in (first, second):
        api.ok("POST", f"{company}/data/queue/banking-accounts", connectionId=id_of(connection))
        sandbox.advance(5)
    newest, oldest = history(api, company)
    assert (newest["connectionId"], oldest["connectionId"]) == (id_of(second), id_of(first))
    assert api.ok("GET", f"{company}/data/history")["results"] == [oldest, newest]
    assert history(api, company, query=f"connectionId={id_of(first)}") == [oldest]
    assert history(api, company, query="status=Complete && dataType=banking-accounts") == [newest, oldest]
    assert api.ok("GET", f"{company}/data/history", pageSize=1)["totalResults"] == 2
    assert api.ok("GET", f"{company}/data/history/{newest['id']}") == newest
    assert api("GET", f"{company}/data/history/{NOBODY}").status_code == 404
    refused = api("GET", f"{company}/data/history", query="isCompleted=true")
    assert "Could not resolve property isCompleted on Dataset" in refused.json()["error"]


def test_data_status_shows_the_newest_sync_of_each_type(api: Api, sandbox: Sandbox, company: str) -> None:
    connection = id_of(api.linked(id_of(company)))
    assert api.ok("GET", f"{company}/dataStatus") == {}
    good = api.ok("POST", f"{company}/data/queue/invoices")["id"]
    sandbox.advance(5)
    sandbox.happen(connection, "fail-next-sync", status="MapError")
    bad = api.ok("POST", f"{company}/data/queue/invoices")["id"]
    sandbox.advance(5)
    assert api.ok("GET", f"{company}/dataStatus") == {
        "invoices": {
            "dataType": "invoices",
            "currentStatus": "MapError",
            "latestSyncId": bad,
            "latestSuccessfulSyncId": good,
            "lastSuccessfulSync": "2026-11-24T09:00:02Z",
        }
    }


def test_a_failure_that_was_asked_for_strikes_one_sync(api: Api, sandbox: Sandbox, company: str) -> None:
    path = api.linked(id_of(company))
    sandbox.happen(id_of(path), "fail-next-sync")
    api.ok("POST", f"{company}/data/all")
    sandbox.advance(2)
    failed = history(api, company)
    assert {
        (document["status"], document["isErrored"], "errorMessage" in document) for document in failed
    } == {("FetchError", True, True)}
    assert "lastSync" not in api.ok("GET", path)
    api.ok("POST", f"{company}/data/all")
    sandbox.advance(2)
    assert "lastSync" in api.ok("GET", path)


def test_a_revoked_connection_is_deauthorized_when_its_sync_ends(
    api: Api, sandbox: Sandbox, company: str
) -> None:
    path = api.linked(id_of(company))
    sandbox.happen(id_of(path), "revoke")
    assert api.status(path) == "Linked"
    api.ok("POST", f"{company}/data/all")
    sandbox.advance(1)
    assert api.status(path) == "Linked"
    sandbox.advance(1)
    assert api.status(path) == "Deauthorized"
    assert {document["status"] for document in history(api, company)} == {"AuthError"}
    assert len(api.ok("GET", path)["dataConnectionErrors"]) == 1


@pytest.mark.parametrize(("event", "outcome"), [("unlink", "Cancelled"), ("deauthorize", "AuthError")])
def test_losing_access_ends_what_runs(
    api: Api, sandbox: Sandbox, company: str, event: str, outcome: str
) -> None:
    path = api.linked(id_of(company))
    api.ok("POST", f"{company}/data/all")
    sandbox.happen(id_of(path), event)
    assert {document["status"] for document in history(api, company)} == {outcome}
    assert len(api.ok("GET", path)["dataConnectionErrors"]) == (event == "deauthorize")


def test_the_profile_says_which_types_are_fetched(api: Api, company: str) -> None:
    before = api.ok("GET", "/profile/syncSettings")
    marked = {setting["dataType"] for setting in before["settings"] if setting["fetchOnFirstLink"]}
    assert marked == FETCHED_ON_FIRST_LINK
    own = [setting("invoices", True), setting("bills", False)]
    body = {"clientId": before["clientId"], "settings": own, "overridesDefaults": True}
    assert api("POST", "/profile/syncSettings", body).status_code == 204
    assert api.ok("GET", "/profile/syncSettings")["settings"] == own
    api.linked(id_of(company))
    api.ok("POST", f"{company}/data/all")
    assert [document["dataType"] for document in history(api, company)] == ["invoices"]


def test_nothing_marked_is_nothing_queued(api: Api, company: str) -> None:
    api.linked(id_of(company))
    api.ok("POST", "/profile/syncSettings", {"settings": [], "overridesDefaults": True})
    assert api("POST", f"{company}/data/all").status_code == 204
    assert history(api, company) == []


def test_a_company_may_have_settings_of_its_own(api: Api, company: str) -> None:
    own = {"companyId": id_of(company), "settings": [setting("bills", True)], "overridesDefaults": True}
    assert api("POST", f"{company}/syncSettings", own).status_code == 204
    assert api.ok("GET", f"{company}/syncSettings") == own
    api.linked(id_of(company))
    api.ok("POST", f"{company}/data/all")
    assert [document["dataType"] for document in history(api, company)] == ["bills"]
    api.ok("POST", f"{company}/syncSettings", {**own, "overridesDefaults": False})
    assert api.ok("GET", f"{company}/syncSettings")["overridesDefaults"] is False


@pytest.mark.parametrize(
    "settings",
    [None, "x", [5], [{}], [setting("pastries", True)], [{**setting("bills", True), "syncOrder": "first"}]],
    ids=str,
)
def test_sync_settings_must_be_whole(api: Api, company: str, settings: Any) -> None:
    for path in ("/profile/syncSettings", f"{company}/syncSettings"):
        body = {"settings": settings, "overridesDefaults": True}
        assert api("POST", path, body).status_code == 400


def test_the_profile_goes_back_to_what_a_new_client_has(api: Api) -> None:
    before = api.ok("GET", "/profile/syncSettings")
    api.ok("POST", "/profile/syncSettings", {"settings": [], "overridesDefaults": True})
    api.ok("POST", "/profile/syncSettings", {"settings": [], "overridesDefaults": False})
    assert api.ok("GET", "/profile/syncSettings") == before


def test_types_that_were_never_synced_stand_in_data_status_when_asked_for(api: Api, sandbox: Sandbox) -> None:
    company = api.company()
    api.linked(company)
    assert api.ok("GET", f"/companies/{company}/dataStatus") == {}
    sandbox.set(unsyncedStatuses=True)
    assert api.ok("GET", f"/companies/{company}/dataStatus")["invoices"] == {"dataType": "invoices"}


def test_own_settings_say_whether_they_override(api: Api) -> None:
    company = api.company()
    refused = api("POST", f"/companies/{company}/syncSettings", {"companyId": company, "settings": []})
    assert refused.status_code == 400
    assert "overridesDefaults" in refused.text


def test_a_method_that_is_not_there_is_refused_with_those_that_are(api: Api) -> None:
    refused = api("DELETE", "/companies")
    assert refused.status_code == 405
    assert {method.strip() for method in refused.headers["Allow"].split(",")} >= {"GET", "POST"}
