"""The Codat API over HTTP: one short method per endpoint, JSON to model, pacing and retry beneath.

::

    connecting   the key, which URL, which transport, which pace; opens a client
    client       the endpoints
    paging       listings over many pages
    exchange     one request and its answer
    transport    permit, pace, meter, waits and repeats         (pacing)
    faults       what is raised and answered below becomes the tree of ``errors``   (words)
    parsing      JSON objects become nouns                       (reading)
"""

from reconciler.codat.client import Answered, Client, ReadClient
from reconciler.codat.connecting import (
    asgi_transport,
    check_api_url,
    connect,
    credentials,
    is_loopback,
    key_forms,
)
from reconciler.codat.pacing import Meter

__all__ = [
    "Answered",
    "Client",
    "Meter",
    "ReadClient",
    "asgi_transport",
    "check_api_url",
    "connect",
    "credentials",
    "is_loopback",
    "key_forms",
]
