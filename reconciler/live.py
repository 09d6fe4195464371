"""What Codat holds: companies, connections and syncs as they are, the account's own too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from reconciler.model import (
    ACCOUNT_MARK,
    KEY_TAG,
    PROTECT_TAG,
    WORKSPACE_TAG,
    Platform,
    ProfileValue,
    SourceType,
    SyncSettings,
    with_settings,
)
from reconciler.secret_refs import Secret, SecretRef


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


class Status(StrEnum):
    """A connection's status at Codat; ``UNKNOWN`` is one that this version does not know."""

    PENDING_AUTH = "PendingAuth"
    LINKED = "Linked"
    DEAUTHORIZED = "Deauthorized"
    UNLINKED = "Unlinked"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveError:
    """An error that Codat recorded on a connection."""

    message: str
    status_code: str = ""
    erred_at: datetime | None = None
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveConnection:
    """A connection as Codat has it. The link URL may carry a one-time password, so it is a secret."""

    id: str
    platform_key: str
    platform_name: str
    status: Status
    source_type: SourceType = SourceType.UNKNOWN
    created: datetime | None = None
    last_sync: datetime | None = None
    errors: tuple[LiveError, ...] = ()
    link_url: Secret | None = field(default=None, compare=False)
    sent: str = field(default="", compare=False)
    """The mark of the last tokens that were sent while it was Linked, where its company was read with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCompany:
    """A company as Codat has it, with its connections.

    ``sync_settings`` is ``None`` where they were not read: they stand in no listing.
    """

    id: str
    name: str
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    created: datetime | None = None
    connections: tuple[LiveConnection, ...] = ()
    products: tuple[str, ...] = ()
    sync_settings: LiveSyncSettings | None = None

    def owner(self) -> tuple[str, str] | None:
        """The (workspace, key) that manages this company; one of the two tags alone is no owner."""
        workspace, key = self.tags.get(WORKSPACE_TAG), self.tags.get(KEY_TAG)
        return (workspace, key) if workspace and key else None

    @property
    def is_protected(self) -> bool:
        """Whether it carries the protect tag with anything but ``false``; so no absent spec can undo it."""
        return self.tags.get(PROTECT_TAG, "false") != "false"

    def connection(self, identifier: str) -> LiveConnection | None:
        """The connection of this id, if the company has it."""
        return next((connection for connection in self.connections if connection.id == identifier), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSourceAccount:
    """A source account of a bank feed as Codat has it; its number and its balance are not looked at."""

    id: str
    name: str = ""
    type: str = ""
    currency: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveWebhook:
    """A webhook consumer as Codat has it. Its URL may carry a password, so it is a secret."""

    id: str
    url: Secret
    event_types: tuple[str, ...] = ()
    company_tags: tuple[str, ...] = ()
    disabled: bool = False

    @property
    def marks_workspace(self) -> str | None:
        """The workspace that it names as the account's; ``None`` where it is no mark of ours."""
        url = self.url.reveal()
        return url.removeprefix(ACCOUNT_MARK) if url.startswith(ACCOUNT_MARK) else None

    @property
    def place(self) -> str:
        """Where it listens, as far as that is surely no secret: ``https://example.com``."""
        return origin_of(self.url.reveal())


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL; empty where it has none."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname}{port}" if parts.hostname else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveProfile:
    """The profile as Codat has it: what can be managed, and all of it, for whoever writes it whole."""

    name: str
    fields: Mapping[str, ProfileValue]
    whole: Secret
    """The JSON of the answer; Codat's API key may stand in it."""


@dataclass(frozen=True, slots=True)
class LiveProfileSettings:
    """The profile's sync settings, and the id of the client that a request to change them names."""

    client_id: str
    settings: LiveSyncSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAccount:
    """What a plan knows of the account; ``None`` is what no spec asks for, so it was not read.

    ``urls`` holds what the references of the wanted webhooks resolve to, without which none could be
    told from another.
    """

    webhooks: tuple[LiveWebhook, ...] = ()
    profile: LiveProfile | None = None
    sync_settings: LiveProfileSettings | None = None
    urls: Mapping[SecretRef, Secret] = field(default_factory=dict)


class PullState(StrEnum):
    """What a pull operation's status means (https://docs.codat.io/core-concepts/status)."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """A pull operation of one data type on one connection."""

    id: str
    connection_id: str
    data_type: str
    status: str
    state: PullState
    requested: datetime
    completed: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataStatus:
    """Where the newest sync of a data type stands (https://docs.codat.io/core-concepts/status)."""

    data_type: str
    status: str
    state: PullState

    @property
    def is_queued(self) -> bool:
        """Whether it waits for its turn, or for a connector on the customer's machine."""
        return self.status.lower() == "queued"


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What a plan knows of Codat.

    ``pulls`` holds the history of those companies (by id) whose connections look due for a sync;
    ``fetched_types`` the data types that the profile marks to be fetched on first link, ``None``
    where that was not read.
    """

    companies: tuple[LiveCompany, ...] = field(repr=False)
    platforms: tuple[Platform, ...] = field(default=(), repr=False)
    pulls: Mapping[str, tuple[Pull, ...]] = field(default_factory=dict, repr=False)
    fetched_types: frozenset[str] | None = None
    source_accounts: Mapping[str, tuple[LiveSourceAccount, ...]] = field(default_factory=dict, repr=False)
    """Of those connections (by id) whose specs name some."""
    account: LiveAccount | None = None
    """``None`` where the run has nothing to do with the account."""
