"""A listing over many pages is whole, in order, and stays on the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from codat_wire import API, Step, Wire, answer, company, listing, talk, wire

from reconciler.codat.errors import UnexpectedAnswerError
from reconciler.codat.paging import RESTARTS
from reconciler.workspace import Limits


def ids(network: Wire, tags: str = "uid=1") -> list[str]:
    return [company.id for company in talk(network, lambda client: client.companies(tags))]


def page(*names: str, total: int, following: str = "", **members: Any) -> Step:
    return answer(listing(*(company(id=name) for name in names), total=total, following=following, **members))


def test_the_link_to_the_next_page_is_followed() -> None:
    network = wire(
        page("a", "b", total=3, following="/companies?page=2&pageSize=2&tags=uid%3D1"), page("c", total=3)
    )

    assert ids(network) == ["a", "b", "c"]
    assert network.sent[1] == "GET /companies?page=2&pageSize=2&tags=uid%3D1"


def test_what_the_link_leaves_out_is_asked_for_again() -> None:
    network = wire(page("a", total=2, following="/companies?page=2"), page("b", total=2))

    ids(network)

    assert network.sent[1] == "GET /companies?page=2&tags=uid%3D1"


def test_without_links_the_page_size_that_came_back_leads_on() -> None:
    unlinked = {"pageSize": 2, "_links": None}
    network = wire(page("a", "b", total=3, **unlinked), page("c", total=3, pageNumber=2, **unlinked))

    assert ids(network) == ["a", "b", "c"]
    assert network.sent[1] == "GET /companies?page=2&pageSize=2&tags=uid%3D1"


def test_a_row_that_stands_on_two_pages_counts_once() -> None:
    network = wire(
        page("a", "b", total=3, following="?page=2"),
        page("b", "c", total=3),
    )

    assert ids(network) == ["a", "b", "c"]


def test_a_listing_whose_count_changes_is_read_again_from_its_first_page() -> None:
    network = wire(
        page("b", total=2, following="?page=2"),
        page("c", total=3),
        page("a", "b", total=3, following="?page=2"),
        page("c", total=3),
    )

    assert ids(network) == ["a", "b", "c"]
    assert [request.partition("page=")[2][0] for request in network.sent] == ["1", "2", "1", "2"]


def test_a_company_deleted_meanwhile_is_not_in_the_listing() -> None:
    network = wire(
        page("gone", "b", total=3, following="?page=2"), page("c", total=2), page("b", "c", total=2)
    )

    assert ids(network) == ["b", "c"]


def test_a_listing_that_shows_fewer_rows_than_it_counts_is_read_again() -> None:
    network = wire(page("a", total=2), page(total=2), page("a", "b", total=2))

    assert ids(network) == ["a", "b"]
    assert [request.partition("page=")[2][0] for request in network.sent] == ["1", "2", "1"]


def test_links_that_name_no_next_page_before_the_listing_is_whole_are_gone_beyond() -> None:
    network = wire(page("a", "b", total=5), page("c", "d", total=5), page("e", total=5))

    assert ids(network) == ["a", "b", "c", "d", "e"]
    assert [request.partition("?")[2] for request in network.sent] == [
        "page=1&pageSize=1000&tags=uid%3D1",
        "page=2&pageSize=100&tags=uid%3D1",
        "page=3&pageSize=100&tags=uid%3D1",
    ]


@pytest.mark.parametrize("beyond", [(), ("a",)], ids=["nothing beyond", "the same page for every number"])
def test_a_listing_that_stays_shorter_than_its_count_is_an_error_that_says_what_to_do(
    beyond: tuple[str, ...],
) -> None:
    network = wire(*[page("a", total=3000), page(*beyond, total=3000)] * 4)

    with pytest.raises(UnexpectedAnswerError, match="counts 3,000 rows and shows 1") as caught:
        ids(network, tags="")

    assert "run the same command again" in caught.value.fix
    assert len(network.sent) == 2 * (1 + RESTARTS)


def test_rows_that_several_readings_show_together_make_a_listing_whole() -> None:
    short = [page("a", "b", total=3), page("a", total=3)]
    network = wire(*short, *short, *short, page("b", "c", total=3), page("b", total=3))

    assert sorted(ids(network)) == ["a", "b", "c"]


def test_a_count_that_keeps_changing_makes_all_that_was_seen_the_answer() -> None:
    restless = [page("a", total=3, following="?page=2"), page("b", total=4)]
    last = [page("a", total=4, following="?page=2"), page("c", total=3, following="?page=3"), page(total=4)]
    network = wire(*restless * RESTARTS, *last)

    assert sorted(ids(network)) == ["a", "b", "c"]


def test_the_last_reading_of_a_listing_that_keeps_changing_goes_to_the_end() -> None:
    restless = [page("a", total=4, following="?page=2"), page("b", total=5)]
    last = [
        page("a", total=4, following="?page=2"),
        page("b", total=5, following="?page=3"),
        page("c", "d", total=5),
    ]
    network = wire(*restless * RESTARTS, *last, page(total=5))

    assert ids(network) == ["a", "b", "c", "d"]


def test_a_changing_listing_that_shows_fewer_rows_than_it_ever_counted_is_an_error() -> None:
    network = wire(*[page("a", total=3000), page("b", total=3001), page(total=3001)] * 5)

    with pytest.raises(UnexpectedAnswerError, match="counts 3,000 rows and shows 2"):
        ids(network, tags="")


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/companies?page=2",
        "//evil.example/companies?page=2",
        "http://api.codat.io/companies?page=2",
        "https://api.codat.io:8443/companies?page=2",
        "https://user:pass@api.codat.io/companies?page=2",
        "https://[broken",
    ],
)
def test_a_link_away_from_the_api_is_refused_and_never_sees_the_key(link: str) -> None:
    network = wire(page("a", total=2, following=link))

    with pytest.raises(UnexpectedAnswerError, match="leads away from the API"):
        ids(network)

    assert len(network.requests) == 1


@pytest.mark.parametrize("link", ["/v2/companies?page=2", f"{API}:443/companies?page=2"])
def test_a_link_to_another_path_of_the_api_is_followed(link: str) -> None:
    assert ids(wire(page("a", total=2, following=link), page("b", total=2))) == ["a", "b"]


def _circle(request: httpx.Request) -> httpx.Response:
    return answer(listing(company(id="a"), total=1, following=str(request.url)))


def _endless(request: httpx.Request) -> httpx.Response:
    return answer(listing(company(id="a"), total=1, following=f"?page={request.url.params['page']}1"))


@pytest.mark.parametrize("pages", [_circle, _endless])
def test_pages_that_do_not_end_are_left(
    pages: Callable[[httpx.Request], httpx.Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.codat.paging.MAX_PAGES", 20)

    network = wire(pages)

    with pytest.raises(UnexpectedAnswerError, match="do not end"):
        ids(network)
    assert len(network.requests) <= 20


def test_pages_that_lead_on_and_show_nothing_new_are_left_before_they_cost_the_days_quota() -> None:
    network = wire(*(page("a", total=1_000_000, following=f"?page={number}") for number in range(2, 50)))

    with pytest.raises(UnexpectedAnswerError, match="do not end"):
        ids(network)

    assert len(network.sent) < 10


def test_an_empty_page_is_the_last_one() -> None:
    network = wire(page(total=0, following="?page=2"))

    assert ids(network) == []
    assert len(network.sent) == 1


def test_the_size_of_a_page_is_the_workspaces() -> None:
    network = wire(page(total=0))

    talk(network, lambda client: client.companies(), limits=Limits(page_size=7))

    assert network.sent == ["GET /companies?page=1&pageSize=7"]


def test_a_listing_without_results_is_no_listing() -> None:
    with pytest.raises(UnexpectedAnswerError, match="results: expected a list, found nothing"):
        ids(wire(answer({"totalResults": 0})))


def test_pulls_come_newest_first_whatever_the_order_of_the_answer() -> None:
    rows = [
        {
            "id": str(day),
            "connectionId": "c",
            "dataType": "x",
            "status": "Complete",
            "requested": f"2026-11-0{day}",
        }
        for day in (1, 3, 2)
    ]

    got = talk(wire(answer(listing(*rows))), lambda client: client.pulls("x"))

    assert [pull.id for pull in got] == ["3", "2", "1"]


def test_the_integrations_come_on_one_page_however_small_the_pages_of_companies_are() -> None:
    network = wire(answer(listing()))
    talk(network, lambda client: client.platforms(), limits=Limits(page_size=2))
    assert network.sent == ["GET /integrations?page=1&pageSize=1000"]


def test_a_filtered_listing_may_count_what_the_filter_leaves_out() -> None:
    network = wire(*[page("a", total=3000), page(total=3000)] * 4)
    assert ids(network) == ["a"]
