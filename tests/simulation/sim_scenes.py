"""What a simulation starts from: specs before and after, what has happened since, and faults to come.

A ``Scene`` is a value, so that a failing one can be printed, taken apart and played again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from sim_account import Account
from sim_faults import ACCOUNT_KINDS, FEED_KINDS, Fault
from sim_feeds import FEED_KEY, SourceAccount, without_feed

from reconciler.model import (
    UNSET,
    Desired,
    DesiredCompany,
    DesiredConnection,
    Migration,
    Presence,
    SourceType,
    SyncPolicy,
    Wanted,
)
from reconciler.secret_refs import SecretRef, Variable

WORKSPACE: Final = "prod"
OLD_WORKSPACE: Final = "pilot"
"""The name under which the earlier specs were applied, where the workspace was renamed."""
ELSEWHERE: Final = "elsewhere"
"""A workspace of others."""
SYNC_TYPES: Final[Mapping[SourceType, tuple[str, ...]]] = {
    SourceType.ACCOUNTING: ("invoices", "customers"),
    SourceType.BANKING: ("banking-accounts",),
    SourceType.COMMERCE: ("commerce-orders",),
    SourceType.BANK_FEED: (),
}
SCHEDULED: Final = "invoices"
"""The data type whose sync setting specs name."""
MAX_AGE: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Brand:
    """A platform, as specs and Codat name it."""

    slug: str
    key: str
    source_type: SourceType


BRANDS: Final = {
    brand.slug: brand
    for brand in (
        Brand("xero", "gbol", SourceType.ACCOUNTING),
        Brand("quickbooks-online", "qhyg", SourceType.ACCOUNTING),
        Brand("truelayer", "upvr", SourceType.BANKING),
        Brand("plaid", "suuo", SourceType.BANKING),
        Brand("stripe", "exgd", SourceType.COMMERCE),
    )
}
FEED: Final = Brand("sage-bank-feeds", FEED_KEY, SourceType.BANK_FEED)
"""The one platform that is not among those drawn for connections in general."""


@dataclass(frozen=True, slots=True)
class Link:
    """A connection of a spec. ``sync`` is a row of ``SYNCS``; ``reissued``: its tokens are newer ones.

    ``accounts`` are source accounts, where it is a bank feed.
    """

    key: str
    platform: str
    migration: Migration = Migration.SELF_SERVICE
    wanted: Wanted = Wanted.LINKED
    sync: str = "default"
    reissued: bool = False
    renamed_from: str | None = None
    accounts: tuple[SourceAccount, ...] = ()

    @property
    def is_feed(self) -> bool:
        """Whether it is a bank feed."""
        return self.platform == FEED.slug

    @property
    def role(self) -> str:
        """The key that its tokens tell, which it had when they were named."""
        return self.renamed_from or self.key

    @property
    def brand(self) -> Brand:
        """Its platform."""
        return FEED if self.is_feed else BRANDS[self.platform]

    def policy(self) -> SyncPolicy:
        """When it is due for a sync."""
        return {
            "default": SyncPolicy(),
            "never": SyncPolicy(never=True),
            "types": SyncPolicy(data_types=SYNC_TYPES[self.brand.source_type]),
            "age": SyncPolicy(max_age=MAX_AGE),
        }[self.sync]


@dataclass(frozen=True, slots=True)
class Firm:
    """A company of a spec. ``adopts``: it stands at Codat already, without tags, and is named by its id.

    ``is_new``: another one of its name stands there, and the spec says that it is another.
    """

    key: str
    name: str
    description: str | None = None
    tags: tuple[tuple[str, str | None], ...] = ()
    links: tuple[Link, ...] = ()
    products: tuple[str, ...] | None = None
    schedule: int | None = None
    """The hours after which its invoices are fetched again, if its spec names them."""
    is_absent: bool = False
    renamed_from: str | None = None
    adopts: bool = False
    is_new: bool = False

    def link(self, key: str) -> Link | None:
        """The connection of this key."""
        return next((link for link in self.links if link.key == key), None)

    def with_feed(self, accounts: tuple[SourceAccount, ...]) -> Firm:
        """The company with a bank feed of these accounts."""
        return replace(self, links=(*self.links, Link("feed", FEED.slug, sync="never", accounts=accounts)))

    @property
    def accounts(self) -> tuple[SourceAccount, ...]:
        """The source accounts that its spec names."""
        return tuple(account for link in self.links for account in link.accounts)


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that one simulation is made of.

    ``earlier`` has been applied in peace, and ``later`` is applied among ``faults``. Between the two
    ``gone_by`` days have passed, and ``deauthorized`` and ``linked`` name connections (``acme/books``)
    that lost their access, or that the customer linked; ``wiped`` names companies, by their earlier key,
    that lost our tags. ``gone`` names those that someone deleted at Codat, ``foreign`` platforms
    (``acme/plaid``) of which the customer has linked another by himself, ``unrecorded`` companies whose
    record of links was lost. ``is_renamed``: the workspace had another name before. Each of ``runs`` is
    disturbed; ``pause`` seconds lie between them and before the undisturbed ones, ``ponder`` between a
    plan and its execution. ``account`` is what the later specs want of the account itself, and
    ``earlier_account`` what the earlier ones did; ``others_listen`` counts consumers of others elsewhere,
    ``is_crowded`` is one that stood at a URL of ours before any spec did.
    """

    seed: int
    earlier: tuple[Firm, ...] = ()
    later: tuple[Firm, ...] = ()
    faults: tuple[Fault, ...] = ()
    deauthorized: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()
    wiped: tuple[str, ...] = ()
    is_renamed: bool = False
    gone: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    unrecorded: tuple[str, ...] = ()
    gone_by: int = 1
    strangers: int = 0
    runs: int = 1
    pause: float = 60
    ponder: float = 0
    concurrency: int | None = None
    page_size: int = 1000
    per_minute: int = 600
    lag_seconds: int = 0
    sync_seconds: int = 20
    account: Account | None = None
    earlier_account: Account | None = None
    others_listen: int = 0
    is_crowded: bool = False

    @property
    def workspaces(self) -> tuple[str, ...]:
        """The names that our workspace has, and had."""
        return (WORKSPACE, OLD_WORKSPACE) if self.is_renamed else (WORKSPACE,)

    def firm(self, key: str) -> Firm | None:
        """The company of this key, as the later specs want it."""
        return next((firm for firm in self.later if firm.key == key), None)

    def keys_of(self, key: str) -> frozenset[str]:
        """Every key that the company of this key has or had."""
        firm = self.firm(key)
        return frozenset({key, firm.renamed_from or key} if firm else {key})

    def with_faults(self, *faults: Fault) -> Scene:
        """The same scene among these faults."""
        return replace(self, faults=faults)

    def as_drawn_first(self) -> Scene:
        """The same scene as it was drawn before there were accounts and bank feeds, or faults of theirs."""
        faults = tuple(fault for fault in self.faults if fault.kind not in ACCOUNT_KINDS | FEED_KINDS)
        return replace(
            self,
            earlier=without_feed(self.earlier),
            later=without_feed(self.later),
            faults=faults,
            account=None,
            earlier_account=None,
            others_listen=0,
            is_crowded=False,
        )

    def without_faults(self) -> Scene:
        """The same start, undisturbed."""
        return replace(self, faults=(), runs=0, ponder=0)


