"""What of a live company a spec can hold so that adopting it changes nothing, and why the rest is left out.

A spec that says too much severs what works, and one that does not validate is of no use. So whatever
cannot be said exactly is not said, and told instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain, count
from typing import Any, Final

from reconciler.fields import OPTIONAL
from reconciler.live import LiveCompany, LiveConnection, LiveSourceAccount, Status
from reconciler.loading import schema
from reconciler.loading.platforms import BUILTIN_PLATFORMS, PlatformIndex
from reconciler.loading.words import kept_name, quoted
from reconciler.model import (
    KEY_TAG,
    MAX_TAG_KEY,
    MAX_TAG_VALUE,
    MAX_TAGS,
    RESERVED_TAG_PREFIX,
    SYNC_FROM_UTC,
    SYNC_FROM_WINDOW,
    WORKSPACE_TAG,
    Platform,
    SettingValue,
    SourceType,
    SyncSettings,
)
from reconciler.secret_refs import written
from reconciler.wording import counted

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
LONGEST_KEY: Final = 64
_ID_LENGTHS: Final = (8, 12, 32)
"""How much of an id is put after a key that is taken."""
_ONE_AT_A_TIME: Final[Mapping[SourceType, str]] = {
    SourceType.ACCOUNTING: "accounting connection",
    SourceType.BANK_FEED: "bank feed",
}


class Extra(StrEnum):
    """What an import writes only where it is asked to."""

    PRODUCTS = "products"
    SYNC_SETTINGS = "syncSettings"
    SOURCE_ACCOUNTS = "sourceAccounts"


class Why(StrEnum):
    """The kind of reason for which something is left out."""

    MANAGED = "managed"
    NAME = "name"
    TAGS = "tags"
    UNWRITABLE = "unwritable"
    CONNECTION = "connection"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something live that is not written: what it is, the kind of reason, the reason, what to do."""

    what: str
    why: Why
    reason: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.what} is left out: {self.reason}" + (f"; {self.fix}" if self.fix else "")


