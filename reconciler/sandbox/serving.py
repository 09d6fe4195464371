"""The sandbox behind a loopback port. The only place that knows uvicorn, which comes with an extra."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from reconciler.sandbox.faults import HANG_UP
from reconciler.sandbox.sandbox import Sandbox
from reconciler.sandbox.store import SandboxError

if TYPE_CHECKING:
    import uvicorn

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
