"""The sandbox behind a real TCP port, in a thread of the test's own process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.sandbox import Sandbox
from reconciler.sandbox.serving import listen, server, url_of


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
