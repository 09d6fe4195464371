"""Codat's own SDK drives the sandbox from end to end, over a real port."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from codat_platform import CodatPlatform
from codat_platform.models.errors import ErrorMessage
from codat_platform.models.shared import Security
from loopback import serving

from reconciler.sandbox import Sandbox


@pytest.fixture
def sdk(sandbox: Sandbox) -> Iterator[CodatPlatform]:
    with (
        serving(sandbox) as url,
        CodatPlatform(security=Security(auth_header="Basic c2FuZGJveA=="), server_url=url) as client,
    ):
        yield client
        client._api_client.rest_client.pool_manager.clear()


@pytest.fixture
def company(sdk: CodatPlatform) -> dict[str, str]:
    made = sdk.companies.create(request={"name": "Acme (Stores)", "tags": {"uid": "1"}})
    assert made.name == "Acme Stores"
    return {"company_id": made.id}


def test_companies(sdk: CodatPlatform, company: dict[str, str]) -> None:
    for number in range(4):
        sdk.companies.create(request={"name": f"Company {number}"})
    page = sdk.companies.list(request={"page": 1, "page_size": 2, "order_by": "-name"})
    assert ([result.name for result in page.results], page.total_results) == (["Company 3", "Company 2"], 5)
    assert page.links.next.href.startswith("/companies?")
    assert [result.id for result in sdk.companies.list(request={"tags": "uid = 1"}).results] == [
        company["company_id"]
    ]
    patched = sdk.companies.update(request=company | {"company_update_request": {"description": "new"}})
    assert (patched.description, patched.tags) == ("new", {"uid": "1"})
    replaced = sdk.companies.replace(request=company | {"company_request_body": {"name": "Bravo"}})
    assert (replaced.name, replaced.description, replaced.tags) == ("Bravo", None, {})
    sdk.companies.add_product(request=company | {"product_identifier": "lending"})
    assert sdk.companies.get(request=company).products == ["lending"]
    sdk.companies.remove_product(request=company | {"product_identifier": "lending"})
    assert sdk.companies.get(request=company).products == []
    sdk.companies.delete(request=company)
    assert sdk.companies.list(request={}).total_results == 4


def test_a_connection_from_its_creation_to_its_end(
    sdk: CodatPlatform, sandbox: Sandbox, company: dict[str, str]
) -> None:
    made = sdk.connections.create(request=company | {"request_body": {"platform_key": "qhyg"}})
    connection = company | {"connection_id": made.id}
    assert (made.status, made.source_type) == ("PendingAuth", "Accounting")
    tokens = {"accessToken": "one", "realmId": "2"}
    assert (
        sdk.connections.update_authorization(request=connection | {"request_body": tokens}).status == "Linked"
    )
    sdk.refresh_data.all(request=company)
    queued = sdk.refresh_data.list_pull_operations(request=company | {"order_by": "-requested"})
    assert {result.status for result in queued.results} == {"Queued"}
    sandbox.advance(5)
    status = sdk.refresh_data.get(request=company)
    assert status.invoices.current_status == "Complete"
    assert status.transfers is None, "never synced"
    pull = sdk.refresh_data.by_data_type(request=connection | {"data_type": "bills"})
    assert sdk.refresh_data.get_pull_operation(request=company | {"dataset_id": pull.id}).data_type == "bills"
    assert sdk.connections.get(request=connection).last_sync
    unlinked = sdk.connections.unlink(
        request=connection | {"update_connection_status": {"status": "Unlinked"}}
    )
    assert unlinked.status == "Unlinked"
    assert sdk.connections.list(request=company).total_results == 1
    sdk.connections.delete(request=connection)
    assert sdk.connections.list(request=company).results == []


def test_a_deauthorized_connection(sdk: CodatPlatform, sandbox: Sandbox, company: dict[str, str]) -> None:
    made = sdk.connections.create(request=company | {"request_body": {"platform_key": "suuo"}})
    for event in ("link", "deauthorize", "link"):
        sandbox.happen(made.id, event)
    shown = sdk.connections.get(request=company | {"connection_id": made.id})
    assert [error.status for error in shown.data_connection_errors] == ["Resolved"]


def test_profile_settings_and_integrations(sdk: CodatPlatform, company: dict[str, str]) -> None:
    assert sdk.settings.get_profile().name == "Sandbox"
    settings = sdk.settings.get_sync_settings()
    only: list[dict[str, Any]] = [
        {"dataType": "bills", "fetchOnFirstLink": True, "syncSchedule": 24, "syncOrder": 0}
    ]
    sdk.settings.update_sync_settings(
        request={"clientId": settings.client_id, "settings": only, "overridesDefaults": True}
    )
    assert [setting.data_type for setting in sdk.settings.get_sync_settings().settings] == ["bills"]
    own = {"companyId": company["company_id"], "settings": only, "overridesDefaults": True}
    sdk.companies.set_company_sync_settings(request=company | {"request_body": own})
    assert sdk.companies.get_company_sync_settings(request=company).overrides_defaults is True
    assert sdk.integrations.list(request={"page_size": 1000}).total_results == 39
    xero = sdk.integrations.get(request={"platform_key": "gbol"})
    assert (xero.name, xero.enabled) == ("Xero", True)


def test_the_profile(sdk: CodatPlatform) -> None:
    profile = sdk.settings.get_profile()
    profile.redirect_url = "https://lender.example/{companyId}"
    assert sdk.settings.update_profile(request=profile).redirect_url == profile.redirect_url
    assert sdk.settings.get_profile().white_list_urls == []


def test_webhook_consumers(sdk: CodatPlatform) -> None:
    wanted = {
        "url": "https://lender.example/hook",
        "event_types": ["read.completed"],
        "company_tags": ["a:b"],
    }
    made = sdk.webhooks.create_consumer(request=wanted)
    assert (made.url, made.event_types, made.disabled) == (wanted["url"], wanted["event_types"], False)
    assert [result.id for result in sdk.webhooks.list_consumers().results] == [made.id]
    sdk.webhooks.delete_consumer(request={"webhook_id": made.id})
    assert sdk.webhooks.list_consumers().results == []


def test_a_custom_product_is_refreshed(sdk: CodatPlatform, sandbox: Sandbox, company: dict[str, str]) -> None:
    made = sdk.connections.create(request=company | {"request_body": {"platform_key": "qhyg"}})
    sdk.connections.update_authorization(
        request=company | {"connection_id": made.id, "request_body": {"accessToken": "one"}}
    )
    product = company | {"product_identifier": "our-own"}
    sdk.companies.add_product(request=product)
    sdk.companies.refresh_product_data(request=product)
    sandbox.advance(5)
    assert sdk.refresh_data.get(request=company).invoices.current_status == "Complete"


def test_errors_carry_what_support_asks_for(sdk: CodatPlatform) -> None:
    with pytest.raises(ErrorMessage) as caught:
        sdk.companies.get(request={"company_id": str(uuid4())})
    assert caught.value.status_code == 404
    assert caught.value.data.correlation_id


def test_idempotency_keys_work_from_the_sdk(sdk: CodatPlatform) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    first, again = (sdk.companies.create(request={"name": "Acme"}, http_headers=headers) for _ in range(2))
    assert first.id == again.id
    assert sdk.companies.list(request={}).total_results == 1
