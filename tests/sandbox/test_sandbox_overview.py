"""The page of whoever runs the sandbox: what it shows, what its switches do, and whom it answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from loopback import NO_CERTIFICATES, serving
from sandbox_api import Api, id_of
from webdriver import MISSING, browser

from reconciler.sandbox import Sandbox, answering
from reconciler.sandbox.overview import SHOWN

HOSTILE = "</title></style><script>document.title='owned';fetch('/stolen')</script><img src='/seen'>"
FAULT = {"do": "fault", "kind": "503", "when": "after", "times": "ever"}
BROWSER = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with serving(sandbox) as url, httpx.Client(base_url=url, verify=NO_CERTIFICATES) as opened:
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


def log(client: httpx.Client, **query: str) -> list[tuple[str, str]]:
    """The requests of one page of the log, without their queries."""
    shown = client.get("/", params=query, headers=BROWSER).text.split('id="requests"')[1]
    return re.findall(r'<td class="\w+">(\w+) (\S+?)(?: <code>|</td>)', shown)


def test_the_log_shows_reads_and_writes_from_the_newest_on(client: httpx.Client, api: Api) -> None:
    company = api.company()
    api.ok("GET", "/companies?page=1&pageSize=7")
    assert log(client) == [("GET", "/companies"), ("POST", "/companies")]
    assert "?page=1&amp;pageSize=7" in client.get("/", headers=BROWSER).text
    api.ok("GET", f"/companies/{company}")
    assert log(client)[0] == ("GET", "/companies/{companyId}")
    assert log(client, writes="only") == [("POST", "/companies")]
    assert [entry["method"] for entry in client.get("/_sandbox/journal").json()] == ["POST"]


def test_the_log_has_pages_and_one_past_the_last_is_the_last(client: httpx.Client, api: Api) -> None:
    for _ in range(SHOWN + 2):
        api.ok("GET", "/profile")
    api.company()
    assert len(log(client)) == len(log(client, requests="nonsense")) == SHOWN
    assert log(client)[0] == ("POST", "/companies")
    assert log(client, requests="2") == log(client, requests="999") == [("GET", "/profile")] * 3
    shown = client.get("/", params={"requests": "2"}, headers=BROWSER).text
    assert ('rel="prev"' in shown, 'rel="next"' in shown, "51 to 53" in shown) == (True, False, True)


def test_reads_are_forgotten_after_a_while_and_writes_never(
    client: httpx.Client, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "READS_KEPT", 3)
    api.company()
    for _ in range(5):
        api.ok("GET", "/profile")
    assert log(client) == [("GET", "/profile")] * 3 + [("POST", "/companies")]


def test_hostile_names_are_text(client: httpx.Client, api: Api, sandbox: Sandbox) -> None:
    api.company(tags={"<b>": HOSTILE})
    client.get("/profile", params={"<b>": HOSTILE})
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
        api.ok("GET", "/integrations?page=2")
        window.wait_for("#requests tr:first-child code", ["?page=2"])
        window.press("Add fault")
        assert window.texts("#faults li b") == ["latency"]
        window.press("Clear faults")
        window.press("deauthorize")
        assert (window.texts(".connection b"), api.status(path)) == (["Deauthorized"], "Deauthorized")
        assert window.title == "Codat sandbox"
