"""Every operation of the client: how it is called, what answers it, and the request that it must send."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from codat_wire import COMPANY, CONNECTION, Step, answer, blank, company, connection, listing

from reconciler.codat import Client
from reconciler.live import (
    LiveCompany,
    LiveConnection,
    LiveProfile,
    LiveProfileSettings,
    LiveSyncSettings,
)
from reconciler.secret_refs import Secret

KEY = UUID("12345678-1234-5678-1234-567812345678")
WEBHOOK = "af098add-03a4-4a2b-17cb-2ec9ee4c3cdf"
ONE = "/companies/{companyId}"
OTHER = ONE + "/connections/{connectionId}"


@dataclass
class Call:
    """One method of the client: what it is called with, answered, and must have sent."""

    do: Callable[[Client], Awaitable[Any]]
    answered: Step
    method: str
    path: str
    """As the document writes it."""
    query: str = ""
    body: Any = None
    keyed: bool = False
    returns: type | None = None


PRODUCT = ONE + "/products/{productIdentifier}"
SETTING = {"fetchOnFirstLink": True, "syncSchedule": 24, "syncOrder": 0, "syncFromWindow": 24}
SETTINGS = {
    "companyId": COMPANY,
    "settings": [{"dataType": "invoices", **SETTING, "syncFromUtc": None}],
    "overridesDefaults": False,
}
PROFILE: dict[str, Any] = {
    "name": "Bob",
    "redirectUrl": "https://a.example/{companyId}",
    "confirmCompanyName": True,
}
HOOK: dict[str, Any] = {
    "url": "https://a.example/hook",
    "eventTypes": ["read.completed"],
    "companyTags": [],
    "disabled": False,
}
LISTED = "page=1&pageSize=1000"
CALLS = {
    "companies": Call(lambda c: c.companies(), answer(listing(company())), "get", "/companies", LISTED),
    "companies by tag": Call(
        lambda c: c.companies("uid=cust_1 && team!=x"),
        answer(listing(company())),
        "get",
        "/companies",
        LISTED + "&tags=uid%3Dcust_1+%26%26+team%21%3Dx",
    ),
    "company": Call(lambda c: c.company(COMPANY), answer(company()), "get", ONE, returns=LiveCompany),
    "connections": Call(
        lambda c: c.connections(COMPANY), answer(listing(connection())), "get", ONE + "/connections", LISTED
    ),
    "connection": Call(
        lambda c: c.connection(COMPANY, CONNECTION),
        answer(connection()),
        "get",
        OTHER,
        returns=LiveConnection,
    ),
    "platforms": Call(lambda c: c.platforms(), answer(listing()), "get", "/integrations", LISTED),
    "account_name": Call(
        lambda c: c.account_name(),
        answer({"name": "Bob", "redirectUrl": "x", "apiKey": "never-read"}),
        "get",
        "/profile",
        returns=str,
    ),
    "fetched_types": Call(
        lambda c: c.fetched_types(),
        answer({"settings": []}),
        "get",
        "/profile/syncSettings",
        returns=frozenset,
    ),
    "pulls": Call(
        lambda c: c.pulls(COMPANY),
        answer(listing()),
        "get",
        ONE + "/data/history",
        LISTED + "&orderBy=-requested",
    ),
    "data_status": Call(
        lambda c: c.data_status(COMPANY),
        answer({"invoices": {"dataType": "invoices", "currentStatus": "Complete"}}),
        "get",
        ONE + "/dataStatus",
        returns=tuple,
    ),
    "create_company": Call(
        lambda c: c.create_company({"name": "Acme", "description": "d", "tags": {"uid": "1"}}, KEY),
        answer(company()),
        "post",
        "/companies",
        body={"name": "Acme", "description": "d", "tags": {"uid": "1"}},
        keyed=True,
    ),
    "update_company": Call(
        lambda c: c.update_company(COMPANY, {"tags": {"uid": "2"}}, KEY),
        answer(company()),
        "patch",
        ONE,
        body={"tags": {"uid": "2"}},
        keyed=True,
        returns=LiveCompany,
    ),
    "sync_settings": Call(
        lambda c: c.sync_settings(COMPANY),
        answer(SETTINGS),
        "get",
        ONE + "/syncSettings",
        returns=LiveSyncSettings,
    ),
    "set_sync_settings": Call(
        lambda c: c.set_sync_settings(
            COMPANY, LiveSyncSettings({"invoices": {**SETTING, "syncSchedule": 12}}, are_own=True), KEY
        ),
        blank(),
        "post",
        ONE + "/syncSettings",
        body={
            "companyId": COMPANY,
            "settings": [{"dataType": "invoices", **SETTING, "syncSchedule": 12}],
            "overridesDefaults": True,
        },
        keyed=True,
        returns=type(None),
    ),
    "add_product": Call(
        lambda c: c.add_product(COMPANY, "lending"), blank(), "put", PRODUCT, returns=type(None)
    ),
    "remove_product": Call(
        lambda c: c.remove_product(COMPANY, "lending"), blank(), "delete", PRODUCT, returns=type(None)
    ),
    "delete_company": Call(lambda c: c.delete_company(COMPANY), blank(), "delete", ONE, returns=type(None)),
    "create_connection": Call(
        lambda c: c.create_connection(COMPANY, "qhyg", KEY),
        answer(connection()),
        "post",
        ONE + "/connections",
        body={"platformKey": "qhyg"},
        keyed=True,
    ),
    "authorize": Call(
        lambda c: c.authorize(
            COMPANY, CONNECTION, {"accessToken": Secret("tök\ud800en"), "realmId": Secret("1")}
        ),
        answer(connection(status="Linked")),
        "put",
        OTHER + "/authorization",
        body={"accessToken": "tök\ud800en", "realmId": "1"},
        returns=LiveConnection,
    ),
    "unlink": Call(
        lambda c: c.unlink(COMPANY, CONNECTION, KEY),
        answer(connection(status="Unlinked")),
        "patch",
        OTHER,
        body={"status": "Unlinked"},
        keyed=True,
        returns=LiveConnection,
    ),
    "delete_connection": Call(
        lambda c: c.delete_connection(COMPANY, CONNECTION), blank(200), "delete", OTHER, returns=type(None)
    ),
    "sync_all": Call(
        lambda c: c.sync_all(COMPANY, KEY), blank(), "post", ONE + "/data/all", keyed=True, returns=type(None)
    ),
    "queue": Call(
        lambda c: c.queue(COMPANY, "invoices", CONNECTION, KEY),
        answer({"id": "x"}),
        "post",
        ONE + "/data/queue/{dataType}",
        f"connectionId={CONNECTION}",
        keyed=True,
        returns=type(None),
    ),
    "profile": Call(lambda c: c.profile(), answer(PROFILE), "get", "/profile", returns=LiveProfile),
    "profile_sync_settings": Call(
        lambda c: c.profile_sync_settings(),
        answer({"clientId": COMPANY, **SETTINGS}),
        "get",
        "/profile/syncSettings",
        returns=LiveProfileSettings,
    ),
    "webhooks": Call(
        lambda c: c.webhooks(),
        answer({"results": [{"id": WEBHOOK, **HOOK}]}),
        "get",
        "/webhooks",
        returns=tuple,
    ),
    "refresh_product": Call(
        lambda c: c.refresh_product(COMPANY, "lending", KEY),
        blank(202),
        "post",
        PRODUCT + "/refresh",
        keyed=True,
        returns=type(None),
    ),
    "update_profile": Call(
        lambda c: c.update_profile(Secret(json.dumps(PROFILE)), {"redirectUrl": "https://b.example/"}),
        answer(PROFILE),
        "put",
        "/profile",
        body={**PROFILE, "redirectUrl": "https://b.example/"},
        returns=LiveProfile,
    ),
    "set_profile_sync_settings": Call(
        lambda c: c.set_profile_sync_settings(
            COMPANY, LiveSyncSettings({"invoices": SETTING}, are_own=True), KEY
        ),
        blank(),
        "post",
        "/profile/syncSettings",
        body={
            "clientId": COMPANY,
            "settings": [{"dataType": "invoices", **SETTING}],
            "overridesDefaults": True,
        },
        keyed=True,
        returns=type(None),
    ),
    "create_webhook": Call(
        lambda c: c.create_webhook({**HOOK, "url": Secret(HOOK["url"])}, KEY),
        answer({"id": WEBHOOK, **HOOK}),
        "post",
        "/webhooks",
        body=HOOK,
        keyed=True,
    ),
    "delete_webhook": Call(
        lambda c: c.delete_webhook(WEBHOOK), blank(), "delete", "/webhooks/{webhookId}", returns=type(None)
    ),
}
NAMES = {
    "{webhookId}": WEBHOOK,
    "{companyId}": COMPANY,
    "{connectionId}": CONNECTION,
    "{dataType}": "invoices",
    "{productIdentifier}": "lending",
}


def filled(path: str) -> str:
    for name, value in NAMES.items():
        path = path.replace(name, value)
    return path
