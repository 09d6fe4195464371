"""The customer's pages in a real browser: real clicks, and no script of anybody's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from loopback import serving
from sandbox_api import Api
from starlette.types import Receive, Scope, Send
from webdriver import MISSING, Browser, browser

from reconciler.sandbox import Sandbox

HOSTILE = "</title></style><script>document.title='owned';fetch('/stolen')</script><img src='/seen'>"

pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))


@dataclass
class Server:
    """A sandbox on loopback, and what anyone asked it for."""

    sandbox: Sandbox
    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append((scope["method"], scope["path"]))
        await self.sandbox(scope, receive, send)

    def address(self, path: str, name: str) -> tuple[str, str]:
        """Where a link of a company or connection leads, on this server, and the path of that page."""
        link = Api(self.sandbox).ok("GET", path)[name].removeprefix("http://sandbox")
        return self.url + link, link.partition("?")[0]


@pytest.fixture
def server(sandbox: Sandbox) -> Iterator[Server]:
    made = Server(sandbox)
    with serving(made) as url:
        made.url = url
        yield made


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Browser]:
    """A browser in which nothing runs, as for the most careful customer."""
    with browser(tmp_path / "profile", runs_scripts=False) as opened:
        yield opened


def test_a_customer_links_revokes_and_links_again_by_clicks_alone(
    server: Server, window: Browser, api: Api
) -> None:
    company = api.company(name="Acme & Sons")
    path = api.connection(company, "gbol")
    address, _ = server.address(f"/companies/{company}", "redirect")
    window.open(address)
    assert window.texts("h1") == ["Acme & Sons"]
    window.press("Xero")
    told = []
    for button in ("Decline", "Authorize", "Revoke access", "Decline", "Authorize"):
        window.press(button)
        assert window.texts(".status code") == [api.status(path)]
        told.append((api.status(path), *window.texts(".notice")))
    declined = "You declined, so nothing has changed."
    assert told == [
        ("PendingAuth", declined),
        ("Linked",),
        ("Deauthorized",),
        ("Deauthorized", declined),
        ("Linked",),
    ]


def test_loading_the_page_again_repeats_no_choice_and_nothing_else_is_ever_asked_for(
    server: Server, window: Browser, api: Api
) -> None:
    address, page = server.address(api.connection(api.company()), "linkUrl")
    window.open(address)
    window.press("Authorize")
    window.reload()
    assert server.asked == [("GET", page), ("POST", page), ("GET", page), ("GET", page)]


def test_the_page_is_light_or_dark_as_the_customer_prefers(server: Server, window: Browser, api: Api) -> None:
    address, _ = server.address(api.connection(api.company()), "linkUrl")
    window.open(address)
    seen = []
    for scheme in ("light", "dark"):
        window.prefer(scheme)
        seen.append([window.style("main", "background-color"), window.style("h1", "color")])
    assert seen == [
        ["rgba(255, 255, 255, 1)", "rgba(27, 35, 48, 1)"],
        ["rgba(22, 28, 36, 1)", "rgba(231, 236, 242, 1)"],
    ]


def test_a_hostile_name_runs_and_loads_nothing(server: Server, api: Api, tmp_path: Path) -> None:
    company = api.company()
    with server.sandbox._store.transaction() as session:  # the API removes such characters from names
        session.run("UPDATE company SET name = ?", HOSTILE)
    server.sandbox.set(accountName=HOSTILE)
    address, page = server.address(f"/companies/{company}", "redirect")
    with browser(tmp_path / "profile", runs_scripts=True) as window:
        window.open(address)
        assert window.title == f"{HOSTILE} - sandbox"
    assert server.asked == [("GET", page)]
