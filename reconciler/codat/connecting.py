"""The way to Codat: the key, which URL may be spoken to, through which transport, at which pace."""

from __future__ import annotations

import ipaddress
import os
import random
import re
import ssl
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final, TypeVar
from urllib.request import getproxies, proxy_bypass

import httpx

from reconciler import __version__
from reconciler.codat.client import ReadClient
from reconciler.codat.errors import ApiCode
from reconciler.codat.exchange import Authorization, Exchange
from reconciler.codat.faults import ENCODINGS
from reconciler.codat.pacing import Clock, Meter, OnWait, Pacer, SystemClock, never, nobody
from reconciler.codat.transport import READS, CourteousTransport
from reconciler.diagnostics import CodatSyncError, Diagnostic, MisusedError
from reconciler.secret_refs import Secret
from reconciler.workspace import Limits

KEY: Final = "CODAT_API_KEY"
HEADER: Final = "CODAT_AUTH_HEADER"
HEADER_FORM: Final = re.compile(r"basic +([A-Za-z0-9+/_-]+={0,2})", re.IGNORECASE | re.ASCII)


def credentials(environ: Mapping[str, str]) -> Secret:
    """The value of the ``Authorization`` header (https://docs.codat.io/using-the-api/authentication).

    Codat hands out the raw key and the ready-made header, and people paste either into either: so
    ``CODAT_API_KEY`` may hold the header, known by its ``Basic``. ``CODAT_AUTH_HEADER`` wins where
    both are set, since nothing is left to be encoded in it.

    Raises:
        CodatSyncError: neither is set, or what is set cannot be sent.
    """
    header, key = environ.get(HEADER, "").strip(), environ.get(KEY, "").strip()
    if header:
        return _from_header(header, HEADER)
    if not key:
        raise _unusable(
            ApiCode.NO_CREDENTIALS,
            "no API key is set",
            f"set {KEY} or {HEADER}, or use --sandbox, which needs no account",
        )
    if re.match(r"basic\s", key, re.IGNORECASE):
        return _from_header(key, KEY)
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise _unusable(
            ApiCode.BAD_CREDENTIALS, f"{KEY} holds characters that no key has", "copy the key again"
        )
    return Secret("Basic " + b64encode(key.encode()).decode())


def key_forms(environ: Mapping[str, str]) -> frozenset[str]:
    """The key as it could be handed on by mistake: as it is set, in base64, decoded, and as the header."""
    forms: set[str] = set()
    for written in filter(None, (environ.get(name, "").strip() for name in (KEY, HEADER))):
        found = HEADER_FORM.fullmatch(written)
        encoded = found[1] if found else b64encode(written.encode(errors="surrogateescape")).decode()
        forms |= {written, encoded, f"Basic {encoded}", written if found is None else _decoded(encoded)}
    return frozenset(filter(None, forms))


def _decoded(encoded: str) -> str:
    try:
        return b64decode(encoded, altchars=b"-_" if set(encoded) & set("-_") else None).decode()
    except (Base64Error, UnicodeDecodeError):
        return ""


def _from_header(text: str, variable: str) -> Secret:
    found = HEADER_FORM.fullmatch(text)
    if found is None:
        raise _unusable(
            ApiCode.BAD_CREDENTIALS,
            f"{variable} is not an Authorization header",
            f"it reads 'Basic' and the key in base64, as Codat shows it; the key itself goes into {KEY}",
        )
    return Secret(f"Basic {found[1]}")


def _unusable(code: ApiCode, summary: str, fix: str) -> CodatSyncError:
    return CodatSyncError(Diagnostic(code, summary, fix))


C = TypeVar("C", bound=ReadClient)

Message = MutableMapping[str, Any]
App = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]
"""An ASGI application."""

MOST_PER_MINUTE: Final = 1000
"""Codat's hard limit from one address (https://docs.codat.io/using-the-api/rate-limits)."""
BAD_CERTIFICATES: Final = Diagnostic(
    ApiCode.BAD_CERTIFICATES,
    "the certificates that the environment names cannot be read",
    "SSL_CERT_FILE is a file of certificates in PEM form, SSL_CERT_DIR a directory of them",
)
BAD_PROXY: Final = Diagnostic(
    ApiCode.BAD_PROXY,
    "the proxy that the environment names cannot be used",
    "HTTPS_PROXY is such as http://proxy.example:3128",
)
BAD_KEY_LOG: Final = Diagnostic(
    ApiCode.BAD_KEY_LOG,
    "the file that SSLKEYLOGFILE names cannot be written",
    "unset SSLKEYLOGFILE, which lets others read what is sent, or name a file that can be written",
)
LAST_PORT: Final = 65535
TIMEOUT: Final = httpx.Timeout(connect=10, read=60, write=60, pool=None)
"""Seconds. Waiting for one of our own connections to become free is no fault, so it has no limit."""


def check_api_url(url: str) -> str:
    """``url`` as an origin without a trailing slash: https, or http on a loopback address.

    Raises:
        MisusedError: it is something else; user name and password are not repeated.
    """
    try:
        parsed = httpx.URL(url.strip())
    except httpx.InvalidURL:
        parsed = httpx.URL()
    origin = f"{parsed.scheme}://{parsed.netloc.decode('ascii')}"
    complaint = _complaint(parsed)
    if complaint:
        raise MisusedError(
            Diagnostic(
                ApiCode.BAD_API_URL, complaint, "CODAT_API_URL or --api-url is such as https://api.codat.io"
            )
        )
    return origin


