"""Listings that span pages, read until they hold together.

Pages shift when something is created or deleted meanwhile
(https://docs.codat.io/using-the-api/paging), so a listing is believed only when its count stayed
the same and that many different rows were seen.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
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
MAX_PAGES: Final = 10_000
"""Pages of one listing past which something is wrong; two million companies at Codat's page size."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page. ``total`` is Codat's count of all rows, ``following`` the next page's URL."""

    rows: tuple[T, ...]
    total: int | None
    following: httpx.URL | None


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
    return Page(rows, total, _following(node, url, len(rows), total))


def _following(node: Node, url: httpx.URL, found: int, total: int | None) -> httpx.URL | None:
    """The next page, ``None`` at the end, which is where Codat's links name no next page.

    An answer without links at all is led on by its page number and the page size that came back.
    """
    if not found:
        return None
    links = node.get("_links")
    if links.value is not None:
        following = links.get("next")
        link = None if following.value is None else following.get("href").optional_text()
        return _on_origin(link, url) if link else None
    number = node.get("pageNumber").optional_count()
    size = node.get("pageSize").optional_count()
    if not (number and size and total is not None and number * size < total):
        return None
    return url.copy_merge_params({"page": str(number + 1), "pageSize": str(size)})


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


async def everything(
    fetch: Callable[[httpx.URL], Awaitable[Page[T]]], first: httpx.URL, identity: Callable[[T], str]
) -> tuple[T, ...]:
    """Every row once, in the order of the listing.

    A listing whose count changes meanwhile, or that shows fewer different rows than it counts, is
    read again, at most three times. If it still does not hold together, the rows of all readings
    together are the answer, the latest of each: a row that is gone costs a request answered 404, one
    that was overlooked would be created a second time.

    Raises:
        UnexpectedAnswerError: the pages go in a circle, leave the API, or do not end.
    """
    met: dict[str, T] = {}
    for _ in range(1 + RESTARTS):
        rows, is_whole = await _reading(fetch, first, identity)
        if is_whole:
            return tuple(rows.values())
        met |= rows
    return tuple(met.values())


async def _reading(
    fetch: Callable[[httpx.URL], Awaitable[Page[T]]], first: httpx.URL, identity: Callable[[T], str]
) -> tuple[dict[str, T], bool]:
    """One reading from the first page, given up when the count changes; whether it holds together."""
    rows: dict[str, T] = {}
    seen: set[str] = set()
    totals: set[int] = set()
    url: httpx.URL | None = first
    while url is not None:
        if str(url) in seen or len(seen) >= MAX_PAGES:
            raise UnexpectedAnswerError("the pages of the listing do not end", request=f"GET {first.path}")
        seen.add(str(url))
        got = await fetch(url)
        rows |= {identity(row): row for row in got.rows}
        totals |= set() if got.total is None else {got.total}
        if len(totals) > 1:
            return rows, False
        url = got.following
    return rows, len(rows) >= max(totals, default=0)
