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
from typing import Final, NoReturn

from reconciler.diagnostics import Span

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
    for entry in tag.split(","):
        key, separator, value = re.split(r"([:@])", entry, maxsplit=1) if _IS_ENTRY(entry) else ("", "", "")
        if separator:
            marks[key] = Mark(id=value) if separator == ":" else Mark(platform_key=value)
    return marks


_IS_ENTRY: Final = re.compile(r"[^:@]+[:@].+").fullmatch


BEING_SENT: Final = "-"
"""What a mark of ``codatSyncSent`` ends with until the answer to the tokens has come."""


def sent_marks(tags: Mapping[str, str]) -> dict[str, str]:
    """The mark of the last tokens that each connection was sent while it was Linked, by short id."""
    entries = (entry.partition(":") for entry in tags.get(SENT_TAG, "").split(","))
    return {identifier: mark for identifier, _, mark in entries if mark}


def sent_tag(marks: Mapping[str, str]) -> str:
    """The value of ``codatSyncSent`` that tells ``marks``; empty where there are none."""
    return ",".join(f"{identifier}:{mark}" for identifier, mark in sorted(marks.items()) if mark)


# --- secrets -----------------------------------------------------------------------------------


class Secret:
    """A value that must never be shown: it prints as ``***`` and refuses to be copied out of the process."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one place that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))


REFERENCE: Final = re.compile(r"\$\{(?P<scheme>[^{}:]*):(?P<locator>[^{}]*)\}")
"""The form of every reference, in specs and in saved plans; which schemes there are, loading says."""


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is kept: ``${env:NAME}``, ``${file:PATH#/pointer}``, ``${table:FILE#KEY.COLUMN}``.

    A file's path is written relative to the workspace's root, whichever spec it stands in, so a
    saved plan means the same wherever it is applied.
    """

    scheme: str
    locator: str
    span: Span | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"${{{self.scheme}:{self.locator}}}"

    @classmethod
    def parse(cls, text: str) -> SecretRef | None:
        """The reference that the whole of ``text`` is, as ``str`` writes one; ``None`` where it is none."""
        found = REFERENCE.fullmatch(text)
        return cls(found["scheme"], found["locator"]) if found else None


_OPENING: Final = "${"
_ESCAPED: Final = "$${"
_OPENED: Final = re.compile(r"(?<!\$)\$\{")


def holds_reference(text: str) -> bool:
    """Whether ``text`` is, or tries to be, a reference: ``$${`` is a literal ``${``."""
    return _OPENED.search(text) is not None


def literal(text: str) -> str:
    """What a text without a reference says: ``$${`` is the written form of ``${``."""
    return text.replace(_ESCAPED, _OPENING)


def written(text: str) -> str:
    """How a text is written that says just this, the other way of ``literal``."""
    return text.replace(_OPENING, _ESCAPED)


RESERVED_VARIABLES: Final = "CODAT_"
"""Environment variables that start so are ours: no reference names them, and no command is given them."""
DEFAULT_SPECS: Final = "specs"
"""Where specs are looked for, if the command line does not say."""
REF_PLACE: Final = "{ref}"
"""Where a command's arguments take the text of a reference."""
PROVIDERS_GROUP: Final = "codat_sync.secrets"
"""The entry point group of packages that resolve references of a scheme of their own."""


@dataclass(frozen=True, slots=True)
class SecretCommands:
    """The commands that ``workspace.yaml`` permits for secrets: arguments by scheme, and a time limit."""

    by_scheme: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    timeout: timedelta = timedelta(seconds=10)


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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class DesiredSourceAccount:
    """A bank account that feeds a customer's books, as its spec wants it.

    ``id`` is chosen by whoever creates it, and is all that tells it from others. ``numbers`` are what belongs
    to the customer alone, by Codat's name for each: the account's number, its sort code and its balance.
    """

    id: str
    name: str = ""
    type: str = ""
    currency: str = ""
    numbers: Mapping[str, SecretRef] = field(default_factory=dict)
    state: Presence = Presence.PRESENT


ACCOUNT_NUMBER: Final = "accountNumber"
BALANCE: Final = "balance"
"""The one of the numbers that Codat takes as a number; without one it is sent as 0."""


