"""Every answer conforms to Codat's OpenAPI document, where that document is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from sandbox_api import KEY, NOBODY, Api, id_of

from reconciler.sandbox import Sandbox
from reconciler.sandbox.app import API
from reconciler.sandbox.integrations import ALL_DATA_TYPES

DOCUMENT = Path(__file__).parents[3] / "shared" / "codat" / "Codat-Platform.openapi.json"
TAGS = {"uid": "1"}


@pytest.fixture(scope="module")
def platform_api() -> dict[str, Any]:
    if not DOCUMENT.exists():
        pytest.skip(f"the OpenAPI document is not beside the checkout, as {DOCUMENT}")
    found: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return found


def template_of(path: str) -> str:
    """The path as the document writes it."""
    matching = [text for _, text, _ in API if _fits(text, path)]
    return min(matching, key=lambda text: text.count("{"))


def _fits(template: str, path: str) -> bool:
    ours, theirs = template.split("/"), path.split("/")
    return len(ours) == len(theirs) and all(
        text.startswith("{") or text == other for text, other in zip(ours, theirs, strict=True)
    )


def complaints(document: dict[str, Any], response: httpx.Response) -> list[str]:
    """In what ``response`` departs from the document; null is never sent, so ``nullable`` does not matter."""
    method, template = response.request.method.lower(), template_of(response.request.url.path)
    documented = document["paths"][template][method]["responses"].get(str(response.status_code), {})
    if "$ref" in documented:
        documented = document["components"]["responses"][documented["$ref"].rsplit("/", 1)[1]]
    schema = documented.get("content", {}).get("application/json", {}).get("schema")
    if response.is_error:
        schema = schema or {"$ref": "#/components/schemas/ErrorMessage"}
    if schema is None:
        return [] if not response.content else ["a body where none is documented"]
    validator = Draft202012Validator({**document, **schema}, format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(response.json())]


def walk(api: Api) -> None:
    """Ask for everything once, with and without success."""
    company = f"/companies/{api.company(description='first', tags=TAGS)}"
    books, bank = api.linked(id_of(company)), api.linked(id_of(company), "suuo")
    bare = api.connection(id_of(company), "pqsw")
    api("PUT", f"{company}/products/our-own")
    for product in ("our-own", "our-own", "lending", "nobodys"):
        api("POST", f"{company}/products/{product}/refresh")
    api("DELETE", f"{company}/products/our-own")
    api.sandbox.advance(60)
    api("POST", f"{company}/data/all")
    api("POST", f"{company}/data/all")
    pull = api.ok("POST", f"{company}/data/queue/transfers", connectionId=id_of(books))["id"]
    for seconds in (0, 1, 5):
        api.sandbox.advance(seconds)
        for path in ("data/history", "dataStatus", f"data/history/{pull}", "connections"):
            api.ok("GET", f"{company}/{path}")
    api.sandbox.happen(id_of(bank), "fail-next-sync")
    api("POST", f"{company}/data/queue/banking-accounts")
    api.sandbox.advance(5)
    api.sandbox.happen(id_of(books), "deauthorize")
    api.ok("GET", f"{company}/data/history")
    api.ok("PUT", f"{books}/authorization", {"accessToken": "second"})
    api("PUT", f"{books}/authorization", {"accessToken": "bad-one"})
    api("PUT", f"{books}/authorization", {"accessToken": "second"})
    api("PATCH", bank, {"status": "Unlinked"})
    api("PATCH", bare, {"status": "Unlinked"})
    for path in ("/companies", company, books, "/integrations", "/integrations/gbol", "/profile"):
        api.ok("GET", path)
    for path in ("/profile/syncSettings", f"{company}/syncSettings"):
        settings = api.ok("GET", path)
        api.ok("POST", path, settings | {"overridesDefaults": True})
        api.ok("GET", path)
    profile = api.ok("GET", "/profile")
    api.ok("PUT", "/profile", profile)
    api("PUT", "/profile", {"name": ""})
    hook = api.ok("POST", "/webhooks", {"url": "https://a.example", "eventTypes": ["read.completed"]})
    api("POST", "/webhooks", {"url": "a"})
    api.ok("GET", "/webhooks")
    api("DELETE", f"/webhooks/{hook['id']}")
    api("DELETE", f"/webhooks/{hook['id']}")
    api("GET", "/companies", page=0)
    api("GET", "/companies", tags="=")
    api("GET", f"/companies/{NOBODY}")
    api("POST", "/companies", {"name": "", "tags": {"": 1}}, key=KEY)
    api("POST", "/companies", {"name": "Other"}, key=KEY)
    api.ok("PATCH", company, {"name": "Other"})
    api.ok("PUT", company, {"name": "Other"})
    api("PUT", f"{company}/products/lending")
    api.ok("GET", company)
    api("DELETE", f"{company}/products/lending")
    api("DELETE", bare)
    api("DELETE", company)
    for kind in ("429", "500", "503"):
        api.sandbox.fault(kind)
        api("GET", "/companies")
    api.sandbox.set(companyLimit=0)
    api("POST", "/companies", {"name": "Acme"})


def test_every_answer_of_every_route_conforms(
    api: Api, sandbox: Sandbox, platform_api: dict[str, Any]
) -> None:
    sandbox.set(pageSizeCap=2000)
    walk(api)
    asked = {
        (answer.request.method, template_of(answer.request.url.path))
        for answer in api.answers
        if answer.is_success
    }
    assert asked == {(method, path) for method, path, _ in API}, "every route was asked, and answered"
    wrong = {
        f"{answer.request.method} {answer.request.url.path} {answer.status_code}": found
        for answer in api.answers
        if (found := complaints(platform_api, answer))
    }
    assert wrong == {}


def test_every_data_type_of_the_document_is_there(platform_api: dict[str, Any]) -> None:
    schemas = platform_api["components"]["schemas"]
    assert set(ALL_DATA_TYPES) == set(schemas["DataStatus"]["properties"]["dataType"]["enum"])


def test_the_check_sees_a_departure(api: Api, platform_api: dict[str, Any]) -> None:
    api.ok("GET", "/companies")
    (genuine,) = api.answers
    forged = httpx.Response(200, json={"results": [{"id": 5}]}, request=genuine.request)
    assert complaints(platform_api, genuine) == []
    assert complaints(platform_api, forged) != []
