"""Pages: sizes, links, order, and listings that lag."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_api import Api, invalid

from reconciler.sandbox import Sandbox


@pytest.fixture
def seven(api: Api) -> list[str]:
    names = [f"Company {number}" for number in range(7)]
    for name in names:
        api.company(name=name, tags={"set": "seven"})
    return names


def test_pages_have_100_results_unless_asked_otherwise(api: Api, seven: list[str]) -> None:
    page = api.ok("GET", "/companies")
    assert [result["name"] for result in page["results"]] == seven
    assert (page["pageNumber"], page["pageSize"], page["totalResults"]) == (1, 100, 7)
    assert set(page["_links"]) == {"self", "current"}


@pytest.mark.parametrize("size", [1, 3, 7, 5000])
def test_following_next_shows_each_company_once(api: Api, seven: list[str], size: int) -> None:
    found: list[str] = []
    url = f"/companies?pageSize={size}&tags=set%3Dseven"
    while url:
        page = api.ok("GET", url)
        found += [result["name"] for result in page["results"]]
        url = page["_links"].get("next", {}).get("href", "")
        assert not url or url.startswith("/companies?"), "links are relative"
    assert found == seven
    assert page["totalResults"] == 7


def test_previous_leads_back(api: Api, seven: list[str]) -> None:
    second = api.ok("GET", "/companies", page=2, pageSize=3)
    back = api.ok("GET", second["_links"]["previous"]["href"])
    assert [result["name"] for result in back["results"]] == seven[:3]


def test_a_page_past_the_end_is_empty(api: Api, seven: list[str]) -> None:
    page = api.ok("GET", "/companies", page=9, pageSize=5)
    assert page["results"] == []
    assert page["totalResults"] == len(seven)


@pytest.mark.parametrize(
    "query",
    [{"page": 0}, {"page": -1}, {"page": "x"}, {"pageSize": 0}, {"pageSize": 5001}, {"pageSize": "1.5"}],
    ids=str,
)
def test_a_page_out_of_range_is_refused(api: Api, query: dict[str, Any]) -> None:
    assert invalid(api("GET", "/companies", **query)) == set(query)


def test_codat_may_answer_with_smaller_pages_than_asked(api: Api, sandbox: Sandbox, seven: list[str]) -> None:
    sandbox.set(pageSizeCap=2)
    page = api.ok("GET", "/companies", pageSize=1000)
    assert page["pageSize"] == 2
    assert [result["name"] for result in page["results"]] == seven[:2]
    assert "pageSize=2" in page["_links"]["next"]["href"]


def test_results_are_ordered_as_asked(api: Api, seven: list[str]) -> None:
    assert api.names(orderBy="-name") == seven[::-1]
    assert api.names(orderBy="name", pageSize=2) == seven[:2]
    assert api("GET", "/companies", orderBy="colour").status_code == 400


@pytest.mark.usefixtures("seven")
def test_companies_cannot_be_queried_which_codats_guide_leaves_out(api: Api) -> None:
    refused = api("GET", "/companies", query="name=Company 3")
    assert refused.status_code == 400
    assert "filter companies with tags" in refused.json()["error"]


@pytest.mark.usefixtures("seven")
def test_companies_come_newest_first_by_the_order_that_codats_document_shows(api: Api) -> None:
    assert api.names(orderBy="-modifiedDate") == list(reversed(api.names()))


def test_integrations_and_connections_are_paged_too(api: Api) -> None:
    company = api.company()
    made = [api.connection(company, "suuo") for _ in range(3)]
    page = api.ok("GET", f"/companies/{company}/connections", pageSize=2, page=2)
    assert [result["id"] for result in page["results"]] == [made[2].rsplit("/", 1)[1]]
    first = api.ok("GET", "/integrations", pageSize=20)
    second = api.ok("GET", first["_links"]["next"]["href"])
    keys = [result["key"] for result in first["results"] + second["results"]]
    assert len(set(keys)) == first["totalResults"] == 39


@pytest.mark.parametrize("lag", ["seconds", "requests"])
def test_what_is_created_may_be_listed_late(api: Api, sandbox: Sandbox, lag: str) -> None:
    company = api.company(name="Old")
    sandbox.set(**({"lagSeconds": 30} if lag == "seconds" else {"lagRequests": 5}))
    api.company(name="New", tags={"a": "1"})
    connection = api.connection(company)
    assert api.names() == ["Old"]
    assert api.names(tags="a=1") == []
    assert api.ok("GET", f"/companies/{company}/connections")["totalResults"] == 0
    assert api.status(connection) == "PendingAuth", "an id is found at once"
    if lag == "seconds":
        sandbox.advance(30)
    else:
        for _ in range(3):
            api.ok("GET", "/profile")
    assert api.names() == ["Old", "New"]
    assert api.ok("GET", f"/companies/{company}/connections")["totalResults"] == 1
