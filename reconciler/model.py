"""The nouns of a reconciliation: what is wanted and what is live, as values that cannot change.

``Desired`` comes from the specs, ``Live`` from Codat; both speak of companies and connections.
A field that is absent from a spec is ``UNSET`` and is not managed; ``None`` clears it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, StrEnum
from fnmatch import fnmatchcase
from typing import Final

from reconciler.diagnostics import Span
from reconciler.secret_refs import SecretRef

WORKSPACE_TAG: Final = "codatSyncWorkspace"
KEY_TAG: Final = "codatSyncKey"
PROTECT_TAG: Final = "codatSyncProtect"
LINKS_TAG: Final = "codatSyncLinks"
SENT_TAG: Final = "codatSyncSent"
RESERVED_TAG_PREFIX: Final = "codatSync"
"""Tags whose key starts so are ours; a spec may not set them."""

MAX_TAGS: Final = 10
"""Tags that Codat keeps per company (https://docs.codat.io/core-concepts/companies)."""
MAX_TAG_KEY: Final = 27
MAX_TAG_VALUE: Final = 100


class Unset(Enum):
    """The type of ``UNSET``: a spec does not name the field, so it is not managed."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


# --- addresses ---------------------------------------------------------------------------------

ACCOUNT: Final = "@account"
"""The account's place in an address, where a company's key would stand; no key begins so."""
ACCOUNT_MARK: Final = "https://codat-sync.invalid/workspace/"
"""How the URL of the webhook consumer begins that names the account's workspace: a host that cannot exist."""


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """Where something stands: ``acme`` is a company, ``acme/books`` one of its connections.

    A live connection that no spec names is ``acme/plaid:2e9d2c44``: its platform and the first 8
    characters of its id. The account is ``@account``, what belongs to it ``@account/profile``,
    ``@account/webhook.KEY`` and, in no spec, ``@account/webhook:2e9d2c44``.
    """

    company: str
    connection: str = ""

    def __str__(self) -> str:
        return f"{self.company}/{self.connection}" if self.connection else self.company

    @classmethod
    def parse(cls, text: str) -> Address:
        """The address that ``text`` writes."""
        company, _, connection = text.partition("/")
        return cls(company, connection)

    @property
    def is_company(self) -> bool:
        """Whether this is a company's address, not a connection's."""
        return not self.connection

    @property
    def is_account(self) -> bool:
        """Whether this speaks of the account, and of no company in it."""
        return self.company == ACCOUNT


def matches(pattern: str, address: Address) -> bool:
    """Whether a ``--target`` pattern (globs allowed) selects ``address``.

    A pattern without a slash selects companies and with each of them its connections.
    """
    company, slash, connection = pattern.partition("/")
    if not fnmatchcase(address.company, company):
        return False
    return not slash or (not address.is_company and fnmatchcase(address.connection, connection))


def short_id(identifier: str) -> str:
    """The first 8 characters of an id: enough to tell the connections of one company apart."""
    return identifier[:8]


@dataclass(frozen=True, slots=True)
class Mark:
    """What the record of links says of a connection's key: its ``id``, or its platform alone.

    Neither is known of a connection that is still to be created.
    """

    id: str = ""
    platform_key: str = ""

    @property
    def is_to_come(self) -> bool:
        """Whether its connection is still to be created."""
        return not (self.id or self.platform_key)

    def entry(self, key: str) -> str:
        """The record's entry for ``key``: ``bank1:2e9d2c44`` or ``monzo@suuo``."""
        return f"{key}:{short_id(self.id)}" if self.id else f"{key}@{self.platform_key}"


def links_tag(links: Mapping[str, Mark]) -> str:
    """The value of ``codatSyncLinks`` that records ``links`` by connection key."""
    return ",".join(mark.entry(key) for key, mark in sorted(links.items()))


def marks_of(tag: str) -> dict[str, Mark]:
    """The record that ``codatSyncLinks`` holds, by connection key; an id is the first 8 of one."""
    marks = {}
    for entry in map(_ENTRY, tag.split(",")):
        if entry is not None:
            key, separator, value = entry.groups()
            marks[key] = Mark(id=value) if separator == ":" else Mark(platform_key=value)
    return marks


_ENTRY: Final = re.compile(r"([^:@]+)([:@])(.+)").fullmatch


BEING_SENT: Final = "-"
"""What a mark of ``codatSyncSent`` ends with until the answer to the tokens has come."""


def sent_marks(tags: Mapping[str, str]) -> dict[str, str]:
    """The mark of the last tokens that each connection was sent while it was Linked, by short id."""
    entries = (entry.partition(":") for entry in tags.get(SENT_TAG, "").split(","))
    return {identifier: mark for identifier, _, mark in entries if mark}


def sent_tag(marks: Mapping[str, str]) -> str:
    """The value of ``codatSyncSent`` that tells ``marks``; empty where there are none."""
    return ",".join(f"{identifier}:{mark}" for identifier, mark in sorted(marks.items()) if mark)


# --- platforms ---------------------------------------------------------------------------------


class SourceType(StrEnum):
    """What kind of data a platform gives (https://docs.codat.io/core-concepts/connections)."""

    ACCOUNTING = "Accounting"
    BANKING = "Banking"
    BANK_FEED = "BankFeed"
    COMMERCE = "Commerce"
    EXPENSE = "Expense"
    OTHER = "Other"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """An integration that Codat offers: its four-letter key, and its name as people write it."""

    key: str
    name: str
    source_type: SourceType = SourceType.UNKNOWN
    enabled: bool = True
    is_offline: bool = False
    """Its data stays on the customer's machine, so a sync waits until the connector there is online."""
    data_types: frozenset[str] = frozenset()
    """What can be fetched from it; empty where nobody has said."""

    @property
    def slug(self) -> str:
        """The name as specs write it: ``QuickBooks Online`` is ``quickbooks-online``."""
        return slug(self.name)


QUICKBOOKS_DESKTOP: Final = "pqsw"
"""Its first sync waits for the customer's own schedule since 2026-01-10, not for the connector alone."""


def slug(name: str) -> str:
    """A platform's name in lower case, everything but letters and digits as single hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


# --- what is wanted ----------------------------------------------------------------------------


class Presence(StrEnum):
    """The wanted state of a company."""

    PRESENT = "present"
    ABSENT = "absent"


class Wanted(StrEnum):
    """The wanted state of a connection."""

    LINKED = "linked"
    UNLINKED = "unlinked"
    ABSENT = "absent"


class Migration(StrEnum):
    """How a connection gets linked: by our tokens, by Codat's team, or by the customer."""

    SELF_SERVICE = "self-service"
    MANAGED = "managed"
    LINK = "link"


class Precondition(StrEnum):
    """Steps 3 and 4 of Codat's migration process (https://docs.codat.io/get-started/migration)."""

    CALLBACK_URL_ADDED = "callbackUrlAdded"
    LEGACY_SYNC_DISABLED = "legacySyncDisabled"


class PreconditionState(StrEnum):
    """Whether a precondition is met; ``todo`` is the default and stops every authorize."""

    DONE = "done"
    NOT_APPLICABLE = "not-applicable"
    TODO = "todo"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncPolicy:
    """When a linked connection is due for a sync, and of which data types (all, if none is named)."""

    never: bool = False
    max_age: timedelta | None = None
    data_types: tuple[str, ...] = ()


STANDARD_PRODUCTS: Final = frozenset({"bank-feeds", "expenses", "lending", "payables"})
"""Products of Codat's own, as its API's document names them; any other may be a custom one, which is
refreshed by a request of its own and not by that for all data.
"""
SettingValue = bool | float | str
SyncSettings = Mapping[str, Mapping[str, SettingValue]]
"""Sync settings by data type, then by the member's name in Codat's API."""

FETCH_ON_FIRST_LINK: Final = "fetchOnFirstLink"
"""The member of a sync setting that says whether a first link, or ``data/all``, fetches the data type."""
SYNC_FROM_UTC: Final = "syncFromUtc"
SYNC_FROM_WINDOW: Final = "syncFromWindow"
"""The two members that say how far back to fetch; a setting has one of them at most."""


def with_settings(live: SyncSettings, wanted: SyncSettings) -> SyncSettings:
    """Codat's sync settings with what a spec names merged into them."""
    return {**live, **{name: _merged(live.get(name, {}), members) for name, members in wanted.items()}}


def _merged(live: Mapping[str, SettingValue], wanted: Mapping[str, SettingValue]) -> dict[str, SettingValue]:
    ways = (SYNC_FROM_UTC, SYNC_FROM_WINDOW)
    replaced = ways if any(way in wanted for way in ways) else ()
    return {**{name: value for name, value in live.items() if name not in replaced}, **wanted}


def setting_text(value: SettingValue) -> str:
    """A setting's value as a plan shows it: as JSON writes it, without the quotes of text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def utc_text(moment: datetime) -> str:
    """A moment as settings hold and compare it, whichever way it was written: ``2020-01-01T00:00:00Z``."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredSourceAccount:
    """A bank account that feeds a customer's books, as its spec wants it.

    Its ``key`` is its id at Codat, chosen by whoever creates it, and all that tells it from others.
    ``numbers`` are what belongs to the customer alone, by Codat's name for each: the account's number, its
    sort code and its balance.
    """

    key: str
    name: str = ""
    type: str = ""
    currency: str = ""
    numbers: Mapping[str, SecretRef] = field(default_factory=dict)
    state: Presence = Presence.PRESENT

    @property
    def id(self) -> str:
        """Its id at Codat."""
        return self.key


ACCOUNT_NUMBER: Final = "accountNumber"
BALANCE: Final = "balance"
"""The one of the numbers that Codat takes as a number; without one it is sent as 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredConnection:
    """A connection as its spec wants it. ``platform_key`` is Codat's four-letter key."""

    key: str
    platform: str
    platform_key: str
    source_type: SourceType
    migration: Migration
    wanted: Wanted = Wanted.LINKED
    id: str | None = None
    renamed_from: str | None = None
    """The key under which the record of links holds it, where it has a new one."""
    authorization: Mapping[str, str | SecretRef] = field(default_factory=dict)
    issued_at: datetime | None = None
    sync: SyncPolicy = SyncPolicy()
    preconditions: Mapping[Precondition, PreconditionState] = field(default_factory=dict)
    source_accounts: Mapping[str, DesiredSourceAccount] = field(default_factory=dict)
    """Of a bank feed, by id; what is not named here is not managed."""
    span: Span | None = field(default=None, compare=False)

    @property
    def open_preconditions(self) -> tuple[Precondition, ...]:
        """The preconditions that still stand in the way of sending tokens."""
        state = PreconditionState.TODO
        return tuple(
            precondition
            for precondition in Precondition
            if self.preconditions.get(precondition, state) is state
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredCompany:
    """A company as its spec wants it; ``tags`` are the user's own, ``None`` removes one.

    ``new_beside`` are ids of live companies that are known to be others. ``products`` are all that it
    shall have. ``sync_settings`` are those members that the spec names; ``None`` gives the company back
    to the profile's settings.
    """

    key: str
    name: str
    description: str | Unset | None = UNSET
    tags: Mapping[str, str | None] = field(default_factory=dict)
    new: bool = False
    protect: bool | Unset = UNSET
    products: tuple[str, ...] | Unset = UNSET
    sync_settings: SyncSettings | Unset | None = UNSET
    id: str | None = None
    new_beside: tuple[str, ...] = ()
    renamed_from: str | None = None
    state: Presence = Presence.PRESENT
    connections: Mapping[str, DesiredConnection] = field(default_factory=dict)
    span: Span | None = field(default=None, compare=False)

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key that it may carry: its own, and the one that it takes over."""
        return (self.key,) if self.renamed_from is None else (self.key, self.renamed_from)


ProfileValue = str | tuple[str, ...]
"""A member of the profile: text, or a list of texts whose order says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredWebhook:
    """A webhook consumer as ``account.yaml`` wants it; ``url`` may be left out where ``id`` names it."""

    key: str
    url: str | SecretRef | None = None
    event_types: tuple[str, ...] = ()
    company_tags: tuple[str, ...] = ()
    disabled: bool = False
    id: str | None = None
    state: Presence = Presence.PRESENT
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredAccount:
    """What ``account.yaml`` wants; what it does not name is not managed."""

    profile: Mapping[str, ProfileValue] = field(default_factory=dict)
    sync_settings: SyncSettings = field(default_factory=dict)
    webhooks: Mapping[str, DesiredWebhook] = field(default_factory=dict)
    span: Span | None = field(default=None, compare=False)

    @property
    def is_empty(self) -> bool:
        """Whether it wants nothing, so that nothing need be read for it."""
        return not (self.profile or self.sync_settings or self.webhooks)

    @property
    def references(self) -> tuple[SecretRef, ...]:
        """The references that its webhooks' URLs are."""
        return tuple(webhook.url for webhook in self.webhooks.values() if isinstance(webhook.url, SecretRef))


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """Everything that the specs want. ``narrowed`` says that they are only a part of the workspace.

    ``renamed_from`` is the name of a workspace whose companies this one takes over. ``account`` is
    ``None`` where no spec speaks of the account.
    """

    workspace: str
    narrowed: bool = False
    companies: Mapping[str, DesiredCompany] = field(repr=False)
    renamed_from: str | None = None
    account: DesiredAccount | None = field(default=None, repr=False)

    @property
    def workspaces(self) -> tuple[str, ...]:
        """Every workspace whose companies are ours: this one, and the one that it takes over."""
        return tuple(dict.fromkeys((self.workspace, self.renamed_from or self.workspace)))
