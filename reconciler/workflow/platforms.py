"""What ``platforms`` does: lists the integrations that the account has."""

from __future__ import annotations

from reconciler.codat import ReadClient
from reconciler.model import Limits, Platform
from reconciler.workflow.endpoint import Endpoint
from reconciler.workflow.running import run


def platforms(endpoint: Endpoint) -> tuple[Platform, ...]:
    """Codat's integrations by name.

    Raises:
        CodatSyncError: no credentials, or Codat cannot be read.

    """
    return run(_platforms(endpoint))


async def _platforms(endpoint: Endpoint) -> tuple[Platform, ...]:
    async with endpoint.open(ReadClient, Limits()) as client:
        return tuple(sorted(await client.platforms(), key=lambda one: (one.name.casefold(), one.key)))
