"""The Codat API, one short method per endpoint that we use (https://docs.codat.io/platform-api).

``ReadClient`` can only GET: it has no method that writes, and its transport refuses every other
request. ``Client`` writes too. Every method raises the errors of ``reconciler.codat.errors``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter
from typing import Any, ClassVar, Final, Generic, Self, TypeVar
from urllib.parse import quote
from uuid import UUID

import httpx

from reconciler.codat import paging, parsing
from reconciler.codat.exchange import Exchange, SentSecrets, sealed
from reconciler.codat.pacing import Meter
from reconciler.codat.reading import Mask, Node
from reconciler.codat.transport import READS, READS_AND_WRITES, RESTS_ON, STOP, TAKES_LOOK, WITHIN, Look
from reconciler.live import (
    DataStatus,
    LiveCompany,
    LiveConnection,
    LiveProfile,
    LiveProfileSettings,
    LiveSourceAccount,
    LiveSyncSettings,
    LiveWebhook,
    Pull,
    Status,
)
from reconciler.model import Platform, ProfileValue
from reconciler.secret_refs import Secret
from reconciler.workspace import Limits

T = TypeVar("T")

IDENTITY: Final = attrgetter("id")
ONE_PAGE: Final = 1000
"""Rows of a page that holds a listing which is short whatever the account is."""


@dataclass(frozen=True, slots=True)
class Answered(Generic[T]):
    """What a create answered, and whether it is the answer to an earlier request with the same key.

    It counts as such when the object is more than two seconds older than our request by the
    server's own clock (https://docs.codat.io/using-the-api/write-data/idempotency).
    """

    value: T
    replayed: bool
    made_ago: timedelta | None = None
    """How long ago the object was made, at most, when the answer came; ``None``: the clocks do not tell."""


class ReadClient:
    """Reads from Codat, and cannot write."""

    methods: ClassVar[AbstractSet[str]] = READS
    """The HTTP methods that the transport beneath lets through."""

    def __init__(self, exchange: Exchange, meter: Meter, limits: Limits) -> None:
        self._exchange = exchange
        self._limits = limits
        self.meter = meter

    def heeding(self, stop: asyncio.Event) -> Self:
        """A client that sends nothing more and waits for nothing once ``stop`` is set.

        What is in flight then ends; every other call raises ``StoppedError``.
        """
        return self._extended(STOP, stop)

    def looking(self, look: Look) -> Self:
        """A client each request of which is a ``look`` that a write will rest on."""
        return self._extended(TAKES_LOOK, look)

    def within(self, time: timedelta) -> Self:
        """A client whose next request leaves within so much time, or raises ``HeldUpError``."""
        return self._extended(WITHIN, time)

    def remembering(self, sent: SentSecrets) -> Self:
        """A client whose errors repeat nothing that was sent before, either."""
        return type(self)(self._exchange.remembering(sent), self.meter, self._limits)

    def _extended(self, name: str, value: object) -> Self:
        return type(self)(self._exchange.extended(name, value), self.meter, self._limits)

    async def companies(self, tags: str = "") -> tuple[LiveCompany, ...]:
        """Every company with its connections, or those that the tag query finds.

        A query is under 2,048 characters (https://docs.codat.io/core-concepts/companies). Whether Codat
        then counts the rows that the query finds or all is not said, so the count is not insisted on.
        """
        query = {"tags": tags} if tags else {}
        return await self._all("companies", parse=parsing.company, query=query, may_be_short=bool(tags))

    async def company(self, company_id: str) -> LiveCompany:
        """One company with its connections."""
        return await self._get("companies", company_id, parse=parsing.company)

    async def connections(self, company_id: str) -> tuple[LiveConnection, ...]:
        """Every connection of a company."""
        return await self._all("companies", company_id, "connections", parse=parsing.connection)

    async def connection(self, company_id: str, connection_id: str) -> LiveConnection:
        """One connection of a company."""
        return await self._get(
            "companies", company_id, "connections", connection_id, parse=parsing.connection
        )

    async def platforms(self) -> tuple[Platform, ...]:
        """Every integration that Codat offers, some fifty of them."""
        return await self._all(
            "integrations", parse=parsing.platform, identity=attrgetter("key"), page_size=ONE_PAGE
        )

    async def account_name(self) -> str:
        """The name of the account that the key belongs to; nothing else of the profile is read."""
        return await self._get("profile", parse=lambda node: node.get("name").text())

    async def fetched_types(self) -> frozenset[str]:
        """The data types that the account fetches on first link, which is what ``sync_all`` syncs."""
        return await self._get("profile", "syncSettings", parse=parsing.fetched_types)

    async def profile(self) -> LiveProfile:
        """The whole profile."""
        return await self._get("profile", parse=parsing.profile)

    async def profile_sync_settings(self) -> LiveProfileSettings:
        """What the account fetches of every company without settings of its own."""
        return await self._get("profile", "syncSettings", parse=parsing.profile_sync_settings)

    async def webhooks(self) -> tuple[LiveWebhook, ...]:
        """Every webhook consumer of the account, at most 50 of them."""
        return await self._get("webhooks", parse=parsing.webhooks)

    async def sync_settings(self, company_id: str) -> LiveSyncSettings:
        """What is fetched for a company and how often, by its own settings or the profile's."""
        return await self._get("companies", company_id, "syncSettings", parse=parsing.sync_settings)

    async def source_accounts(self, company_id: str, connection_id: str) -> tuple[LiveSourceAccount, ...]:
        """Every source account of a bank feed (https://docs.codat.io/bank-feeds-api)."""
        return await self._get(*_source_accounts(company_id, connection_id), parse=parsing.source_accounts)

    async def pulls(self, company_id: str) -> tuple[Pull, ...]:
        """Every pull operation of a company, the newest first."""
        pulls = await self._all(
            "companies", company_id, "data", "history", parse=parsing.pull, query={"orderBy": "-requested"}
        )
        return tuple(sorted(pulls, key=attrgetter("requested"), reverse=True))

    async def data_status(self, company_id: str) -> tuple[DataStatus, ...]:
        """Where the newest sync of each data type of a company stands; none for one never synced."""
        return await self._get("companies", company_id, "dataStatus", parse=parsing.data_statuses)

    def _url(self, *path: str) -> httpx.URL:
        """The URL of a path whose parts may hold anything: an id cannot lead elsewhere."""
        parts = "/".join(quote(part, safe="").replace(".", "%2E") for part in path)
        return self._exchange.origin.join("/" + parts)

    async def _get(self, *path: str, parse: Callable[[Node], T]) -> T:
        return (await self._exchange("GET", self._url(*path))).parsed(parse)

    async def _all(
        self,
        *path: str,
        parse: Callable[[Node], T],
        query: Mapping[str, str] | None = None,
        identity: Callable[[T], str] = IDENTITY,
        page_size: int | None = None,
        may_be_short: bool = False,
    ) -> tuple[T, ...]:
        async def fetch(url: httpx.URL) -> paging.Page[T]:
            received = await self._exchange("GET", url)
            return received.parsed(lambda node: paging.page(node, parse, url))

        asked = {"page": "1", "pageSize": str(page_size or self._limits.page_size), **(query or {})}
        first = self._url(*path).copy_merge_params(asked)
        return await paging.everything(fetch, first, identity, room=self._room, may_be_short=may_be_short)

    def _room(self) -> int:
        """Pages that may be on their way at once: what else remains of the day is for others."""
        spare = self.meter.spare(self._exchange.now())
        return self._limits.at_first if spare is None else min(self._limits.at_first, spare)


class Client(ReadClient):
    """Reads and writes. ``key`` is the idempotency key; Codat replays its answer for 90 minutes."""

    methods: ClassVar[AbstractSet[str]] = READS_AND_WRITES

    def resting_on(self, look: Look) -> Self:
        """A client whose next write is sent while ``look`` lasts, or raises ``HeldUpError``."""
        return self._extended(RESTS_ON, look)

    async def create_company(self, body: Mapping[str, Any], key: UUID) -> Answered[LiveCompany]:
        """Create a company: ``body`` sets its texts, and all its tags."""
        received = await self._exchange("POST", self._url("companies"), body=sealed(body), key=key)
        company = received.parsed(parsing.company)
        return Answered(company, received.replays(company.created), received.made_ago(company.created))

    async def update_company(self, company_id: str, body: Mapping[str, Any], key: UUID) -> LiveCompany:
        """Change what ``body`` names; ``tags`` replace the whole map."""
        url = self._url("companies", company_id)
        return (await self._exchange("PATCH", url, body=sealed(body), key=key)).parsed(parsing.company)

    async def add_product(self, company_id: str, product: str) -> None:
        """Give a company one of Codat's products; one that it has already is no fault."""
        url = self._url("companies", company_id, "products", product)
        (await self._exchange("PUT", url)).acknowledged()

    async def remove_product(self, company_id: str, product: str) -> None:
        """Take one of Codat's products from a company."""
        (
            await self._exchange("DELETE", self._url("companies", company_id, "products", product))
        ).acknowledged()

    async def set_sync_settings(self, company_id: str, settings: LiveSyncSettings, key: UUID) -> None:
        """Replace all sync settings of a company, or give it back to the profile's."""
        body = {"companyId": company_id, **_settings_body(settings)}
        url = self._url("companies", company_id, "syncSettings")
        (await self._exchange("POST", url, body=sealed(body), key=key)).acknowledged()

    async def delete_company(self, company_id: str) -> None:
        """Delete a company and all of its data."""
        (await self._exchange("DELETE", self._url("companies", company_id))).acknowledged()

    async def create_connection(
        self, company_id: str, platform_key: str, key: UUID
    ) -> Answered[LiveConnection]:
        """Create a connection, which then waits to be authorized."""
        url = self._url("companies", company_id, "connections")
        received = await self._exchange("POST", url, body=sealed({"platformKey": platform_key}), key=key)
        connection = received.parsed(parsing.connection)
        created = connection.created
        return Answered(connection, received.replays(created), received.made_ago(created))

    async def authorize(
        self, company_id: str, connection_id: str, authorization: Mapping[str, Secret]
    ) -> LiveConnection:
        """Hand over the tokens of a connection (https://docs.codat.io/get-started/migration).

        None of the values can be seen in what this raises, even where Codat repeats them.
        """
        url = self._url("companies", company_id, "connections", connection_id, "authorization")
        received = await self._exchange(
            "PUT", url, body=sealed(authorization), mask=Mask(authorization.values())
        )
        return received.parsed(parsing.connection)

    async def unlink(self, company_id: str, connection_id: str, key: UUID) -> LiveConnection:
        """Sever a linked connection; its data stays."""
        url = self._url("companies", company_id, "connections", connection_id)
        body = sealed({"status": Status.UNLINKED.value})
        return (await self._exchange("PATCH", url, body=body, key=key)).parsed(parsing.connection)

    async def delete_connection(self, company_id: str, connection_id: str) -> None:
        """Delete a connection."""
        url = self._url("companies", company_id, "connections", connection_id)
        (await self._exchange("DELETE", url)).acknowledged()

    async def sync_all(self, company_id: str, key: UUID) -> None:
        """Queue every data type that is fetched on first link.

        See https://docs.codat.io/using-the-api/queueing-data-syncs.

        Raises:
            AlreadyQueuedError: one of them is being synced already.
        """
        url = self._url("companies", company_id, "data", "all")
        (await self._exchange("POST", url, key=key)).acknowledged()

    async def refresh_product(self, company_id: str, product: str, key: UUID) -> None:
        """Queue what a custom product fetches; Codat marks the endpoint as alpha.

        Raises:
            AlreadyQueuedError: something of the company is being synced already.
            RejectedError: it is one of Codat's own products, which are refreshed with all data.
        """
        url = self._url("companies", company_id, "products", product, "refresh")
        (await self._exchange("POST", url, key=key)).acknowledged()

    async def queue(self, company_id: str, data_type: str, connection_id: str, key: UUID) -> None:
        """Queue one data type of one connection.

        Raises:
            AlreadyQueuedError: it is being synced already.
        """
        url = self._url("companies", company_id, "data", "queue", data_type)
        url = url.copy_merge_params({"connectionId": connection_id})
        (await self._exchange("POST", url, key=key)).acknowledged()

    async def update_profile(self, whole: Secret, fields: Mapping[str, ProfileValue]) -> LiveProfile:
        """Replace the profile: as it was read, but for ``fields``."""
        body = {**json.loads(whole.reveal()), **fields}
        url = self._url("profile")
        return (await self._exchange("PUT", url, body=sealed(body))).parsed(parsing.profile)

    async def set_profile_sync_settings(self, client_id: str, settings: LiveSyncSettings, key: UUID) -> None:
        """Replace all sync settings of the account."""
        body = {"clientId": client_id, **_settings_body(settings)}
        url = self._url("profile", "syncSettings")
        (await self._exchange("POST", url, body=sealed(body), key=key)).acknowledged()

    async def create_source_account(
        self, company_id: str, connection_id: str, body: Mapping[str, Any], key: UUID
    ) -> Answered[LiveSourceAccount]:
        """Create a source account: ``body`` is all of it, its ``id`` too.

        Codat does not say when it was made, so every answer may be a replay. Nothing of the customer's
        numbers can be seen in what this raises.
        """
        mask = Mask(value for value in body.values() if isinstance(value, Secret))
        url = self._url(*_source_accounts(company_id, connection_id))
        received = await self._exchange("POST", url, body=sealed(body), key=key, mask=mask)
        return Answered(received.parsed(parsing.source_account), received.replays(None))

    async def rename_source_account(
        self, company_id: str, connection_id: str, account_id: str, name: str, key: UUID
    ) -> LiveSourceAccount:
        """Give a source account another name, the one member that always can be changed."""
        url = self._url(*_source_accounts(company_id, connection_id), account_id)
        body = sealed({"id": account_id, "accountName": name})
        return (await self._exchange("PATCH", url, body=body, key=key)).parsed(parsing.source_account)

    async def delete_source_account(self, company_id: str, connection_id: str, account_id: str) -> None:
        """Delete a source account, and with it what the customer mapped it to."""
        url = self._url(*_source_accounts(company_id, connection_id), account_id)
        (await self._exchange("DELETE", url)).acknowledged()

    async def create_webhook(self, body: Mapping[str, Any], key: UUID) -> Answered[LiveWebhook]:
        """Create a webhook consumer: ``url``, ``eventTypes``, ``companyTags`` and ``disabled``.

        Codat does not say when it was made, so every answer may be a replay.
        """
        secrets = [value for value in body.values() if isinstance(value, Secret)]
        url, mask = self._url("webhooks"), Mask(secrets)
        received = await self._exchange("POST", url, body=sealed(body), key=key, mask=mask)
        return Answered(received.parsed(parsing.webhook), received.replays(None))

    async def delete_webhook(self, webhook_id: str) -> None:
        """Delete a webhook consumer."""
        (await self._exchange("DELETE", self._url("webhooks", webhook_id))).acknowledged()


def _source_accounts(company_id: str, connection_id: str) -> tuple[str, ...]:
    return "companies", company_id, "connections", connection_id, "connectionInfo", "bankFeedAccounts"


def _settings_body(settings: LiveSyncSettings) -> dict[str, Any]:
    return {
        "settings": [{"dataType": name, **members} for name, members in settings.by_type.items()],
        "overridesDefaults": settings.are_own,
    }
