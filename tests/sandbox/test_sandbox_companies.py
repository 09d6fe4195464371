"""Companies: what Codat keeps of what it is sent."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_api import NOBODY, Api, invalid

BAD_TAGS: dict[str, Any] = {
    "eleven tags": {f"k{number}": "v" for number in range(11)},
    "a key of 28 characters": {"k" * 28: "v"},
    "an empty key": {"": "v"},
    "a value of 101 characters": {"k": "v" * 101},
    "a number": {"k": 1},
    "null": {"k": None},
    "a list": ["k"],
}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Company (Codat[1])", "Company Codat1"),
        ("Café Müller", "Caf Mller"),
        ("O'Neill & Sons, Ltd. - a@b.c ok?!", "O'Neill & Sons, Ltd. - a@b.c ok?!"),
        ("a/b\\c:d;e_f+g", "abcdefg"),
    ],
)
def test_forbidden_characters_are_removed_from_names_without_a_word(api: Api, sent: str, kept: str) -> None:
    assert api.ok("POST", "/companies", {"name": sent})["name"] == kept
    company = api.company()
    assert api.ok("PATCH", f"/companies/{company}", {"name": sent})["name"] == kept
    assert api.ok("PUT", f"/companies/{company}", {"name": sent})["name"] == kept


@pytest.mark.parametrize("name", ["", "()", "  ", None, 5])
def test_a_company_needs_a_name(api: Api, name: Any) -> None:
    assert invalid(api("POST", "/companies", {"name": name})) == {"name"}
    assert invalid(api("PUT", f"/companies/{api.company()}", {"name": name})) == {"name"}


def test_names_need_not_be_unique(api: Api) -> None:
    assert api.company() != api.company()


def test_a_patch_updates_only_what_is_given(api: Api) -> None:
    company = api.company(description="first", tags={"a": "1"})
    path = f"/companies/{company}"
    assert api.ok("PATCH", path, {"description": "second"})["name"] == "Acme"
    assert api.ok("PATCH", path, {"name": None, "tags": None})["tags"] == {"a": "1"}
    found = api.ok("GET", path)
    assert (found["name"], found["description"], found["tags"]) == ("Acme", "second", {"a": "1"})


def test_a_patch_of_tags_replaces_the_whole_map(api: Api) -> None:
    path = f"/companies/{api.company(tags={'a': '1', 'b': '2'})}"
    assert api.ok("PATCH", path, {"tags": {"c": "3"}})["tags"] == {"c": "3"}
    assert api.ok("PATCH", path, {"tags": {}})["tags"] == {}
    assert api.names(tags="a=1") == []


def test_a_put_replaces_what_is_not_given_too(api: Api) -> None:
    path = f"/companies/{api.company(description='first', tags={'a': '1'})}"
    replaced = api.ok("PUT", path, {"name": "Acme Two"})
    assert replaced["name"] == "Acme Two"
    assert replaced["tags"] == {}
    assert "description" not in replaced


def test_ten_tags_of_full_length_are_kept(api: Api) -> None:
    tags = {f"{number}" + "k" * 26: "v" * 100 for number in range(10)}
    assert api.ok("GET", f"/companies/{api.company(tags=tags)}")["tags"] == tags


@pytest.mark.parametrize("tags", BAD_TAGS.values(), ids=BAD_TAGS)
def test_tags_beyond_the_limits_are_refused_and_nothing_is_written(api: Api, tags: Any) -> None:
    assert invalid(api("POST", "/companies", {"name": "Acme", "tags": tags}))
    assert api.names() == []
    company = api.company(tags={"a": "1"})
    for method in ("PATCH", "PUT"):
        assert invalid(api(method, f"/companies/{company}", {"name": "New", "tags": tags}))
    found = api.ok("GET", f"/companies/{company}")
    assert (found["name"], found["tags"]) == ("Acme", {"a": "1"})


def test_deleting_a_company_deletes_its_connections(api: Api) -> None:
    company = api.company()
    connection = api.linked(company)
    assert api("DELETE", f"/companies/{company}").status_code == 204
    assert api("GET", f"/companies/{company}").status_code == 404
    assert api("GET", connection).status_code == 404
    assert api("DELETE", f"/companies/{company}").status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("company", [NOBODY, "not-a-guid"])
def test_a_company_that_is_not_there_is_a_404(api: Api, method: str, company: str) -> None:
    answer = api(method, f"/companies/{company}", {"name": "Acme"})
    assert answer.status_code == 404
    assert answer.json()["error"] == f"No company was found with ID {company}"


def test_the_listing_embeds_every_connection(api: Api) -> None:
    company = api.company()
    connections = {api.linked(company), api.connection(company, "suuo")}
    api.company(name="Empty")
    first, second = api.ok("GET", "/companies")["results"]
    assert {
        f"/companies/{company}/connections/{connection['id']}" for connection in first["dataConnections"]
    } == connections
    assert first == api.ok("GET", f"/companies/{company}")
    assert second["dataConnections"] == []


def test_products_are_added_once_and_removed(api: Api) -> None:
    path = f"/companies/{api.company()}"
    for _ in range(2):
        assert api("PUT", f"{path}/products/lending").status_code == 204
    assert api.ok("GET", path)["products"] == ["lending"]
    assert api("DELETE", f"{path}/products/lending").status_code == 204
    assert api.ok("GET", path)["products"] == []
    assert api("DELETE", f"{path}/products/lending").status_code == 404


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'"x"', b"\xff"])
def test_a_body_that_is_no_json_object_is_a_400(api: Api, content: bytes) -> None:
    assert api("POST", "/companies", content).status_code == 400
