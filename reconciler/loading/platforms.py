"""Codat's platforms, as far as its docs name them: what is known without asking Codat."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from reconciler.loading.words import did_you_mean, quoted
from reconciler.model import Platform, SourceType, slug

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
_BANK_FEEDS: Final = {"olpr": "Sage Bank Feeds", "hcws": "QuickBooks Online Bankfeeds"}
_OFFLINE: Final = frozenset({"pqsw", "hbql"})
"""Those whose data stays on the customer's machine (https://docs.codat.io/core-concepts/status)."""

BUILTIN_PLATFORMS: Final[tuple[Platform, ...]] = tuple(
    Platform(key=key, name=name, source_type=source_type, is_offline=key in _OFFLINE)
    for source_type, table in (
        (SourceType.ACCOUNTING, _ACCOUNTING),
        (SourceType.COMMERCE, _COMMERCE),
        (SourceType.BANKING, _BANKING),
        (SourceType.BANK_FEED, _BANK_FEEDS),
    )
    for key, name in table.items()
)
"""The platforms of https://docs.codat.io/integrations; Codat's own list is the authority."""
PUBLISHED: Final = frozenset({"sage-bank-feeds"})
"""The platforms, by name, whose fields a public page of Codat's states: ``schemas/platforms`` has them."""


_FOUR_LETTERS: Final = re.compile(r"[a-z]{4}")
"""The form of Codat's keys. Platforms are retired, and stay on old companies."""


class PlatformIndex:
    """Finds a platform by its name, its slug or its four-letter key; a later entry wins.

    The names of our own table are found whatever Codat's list calls the same key today.
    """

    def __init__(self, platforms: Sequence[Platform]) -> None:
        by_key = {platform.key.lower(): platform for platform in platforms}
        ours = {
            platform.slug: by_key[platform.key] for platform in BUILTIN_PLATFORMS if platform.key in by_key
        }
        self._by_name = ours | {platform.slug: platform for platform in by_key.values()} | by_key
        self.names: tuple[str, ...] = tuple(self._by_name)

    def find(self, written: str) -> Platform | None:
        """The platform that a spec calls ``written``; four letters that nobody lists may be a retired one."""
        listed = self._by_name.get(written) or self._by_name.get(slug(written))
        if listed is not None or not _FOUR_LETTERS.fullmatch(written):
            return listed
        return Platform(key=written, name=written)

    def lists(self, platform: Platform) -> bool:
        """Whether the platform is one that we, or Codat's list, know."""
        return platform.key.lower() in self._by_name

    def agrees(self, found: Mapping[str, Platform]) -> bool:
        """Whether it finds, by each of these names, a platform of which specs would be read the same."""
        return all(
            (here := self.find(written)) is not None
            and (here.key, here.slug, here.source_type) == (platform.key, platform.slug, platform.source_type)
            for written, platform in found.items()
        )

    def unknown(self, written: str) -> tuple[str, str]:
        """What to say of a name that it does not find, and what to do."""
        fix = did_you_mean(written, self.names, "`codat-sync platforms` lists them")
        return f"no platform is called {quoted(written)}", fix

    def unlisted(self, written: str) -> tuple[str, str]:
        """What to say of four letters that may be the key of a retired platform, and what to do."""
        fix = did_you_mean(
            written,
            self.names,
            "plan takes it where a connection in Codat carries it, or Codat's list has it",
        )
        return f"no platform that we know has the key {quoted(written)}", fix
