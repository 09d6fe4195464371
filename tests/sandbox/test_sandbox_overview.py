"""The page of whoever runs the sandbox: what it shows, what its switches do, and whom it answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from loopback import serving
from sandbox_api import Api, id_of
from webdriver import MISSING, browser

from reconciler.sandbox import Sandbox

HOSTILE = "</title></style><script>document.title='owned';fetch('/stolen')</script><img src='/seen'>"
FAULT = {"do": "fault", "kind": "503", "when": "after", "times": "ever"}
BROWSER = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with serving(sandbox) as url, httpx.Client(base_url=url) as opened:
        yield opened


def test_it_shows_companies_states_syncs_writes_and_links(client: httpx.Client, api: Api) -> None:
    company = api.company(tags={"region": "uk"})
    path = api.linked(company, "gbol")
    api.ok("POST", f"/companies/{company}/data/all")
    shown = client.get("/", headers=BROWSER).text
    link = api.ok("GET", path)["linkUrl"].removeprefix("http://sandbox")
    for part in ("Acme", "<bdi>region</bdi>=<bdi>uk</bdi>", "Xero", "<b>Linked</b>", "Queued", link):
        assert part in shown, part
    assert "PUT /companies/{companyId}/connections/{connectionId}/authorization" in shown


def test_hostile_names_are_text(client: httpx.Client, api: Api, sandbox: Sandbox) -> None:
    api.company(tags={"<b>": HOSTILE})
    with sandbox._store.transaction() as session:  # the API removes such characters from names
        session.run("UPDATE company SET name = ?", HOSTILE)
    shown = client.get("/", headers=BROWSER).text
    assert "<img" not in shown
    assert shown.count("<script>") == 1


def test_nothing_may_run_or_load_but_its_own(client: httpx.Client) -> None:
    policy = client.get("/", headers=BROWSER).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert re.search(r"script-src 'sha256-[^']+'; connect-src 'self'", policy)


def test_a_client_of_the_api_gets_no_page(client: httpx.Client) -> None:
    assert client.get("/", headers={"Accept": "application/json"}).status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Host": "evil.example"}, 421), ({"Origin": "http://evil.example"}, 403)],
    ids=["another name", "a page from elsewhere"],
)
def test_it_answers_nobody_else(client: httpx.Client, headers: dict[str, str], status: int) -> None:
    assert client.get("/", headers=BROWSER | headers).status_code == status
    assert client.post("/_sandbox/page", data={"do": "clear"}, headers=headers).status_code == status


def test_its_switches_add_and_clear_faults_and_touch_connections(client: httpx.Client, api: Api) -> None:
    path = api.linked(api.company())
    added = client.post(
        "/_sandbox/page", data={"do": "fault", "kind": "503", "when": "after", "times": "ever"}
    )
    assert (added.status_code, added.headers["Location"]) == (303, "/")
    (fault,) = client.get("/_sandbox/faults").json()
    assert (fault["kind"], fault["when"], fault["timesLeft"]) == ("503", "after", None)
    assert "for ever" in client.get("/", headers=BROWSER).text
    client.post("/_sandbox/page", data={"do": "clear"})
    assert client.get("/_sandbox/faults").json() == []
    client.post("/_sandbox/page", data={"do": "event", "event": "deauthorize", "connection": id_of(path)})
    assert api.status(path) == "Deauthorized"


def test_an_unknown_switch_is_refused(client: httpx.Client) -> None:
    assert client.post("/_sandbox/page", data={"do": "x"}).status_code == 400


@pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
def test_in_a_browser_it_keeps_itself_current_and_its_buttons_work(
    sandbox: Sandbox, api: Api, tmp_path: Path
) -> None:
    with serving(sandbox) as url, browser(tmp_path / "profile", runs_scripts=True) as window:
        window.open(url + "/")
        path = api.linked(api.company(tags={"x": HOSTILE}))
        window.wait_for(".connection b", ["Linked"])
        window.press("Add fault")
        assert window.texts("#faults li b") == ["latency"]
        window.press("Clear faults")
        window.press("deauthorize")
        assert (window.texts(".connection b"), api.status(path)) == (["Deauthorized"], "Deauthorized")
        assert window.title == "Codat sandbox"
