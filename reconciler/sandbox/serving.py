"""The sandbox as one object, and behind a loopback port. The only place that knows uvicorn."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from reconciler.sandbox import answering, app, control, faults
from reconciler.sandbox import settings as settings_table
from reconciler.sandbox.faults import HANG_UP, Sleep
from reconciler.sandbox.store import IN_MEMORY, SandboxError, Store

if TYPE_CHECKING:
    import uvicorn


class Sandbox:
    """A pretend Codat, whose whole state stands in one SQLite file that several processes may share.

    ``now`` is its clock; with ``seed`` the ids that it gives are always the same ones. ``sleep`` is how a
    latency waits. ``settings`` are those of ``reconciler.sandbox.settings.SETTINGS``.

    Raises:
        SandboxError: the file is no sandbox's, or one of another version.
    """

    def __init__(
        self,
        path: str | Path = IN_MEMORY,
        *,
        now: Callable[[], datetime] | None = None,
        seed: int | None = None,
        sleep: Sleep = asyncio.sleep,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self._store = Store(path, now or _now, seed)
        self.app = app.build(self._store, sleep)
        if settings:
            self.set(**settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application."""
        await self.app(scope, receive, send)

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    def set(self, **settings: Any) -> None:
        """Change settings, such as ``quota=5``."""
        with self._store.transaction() as session:
            settings_table.change(session, settings)

    def fault(self, kind: str, **fault: Any) -> None:
        """Put a fault at the end of the script; ``reconciler.sandbox.faults`` says what it may hold."""
        with self._store.transaction() as session:
            faults.add(session, {"kind": kind, **fault})

    def happen(self, connection_id: str, event: str, **fields: Any) -> None:
        """Let one of ``control.EVENTS`` happen to a connection, such as ``deauthorize``."""
        with self._store.transaction() as session:
            control.happen(session, connection_id, event, fields)

    def wipe_tags(self, company_id: str) -> None:
        """Take all tags off a company, as someone's PUT would."""
        with self._store.transaction() as session:
            control.wipe_tags(session, company_id)

    def advance(self, seconds: float) -> None:
        """Let the sandbox's clock jump."""
        with self._store.transaction() as session:
            session.advance(seconds)

    def journal(self) -> list[dict[str, Any]]:
        """Every write that came in, oldest first."""
        with self._store.transaction() as session:
            return answering.entries(session)

    def state(self) -> dict[str, Any]:
        """Everything that it holds, without tokens and link URLs."""
        with self._store.transaction() as session:
            return control.state(session)


def _now() -> datetime:
    return datetime.now(UTC)


LOOPBACK = "127.0.0.1"
GRACE = 1
"""Seconds that open requests get when the server stops."""


def serve(
    path: str | Path,
    port: int,
    host: str = LOOPBACK,
    *,
    on_ready: Callable[[str], None] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Serve the sandbox in ``path`` until interrupted. ``on_ready`` is told the URL; port 0 is any free one.

    ``settings`` are changed first, such as ``{"quota": 1000}``; they stay in the file.

    Raises:
        SandboxError: uvicorn is not installed, the port is taken, or the file is no sandbox's.
    """
    sandbox = Sandbox(path, settings=settings)
    try:
        with listen(port, host) as listening:
            running = server(sandbox)
            if on_ready:
                on_ready(url_of(listening))
            running.run(sockets=[listening])
    finally:
        sandbox.close()


def listen(port: int, host: str = LOOPBACK) -> socket.socket:
    """A socket that takes connections from now on.

    Raises:
        SandboxError: the port cannot be had.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise SandboxError(f"the sandbox cannot listen on {host} port {port}: {error.strerror}") from error


def url_of(listening: socket.socket) -> str:
    """The URL of a socket that listens."""
    host, port, *_ = listening.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class LocalOnly:
    """Lets requests through that were meant for this machine, and sent by no page of another origin.

    A web page that somebody has open can reach a loopback port: by a name of its own that leads here, or
    by a form. The first tells in ``Host``, the second in ``Origin``.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse with 421 or 403."""
        refusal = _refusal(Headers(scope=scope)) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, send)


def _refusal(headers: Headers) -> JSONResponse | None:
    hosts, origins = headers.getlist("Host"), headers.getlist("Origin")
    if len(hosts) != 1 or not _is_loopback(hosts[0]):
        told = "the sandbox answers to localhost and loopback addresses only"
        return JSONResponse({"statusCode": 421, "error": told}, 421)
    # Our own pages send no referrer, and their forms an Origin of "null" for that; a browser then still says
    # from where (https://www.w3.org/TR/fetch-metadata/).
    is_ours = headers.get("Sec-Fetch-Site") == "same-origin"
    own = {f"http://{hosts[0]}", "null" if is_ours else ""}
    if not own.issuperset(origins):
        told = "the sandbox does not answer to pages of another origin"
        return JSONResponse({"statusCode": 403, "error": told}, 403)
    return None


def _is_loopback(host: str) -> bool:
    try:
        name = urlsplit(f"http://{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def server(sandbox: ASGIApp) -> uvicorn.Server:
    """A server for the sandbox, which answers to this machine alone, prints nothing and can drop connections.

    Raises:
        SandboxError: uvicorn is not installed.
    """
    try:
        import uvicorn
        from uvicorn.protocols.http.h11_impl import H11Protocol
    except ImportError:
        raise SandboxError("serving the sandbox needs uvicorn: pip install 'codat-sync[sandbox]'") from None

    class DroppingProtocol(H11Protocol):
        """HTTP/1.1 whose scope knows how to close the TCP connection beneath it."""

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            app = self.app

            async def with_hang_up(scope: Any, receive: Any, send: Any) -> None:
                scope.setdefault("extensions", {})[HANG_UP] = {"close": transport.close}
                await app(scope, receive, send)

            self.app = with_hang_up

    return uvicorn.Server(
        uvicorn.Config(
            LocalOnly(sandbox),
            http=DroppingProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            date_header=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE,
        )
    )
