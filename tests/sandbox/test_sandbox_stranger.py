"""The sandbox against a stranger: whatever Codat's document offers, and worse, it answers below 500."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest
from sandbox_api import NOBODY, Api, id_of

from reconciler.sandbox.app import API

DOCUMENT: Final = Path(__file__).parents[3] / "shared" / "codat" / "Codat-Platform.openapi.json"
Request = tuple[str, str, Any, str | None]

NASTY: Final[tuple[Any, ...]] = (
    None,
    b"",
    b"{",
    b"\xff\xfe",
    b"[" * 5000,
    [],
    {},
    7,
    {"name": None, "tags": None, "status": None, "platformKey": None},
    {"name": {}, "tags": [], "status": 1, "platformKey": True, "settings": "all"},
    {"name": "\u0000'; DROP TABLE company; --", "tags": {"k": {"deep": []}}, "settings": [None, {}]},
    {"name": "A" * 100_000, "tags": {str(number): "x" for number in range(50)}},
)
"""Bodies that nobody should send."""
WILD: Final = ("", "-1", "0", "99999999999999999999", "x'\"&&||{}", "a=b && (c", "~", "\u0000", "é" * 3000)
"""Values of parameters that nobody should send."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    if not DOCUMENT.exists():
        pytest.skip(f"the OpenAPI document is not beside the checkout, as {DOCUMENT}")
    found: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return found


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Each method and path that Codat documents."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in ("get", "post", "put", "patch", "delete"):
                yield method.upper(), path, operation


def bodies(operation: Mapping[str, Any]) -> list[Any]:
    """The document's own examples of a request body."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    shown = [example["value"] for example in content.get("examples", {}).values() if "value" in example]
    return shown + ([content["example"]] if "example" in content else [])


def addressed(path: str, ids: Mapping[str, str]) -> str:
    """The path with its variable parts filled in."""
    return re.sub(r"\{(\w+)\}", lambda found: ids.get(found[1], ids["*"]), path)


def places(api: Api) -> list[dict[str, str]]:
    """Ids of what is there, of what is not, and of what is no id at all."""
    company = api.company(tags={"region": "uk"})
    connection = api.linked(company)
    pull = api.ok("POST", f"/companies/{company}/data/queue/invoices", connectionId=id_of(connection))["id"]
    there = {
        "companyId": company,
        "connectionId": id_of(connection),
        "datasetId": pull,
        "dataType": "invoices",
        "platformKey": "gbol",
        "productIdentifier": "lending",
        "*": NOBODY,
    }
    return [there, {"*": NOBODY}, {"*": "..%2F'%00%FF"}]


def above_500(api: Api, requests: list[Request], **query: Any) -> dict[str, int]:
    """The requests that made the sandbox fail."""
    answers = api.at_once(requests, **query)
    return {
        f"{answer.request.method} {answer.request.url} {answer.request.content[:80]!r}": answer.status_code
        for answer in answers
        if answer.status_code >= 500
    }


def test_the_documents_own_examples_are_answered(api: Api, document: dict[str, Any]) -> None:
    ids, *_ = places(api)
    asked = [
        (method, path, body)
        for method, path, operation in operations(document)
        for body in bodies(operation) or [None]
        if method != "DELETE"
    ]
    before = len(api.answers)

    assert above_500(api, [(method, addressed(path, ids), body, None) for method, path, body in asked]) == {}

    ours = {(method, path) for method, path, _ in API}
    statuses = Counter(
        answer.status_code
        for (method, path, _), answer in zip(asked, api.answers[before:], strict=True)
        if (method, path) in ours
    )
    assert set(statuses) <= {200, 201, 204, 400, 404}, "what the sandbox has is found"
    assert statuses[200] + statuses[204] >= 20


@pytest.mark.parametrize("place", range(3), ids=["there", "not there", "no id"])
def test_bodies_that_nobody_should_send_are_answered(api: Api, document: dict[str, Any], place: int) -> None:
    ids = places(api)[place]
    writes = [
        (method, addressed(path, ids))
        for method, path, _ in operations(document)
        if method in ("POST", "PUT", "PATCH")
    ]
    deletes = [
        (method, addressed(path, ids), None, None)
        for method, path, _ in operations(document)
        if method == "DELETE"
    ]

    failed = above_500(api, [(*write, body, None) for write, body in product(writes, NASTY)])

    assert failed | above_500(api, deletes) == {}


@pytest.mark.parametrize("name", ["page", "pageSize", "query", "orderBy", "tags", "connectionId"])
def test_parameters_that_nobody_should_send_are_answered(
    api: Api, document: dict[str, Any], name: str
) -> None:
    ids, *_ = places(api)
    reads = [
        (method, addressed(path, ids), None, None)
        for method, path, _ in operations(document)
        if method in ("GET", "POST")
    ]
    for value in WILD:
        assert above_500(api, reads, **{name: value}) == {}


@pytest.mark.parametrize("key", [" ", "not-a-guid", "0" * 5000], ids=["blank", "no guid", "long"])
def test_keys_that_nobody_should_send_are_refused(api: Api, key: str) -> None:
    assert api("POST", "/companies", {"name": "Acme"}, key=key).status_code == 400
