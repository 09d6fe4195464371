"""What a plan read of a live company, as a digest."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.fields import TEXTS
from reconciler.model import LiveCompany
from reconciler.plan import digest


def live_digest(companies: Iterable[LiveCompany]) -> str:
    """The digest of what a plan read of a company: not its sync times, which move by themselves."""
    return digest(
        [
            {
                "id": one.id,
                **{text.path: text.live(one) for text in TEXTS},
                "tags": dict(one.tags),
                "products": sorted(one.products),
                "connections": sorted(
                    [link.id, link.platform_key, link.status.value] for link in one.connections
                ),
            }
            for one in companies
        ]
    )
