"""What a test may do to the sandbox by HTTP, and that nobody else may."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sandbox_api import HEADERS, KEY, NOBODY, Api, id_of

from reconciler.sandbox import Sandbox
from reconciler.sandbox.control import EVENTS
from reconciler.sandbox.settings import LONGEST
from reconciler.sandbox.store import LAST

EXPECTED = {
    "deauthorize": "Deauthorized",
    "revoke": "Linked",
    "link": "Linked",
    "import": "Linked",
    "unlink": "Unlinked",
    "online": "Linked",
    "fail-next-sync": "Linked",
}


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_can_happen_by_http(api: Api, event: str) -> None:
    path = api.linked(api.company())
    assert api("POST", f"/_sandbox/connections/{id_of(path)}/{event}").status_code == 204
    assert api.status(path) == EXPECTED[event]


def test_a_customer_may_link(api: Api, sandbox: Sandbox) -> None:
    company = api.company()
    path = api.connection(company)
    api.ok("POST", f"/_sandbox/connections/{id_of(path)}/link")
    assert api.status(path) == "Linked"
    second = api.connection(company, "gbol")
    assert api("POST", f"/_sandbox/connections/{id_of(second)}/link").status_code == 400
    assert sandbox.state()["companies"][0]["dataConnections"][0]["authorizations"] == 0


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"connections/{NOBODY}/link", None, 404),
        ("connections/{connection}/explode", None, 404),
        ("connections/{connection}/fail-next-sync", {"status": "Complete"}, 400),
        (f"companies/{NOBODY}/wipe-tags", None, 404),
        ("clock", {"advance": "soon"}, 400),
        ("clock", {}, 400),
        ("clock", {"advance": 1e300}, 400),
        ("clock", {"advance": 1e12}, 400),
        ("clock", {"advance": -1e12}, 400),
        ("clock", {"advance": True}, 400),
        ("settings", {"lagSeconds": 1e300}, 400),
        ("settings", {"syncSeconds": 1e12}, 400),
        ("settings", {"lagRequests": 10**30}, 400),
        ("settings", {"pageSizeCap": 10**30}, 400),
        ("settings", {"quota": 10**30}, 400),
        ("faults", {"kind": "latency", "seconds": 1e300}, 400),
        ("faults", {"kind": "latency", "times": 10**30}, 400),
        ("settings", b'{"accountName": "half a \\ud800"}', 400),
        ("settings", {"weather": "fine"}, 400),
        ("settings", {"quota": "many"}, 400),
        ("settings", {"syncSeconds": -1}, 400),
        ("settings", {"syncSeconds": None}, 400),
        ("nothing", {}, 404),
    ],
)
def test_what_cannot_be_done_is_refused(api: Api, path: str, body: Any, status: int) -> None:
    connection = id_of(api.connection(api.company()))
    assert api("POST", "/_sandbox/" + path.format(connection=connection), body).status_code == status


def test_tags_can_be_wiped(api: Api) -> None:
    company = api.company(tags={"a": "1"})
    api.ok("POST", f"/_sandbox/companies/{company}/wipe-tags")
    assert api.ok("GET", f"/companies/{company}")["tags"] == {}


def test_the_clock_jumps(api: Api) -> None:
    api.ok("POST", "/_sandbox/clock", {"advance": 90.5})
    assert api.ok("GET", "/_sandbox/clock") == {"now": "2026-11-24T09:01:30.500000Z"}
    assert api("GET", "/profile").headers["Date"] == "Tue, 24 Nov 2026 09:01:30 GMT"


def test_settings_are_changed_by_name(api: Api) -> None:
    api.ok("POST", "/_sandbox/settings", {"accountName": "Harbour Lending", "quota": 5})
    assert api.ok("GET", "/profile")["name"] == "Harbour Lending"
    settings = api.ok("GET", "/_sandbox/settings")
    assert (settings["quota"], settings["syncSeconds"]) == (5, 2)


def test_the_journal_tells_every_write_and_no_read(api: Api) -> None:
    company = api.company()
    made = api.ok("POST", f"/companies/{company}/connections", {"platformKey": "qhyg"}, key=KEY)
    api.ok("POST", f"/companies/{company}/connections", {"platformKey": "qhyg"}, key=KEY)
    path = f"/companies/{company}/connections/{made['id']}"
    api("PUT", f"{path}/authorization", {"accessToken": "bad-one"})
    api.ok("PUT", f"{path}/authorization", {"accessToken": "good"})
    api.ok("GET", path)
    shown = [
        (item["method"], item["path"].rsplit("/", 1)[1], item["status"], item["tookEffect"], item["replayed"])
        for item in api.ok("GET", "/_sandbox/journal")
    ]
    assert shown == [
        ("POST", "companies", 200, True, False),
        ("POST", "connections", 200, True, False),
        ("POST", "connections", 200, False, True),
        ("PUT", "authorization", 400, False, False),
        ("PUT", "authorization", 200, True, False),
    ]
    second = api.ok("GET", "/_sandbox/journal")[1]
    assert second == {
        "at": "2026-11-24T09:00:00Z",
        "method": "POST",
        "path": "/companies/{companyId}/connections",
        "idempotencyKey": KEY,
        "status": 200,
        "tookEffect": True,
        "replayed": False,
        "fault": None,
        "companyId": company,
        "connectionId": made["id"],
        "tokensToLinked": False,
    }


def test_the_state_is_everything_but_secrets(api: Api) -> None:
    company = api.company()
    api.linked(company)
    api.ok("POST", f"/companies/{company}/data/all")
    state = api.ok("GET", "/_sandbox/state")
    assert {pull["companyId"] for pull in state["pulls"]} == {company}
    assert "redirect" not in state["companies"][0]
    (connection,) = state["companies"][0]["dataConnections"]
    assert (connection["authorizations"], connection["tokensWhileLinked"]) == (1, 0)
    assert "linkUrl" not in connection


def test_reset_empties_everything_but_the_clock(api: Api, sandbox: Sandbox) -> None:
    api.linked(api.company())
    sandbox.fault("500")
    sandbox.set(quota=1)
    sandbox.advance(60)
    api.ok("POST", "/_sandbox/reset")
    state = sandbox.state()
    assert (state["companies"], state["pulls"], sandbox.journal()) == ([], [], [])
    assert state["now"] == "2026-11-24T09:01:00Z"
    assert state["settings"]["quota"] is None
    assert api("GET", "/companies").headers["X-Rate-Limit-Remaining"] == "1000"


def test_it_costs_no_quota_and_needs_no_key(sandbox: Sandbox) -> None:
    async def send() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=sandbox)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            own = await client.get("/_sandbox/state")
            return [own, await client.get("/profile", headers=HEADERS)]

    own, api_answer = asyncio.run(send())
    assert own.status_code == 200
    assert api_answer.headers["X-Rate-Limit-Remaining"] == "1000"


@pytest.mark.parametrize(
    ("address", "status"), [("127.0.0.1", 200), ("::1", 200), ("192.0.2.7", 404), ("x", 404)]
)
def test_it_is_for_this_machine_alone(sandbox: Sandbox, address: str, status: int) -> None:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=sandbox, client=(address, 5000))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.get("/_sandbox/journal")

    assert asyncio.run(send()).status_code == status


def test_the_clock_stops_where_the_calendar_would_end_and_all_goes_on(api: Api, sandbox: Sandbox) -> None:
    """One jump too many made every later request fail, in that file for good."""
    api.ok("POST", "/_sandbox/settings", {"lagSeconds": LONGEST, "syncSeconds": LONGEST, "quota": 10**9})
    almost = (LAST - datetime.now(UTC)).total_seconds() - 2 * LONGEST
    sandbox.advance(almost)
    jump = {"advance": LONGEST}
    while api("POST", "/_sandbox/clock", jump).status_code == 204:
        pass
    path = api.linked(api.company())
    assert api.status(path) == "Linked"
    sandbox.advance(-almost)
    back = {"advance": -LONGEST}
    while api("POST", "/_sandbox/clock", back).status_code == 204:
        pass
    assert api("GET", "/companies").status_code == 200
