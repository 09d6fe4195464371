"""What we send and what we understand, against Codat's own OpenAPI document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from codat_wire import COMPANY, CONNECTION, Step, answer, blank, company, connection, listing, talk, wire
from jsonschema import Draft202012Validator

from reconciler.codat import Client, parsing
from reconciler.codat.reading import Node
from reconciler.live import LiveCompany, LiveConnection, LiveSyncSettings
from reconciler.secret_refs import Secret

KEY = UUID("12345678-1234-5678-1234-567812345678")
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
}
NAMES = {
    "{companyId}": COMPANY,
    "{connectionId}": CONNECTION,
    "{dataType}": "invoices",
    "{productIdentifier}": "lending",
}


def filled(path: str) -> str:
    for name, value in NAMES.items():
        path = path.replace(name, value)
    return path


@pytest.mark.parametrize("name", CALLS)
def test_each_method_sends_the_request_that_codat_documents(name: str) -> None:
    call = CALLS[name]
    network = wire(call.answered)

    returned = talk(network, call.do)

    query = f"?{call.query}" if call.query else ""
    assert network.sent == [f"{call.method.upper()} {filled(call.path)}{query}"]
    request = network.requests[0]
    assert (network.body() if request.content else None) == call.body
    assert request.headers.get("Idempotency-Key") == (str(KEY) if call.keyed else None)
    assert request.headers.get("Content-Type") == ("application/json" if call.body else None)
    assert request.headers["Authorization"] == "Basic Y2FuYXJ5LWFwaS1rZXk="
    assert request.headers["User-Agent"].startswith("codat-sync/")
    assert call.returns is None or isinstance(returned, call.returns)


@pytest.mark.parametrize("name", CALLS)
def test_the_document_knows_the_request(name: str, openapi: dict[str, Any]) -> None:
    call = CALLS[name]
    path = openapi["paths"][call.path]
    operation = path[call.method]
    parameters = [
        _resolved(openapi, item) for item in [*path.get("parameters", []), *operation.get("parameters", [])]
    ]
    known = {parameter["name"] for parameter in parameters if parameter["in"] == "query"}
    asked = {text.partition("=")[0] for text in call.query.split("&") if text}

    assert asked <= known, "a query parameter that Codat does not document"
    assert bool(call.body) == ("requestBody" in operation and call.method != "delete")
    if call.body:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        Draft202012Validator({**openapi, "allOf": [schema]}).validate(call.body)


def _resolved(document: dict[str, Any], value: Any) -> Any:
    if not (isinstance(value, dict) and "$ref" in value):
        return value
    target: Any = document
    for part in value["$ref"].removeprefix("#/").split("/"):
        target = target[part.replace("~1", "/").replace("~0", "~").replace("%7B", "{").replace("%7D", "}")]
    return target


def rows(parse: Callable[[Node], Any]) -> Callable[[Node], Any]:
    return lambda node: [parse(result) for result in node.get("results").items()]


PARSERS = {
    ("/companies", "get"): rows(parsing.company),
    ("/companies", "post"): parsing.company,
    (ONE, "get"): parsing.company,
    (ONE, "patch"): parsing.company,
    (ONE + "/connections", "get"): rows(parsing.connection),
    (ONE + "/connections", "post"): parsing.connection,
    (OTHER, "get"): parsing.connection,
    (OTHER, "patch"): parsing.connection,
    (OTHER + "/authorization", "put"): parsing.connection,
    ("/integrations", "get"): rows(parsing.platform),
    (ONE + "/data/history", "get"): rows(parsing.pull),
    ("/profile/syncSettings", "get"): parsing.fetched_types,
    (ONE + "/dataStatus", "get"): parsing.data_statuses,
    (ONE + "/syncSettings", "get"): parsing.sync_settings,
}


def examples(openapi: dict[str, Any], path: str, method: str) -> Iterator[Any]:
    media = openapi["paths"][path][method]["responses"]["200"]["content"]["application/json"]
    yield from (example["value"] for example in media.get("examples", {}).values())
    schema = _resolved(openapi, media["schema"])
    yield from schema.get("examples", [])
    yield from [schema["example"]] if "example" in schema else []


@pytest.mark.parametrize(("path", "method"), PARSERS)
def test_every_example_answer_of_the_document_is_understood(
    path: str, method: str, openapi: dict[str, Any]
) -> None:
    for value in examples(openapi, path, method):
        PARSERS[path, method](Node(value))


def test_the_document_has_examples_to_understand(openapi: dict[str, Any]) -> None:
    found = [value for path, method in PARSERS for value in examples(openapi, path, method)]

    assert len(found) >= 10


def test_an_id_cannot_lead_to_another_endpoint() -> None:
    network = wire(answer(company()))

    talk(network, lambda client: client.company("../profile?x=1#y"))

    assert network.sent == ["GET /companies/%2E%2E%2Fprofile%3Fx%3D1%23y"]
