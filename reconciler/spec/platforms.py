"""Codat's platforms, as far as its docs name them: what is known without asking Codat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from reconciler.model import Platform, SourceType, slug
from reconciler.spec.words import did_you_mean, quoted

_ACCOUNTING: Final = {
    "trji": "Dynamics 365 Business Central",
    "rqwd": "Dynamics 365 Finance & Operations",
    "qudb": "Exact (Netherlands)",
    "pbbf": "Exact (UK)",
    "fbrh": "FreeAgent",
    "vxvy": "FreshBooks",
    "pdvj": "MYOB Business",
    "akxx": "Oracle NetSuite",
    "pqsw": "QuickBooks Desktop",
    "qhyg": "QuickBooks Online",
    "ndsk": "QuickBooks Online Sandbox",
    "jcrp": "Sage 200 Standard",
    "hbql": "Sage 50 (UK)",
    "tgff": "Sage Accounting",
    "knfz": "Sage Intacct",
    "mqjo": "Sandbox",
    "pbtz": "Wave",
    "rvam": "Workday",
    "gbol": "Xero",
    "rwuv": "Zoho Books",
}
_COMMERCE: Final = {
    "qkdj": "Amazon Seller Central",
    "vqzp": "BigCommerce",
    "fqly": "Clover",
    "aiwb": "Commerce Sandbox",
    "ldgh": "Lightspeed K",
    "lrhd": "Lightspeed K Sandbox",
    "ltes": "Lightspeed K Trial",
    "lqai": "Partner Commerce",
    "fztf": "Shopify",
    "zsth": "Square",
    "xcwv": "Square Sandbox",
    "exgd": "Stripe",
    "yzth": "Stripe Test",
    "ltpp": "WooCommerce",
    "ugxp": "Zettle",
}
_BANKING: Final = {"suuo": "Plaid", "upvr": "TrueLayer"}
_OFFLINE: Final = frozenset({"pqsw", "hbql"})
"""Those whose data stays on the customer's machine (https://docs.codat.io/core-concepts/status)."""

BUILTIN_PLATFORMS: Final[tuple[Platform, ...]] = tuple(
    Platform(key, name, source_type, is_offline=key in _OFFLINE)
    for source_type, table in (
        (SourceType.ACCOUNTING, _ACCOUNTING),
        (SourceType.COMMERCE, _COMMERCE),
        (SourceType.BANKING, _BANKING),
    )
    for key, name in table.items()
)
"""The platforms of https://docs.codat.io/integrations; Codat's own list is the authority."""


class PlatformIndex:
    """Finds a platform by its name, its slug or its four-letter key; a later entry wins."""

    def __init__(self, platforms: Sequence[Platform]) -> None:
        by_key = {one.key.lower(): one for one in platforms}
        self._by_name = {one.slug: one for one in by_key.values()} | by_key
        self.names: tuple[str, ...] = tuple(self._by_name)

    def find(self, written: str) -> Platform | None:
        """The platform that a spec calls ``written``."""
        return self._by_name.get(written) or self._by_name.get(slug(written))

    def agrees(self, found: Mapping[str, Platform]) -> bool:
        """Whether it finds, by each of these names, a platform of which specs would be read the same."""
        return all(
            (here := self.find(written)) is not None
            and (here.key, here.slug, here.source_type) == (one.key, one.slug, one.source_type)
            for written, one in found.items()
        )

    def unknown(self, written: str) -> tuple[str, str]:
        """What to say of a name that it does not find, and what to do."""
        fix = did_you_mean(written, self.names, "`codat-sync platforms` lists them")
        return f"no platform is called {quoted(written)}", fix
