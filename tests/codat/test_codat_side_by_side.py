"""Pages of a listing are fetched side by side, within the pace, the limits and what remains of the day."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import pairwise

import httpx
import pytest
from codat_wire import answer, company, listing, talk
from virtual_time import START, VirtualClock

from reconciler.codat import ReadClient
from reconciler.codat.errors import ApiError, QuotaExhaustedError, UnexpectedAnswerError
from reconciler.workspace import Limits

QUICK = Limits(requests_per_minute=60_000, concurrency=4, page_size=2)
LATER = {"X_Rate_Limit_Limit": "10000", "X_Rate_Limit_Reset": "2026-11-25T00:00:00Z"}


@dataclass(repr=False)
class Pages(httpx.AsyncBaseTransport):
    """A listing of so many companies, two a page; ``seconds`` and ``told`` are by page, ``instead`` too."""

    rows: int
    seconds: dict[int, float] = field(default_factory=dict)
    instead: dict[int, httpx.Response] = field(default_factory=dict)
    remaining: int | None = None
    asked: list[int] = field(default_factory=list)
    sent_at: list[float] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)
    most_at_once: int = 0
    shows_links: bool = True
    cursor: str = ""
    _at_once: int = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        number = int(request.url.params["page"])
        self.asked.append(number)
        self.sent_at.append((VirtualClock().now() - START).total_seconds())
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        told = {} if self.remaining is None else LATER | {"X_Rate_Limit_Remaining": str(self._left())}
        try:
            await asyncio.sleep(self.seconds.get(number, 1.0))
        finally:
            self._at_once -= 1
        self.answered.append(number)
        return self.instead.pop(number, None) or answer(self._page(number), **told)

    def _left(self) -> int:
        assert self.remaining is not None
        self.remaining -= 1
        return self.remaining

    def _page(self, number: int) -> object:
        names = range(2 * number - 2, min(2 * number, self.rows))
        is_linked = self.shows_links and 2 * number < self.rows
        following = f"/companies?page={number + 1}&pageSize=2{self.cursor}" if is_linked else ""
        shown = [company(id=f"c{name:03d}") for name in names]
        return listing(*shown, total=self.rows, following=following, pageSize=2, pageNumber=number)


def ids(network: Pages, limits: Limits = QUICK, **settings: bool) -> list[str]:
    return [
        found.id
        for found in talk(network, lambda c: c.companies(), cls=ReadClient, limits=limits, **settings)
    ]


def whole(rows: int) -> list[str]:
    return [f"c{number:03d}" for number in range(rows)]


@pytest.mark.parametrize("shows_links", [True, False], ids=["linked", "numbered"])
def test_no_page_but_the_first_is_waited_for_before_the_next_is_asked_for(shows_links: bool) -> None:
    network = Pages(rows=10, shows_links=shows_links)

    assert ids(network) == whole(10)
    assert network.asked == [1, 2, 3, 4, 5]
    assert network.answered[0] == 1
    assert max(network.sent_at) < 1.5


def test_the_order_of_the_companies_is_the_listings_however_the_pages_arrive() -> None:
    network = Pages(rows=9, seconds={2: 4.0, 3: 3.0, 4: 2.0})

    assert ids(network) == whole(9)
    assert network.answered == [1, 5, 4, 3, 2]


def test_no_more_pages_are_on_their_way_than_the_workspace_permits() -> None:
    network = Pages(rows=60)

    assert ids(network) == whole(60)
    assert network.most_at_once == QUICK.concurrency


def test_pages_side_by_side_keep_the_pace() -> None:
    network = Pages(rows=40)

    ids(network, Limits(requests_per_minute=120, page_size=2))

    assert min(late - early for early, late in pairwise(network.sent_at)) == pytest.approx(0.51, abs=0.005)


@pytest.mark.parametrize("remaining", [1001, 1002, 1004, 1011])
def test_pages_side_by_side_leave_the_reserve_to_others(remaining: int) -> None:
    network = Pages(rows=40, remaining=remaining)

    with pytest.raises(QuotaExhaustedError, match=r"limits\.reserve leaves 1000 to others"):
        ids(network)

    assert network.remaining == 1000


def test_answers_that_overtake_one_another_do_not_bring_back_what_is_used_up() -> None:
    network = Pages(rows=200, remaining=1012, seconds=dict.fromkeys(range(2, 99, 4), 9.0))

    with pytest.raises(QuotaExhaustedError):
        ids(network)

    assert network.remaining == 1000


def test_a_count_that_changes_on_any_page_has_the_listing_read_again() -> None:
    changed = answer(listing(company(id="c004"), company(id="c005"), total=11, pageSize=2))
    network = Pages(rows=10, instead={3: changed})

    assert ids(network) == whole(10)
    assert network.asked.count(1) == 2


def test_a_page_that_cannot_be_read_fails_the_listing_and_calls_the_others_off() -> None:
    network = Pages(rows=80, instead={3: httpx.Response(403, json={"error": "no"})})

    with pytest.raises(ApiError, match="403"):
        ids(network)

    assert max(network.asked) < 10


def test_pages_that_lack_what_the_first_one_counts_make_a_listing_short() -> None:
    @dataclass(repr=False)
    class Short(Pages):
        def _page(self, number: int) -> object:
            rows = [company(id="c000"), company(id="c001")] if number == 1 else []
            return listing(*rows, total=self.rows, pageSize=2, pageNumber=number)

    network = Short(rows=3000)

    with pytest.raises(UnexpectedAnswerError, match="counts 3,000 rows and shows 2"):
        ids(network)
    assert len(network.asked) < 30


def test_where_a_link_says_more_than_a_number_only_the_links_are_followed() -> None:
    network = Pages(rows=8, cursor="&continue=x")

    assert ids(network) == whole(8)
    assert network.sent_at == pytest.approx([0, 1, 2, 3], abs=0.1)


# --- the pace of what only reads ---------------------------------------------------------------


def busiest_minute(moments: list[float]) -> int:
    return max(sum(start <= moment < start + 60 for moment in moments) for start in moments)


def test_reads_hurry_while_codat_says_that_plenty_remains_and_stay_below_its_own_limit() -> None:
    network = Pages(rows=2000, remaining=9000, seconds=dict.fromkeys(range(1, 1001), 0.01))

    ids(network, Limits(page_size=2), hurries=True)

    assert 900 <= busiest_minute(network.sent_at) <= 1000


@pytest.mark.parametrize(
    ("remaining", "hurries"),
    [(None, True), (1999, True), (9000, False)],
    ids=["Codat does not tell", "little remains", "the workspace says how many"],
)
def test_reads_keep_the_even_pace_otherwise(remaining: int | None, hurries: bool) -> None:
    network = Pages(rows=40, remaining=remaining, seconds=dict.fromkeys(range(1, 21), 0.01))

    ids(network, Limits(page_size=2), hurries=hurries)

    assert min(late - early for early, late in pairwise(network.sent_at)) == pytest.approx(0.1, abs=0.005)


def test_the_first_pause_that_codat_asks_for_ends_the_hurry() -> None:
    busy = answer({"error": "slow down"}, 429, Retry_After="1", X_Rate_Limit_Remaining="9000")
    network = Pages(rows=80, remaining=9000, instead={9: busy}, seconds=dict.fromkeys(range(1, 41), 0.01))

    assert ids(network, Limits(page_size=2), hurries=True) == whole(80)

    after = [moment for moment in network.sent_at if moment > 1]
    assert min(late - early for early, late in pairwise(after)) > 0.1
