"""Listings that span pages, read until they hold together.

Pages shift when something is created or deleted meanwhile
(https://docs.codat.io/using-the-api/paging), so a listing is believed only when its count stayed
the same and that many different rows were seen, or when it kept changing and at least the smallest
count was. A row that is overlooked would be created a second time, so a short listing is an error.

Once the first page told how many there are, the others are fetched side by side. That changes when a
page is asked for, and nothing else: pages are looked at one after the other, each where the one before
leads to it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar
from urllib.parse import quote

import httpx

from reconciler.codat.errors import UnexpectedAnswerError
from reconciler.codat.reading import Node

T = TypeVar("T")

RESTARTS: Final = 3
"""How often a listing that does not hold together is read again from its first page."""
PLACES: Final = frozenset({"page", "pageSize"})
"""The parameters that say where in a listing a page stands."""
_DIGITS: Final = 9
"""Digits of a page's number that make sense."""
MAX_PAGES: Final = 10_000
"""Pages of one listing past which something is wrong; two million companies at Codat's page size."""


IDLE_PAGES: Final = 3
"""Pages in a row that show nothing new past which a listing goes in a circle; shifting rows repeat one."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page. ``total`` is Codat's count of all rows."""

    rows: tuple[T, ...]
    total: int | None
    following: httpx.URL | None
    """The next page, where the page links to one."""
    numbered: httpx.URL | None
    """The next page by its number, for a listing that links to none before it is whole."""
    size: int | None = None
    """Rows of a full page, as the page says."""

    def foretold(self) -> Iterator[httpx.URL]:
        """The pages after this one, where it is a full first one and says how many rows there are."""
        following, rows = self.numbered, len(self.rows)
        if following is None or self.total is None or self.size != rows:
            return
        if self.following is not None and not _is_same(self.following, following):
            return
        last = min(-(-self.total // rows), MAX_PAGES)
        for number in range(int(following.params["page"]), last + 1):
            yield following.copy_merge_params({"page": str(number)})


def page(node: Node, parse: Callable[[Node], T], url: httpx.URL) -> Page[T]:
    """The page that was read from ``url``.

    Raises:
        WrongShapeError: it is not of the form that Codat documents.
        UnexpectedAnswerError: the link to the next page leaves the API.
    """
    results = node.get("results")
    if results.value is None:
        raise results.wrong("a list")
    rows = tuple(parse(row) for row in results.items())
    total = node.get("totalResults").optional_count()
    if not rows:
        return Page(rows, total, None, None)
    size = node.get("pageSize").optional_count()
    return Page(rows, total, _linked(node, url), _numbered(size, url), size)


def _linked(node: Node, url: httpx.URL) -> httpx.URL | None:
    links = node.get("_links")
    following = links if links.value is None else links.get("next")
    link = None if following.value is None else following.get("href").optional_text()
    return _on_origin(link, url) if link else None


def _numbered(size: int | None, url: httpx.URL) -> httpx.URL | None:
    """The page after the one that was asked for, of the size that came back."""
    number = url.params.get("page", "")
    if not (number.isascii() and number.isdigit() and len(number) <= _DIGITS and size):
        return None
    return url.copy_merge_params({"page": str(int(number) + 1), "pageSize": str(size)})


def _on_origin(link: str, url: httpx.URL) -> httpx.URL:
    """``link`` seen from ``url``, if that is the same origin: elsewhere our key must not go.

    What ``url`` asks for and the link leaves out, such as the tags, is asked for again.
    """
    try:
        following = url.join(link)
    except httpx.InvalidURL:
        following = None
    if following is None or _origin(following) != _origin(url) or following.userinfo:
        raise UnexpectedAnswerError(
            "the link to the next page leads away from the API, and is not followed",
            request=f"GET {quote(url.path)}",
        )
    kept = {name: value for name, value in url.params.items() if name not in PLACES | following.params.keys()}
    return following.copy_merge_params(kept)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    default = {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.host, url.port or default


def _is_same(url: httpx.URL, other: httpx.URL) -> bool:
    """Whether two addresses ask for the same page, in whatever order their parameters stand."""
    alike = _origin(url) == _origin(other) and url.path == other.path
    return alike and sorted(url.params.multi_items()) == sorted(other.params.multi_items())


Fetch = Callable[[httpx.URL], Awaitable[Page[T]]]


class _Ahead(Generic[T]):
    """Fetches pages, and those that are foretold side by side before anyone asks for them.

    A page that was fetched so is handed out where it is asked for in its turn, with its failure if it
    has one. Where something else is asked for, or nothing more, what is on its way is called off.
    """

    def __init__(self, fetch: Fetch[T], room: Callable[[], int]) -> None:
        self._fetch = fetch
        self._room = room
        self._foretold: Iterator[httpx.URL] = iter(())
        self._going: deque[tuple[httpx.URL, asyncio.Future[Page[T]]]] = deque()

    async def __call__(self, url: httpx.URL) -> Page[T]:
        """The page at ``url``."""
        if not self._going or not _is_same(self._going[0][0], url):
            await self.call_off()
            return await self._fetch(url)
        got = await self._going[0][1]
        self._going.popleft()
        self._fill()
        return got

    def foretell(self, pages: Iterator[httpx.URL]) -> None:
        """Begin to fetch ``pages``."""
        self._foretold = pages
        self._fill()

    async def call_off(self) -> None:
        """Fetch no further page before it is asked for."""
        self._foretold = iter(())
        going = [task for _, task in self._going]
        self._going.clear()
        for task in going:
            task.cancel()
        await asyncio.gather(*going, return_exceptions=True)

    def _fill(self) -> None:
        while len(self._going) < self._room():
            url = next(self._foretold, None)
            if url is None:
                return
            self._going.append((url, asyncio.ensure_future(self._fetch(url))))


async def everything(
    fetch: Fetch[T],
    first: httpx.URL,
    identity: Callable[[T], str],
    *,
    room: Callable[[], int],
    may_be_short: bool = False,
) -> tuple[T, ...]:
    """Every row once, in the order of the listing.

    ``room`` says how many pages may be on their way at this moment before anyone asks for them.

    A listing whose count changes meanwhile, or that shows fewer different rows than it counts, is
    read again, at most three times. If it still does not hold together, the rows of all readings
    together are the answer, the latest of each: a row that is gone costs a request answered 404.
    ``may_be_short``: so they are where they stay fewer than Codat counts, as it may count for a filter.

    Raises:
        UnexpectedAnswerError: the pages go in a circle, leave the API, or do not end; or all readings
            together show fewer rows than any page counts, and the listing may not be short.
    """
    met: dict[str, T] = {}
    totals: set[int] = set()
    for number in range(1 + RESTARTS):
        ahead = _Ahead(fetch, room)
        try:
            reading = await _reading(ahead, first, identity, to_the_end=number == RESTARTS)
        finally:
            await ahead.call_off()
        if reading.is_whole:
            return tuple(reading.rows.values())
        met |= reading.rows
        totals |= reading.totals
    if len(met) < (total := min(totals)) and not may_be_short:
        raise UnexpectedAnswerError(
            f"the listing counts {total:,} rows and shows {len(met):,}, however often it is read",
            fix="run the same command again later; if it stays so, another limits.pageSize may help, and "
            "Codat's support can say what is left out",
            request=f"GET {quote(first.path)}",
        )
    return tuple(met.values())


@dataclass(frozen=True, slots=True)
class _Reading(Generic[T]):
    """The rows of one reading by their identity, and every count that its pages gave."""

    rows: dict[str, T]
    totals: set[int]

    @property
    def is_whole(self) -> bool:
        """Whether it holds together."""
        return len(self.totals) <= 1 and len(self.rows) >= max(self.totals, default=0)


async def _reading(
    fetch: _Ahead[T],
    first: httpx.URL,
    identity: Callable[[T], str],
    *,
    to_the_end: bool,
) -> _Reading[T]:
    """One reading from the first page, given up when the count changes or read ``to_the_end``."""
    rows: dict[str, T] = {}
    totals: set[int] = set()
    seen: set[str] = set()
    idle = 0
    url: httpx.URL | None = first
    while url is not None:
        if str(url) in seen or len(seen) >= MAX_PAGES or idle > IDLE_PAGES:
            raise UnexpectedAnswerError(
                "the pages of the listing do not end", request=f"GET {quote(first.path)}"
            )
        seen.add(str(url))
        got = await fetch(url)
        if url is first:
            fetch.foretell(got.foretold())
        before = len(rows)
        rows |= {identity(row): row for row in got.rows}
        idle = 0 if len(rows) > before else idle + 1
        totals |= set() if got.total is None else {got.total}
        if len(totals) > 1 and not to_the_end:
            break
        goes_on = before < len(rows) < max(totals, default=0)
        url = got.following or (got.numbered if goes_on else None)
    return _Reading(rows, totals)
