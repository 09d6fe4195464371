"""The actions on companies and connections, each a value of its own class, and all that there are.

Whoever carries them out must handle each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar, Final

from reconciler.account_actions import CreateWebhook, DeleteWebhook, SetProfileSyncSettings, UpdateProfile
from reconciler.fields import BY_PATH, TAGS, tags_of
from reconciler.kinds import Change, Kind
from reconciler.live import LiveCompany, Status
from reconciler.model import Address, Mark, SyncSettings
from reconciler.planned import Planned, ShownAction, ShownConnection, ShownState, ShownTarget
from reconciler.secret_refs import SecretRef
from reconciler.source_account_actions import CreateSourceAccount, DeleteSourceAccount, UpdateSourceAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCompany(Planned):
    """``POST /companies``: a company that is not in Codat, our two tags in the same request."""

    kind: ClassVar[Kind] = Kind.COMPANY_CREATE
    fields: Mapping[str, str]
    """What the request sets, by path: texts, and all tags, ours included."""
    products: tuple[str, ...] = ()
    """What the request names where the account wants a product at creation."""

    @property
    def tags(self) -> Mapping[str, str]:
        """All tags of the request, ours included."""
        return tags_of(self.fields)

    def shown(self) -> ShownAction:
        """What a person may see of it."""
        texts = {path: self.fields[path] for path in BY_PATH if path in self.fields}
        after = ShownState(texts=texts, tags=self.tags, products=self.products or None)
        return replace(self.bare(), after=after)

    def body(self) -> dict[str, Any]:
        """The request."""
        texts = {text.wire: self.fields[path] for path, text in BY_PATH.items() if path in self.fields}
        return texts | {"tags": self.tags} | ({"products": list(self.products)} if self.products else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Patch(Planned):
    """What adopt and update share: one PATCH of what differs, tags as the full merged map.

    ``observed`` is what the plan read; the executor reads again and fails where it has changed.
    """

    company_id: str
    changes: tuple[Change, ...]
    observed: LiveCompany = field(repr=False)

    def shown(self) -> ShownAction:
        """What a person may see of it."""
        return replace(self.bare(), company_id=self.company_id, changes=self.changes)

    def body(self) -> dict[str, Any]:
        """The request: only the fields that differ, the whole tag map where one tag does."""
        body: dict[str, Any] = {}
        tags: dict[str, str] = dict(self.observed.tags)
        for change in self.changes:
            text = BY_PATH.get(change.path)
            if text is not None:
                body[text.wire] = change.after or text.null
                continue
            tag = change.path.removeprefix(TAGS)
            if change.after is None:
                tags.pop(tag, None)
            else:
                tags[tag] = change.after
            body["tags"] = tags
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptCompany(_Patch):
    """``PATCH /companies/{id}``: take over a company that carries no tags of ours."""

    kind: ClassVar[Kind] = Kind.COMPANY_ADOPT


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateCompany(_Patch):
    """``PATCH /companies/{id}``: managed fields differ."""

    kind: ClassVar[Kind] = Kind.COMPANY_UPDATE


@dataclass(frozen=True, slots=True, kw_only=True)
class AddProduct(Planned):
    """``PUT /companies/{id}/products/{product}``: the company shall have a product of Codat's.

    ``company_id`` is ``None`` where this plan creates the company.
    """

    kind: ClassVar[Kind] = Kind.PRODUCT_ADD
    company_id: str | None
    product: str

    def shown(self) -> ShownAction:
        """What a person may see of it."""
        return replace(self.bare(), company_id=self.company_id, after=ShownState(product=self.product))


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveProduct(Planned):
    """``DELETE /companies/{id}/products/{product}``: the company shall not have that product any more."""

    kind: ClassVar[Kind] = Kind.PRODUCT_REMOVE
    company_id: str
    product: str

    def shown(self) -> ShownAction:
        """What a person may see of it."""
        return replace(self.bare(), company_id=self.company_id, before=ShownState(product=self.product))


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSyncSettings(Planned):
    """``POST /companies/{id}/syncSettings``: which data types are fetched, how often and how far back.

    ``settings`` are the members that the spec names, to be merged into what Codat has; ``None`` gives
    the company back to the profile's. ``company_id`` is ``None`` where this plan creates the company.
    ``narrows`` are the paths that make Codat drop data that it has synced.
    """

    kind: ClassVar[Kind] = Kind.COMPANY_SYNC_SETTINGS
    company_id: str | None
    changes: tuple[Change, ...]
    settings: SyncSettings | None = field(repr=False)
    narrows: tuple[str, ...] = ()

    def shown(self) -> ShownAction:
        """What a person may see of it."""
        return replace(
            self.bare(), company_id=self.company_id, changes=self.changes, narrows=self.narrows or None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteCompany(Planned):
    """``DELETE /companies/{id}``: destroys the company and its data at Codat."""

    kind: ClassVar[Kind] = Kind.COMPANY_DELETE
    company_id: str
    name: str
    pruned: bool
    """Gone from the specs and deleted by ``--prune``, so it counts against the guard."""
    observed: LiveCompany = field(repr=False)

    def shown(self) -> ShownAction:
        """What a person may see of it."""
        before = ShownState(texts={"name": self.name}, connections=_lost(self.observed))
        return replace(self.bare(), company_id=self.company_id, before=before, pruned=self.pruned)


def _lost(company: LiveCompany) -> tuple[ShownConnection, ...]:
    """The connections that go with a company, whatever the order of Codat's answer was."""
    return tuple(
        ShownConnection(
            connection_id=connection.id,
            platform=connection.platform_name or connection.platform_key,
            status=connection.status.value,
        )
        for connection in sorted(
            company.connections, key=lambda connection: (connection.platform_name, connection.id)
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlinkConnection(Planned):
    """``PATCH …/connections/{id}`` to ``Unlinked``: severs a linked connection, keeps its data."""

    kind: ClassVar[Kind] = Kind.CONNECTION_UNLINK
    company_id: str
    connection_id: str
    platform: str

    def shown(self) -> ShownAction:
        """What a person may see of it."""
        return replace(
            self.bare(),
            company_id=self.company_id,
            connection_id=self.connection_id,
            platform=self.platform,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteConnection(Planned):
    """``DELETE …/connections/{id}``: removes a connection."""

    kind: ClassVar[Kind] = Kind.CONNECTION_DELETE
    company_id: str
    connection_id: str
    platform: str
    status: Status
    pruned: bool
    """In no spec and deleted by ``--prune``, so it counts against the guard."""
    links: Mapping[str, Mark] = field(default_factory=dict)
    """Entries to write into the record before, where it holds no id: what comes after this connection on
    its platform must not be taken for it."""

    @property
    def requests(self) -> int:
        """Write requests that the action takes: the delete, and the record of links if it carries one."""
        return 2 if self.links else 1

    def shown(self) -> ShownAction:
        """What a person may see of it."""
        return replace(
            self.bare(),
            company_id=self.company_id,
            connection_id=self.connection_id,
            platform=self.platform,
            before=ShownState(status=self.status.value),
            pruned=self.pruned,
            records_links=True if self.links else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateConnection(Planned):
    """``POST …/connections``: a connection that the company does not have yet.

    ``company_id`` is ``None`` where this plan creates the company. Where the record of links is to hold
    the ids of what is created, the last create carries in ``links`` the whole record to write
    afterwards as the tag ``codatSyncLinks``.
    """

    kind: ClassVar[Kind] = Kind.CONNECTION_CREATE
    company_id: str | None
    platform: str
    platform_key: str
    links: Mapping[str, Mark] = field(default_factory=dict)
    known: tuple[str, ...] = field(default=(), repr=False)
    """Ids of the connections that the plan saw; a create that was lost made none of them."""
    unnamed: tuple[str, ...] = field(default=(), repr=False)
    """Those of them that neither a spec nor the record names: only a replay can tell that we made one."""

    @property
    def requests(self) -> int:
        """Write requests that the action takes: the create, and the record of links if it carries one."""
        return 2 if self.links else 1

    def shown(self) -> ShownAction:
        """What a person may see of it."""
        return replace(
            self.bare(),
            company_id=self.company_id,
            after=ShownState(platform=self.platform),
            records_links=True if self.links else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizeConnection(Planned):
    """``PUT …/authorization``: hands over the tokens. ``authorization`` holds references, no secrets.

    ``connection_id`` is ``None`` where this plan creates the connection. ``reauthorized`` says that
    ``--reauthorize`` asked for it, so a connection found Linked is not done yet.
    """

    kind: ClassVar[Kind] = Kind.CONNECTION_AUTHORIZE
    company_id: str | None
    connection_id: str | None
    platform: str
    platform_key: str
    observed: Status | None
    """The status that the plan read; ``None`` where this plan creates the connection."""
    authorization: Mapping[str, str | SecretRef] = field(repr=False)
    reauthorized: bool = False
    last_sync: datetime | None = None
    """When the connection was synced last before this plan."""
    sent_before: str = ""
    """The mark of the tokens that it was sent last while it was Linked."""
    is_marked: bool = False
    """Whether the sending is marked on the company, so that the same plan does not send twice."""

    @property
    def requests(self) -> int:
        """Write requests that the action takes: the tokens, and the mark before and after them."""
        return 3 if self.is_marked else 1

    @property
    def mark(self) -> str:
        """What tells this sending from every other: it follows from what was reviewed."""
        return self.shown().mark

    def shown(self) -> ShownAction:
        """What a person may see of it: the names of the fields, never their values."""
        return replace(
            self.bare(),
            company_id=self.company_id,
            connection_id=self.connection_id,
            platform=self.platform,
            before=self._before(),
            fields=tuple(sorted(self.authorization)),
        )

    def _before(self) -> ShownState | None:
        if self.observed is None:
            return None
        return ShownState(
            status=self.observed.value,
            last_sync=self.last_sync,
            sent=self.sent_before or None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncTarget:
    """A connection that a ``company.sync`` is for; no data types means all that are fetched on first link."""

    address: Address
    connection_id: str | None
    data_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncCompany(Planned):
    """``POST …/data/all`` once, or ``POST …/data/queue/{dataType}`` per named type and connection.

    ``products`` are those that may have settings of their own: each is refreshed by itself, and where there
    are none but those, all that the client's settings mark is not asked for.
    """

    kind: ClassVar[Kind] = Kind.COMPANY_SYNC
    company_id: str | None
    targets: tuple[SyncTarget, ...]
    products: tuple[str, ...] = ()
    only_products: bool = False

    @property
    def requests(self) -> int:
        """Write requests that the action takes."""
        named = sum(len(target.data_types) for target in self.targets)
        is_whole = any(not target.data_types for target in self.targets)
        return named + (len(self.products) + (not self.only_products) if is_whole else 0)

    def shown(self) -> ShownAction:
        """What a person may see of it."""
        targets = tuple(
            ShownTarget(address=target.address, data_types=target.data_types or None)
            for target in self.targets
        )
        return replace(
            self.bare(), company_id=self.company_id, connections=targets, products=self.products or None
        )


Action = (
    CreateWebhook
    | DeleteWebhook
    | UpdateProfile
    | SetProfileSyncSettings
    | CreateCompany
    | AdoptCompany
    | UpdateCompany
    | AddProduct
    | RemoveProduct
    | SetSyncSettings
    | DeleteCompany
    | UnlinkConnection
    | DeleteConnection
    | CreateConnection
    | AuthorizeConnection
    | DeleteSourceAccount
    | UpdateSourceAccount
    | CreateSourceAccount
    | SyncCompany
)


_ORDER: Final[Mapping[Kind, int]] = {kind: position for position, kind in enumerate(Kind)}


def order_key(action: Action) -> tuple[bool, str, int, str]:
    """Sorts the account's actions first, then by company, in the order of ``Kind``, and by connection."""
    address = action.address
    return not address.is_account, address.company, _ORDER[action.kind], address.connection


def in_order(actions: Iterable[Action]) -> tuple[Action, ...]:
    """Actions in the order in which a plan shows them."""
    return tuple(sorted(actions, key=order_key))