@dataclass(frozen=True, slots=True)
class Adoptable:
    """A company as a spec writes it, and what of it is left out."""

    company: LiveCompany
    document: Mapping[str, Any]
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class Sieved:
    """The companies that can be adopted, and those that cannot."""

    companies: tuple[Adoptable, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(slots=True)
class Sieve:
    """What companies go through.

    ``platforms`` are the indexes in which a platform's name must mean the same: the one that specs are
    checked with offline, and Codat's. ``defaults`` are those of the workspace's connections: what they say
    is said anew, so that nothing is unlinked or synced by a default.
    """

    platforms: Sequence[PlatformIndex]
    extras: frozenset[Extra] = frozenset()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    source_accounts: Mapping[str, Sequence[LiveSourceAccount]] = field(default_factory=dict)
    """Of bank feeds, by the connection's id, where they are asked for."""
    ids: set[str] = field(default_factory=set)
    """Ids that are written already."""

    def sieve(self, companies: Iterable[LiveCompany]) -> Sieved:
        """The companies in their order, each as it can be written."""
        kept: list[Adoptable] = []
        left_out: list[LeftOut] = []
        for company in companies:
            refused = self._refused(company)
            if refused is None:
                self.ids.add(company.id)
                kept.append(self._company(company))
            else:
                left_out.append(refused)
        return Sieved(tuple(kept), tuple(left_out))

    def _refused(self, company: LiveCompany) -> LeftOut | None:
        """Why the company as a whole cannot be adopted; ``None`` where it can."""
        what = f"company {printable(company.id)}"
        for why, complaint in _COMPANY_CHECKS:
            if reason := complaint(company):
                return LeftOut(what, why, reason, _FIXES[why])
        if company.id in self.ids:
            return LeftOut(what, Why.UNWRITABLE, "Codat listed the same id twice")
        return None

    def _company(self, company: LiveCompany) -> Adoptable:
        left_out: list[LeftOut] = []
        document: dict[str, Any] = {"name": company.name, "id": company.id}
        for row in OPTIONAL:
            text = row.live(company)
            if text and is_text(text):
                document[row.path] = written(text)
            elif text:
                left_out.append(_unwritable(f"its {row.path}", "it holds half a character"))
        tags = dict(_tags(company, left_out))
        if tags:
            document["tags"] = tags
        document |= self._extras(company, left_out)
        connections = dict(self._connections(company.connections, left_out))
        if connections:
            document["connections"] = connections
        return Adoptable(company, document, tuple(left_out))

    def _extras(self, company: LiveCompany, left_out: list[LeftOut]) -> Iterator[tuple[str, Any]]:
        """Products, and sync settings of the company's own, where they are asked for and can be written."""
        settings = company.sync_settings
        if Extra.PRODUCTS in self.extras and company.products:
            products = sorted(company.products)
            if _fits(Extra.PRODUCTS, products):
                yield Extra.PRODUCTS.value, products
            else:
                left_out.append(_unwritable("its products", "no spec could hold what Codat has there"))
        if Extra.SYNC_SETTINGS in self.extras and settings is not None and settings.are_own:
            writable = writable_settings(settings.by_type)
            if any(writable.values()):
                yield Extra.SYNC_SETTINGS.value, {name: found for name, found in writable.items() if found}
            if not all(writable.values()):
                left_out.append(_unwritable("some of its sync settings", "no spec could hold them"))

    # --- connections ---------------------------------------------------------------------------

    def _connections(
        self, connections: Iterable[LiveConnection], left_out: list[LeftOut]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """The connections as they are; of what a company has one of at a time, the best."""
        keys: set[str] = set()
        single: dict[SourceType, LiveConnection] = {}
        for connection in sorted(connections, key=_best_first):
            name = self._platform(connection.platform_key)
            reason = self._complaint(connection, name, single)
            if reason or name is None:
                left_out.append(LeftOut(_named(connection), Why.CONNECTION, reason))
                continue
            self.ids.add(connection.id)
            key = free_key(name, keys, connection.id)
            keys.add(key)
            document = self._connection(connection, name)
            if accounts := dict(self._accounts(connection, name, left_out)):
                document[Extra.SOURCE_ACCOUNTS.value] = accounts
            yield key, document

    def _accounts(
        self, connection: LiveConnection, platform: str, left_out: list[LeftOut]
    ) -> Iterator[tuple[str, dict[str, str]]]:
        """The source accounts of a bank feed. Their numbers are the customer's, so none is written."""
        for account in sorted(self.source_accounts.get(connection.id, ()), key=lambda account: account.id):
            number = re.sub("[^A-Za-z0-9]", "_", account.id).upper()
            document = {
                "accountName": written(account.name),
                "accountType": account.type,
                "currency": account.currency,
                "accountNumber": f"${{env:ACCOUNT_NUMBER_{number}}}",
            }
            connections = {"x": {"platform": platform, "sourceAccounts": {account.id: document}}}
            if schema.of_company().fits({"name": "x", "connections": connections}) and is_text(account.name):
                yield account.id, document
            else:
                left_out.append(
                    _unwritable(f"source account {printable(account.id)}", "no spec could hold it")
                )

    def _complaint(
        self, connection: LiveConnection, name: str | None, single: dict[SourceType, LiveConnection]
    ) -> str:
        """Why the connection cannot be written; empty where it can."""
        kinds = self._kinds(connection) if connection.status is not Status.UNLINKED else ()
        rivals = [(kind, single.setdefault(kind, connection)) for kind in kinds]
        rival = next(((kind, other) for kind, other in rivals if other is not connection), None)
        if connection.status is Status.UNKNOWN:
            return "Codat reports a status that this version does not know"
        if not _UUID.fullmatch(connection.id) or connection.id in self.ids:
            return "its id is no UUID in lower case, or stands twice"
        if name is None:
            return f"no spec can name its platform {quoted(connection.platform_key)}"
        if rival is not None:
            kind, other = rival
            return f"a company has at most one {_ONE_AT_A_TIME[kind]}, and {_named(other)} comes first"
        return ""

    def _kinds(self, connection: LiveConnection) -> tuple[SourceType, ...]:
        """Of what the connection is, by Codat or by the tables, that a company has one at a time."""
        found = {
            platform.source_type
            for index in self.platforms
            if (platform := index.find(connection.platform_key)) is not None
        }
        return tuple(kind for kind in _ONE_AT_A_TIME if kind in found | {connection.source_type})

    def _platform(self, key: str) -> str | None:
        """What every index takes for this platform: its name, else its key; ``None`` where there is none."""
        names = (platform.slug for index in self.platforms if (platform := index.find(key)) is not None)
        for name in (*names, key):
            found = [index.find(name) for index in self.platforms]
            if name and all(candidate is not None and candidate.key == key for candidate in found):
                return name
        return None

    def _connection(self, connection: LiveConnection, name: str) -> dict[str, Any]:
        document: dict[str, Any] = {"platform": name, "id": connection.id}
        if connection.status is Status.UNLINKED:
            document["state"] = "unlinked"
        elif "state" in self.defaults:
            document["state"] = "linked"
        if "migration" in self.defaults:
            document["migration"] = "link"
        if connection.status is Status.LINKED and (connection.last_sync is None or "sync" in self.defaults):
            document["sync"] = "never"
        return document


def sieved(
    companies: Iterable[LiveCompany],
    platforms: Sequence[Platform],
    extras: frozenset[Extra] = frozenset(),
    defaults: Mapping[str, Any] | None = None,
    source_accounts: Mapping[str, Sequence[LiveSourceAccount]] | None = None,
) -> Sieved:
    """The companies as specs can hold them; ``platforms`` are Codat's own list."""
    listed = {platform.key for platform in platforms}
    rest = (platform for platform in BUILTIN_PLATFORMS if platform.key not in listed)
    indexes = (PlatformIndex(BUILTIN_PLATFORMS), PlatformIndex((*platforms, *rest)))
    return Sieve(indexes, extras, defaults or {}, source_accounts or {}).sieve(companies)


# --- what a company must be like ---------------------------------------------------------------


def _managed(company: LiveCompany) -> str:
    owner = company.owner()
    return f"{printable(owner[1])} of the workspace {printable(owner[0])} manages it already" if owner else ""


def _wrong_name(company: LiveCompany) -> str:
    name = company.name
    kept = kept_name(name)
    if not kept.strip():
        return f"its name {quoted(printable(name))} holds no characters but those that Codat would remove"
    if kept != name:
        return (
            f"its name {quoted(printable(name))} holds characters that Codat would remove; "
            f"{quoted(printable(kept))} would be left"
        )
    return ""


def _too_many_tags(company: LiveCompany) -> str:
    theirs = {key for key, value in company.tags.items() if value} - {WORKSPACE_TAG, KEY_TAG}
    ours = len((WORKSPACE_TAG, KEY_TAG))
    if len(theirs) + ours <= MAX_TAGS:
        return ""
    return (
        f"its {counted(len(theirs), 'tag')} and {ours} of ours are more than the {MAX_TAGS} that Codat keeps"
    )


def _wrong_tags(company: LiveCompany) -> str:
    """An adoption sends all tags back, so all of them must be such as Codat takes."""
    is_sound = all(
        0 < len(key) <= MAX_TAG_KEY and len(value) <= MAX_TAG_VALUE and is_text(key + value)
        for key, value in company.tags.items()
    )
    return "" if is_sound else "it has a tag that Codat would not take back as it is"


def _wrong_id(company: LiveCompany) -> str:
    return "" if _UUID.fullmatch(company.id) else "its id is no UUID in lower case"


_COMPANY_CHECKS: Final[tuple[tuple[Why, Callable[[LiveCompany], str]], ...]] = (
    (Why.MANAGED, _managed),
    (Why.UNWRITABLE, _wrong_id),
    (Why.NAME, _wrong_name),
    (Why.TAGS, _too_many_tags),
    (Why.TAGS, _wrong_tags),
)
_FIXES: Final[Mapping[Why, str]] = {
    Why.MANAGED: "",
    Why.UNWRITABLE: "",
    Why.NAME: "rename it in Codat, then import it with --id",
    Why.TAGS: "remove or correct a tag in Codat, then import it with --id",
}


# --- texts -------------------------------------------------------------------------------------


def is_text(text: str) -> bool:
    """Whether it is made of whole characters: a lone surrogate stands for none, and no file can hold it."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def printable(text: str, longest: int = 100) -> str:
    """Text of Codat's as a comment or a message may show it: one line, nothing that steers a terminal."""
    kept = text if len(text) <= longest else f"{text[:longest]}…"
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in kept)


def free_key(stem: str, taken: Iterable[str], identifier: str) -> str:
    """``stem``, or where that is taken the shortest beginning of the id after it that makes it free."""
    used = frozenset(taken)
    digits = re.sub("[^0-9a-f]", "", identifier.lower())
    with_id = (f"{stem[: LONGEST_KEY - 1 - length]}-{digits[:length]}" for length in _ID_LENGTHS)
    counted = (f"{stem[: LONGEST_KEY - 1 - _ID_LENGTHS[0]]}-{number}" for number in count(2))
    return next(key for key in chain((stem,), with_id, counted) if key not in used)


def _tags(company: LiveCompany, left_out: list[LeftOut]) -> Iterator[tuple[str, str]]:
    """The user's own tags, each with a value; an empty one is as good as none."""
    for key, value in sorted(company.tags.items()):
        if key.lower().startswith(RESERVED_TAG_PREFIX.lower()) or not value:
            continue
        if len(written(key)) > MAX_TAG_KEY or len(written(value)) > MAX_TAG_VALUE:
            left_out.append(_unwritable(f"its tag {printable(key)}", "with $${ for ${ it is too long"))
        else:
            yield written(key), written(value)


def writable_settings(settings: SyncSettings) -> dict[str, dict[str, SettingValue]]:
    """Of each data type the members that a spec can name; whatever is not named stays as it is.

    The two that exclude each other are left out where Codat has both.
    """
    found = {
        data_type: {
            name: value
            for name, value in members.items()
            if _fits(Extra.SYNC_SETTINGS, {data_type: {name: value}})
        }
        for data_type, members in settings.items()
    }
    both = {SYNC_FROM_UTC, SYNC_FROM_WINDOW}
    return {
        data_type: {
            name: value for name, value in members.items() if name not in both or not both <= members.keys()
        }
        for data_type, members in found.items()
    }


def _fits(extra: Extra, value: Any) -> bool:
    """Whether the schema takes the value as it is."""
    return schema.of_company().fits({"name": "x", extra.value: value})


def _unwritable(what: str, reason: str) -> LeftOut:
    return LeftOut(what, Why.UNWRITABLE, reason, "plan leaves it as it is")


def _named(connection: LiveConnection) -> str:
    platform = printable(connection.platform_name or connection.platform_key)
    return f"connection {printable(connection.id)} ({platform}, {connection.status.value})"


def _best_first(connection: LiveConnection) -> tuple[bool, str, str]:
    return connection.status is not Status.LINKED, connection.platform_key, connection.id
