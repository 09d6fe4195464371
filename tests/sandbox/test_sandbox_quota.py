"""The daily quota, the limit of companies, and who may ask at all."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from sandbox_api import HEADERS, KEY, Api

from reconciler.sandbox import Sandbox


def remaining(response: httpx.Response) -> tuple[str, str]:
    return response.headers["X-Rate-Limit-Limit"], response.headers["X-Rate-Limit-Remaining"]


def test_a_quota_that_binds_nobody_does_not_run_down(api: Api) -> None:
    api("GET", "/profile")
    assert remaining(api("GET", "/profile")) == ("1000", "1000")


def test_the_quota_grows_with_every_active_company(api: Api, sandbox: Sandbox) -> None:
    sandbox.set(enforceQuota=True)
    assert remaining(api("GET", "/profile")) == ("1000", "999")
    for _ in range(2):
        company = api.company()
        api.linked(company, "suuo")
        api.linked(company, "qhyg")
    api.connection(api.company())
    assert api("GET", "/profile").headers["X-Rate-Limit-Limit"] == "3000"


def test_the_quota_comes_back_at_midnight(api: Api, sandbox: Sandbox) -> None:
    sandbox.set(enforceQuota=True)
    answer = api("GET", "/profile")
    assert answer.headers["X-Rate-Limit-Reset"] == "2026-11-25T00:00:00Z"
    sandbox.advance(15 * 3600)
    assert remaining(api("GET", "/profile")) == ("1000", "999")


def test_every_request_costs_one_whatever_its_answer(api: Api, sandbox: Sandbox) -> None:
    sandbox.set(enforceQuota=True)
    for method, path in (("GET", "/companies"), ("GET", "/companies/x"), ("DELETE", "/companies/x")):
        api(method, path)
    assert remaining(api("GET", "/profile")) == ("1000", "996")


def test_an_exhausted_quota_is_a_429_until_midnight(api: Api, sandbox: Sandbox) -> None:
    sandbox.set(quota=2)
    assert remaining(api("GET", "/profile")) == ("2", "1")
    api.ok("GET", "/profile")
    refused = api("POST", "/companies", {"name": "Acme"}, key=KEY)
    assert refused.status_code == 429
    assert remaining(refused) == ("2", "0")
    assert int(refused.headers["Retry-After"]) == pytest.approx(15 * 3600, abs=1)
    sandbox.advance(int(refused.headers["Retry-After"]))
    assert api("POST", "/companies", {"name": "Acme"}, key=KEY).status_code == 200, "a 429 releases the key"


def test_codats_own_quota_is_enforced_when_asked_for(api: Api, sandbox: Sandbox) -> None:
    with sandbox._store.transaction() as session:
        session.run("INSERT INTO spent VALUES ('2026-11-24', 1000)")
    assert api("GET", "/profile").status_code == 200, "not enforced unless asked for"
    sandbox.set(enforceQuota=True)
    assert api("GET", "/profile").status_code == 429


def test_a_free_plan_has_fifty_companies(api: Api, sandbox: Sandbox) -> None:
    sandbox.set(companyLimit=2)
    first = api.company()
    api.company()
    refused = api("POST", "/companies", {"name": "Third"})
    assert refused.status_code == 402
    assert "2-company limit" in refused.json()["error"]
    api("DELETE", f"/companies/{first}")
    assert api("POST", "/companies", {"name": "Third"}).status_code == 200


@pytest.mark.parametrize("header", [None, "", "Basic", "Basic ", "Bearer x", "x"])
def test_a_request_without_a_key_is_a_401(sandbox: Sandbox, header: str | None) -> None:
    async def send() -> httpx.Response:
        headers = {} if header is None else {"Authorization": header}
        transport = httpx.ASGITransport(app=sandbox)
        async with httpx.AsyncClient(transport=transport, base_url="http://x", headers=headers) as client:
            return await client.post("/companies", json={"name": "Acme"})

    answer = asyncio.run(send())
    assert (answer.status_code, answer.json()["error"]) == (401, "Unauthorized")
    assert sandbox.state()["companies"] == []


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nothing", 404), ("DELETE", "/companies", 405), ("GET", "/", 404)]
)
def test_what_is_not_there_is_answered_in_codats_form(api: Api, method: str, path: str, status: int) -> None:
    answer = api(method, path)
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["statusCode"]) == (status, status)
    assert {"error", "correlationId", "canBeRetried", "detailedErrorCode", "service"} <= set(body)
    assert answer.headers["Date"]
    assert HEADERS["Authorization"] not in answer.text