@dataclass(frozen=True, slots=True)
class DesiredConnection:
    """A connection as its spec wants it. ``platform_key`` is Codat's four-letter key."""

    key: str
    platform: str
    platform_key: str
    source_type: SourceType
    migration: Migration
    wanted: Wanted = Wanted.LINKED
    id: str | None = None
    authorization: Mapping[str, str | SecretRef] = field(default_factory=dict)
    issued_at: datetime | None = None
    sync: SyncPolicy = SyncPolicy()
    preconditions: Mapping[Precondition, PreconditionState] = field(default_factory=dict)
    renamed_from: str | None = None
    """The key under which the record of links holds it, where it has a new one."""
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


@dataclass(frozen=True, slots=True)
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
    id: str | None = None
    new: bool = False
    new_beside: tuple[str, ...] = ()
    renamed_from: str | None = None
    protect: bool | Unset = UNSET
    products: tuple[str, ...] | Unset = UNSET
    sync_settings: SyncSettings | Unset | None = UNSET
    state: Presence = Presence.PRESENT
    connections: Mapping[str, DesiredConnection] = field(default_factory=dict)
    span: Span | None = field(default=None, compare=False)

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key that it may carry: its own, and the one that it takes over."""
        return (self.key,) if self.renamed_from is None else (self.key, self.renamed_from)


ProfileValue = str | tuple[str, ...]
"""A member of the profile: text, or a list of texts whose order says nothing."""


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Desired:
    """Everything that the specs want. ``narrowed`` says that they are only a part of the workspace.

    ``renamed_from`` is the name of a workspace whose companies this one takes over. ``account`` is
    ``None`` where no spec speaks of the account.
    """

    workspace: str
    companies: Mapping[str, DesiredCompany] = field(repr=False)
    narrowed: bool = False
    renamed_from: str | None = None
    account: DesiredAccount | None = field(default=None, repr=False)

    @property
    def workspaces(self) -> tuple[str, ...]:
        """Every workspace whose companies are ours: this one, and the one that it takes over."""
        return tuple(dict.fromkeys((self.workspace, self.renamed_from or self.workspace)))


# --- the workspace's settings ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limit:
    """A count, or a percentage of what is managed."""

    value: int
    percent: bool = False

    def of(self, total: int) -> int:
        """How many of ``total`` the limit permits."""
        return total * self.value // 100 if self.percent else self.value


@dataclass(frozen=True, slots=True)
class Guard:
    """How much one run may destroy without being told so on the command line."""

    max_deletes: Limit = Limit(0)
    max_unlinks: Limit = Limit(10)
    max_narrowings: Limit = Limit(0)
    max_source_account_deletes: Limit = Limit(0)


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard Codat may be asked; ``reserve_percent`` of the daily quota is left to others."""

    requests_per_minute: int = 600
    concurrency: int = 10
    page_size: int = 1000
    reserve_percent: int = 10


@dataclass(frozen=True, slots=True)
class Rollout:
    """How a large apply proceeds; ``max_failures`` failed companies stop the run."""

    canary: str | None = None
    batch: int | None = None
    max_failures: int = 10


@dataclass(frozen=True, slots=True)
class Workspace:
    """The settings of ``workspace.yaml``. ``root`` is the directory that references resolve under.

    ``renamed_from`` is the name of a workspace whose companies this one takes over.
    """

    name: str
    root: str
    account: str | None = None
    guard: Guard = Guard()
    limits: Limits = Limits()
    rollout: Rollout = Rollout()
    sandbox_only: bool = False
    warn_after: timedelta | None = None
    """The age of tokens, by ``issuedAt``, past which a plan warns before they are sent."""
    platform_details: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What Codat's team shall know of a platform, by four-letter key; never a secret."""
    renamed_from: str | None = None
    create_with_products: bool = False
    """Whether the account refuses a company without a product, so that its create has to name them."""


# --- what is live ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LiveSyncSettings:
    """The sync settings that hold for a company, and whether they are its own or the profile's."""

    by_type: SyncSettings
    are_own: bool

    def as_wanted(self, wanted: SyncSettings | None) -> LiveSyncSettings:
        """These settings as they shall be: merged with what a spec names, or for ``None`` the profile's."""
        if wanted is None:
            return LiveSyncSettings(self.by_type, are_own=False)
        merged = with_settings(self.by_type, wanted)
        return self if merged == self.by_type else LiveSyncSettings(merged, are_own=True)
