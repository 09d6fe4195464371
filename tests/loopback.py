"""The sandbox behind a real TCP port, in a thread of the test's own process."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from reconciler.sandbox import Sandbox
from reconciler.sandbox.serving import listen, server, url_of

NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients that speak to loopback alone: each would read all certificates otherwise, and takes long."""


def asked(method: str, url: str, **request: Any) -> httpx.Response:
    """The answer to one request, which ``request`` describes as httpx does."""
    return httpx.request(method, url, verify=NO_CERTIFICATES, **request)


@contextmanager
def serving(sandbox: Sandbox) -> Iterator[str]:
    """The URL at which ``sandbox`` answers while the block runs; it may be asked directly meanwhile."""
    with listen(0) as listening:
        running = server(sandbox)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield url_of(listening)
        finally:
            running.should_exit = True
            thread.join(timeout=10)
            assert not thread.is_alive(), "the server does not stop"
