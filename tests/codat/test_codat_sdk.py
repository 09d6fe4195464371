"""The requests are those that Codat's own SDK makes, which is generated from Codat's own document."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest
from codat_wire import (
    API,
    COMPANY,
    CONNECTION,
    HEADER,
    answer,
    blank,
    company,
    connection,
    listing,
    talk,
    wire,
)

from reconciler.codat import Client
from reconciler.secret_refs import Secret
from reconciler.workspace import Limits

if TYPE_CHECKING:
    from codat_platform import CodatPlatform

KEY = UUID("12345678-1234-5678-1234-567812345678")
BOTH = {"company_id": COMPANY, "connection_id": CONNECTION}

Ours = Callable[[Client], Awaitable[Any]]
Theirs = Callable[["CodatPlatform"], Any]

CALLS: dict[str, tuple[httpx.Response, Ours, Theirs]] = {
    "list companies": (
        answer(listing(company())),
        lambda c: c.companies("uid=1 && region!=uk"),
        lambda sdk: sdk.companies.list(request={"page": 1, "page_size": 100, "tags": "uid=1 && region!=uk"}),
    ),
    "get company": (
        answer(company()),
        lambda c: c.company(COMPANY),
        lambda sdk: sdk.companies.get(request={"company_id": COMPANY}),
    ),
    "create company": (
        answer(company()),
        lambda c: c.create_company({"name": "Acme", "description": "", "tags": {"uid": "é"}}, KEY),
        lambda sdk: sdk.companies.create(request={"name": "Acme", "description": "", "tags": {"uid": "é"}}),
    ),
    "update company": (
        answer(company()),
        lambda c: c.update_company(COMPANY, {"name": "Acme"}, KEY),
        lambda sdk: sdk.companies.update(
            request={"company_id": COMPANY, "company_update_request": {"name": "Acme"}}
        ),
    ),
    "delete company": (
        blank(),
        lambda c: c.delete_company(COMPANY),
        lambda sdk: sdk.companies.delete(request={"company_id": COMPANY}),
    ),
    "create connection": (
        answer(connection()),
        lambda c: c.create_connection(COMPANY, "qhyg", KEY),
        lambda sdk: sdk.connections.create(
            request={"company_id": COMPANY, "request_body": {"platform_key": "qhyg"}}
        ),
    ),
    "authorize": (
        answer(connection()),
        lambda c: c.authorize(COMPANY, CONNECTION, {"accessToken": Secret("a"), "realmId": Secret("1")}),
        lambda sdk: sdk.connections.update_authorization(
            request=BOTH | {"request_body": {"accessToken": "a", "realmId": "1"}}
        ),
    ),
    "unlink": (
        answer(connection()),
        lambda c: c.unlink(COMPANY, CONNECTION, KEY),
        lambda sdk: sdk.connections.unlink(
            request=BOTH | {"update_connection_status": {"status": "Unlinked"}}
        ),
    ),
    "delete connection": (
        blank(200),
        lambda c: c.delete_connection(COMPANY, CONNECTION),
        lambda sdk: sdk.connections.delete(request=BOTH),
    ),
    "sync all": (
        blank(),
        lambda c: c.sync_all(COMPANY, KEY),
        lambda sdk: sdk.refresh_data.all(request={"company_id": COMPANY}),
    ),
    "queue": (
        answer(
            {
                "id": CONNECTION,
                "companyId": COMPANY,
                "connectionId": CONNECTION,
                "dataType": "invoices",
                "status": "Queued",
                "requested": "2026-11-24T09:00:00Z",
                "progress": 0,
                "isCompleted": False,
                "isErrored": False,
            }
        ),
        lambda c: c.queue(COMPANY, "invoices", CONNECTION, KEY),
        lambda sdk: sdk.refresh_data.by_data_type(request=BOTH | {"data_type": "invoices"}),
    ),
    "history": (
        answer(listing()),
        lambda c: c.pulls(COMPANY),
        lambda sdk: sdk.refresh_data.list_pull_operations(
            request={"company_id": COMPANY, "page": 1, "page_size": 100, "order_by": "-requested"}
        ),
    ),
    "integrations": (
        answer(listing()),
        lambda c: c.platforms(),
        lambda sdk: sdk.integrations.list(request={"page": 1, "page_size": 1000}),
    ),
}


def essence(request: httpx.Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "path": request.url.path,
        "query": dict(request.url.params),
        "body": json.loads(request.content) if request.content else None,
        "authorization": request.headers["Authorization"],
    }


@pytest.mark.parametrize("name", CALLS)
def test_the_official_sdk_makes_the_same_request(name: str) -> None:
    # Here, since it takes seconds, and every process that runs tests reads every module of them.
    from codat_platform import CodatPlatform
    from codat_platform.models.shared import Security

    answered, ours, theirs = CALLS[name]
    network = wire(answered)
    recorded: list[httpx.Request] = []

    def record(request: httpx.Request) -> httpx.Response:
        recorded.append(request)
        return httpx.Response(answered.status_code, headers=answered.headers, content=answered.content)

    talk(network, ours, limits=Limits(page_size=100))
    with httpx.Client(transport=httpx.MockTransport(record)) as http:
        theirs(CodatPlatform(security=Security(auth_header=HEADER.reveal()), server_url=API, client=http))

    assert essence(network.requests[0]) == essence(recorded[0])