@dataclass(frozen=True, slots=True)
class Specs:
    """Specs as the planner takes them, once the ids of companies to adopt are known."""

    firms: tuple[Firm, ...]
    ids: Mapping[str, str] = field(default_factory=dict)
    issued_at: datetime | None = None
    workspaces: tuple[str, ...] = (WORKSPACE,)
    """The name of the workspace, and the one that it takes over."""
    account: Account | None = None

    def desired(self) -> Desired:
        """The desired state."""
        workspace, *taken_over = self.workspaces
        companies = {firm.key: self._company(firm) for firm in self.firms}
        return Desired(
            workspace=workspace,
            companies=companies,
            renamed_from=taken_over[0] if taken_over else None,
            account=self.account.desired() if self.account else None,
        )

    def _company(self, firm: Firm) -> DesiredCompany:
        return DesiredCompany(
            key=firm.key,
            name=firm.name,
            description=UNSET if firm.description is None else firm.description,
            tags=dict(firm.tags),
            id=self.ids[firm.key] if firm.adopts else None,
            new=firm.is_new,
            renamed_from=firm.renamed_from,
            products=UNSET if firm.products is None else firm.products,
            sync_settings=UNSET if firm.schedule is None else {SCHEDULED: {"syncSchedule": firm.schedule}},
            state=Presence.ABSENT if firm.is_absent else Presence.PRESENT,
            connections={link.key: self._connection(firm, link) for link in firm.links},
        )

    def _connection(self, firm: Firm, link: Link) -> DesiredConnection:
        is_ours = link.migration is Migration.SELF_SERVICE
        return DesiredConnection(
            key=link.key,
            platform=link.platform,
            platform_key=link.brand.key,
            source_type=link.brand.source_type,
            migration=link.migration,
            wanted=link.wanted,
            authorization={"accessToken": token_ref(firm, link), "realmId": "4620816365"} if is_ours else {},
            issued_at=self.issued_at if link.reissued else None,
            sync=link.policy(),
            renamed_from=link.renamed_from,
            source_accounts={account.id: account.desired() for account in link.accounts},
        )


def token_ref(firm: Firm, link: Link) -> SecretRef:
    """The reference to a connection's token. It keeps its name when a key changes."""
    owner = firm.renamed_from or firm.key
    return SecretRef(Variable(f"{owner}/{link.role}{'#2' if link.reissued else ''}"))


def addresses(firms: tuple[Firm, ...]) -> Iterator[tuple[Firm, Link]]:
    """Every connection with its company."""
    return ((firm, link) for firm in firms for link in firm.links)
