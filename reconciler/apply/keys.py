"""Idempotency keys: the same for the same creation, in whichever run; a run's own for everything else.

See https://docs.codat.io/using-the-api/write-data/idempotency: Codat replays the first answer under a
key for 90 minutes, so a crashed or doubled run that creates under the same key creates nothing twice.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final
from uuid import UUID, uuid5

from reconciler.model import Address
from reconciler.plan import Kind

NAMESPACE: Final = UUID("b41e0c06-9d5f-4c39-9a4b-53a7c5e0f9d2")
"""Ours. It must never change: an old and a new version may run at once."""


def company_key(workspace: str, key: str, attempt: int) -> UUID:
    """The key of the ``attempt``-th (from 0) creation of a company."""
    return _key("company", workspace, key, attempt)


def connection_key(company_id: str, key: str, attempt: int) -> UUID:
    """The key of the ``attempt``-th (from 0) creation of a connection."""
    return _key("connection", company_id, key, attempt)


def webhook_key(url: str, what: Sequence[object], beside: Sequence[str], attempt: int) -> UUID:
    """The key of the ``attempt``-th (from 0) creation of a webhook consumer, by all that it is.

    ``beside`` are the consumers of its URL that were there before: with others, it is another creation.
    """
    return _key("webhook", url, json.dumps(what), *beside, attempt)


def run_key(seed: int, address: Address, kind: Kind, number: int) -> UUID:
    """The key of a run's ``number``-th change or sync at an address; a later run has other ones."""
    return _key("run", seed, str(address), kind.value, number)


def _key(*parts: str | int) -> UUID:
    """The parts as a JSON array, which no two different lists of parts share."""
    return uuid5(NAMESPACE, json.dumps(parts, separators=(",", ":"), ensure_ascii=True))
