"""What we send and what we understand, against Codat's own OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from codat_calls import CALLS, KEY, ONE, OTHER, filled
from codat_wire import answer, company, talk, wire
from jsonschema import Draft202012Validator

from reconciler.codat import parsing
from reconciler.codat.reading import Node


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
    is_left_out = call.method == "delete" or operation.get("requestBody", {}).get("required") is False
    assert bool(call.body) == ("requestBody" in operation and not is_left_out)
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
