"""The customer's side: link URLs, and the pages behind them."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from sandbox_api import HEADERS, Api

from reconciler.sandbox import Sandbox


def asked_at(sandbox: Sandbox, origin: str, company_id: str) -> dict[str, Any]:
    """A company, as one who asks the sandbox at ``origin`` sees it."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=sandbox)
        async with httpx.AsyncClient(transport=transport, base_url=origin, headers=HEADERS) as client:
            return await client.get(f"/companies/{company_id}")

    company: dict[str, Any] = asyncio.run(ask()).json()
    return company


# --- link URLs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8080", "http://[::1]:9", "https://behind.a.proxy"])
def test_link_urls_lead_to_the_server_that_was_asked(sandbox: Sandbox, api: Api, origin: str) -> None:
    company_id = api.company()
    api.connection(company_id)
    company = asked_at(sandbox, origin, company_id)
    assert company["redirect"].startswith(f"{origin}/company/{company_id}?link.otp=")
    (connection,) = company["dataConnections"]
    place = f"{origin}/companies/{company_id}/connections/{connection['id']}/start?otp="
    assert connection["linkUrl"].startswith(place)


def test_a_company_and_its_connections_have_a_password_each(sandbox: Sandbox, api: Api) -> None:
    company_id = api.company()
    for platform in ("gbol", "suuo"):
        api.connection(company_id, platform)
    company = asked_at(sandbox, "http://x", company_id)
    urls = [company["redirect"], *(one["linkUrl"] for one in company["dataConnections"])]
    assert len({url.rpartition("otp=")[2] for url in urls}) == 3
