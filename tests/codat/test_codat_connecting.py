"""Which URL a key may be sent to, and through what."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any
from uuid import uuid4

import httpx
import pytest
from codat_wire import HEADER, talk

from reconciler.codat import ReadClient, asgi_transport, check_api_url, connect, connecting
from reconciler.codat.errors import NoAnswerError
from reconciler.diagnostics import CodatSyncError, MisusedError
from reconciler.workspace import Limits

PROXIES = (
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://api.codat.io", "https://api.codat.io"),
        (" https://api.codat.io/ ", "https://api.codat.io"),
        ("https://API.codat.io:443", "https://api.codat.io"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_https_anywhere_and_http_on_loopback(url: str, origin: str) -> None:
    assert check_api_url(url) == origin


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("http://api.codat.io", "would show your key to the network"),
        ("http://localhost.evil.example", "would show your key"),
        ("http://127.0.0.1.evil.example", "would show your key"),
        ("http://0.0.0.0:8000", "would show your key"),
        ("ftp://api.codat.io", "not an https URL"),
        ("api.codat.io", "not an https URL"),
        ("", "not an https URL"),
        ("https://", "not an https URL"),
        ("https://[broken", "not an https URL"),
        ("https://user:canary@api.codat.io", "holds a user name or password"),
        ("https://api.codat.io/v2?x=1", "more than a host and a port"),
    ],
)
def test_any_other_url_is_refused_without_repeating_a_password(url: str, complaint: str) -> None:
    with pytest.raises(MisusedError, match=complaint) as caught:
        check_api_url(url)

    assert "canary" not in str(caught.value)


def test_connect_checks_the_url_itself() -> None:
    async def main() -> None:
        async with connect(ReadClient, "http://api.codat.io", HEADER, limits=Limits()):
            pass

    with pytest.raises(MisusedError):
        asyncio.run(main())


@pytest.mark.parametrize(
    ("origin", "environ", "is_proxied"),
    [
        ("https://api.codat.io", {}, False),
        ("https://api.codat.io", {"HTTPS_PROXY": "http://proxy.example:3128"}, True),
        ("https://api.codat.io", {"HTTPS_PROXY": "http://proxy.example", "NO_PROXY": "codat.io"}, False),
        ("http://127.0.0.1:8000", {"HTTP_PROXY": "http://proxy.example:3128"}, False),
        ("http://localhost:8000", {"ALL_PROXY": "http://proxy.example:3128"}, False),
    ],
    ids=["none", "https", "excepted", "loopback address", "loopback name"],
)
def test_the_proxy_of_the_environment_is_used_but_never_for_loopback(
    origin: str, environ: dict[str, str], is_proxied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name.lower(), value)

    network = connecting._network(httpx.URL(origin), Limits())

    assert ("Proxy" in type(network._pool).__name__) is is_proxied  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("environ", "code"),
    [
        ({"https_proxy": "gopher://user:canary@proxy.example"}, "bad-proxy"),
        ({"https_proxy": "socks5://user:canary@proxy.example"}, "bad-proxy"),
        ({"SSL_CERT_FILE": "/nowhere/canary.pem"}, "bad-certificates"),
    ],
)
def test_an_environment_that_cannot_work_is_named_and_not_repeated(
    environ: dict[str, str], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(CodatSyncError) as caught:
        connecting._network(httpx.URL("https://api.codat.io"), Limits())

    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == [code]
    assert "canary" not in str(caught.value)


def test_where_no_certificate_is_asked_for_none_is_read_or_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/canary.pem")

    network = connecting._network(httpx.URL("http://127.0.0.1:8000"), Limits())

    context = network._pool._ssl_context  # type: ignore[attr-defined]
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.get_ca_certs() == []


async def _dropping(*_: Any) -> None:
    raise ConnectionResetError("dropped")


def test_a_connection_that_the_sandbox_drops_is_one_that_the_network_drops() -> None:
    with pytest.raises(NoAnswerError):
        talk(asgi_transport(_dropping), lambda client: client.sync_all("1", uuid4()))