def _complaint(url: httpx.URL) -> str:
    if url.scheme not in ("http", "https") or not url.host or b"%" in url.netloc or not _is_port(url):
        return "the API's URL is not an https URL"
    if url.userinfo:
        return "the API's URL holds a user name or password, and credentials never go into it"
    if url.scheme == "http" and not is_loopback(url.host):
        return f"the API's URL is http, and would show your key to the network on the way to {url.host}"
    if url.path not in ("", "/") or url.query or url.fragment:
        return "the API's URL has more than a host and a port"
    return ""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its name or address alone, without asking anyone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _AppTransport(httpx.ASGITransport):
    """An application in this process, whose dropped connections look like those of a network."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await super().handle_async_request(request)
        except ConnectionError as error:
            raise httpx.ReadError(type(error).__name__) from error


def asgi_transport(app: App) -> httpx.AsyncBaseTransport:
    """A transport to an application in this process, such as the embedded sandbox. It has no timeouts."""
    return _AppTransport(app=app)


def _proxy(origin: httpx.URL) -> httpx.Proxy | None:
    """The proxy that the environment names for ``origin``.

    Raises:
        ValueError: it cannot be one.
        httpx.InvalidURL: it is no URL.
    """
    if is_loopback(origin.host) or proxy_bypass(origin.host):
        return None
    proxies = getproxies()
    named = proxies.get(origin.scheme) or proxies.get("all")
    if not named:
        return None
    proxy = httpx.Proxy(named)
    if not proxy.url.host or not _is_port(proxy.url):
        raise ValueError("no proxy")
    return proxy


def _is_port(url: httpx.URL) -> bool:
    return url.port is None or 0 < url.port <= LAST_PORT


def _trusted(origin: httpx.URL) -> ssl.SSLContext | bool:
    """Whose certificates are trusted: nobody's where none is asked for, for reading them takes a while."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if origin.scheme == "http" else True


def _network(origin: httpx.URL, limits: Limits) -> httpx.AsyncBaseTransport:
    """The network, through the proxy that the environment names; a loopback address never is proxied."""
    try:
        return httpx.AsyncHTTPTransport(
            verify=_trusted(origin),
            proxy=_proxy(origin),
            limits=httpx.Limits(max_connections=limits.at_most, max_keepalive_connections=limits.at_most),
        )
    except OSError as error:
        is_key_log = error.filename is not None and error.filename == os.environ.get("SSLKEYLOGFILE")
        complaint = BAD_KEY_LOG if is_key_log else BAD_CERTIFICATES
    except (ImportError, ValueError, httpx.InvalidURL):
        complaint = BAD_PROXY
    raise CodatSyncError(complaint)


def _per_minute(origin: httpx.URL, limits: Limits) -> int:
    """Requests a minute: what is configured, and off loopback never more than Codat bears."""
    wanted = limits.requests_per_minute
    return wanted if is_loopback(origin.host) else min(wanted, MOST_PER_MINUTE)


def _has_plenty(meter: Meter, clock: Clock) -> bool:
    """Whether Codat says that no minute, however busy, can use up what the day has left for us."""
    return (meter.spare(clock.now()) or 0) >= MOST_PER_MINUTE


@asynccontextmanager
async def connect(
    cls: type[C],
    api_url: str,
    authorization: Secret,
    *,
    limits: Limits,
    clock: Clock | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    paced: bool = True,
    hurries: bool = False,
    on_wait: OnWait | None = None,
    rng: random.Random | None = None,
) -> AsyncIterator[C]:
    """A client of class ``cls``, ``ReadClient`` or ``Client``, open as long as the context.

    ``authorization`` is the whole header. ``transport`` replaces the network beneath pace, meter and
    repeats. ``on_wait`` is told of each wait longer than a second that is not the pace
    itself: seconds, and why. ``rng`` scatters the waits between repeated reads. One that ``hurries`` and can
    only read goes faster than ``limits`` say while Codat says that plenty of the day's quota remains.

    Raises:
        MisusedError: without ``transport``, the URL is not one that a key may be sent to.
        CodatSyncError: the proxy or the certificates that the environment names cannot be used.
    """
    origin = httpx.URL(api_url if transport else check_api_url(api_url))
    clock = clock or SystemClock()
    meter = Meter(limits.reserve_percent if paced else 0)
    pacer = Pacer(
        _per_minute(origin, limits) if paced else None,
        clock,
        on_wait or nobody,
        plenty=partial(_has_plenty, meter, clock) if hurries and cls.methods <= READS else never,
    )
    courteous = CourteousTransport(
        transport or _network(origin, limits),
        methods=cls.methods,
        pacer=pacer,
        meter=meter,
        clock=clock,
        rng=rng or random.Random(),  # noqa: S311 - it scatters waits
    )
    async with httpx.AsyncClient(
        transport=courteous,
        auth=Authorization(authorization),
        headers={
            "User-Agent": f"codat-sync/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": ENCODINGS,
        },
        timeout=TIMEOUT,
        follow_redirects=False,
    ) as http:
        exchange = Exchange(http, origin, authorization, clock)
        yield cls(exchange, meter, limits)
