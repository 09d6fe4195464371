"""The customer's side: link URLs, and the pages behind them."""

from __future__ import annotations

import asyncio
import re
from itertools import product
from typing import Any

import httpx
import pytest
from sandbox_api import HEADERS, NOBODY, Api, id_of

from reconciler.sandbox import Sandbox

HOSTILE = (
    "</title></style></h1>\"'><script>document.title='owned'</script><img src=x onerror=1>&amp;{{ 7*7 }}"
)
OFFERED = {
    "PendingAuth": ["authorize", "decline"],
    "Linked": ["revoke"],
    "Deauthorized": ["authorize", "decline"],
    "Unlinked": ["authorize", "decline"],
}
BECOMES = {"authorize": "Linked", "revoke": "Deauthorized"}
"""The status after a choice; the others leave it as it is."""
EVENTS = {
    "PendingAuth": (),
    "Linked": ("link",),
    "Deauthorized": ("link", "deauthorize"),
    "Unlinked": ("link", "unlink"),
}
"""How a new connection gets to each status."""


class Customer:
    """Someone who holds nothing but a URL: no API key."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def __call__(self, method: str, url: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._sandbox)
            async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
                return await client.request(method, url, **options)

        return asyncio.run(ask())

    def open(self, url: str) -> str:
        """The page that a URL opens."""
        answer = self("GET", url)
        assert answer.status_code == 200, answer.text
        return answer.text

    def choose(self, url: str, choice: str) -> httpx.Response:
        """Press a button on the page."""
        return self("POST", url, data={"choice": choice})


@pytest.fixture
def customer(sandbox: Sandbox) -> Customer:
    return Customer(sandbox)


def standing(api: Api, status: str, platform: str = "gbol", **company: Any) -> tuple[str, str]:
    """The path and the link URL of a connection of this status."""
    path = api.connection(api.company(**company), platform)
    for event in EVENTS[status]:
        api.sandbox.happen(id_of(path), event)
    return path, api.ok("GET", path)["linkUrl"]


def buttons(page: str) -> list[str]:
    """What a page offers to choose."""
    return re.findall(r'<button name="choice" value="(\w+)"', page)


def changed(url: str, **parameters: str) -> str:
    """A URL with other parameters in its query; an empty one is left out."""
    given = httpx.URL(url).params.merge(parameters)
    return str(httpx.URL(url).copy_with(params={name: value for name, value in given.items() if value}))


# --- link URLs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8080", "http://[::1]:9", "https://behind.a.proxy"])
def test_link_urls_lead_to_the_server_that_was_asked(customer: Customer, api: Api, origin: str) -> None:
    company_id = api.company()
    api.connection(company_id)
    company = customer("GET", f"{origin}/companies/{company_id}", headers=HEADERS).json()
    assert company["redirect"].startswith(f"{origin}/company/{company_id}?link.otp=")
    (connection,) = company["dataConnections"]
    place = f"{origin}/companies/{company_id}/connections/{connection['id']}/start?otp="
    assert connection["linkUrl"].startswith(place)


def test_a_company_and_its_connections_have_a_password_each(api: Api) -> None:
    company_id = api.company()
    for platform in ("gbol", "suuo"):
        api.connection(company_id, platform)
    company = api.ok("GET", f"/companies/{company_id}")
    urls = [company["redirect"], *(connection["linkUrl"] for connection in company["dataConnections"])]
    assert len({url.rpartition("otp=")[2] for url in urls}) == 3


# --- a connection's page -----------------------------------------------------------------------


@pytest.mark.parametrize("status", OFFERED)
def test_a_page_shows_how_it_stands_and_offers_what_applies(
    api: Api, sandbox: Sandbox, customer: Customer, status: str
) -> None:
    sandbox.set(accountName="Harbour Lending")
    _, url = standing(api, status, name="Acme Stores")
    page = customer.open(url)
    assert buttons(page) == OFFERED[status]
    for text in ("Harbour Lending", "Acme Stores", "Xero", f"<code>{status}</code>"):
        assert text in page


def pairs(*, offered: bool) -> list[tuple[str, str]]:
    """Every status with every choice, and one that never was, that it does or does not offer."""
    every = product(OFFERED, ["authorize", "decline", "revoke", "explode"])
    return [(status, choice) for status, choice in every if (choice in OFFERED[status]) is offered]


@pytest.mark.parametrize(("status", "choice"), pairs(offered=True))
def test_a_choice_that_is_offered_does_what_it_says(
    api: Api, customer: Customer, status: str, choice: str
) -> None:
    path, url = standing(api, status)
    answer = customer.choose(url, choice)
    assert answer.status_code == 303
    assert api.status(path) == BECOMES.get(choice, status)
    page = customer.open(str(httpx.URL(url).join(answer.headers["Location"])))
    assert buttons(page) == OFFERED[BECOMES.get(choice, status)]


@pytest.mark.parametrize(("status", "choice"), pairs(offered=False))
def test_a_choice_that_is_not_offered_changes_nothing_and_the_page_says_so(
    api: Api, customer: Customer, status: str, choice: str
) -> None:
    path, url = standing(api, status)
    answer = customer.choose(url, choice)
    assert answer.status_code == 409
    assert "That can no longer be chosen" in answer.text
    assert buttons(answer.text) == OFFERED[status]
    assert api.status(path) == status


def test_who_declined_is_told_so_until_it_is_no_longer_true(
    api: Api, sandbox: Sandbox, customer: Customer
) -> None:
    path, url = standing(api, "PendingAuth")
    after = str(httpx.URL(url).join(customer.choose(url, "decline").headers["Location"]))
    assert "You declined" not in customer.open(url)
    assert "You declined" in customer.open(after)
    sandbox.happen(id_of(path), "link")
    assert "You declined" not in customer.open(after)


def test_a_customer_who_links_for_the_first_time_sets_off_the_first_fetch(
    api: Api, sandbox: Sandbox, customer: Customer
) -> None:
    path, url = standing(api, "PendingAuth")
    customer.choose(url, "authorize")
    sandbox.advance(60)
    assert "lastSync" in api.ok("GET", path)


def test_what_revoking_and_linking_again_leave_is_an_error_that_is_resolved(
    api: Api, customer: Customer
) -> None:
    path, url = standing(api, "Linked")
    customer.choose(url, "revoke")
    assert [error["status"] for error in api.ok("GET", path)["dataConnectionErrors"]] == ["Active"]
    customer.choose(url, "authorize")
    assert [error["status"] for error in api.ok("GET", path)["dataConnectionErrors"]] == ["Resolved"]


def test_a_page_shows_what_codat_has_only_just_noticed(
    api: Api, sandbox: Sandbox, customer: Customer
) -> None:
    path, url = standing(api, "Linked")
    sandbox.advance(60)
    sandbox.happen(id_of(path), "revoke")
    api.ok("POST", path.split("/connections")[0] + "/data/all")
    sandbox.advance(60)
    assert "<code>Deauthorized</code>" in customer.open(url)


def test_a_second_accounting_connection_is_refused_with_the_reason(api: Api, customer: Customer) -> None:
    company = api.company()
    api.linked(company, "qhyg")
    path = api.connection(company, "gbol")
    answer = customer.choose(api.ok("GET", path)["linkUrl"], "authorize")
    assert answer.status_code == 409
    assert "has an active accounting connection already" in answer.text
    assert api.status(path) == "PendingAuth"


# --- what changes nothing ----------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("status", OFFERED)
def test_nothing_but_post_changes_anything(
    api: Api, sandbox: Sandbox, customer: Customer, status: str, method: str
) -> None:
    path, url = standing(api, status)
    before = sandbox.state()
    for choice in OFFERED[status]:
        answer = customer(method, changed(url, choice=choice, chose=choice), content=f"choice={choice}")
        assert answer.status_code == (200 if method in ("GET", "HEAD") else 405)
    assert sandbox.state() == before
    assert api.status(path) == status


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"choice": "authorize"}',
        b"\xff\xfe",
        b"choice=",
        b"choice=decline&choice=authorize",
        b"&" * 9999,
    ],
    ids=["nothing", "JSON", "no text", "no choice", "two choices", "many fields"],
)
def test_a_body_that_no_button_sends_changes_nothing(api: Api, customer: Customer, body: bytes) -> None:
    path, url = standing(api, "PendingAuth")
    assert customer("POST", url, content=body).status_code == 409
    assert api.status(path) == "PendingAuth"


def test_pages_meet_no_quota_and_no_fault_and_stay_out_of_the_journal(
    api: Api, sandbox: Sandbox, customer: Customer
) -> None:
    _, url = standing(api, "PendingAuth")
    written = sandbox.journal()
    sandbox.set(quota=0)
    sandbox.fault("500", times=None)
    assert customer.choose(url, "authorize").status_code == 303
    customer.open(url)
    assert sandbox.journal() == written
    assert api.ok("GET", "/_sandbox/faults")[0]["seen"] == 0


# --- who may see it ----------------------------------------------------------------------------

WRONG = ["", "000000", "é", "\x00", "9" * 5000]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("password", WRONG, ids=["missing", "wrong", "not ASCII", "a NUL", "long"])
def test_a_wrong_password_gets_one_page_whatever_is_behind_it(
    api: Api, customer: Customer, method: str, password: str
) -> None:
    path, url = standing(api, "PendingAuth")
    there = changed(url, otp=password)
    places = [
        there,
        there.replace(id_of(path), NOBODY),
        re.sub("companies/[^/]+", f"companies/{NOBODY}", there),
    ]
    answers = [customer(method, place, data={"choice": "authorize"}) for place in places]
    assert {answer.status_code for answer in answers} == {403}
    assert len({(answer.content, str(answer.headers)) for answer in answers}) == 1
    assert "This link does not work" in answers[0].text
    assert api.status(path) == "PendingAuth"


def test_a_password_opens_its_own_page_alone(api: Api, customer: Customer) -> None:
    company_id = api.company()
    first, second = (api.ok("GET", api.connection(company_id, text)) for text in ("gbol", "suuo"))
    company = api.ok("GET", f"/companies/{company_id}")["redirect"]
    passwords = {url: url.rpartition("=")[2] for url in (first["linkUrl"], second["linkUrl"], company)}
    opened = {
        (url, other): customer("GET", url.replace(own, passwords[other])).status_code
        for (url, own), other in product(passwords.items(), passwords)
    }
    assert opened == {(url, other): 200 if url == other else 403 for url, other in opened}


def test_a_link_under_another_company_does_not_work(api: Api, customer: Customer) -> None:
    path, url = standing(api, "PendingAuth")
    moved = re.sub("companies/[^/]+", f"companies/{api.company()}", url)
    assert customer.choose(moved, "authorize").status_code == 403
    assert api.status(path) == "PendingAuth"


def test_what_was_deleted_looks_like_a_wrong_password(api: Api, customer: Customer) -> None:
    path, url = standing(api, "PendingAuth")
    refusal = customer("GET", changed(url, otp="")).text
    company = f"/companies/{path.split('/')[2]}"
    redirect = api.ok("GET", company)["redirect"]
    api("DELETE", company)
    assert [customer("GET", text).text for text in (url, redirect)] == [refusal, refusal]


# --- a company's page --------------------------------------------------------------------------


def test_a_companys_page_leads_to_all_of_its_connections(
    api: Api, sandbox: Sandbox, customer: Customer
) -> None:
    company_id = api.company(name="Acme Stores")
    paths = [api.connection(company_id, platform) for platform in ("gbol", "suuo", "suuo")]
    sandbox.happen(id_of(paths[1]), "link")
    page = customer.open(api.ok("GET", f"/companies/{company_id}")["redirect"])
    links = re.findall(r'<a href="([^"]+)">([^<]+)</a>', page)
    assert links == [
        (api.ok("GET", path)["linkUrl"], platform)
        for path, platform in zip(paths, ["Xero", "Plaid", "Plaid"], strict=True)
    ]
    assert re.findall(r"<code>(\w+)</code>", page) == ["PendingAuth", "Linked", "PendingAuth"]
    assert "Acme Stores" in page


def test_a_company_without_connections_is_asked_for_nothing(api: Api, customer: Customer) -> None:
    assert "asks for nothing yet" in customer.open(api.ok("GET", f"/companies/{api.company()}")["redirect"])


# --- in a browser ------------------------------------------------------------------------------


def test_every_answer_keeps_its_url_to_itself_and_every_page_runs_nothing(
    api: Api, customer: Customer
) -> None:
    path, url = standing(api, "PendingAuth")
    company = api.ok("GET", f"/companies/{path.split('/')[2]}")["redirect"]
    answers = [
        customer("GET", url),
        customer("GET", company),
        customer("GET", changed(url, otp="")),
        customer.choose(url, "revoke"),
        customer.choose(url, "authorize"),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 403, 409, 303]
    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for answer in answers[:4]:
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        policy = answer.headers["Content-Security-Policy"].split("; ")
        assert policy[0] == "default-src 'none'"
        assert re.fullmatch(r"style-src 'sha256-[\w+/]+='", policy[1])
        assert policy[2:] == ["form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"]


def test_texts_that_nobody_may_trust_are_shown_and_do_nothing(
    api: Api, sandbox: Sandbox, customer: Customer
) -> None:
    sandbox.set(accountName=HOSTILE)
    path, url = standing(api, "PendingAuth")
    company_id = path.split("/")[2]
    with sandbox._store.transaction() as session:  # the API removes such characters from names
        session.run("UPDATE company SET name = ?", HOSTILE)
    for page in (customer.open(url), customer.open(api.ok("GET", f"/companies/{company_id}")["redirect"])):
        assert "<script" not in page
        assert "<img" not in page
        assert page.count("&lt;script&gt;document.title=&#39;owned&#39;&lt;/script&gt;") >= 2
        assert "&amp;amp;{{ 7*7 }}" in page
