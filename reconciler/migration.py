"""The nouns of the way to connections that work: what was verified, what is handed over, what is left.

They are made by workflows and shown by renderers. A link URL among them is a secret; a token is never one
of them, only the reference to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from reconciler.live import Status
from reconciler.model import Address, Migration
from reconciler.secret_refs import Secret, SecretRef

FORMAT_VERSION: Final = 1


# --- which platforms migrate how ---------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a platform's tokens can be handed over, as far as a page says so, and when that was looked at."""

    key: str
    migrations: tuple[Migration, ...]
    source: str
    checked: str


_MANAGED_PAGE: Final = "https://docs.codat.io/get-started/migration"
_SELF_SERVICE_PAGE: Final = "https://docs.codat.io/docs/oauth-token-migration"
_SAGE_PAGE: Final = (
    "https://docs.codat.io/integrations/bank-feeds/sage-bank-feeds/sage-bank-feeds-authenticate-users-web-app"
)
_UNPUBLISHED: Final = "no public page: ask Codat"
_BOTH: Final = (Migration.SELF_SERVICE, Migration.MANAGED)
_CHECKED: Final = "2026-11-28"

WAYS: Final = (
    Way(key="vqzp", migrations=(Migration.SELF_SERVICE,), source=_SELF_SERVICE_PAGE, checked=_CHECKED),
    Way(
        key="fbrh",
        migrations=_BOTH,
        source=f"managed: {_MANAGED_PAGE}; self-service: {_UNPUBLISHED}",
        checked=_CHECKED,
    ),
    Way(key="vxvy", migrations=(Migration.MANAGED,), source=_MANAGED_PAGE, checked=_CHECKED),
    Way(
        key="qhyg",
        migrations=_BOTH,
        source=f"managed: {_MANAGED_PAGE}; self-service: {_SELF_SERVICE_PAGE}",
        checked=_CHECKED,
    ),
    Way(key="olpr", migrations=(Migration.SELF_SERVICE,), source=_SAGE_PAGE, checked=_CHECKED),
    Way(key="fztf", migrations=(Migration.MANAGED,), source=_MANAGED_PAGE, checked=_CHECKED),
    Way(key="upvr", migrations=(Migration.SELF_SERVICE,), source=_SELF_SERVICE_PAGE, checked=_CHECKED),
    Way(key="pbtz", migrations=(Migration.MANAGED,), source=_MANAGED_PAGE, checked=_CHECKED),
    Way(key="gbol", migrations=(Migration.SELF_SERVICE,), source=_UNPUBLISHED, checked=_CHECKED),
    Way(key="ugxp", migrations=(Migration.SELF_SERVICE,), source=_SELF_SERVICE_PAGE, checked=_CHECKED),
    Way(key="rwuv", migrations=(Migration.MANAGED,), source=_MANAGED_PAGE, checked=_CHECKED),
)
"""The platforms that a page of Codat's, or its word, names; of all others only Codat knows."""
_WAYS: Final = {way.key: way.migrations for way in WAYS}


def migrations(platform_key: str) -> tuple[Migration, ...]:
    """How the platform's tokens can be handed over; empty where nobody says."""
    return _WAYS.get(platform_key, ())


# --- verify ------------------------------------------------------------------------------------


class Verdict(StrEnum):
    """How a check ended, from good to bad."""

    PASSED = "passed"
    OFFLINE = "offline"
    """It waits for a connector on the customer's machine, which is neither good nor bad."""
    PENDING = "pending"
    """Not so yet; it may come by itself, or when someone acts."""
    FAILED = "failed"
    """It does not come by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found at a connection; ``message`` and ``fix`` are empty where it passed."""

    check: str
    verdict: Verdict
    message: str = ""
    fix: str = ""

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        shown = {"check": self.check, "verdict": self.verdict.value, "message": self.message, "fix": self.fix}
        return {name: value for name, value in shown.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A connection and what every check that applies to it found."""

    address: Address
    platform: str
    findings: tuple[Finding, ...]
    company_id: str | None = None
    connection_id: str | None = None

    @property
    def verdict(self) -> Verdict:
        """The worst of its findings."""
        order = tuple(Verdict)
        return max((finding.verdict for finding in self.findings), key=order.index, default=Verdict.PASSED)

    @property
    def complaints(self) -> tuple[Finding, ...]:
        """What did not pass."""
        return tuple(finding for finding in self.findings if finding.verdict is not Verdict.PASSED)

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        shown: dict[str, Any] = {
            "address": str(self.address),
            "verdict": self.verdict.value,
            "platform": self.platform,
            "companyId": self.company_id,
            "connectionId": self.connection_id,
            "checks": [finding.document() for finding in self.findings],
        }
        return {name: value for name, value in shown.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The end-to-end test of every connection that was looked at, by address."""

    workspace: str
    api: str
    connections: tuple[Verified, ...]
    unread: Finding | None = None
    """Why the last look was not finished; what is listed stands as the looks before it found it."""

    @property
    def counts(self) -> Mapping[Verdict, int]:
        """How many connections ended how; every verdict, zeros too."""
        found = Counter(connection.verdict for connection in self.connections)
        return {verdict: found[verdict] for verdict in Verdict}

    @property
    def is_passed(self) -> bool:
        """Whether all was read, and nothing failed or is pending; what is offline waits for the customer."""
        return self.unread is None and not (self.counts[Verdict.FAILED] or self.counts[Verdict.PENDING])

    @property
    def may_still_pass(self) -> bool:
        """Whether waiting can help: something is pending, or could not be read."""
        return self.unread is not None or bool(self.counts[Verdict.PENDING])

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        counts = {verdict.value: count for verdict, count in self.counts.items()}
        unread = {"unread": self.unread.document()} if self.unread else {}
        return {
            "formatVersion": FORMAT_VERSION,
            "workspace": self.workspace,
            "api": self.api,
            "passed": self.is_passed,
            **unread,
            "summary": {"connections": len(self.connections), **counts},
            "connections": [connection.document() for connection in self.connections],
        }


# --- status ------------------------------------------------------------------------------------


class LinkState(StrEnum):
    """Where a connection is on its way to being linked and synced, and who has to act next."""

    LINKED = "linked"
    SYNCING = "syncing"
    """Linked, and its first sync has not ended, or a sync is running."""
    WAITING_FOR_APPLY = "waitingForApply"
    WAITING_FOR_CUSTOMER = "waitingForCustomer"
    """The customer has to link, or to link again."""
    WAITING_FOR_CODAT = "waitingForCodat"
    """Codat's team imports the token."""
    BLOCKED = "blocked"
    """Something must be settled first; ``plan`` says what."""
    FAILED = "failed"
    """Codat reports an open error, or its last sync failed."""
    GONE = "gone"
    """Access was withdrawn, or what the spec pins by id is not in Codat any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionStatus:
    """The state of one connection, and why; ``why`` may be empty where it is linked."""

    address: Address
    platform: str
    state: LinkState
    why: str = ""

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        shown = {
            "address": str(self.address),
            "platform": self.platform,
            "state": self.state.value,
            "why": self.why,
        }
        return {name: value for name, value in shown.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Companies that an apply takes together."""

    name: str
    """``canary``, ``batch 1``."""
    companies: tuple[str, ...]
    counts: Mapping[LinkState, int]
    """How many of their connections are in which state; every state, zeros too."""

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "name": self.name,
            "companies": len(self.companies),
            "first": self.companies[0],
            "last": self.companies[-1],
            **_counted(self.counts),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """The state of every connection that a spec wants linked, by address."""

    workspace: str
    api: str
    connections: tuple[ConnectionStatus, ...]
    cut: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The batches of an apply: their names and the keys of their companies; none where all go at once."""

    @property
    def counts(self) -> Mapping[LinkState, int]:
        """How many connections are in which state; every state, zeros too."""
        found = Counter(connection.state for connection in self.connections)
        return {state: found[state] for state in LinkState}

    @property
    def platforms(self) -> Mapping[str, Mapping[LinkState, int]]:
        """The same for each platform, by name."""
        names = sorted({connection.platform for connection in self.connections})
        found = Counter((connection.platform, connection.state) for connection in self.connections)
        return {name: {state: found[name, state] for state in LinkState} for name in names}

    @property
    def batches(self) -> tuple[Batch, ...]:
        """The same for each batch, in the order in which they go."""
        found = Counter((connection.address.company, connection.state) for connection in self.connections)
        return tuple(
            Batch(
                name=name,
                companies=companies,
                counts={state: sum(found[company, state] for company in companies) for state in LinkState},
            )
            for name, companies in self.cut
        )

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "formatVersion": FORMAT_VERSION,
            "workspace": self.workspace,
            "api": self.api,
            "summary": {"connections": len(self.connections), **_counted(self.counts)},
            "platforms": {name: _counted(counts) for name, counts in self.platforms.items()},
            "batches": [batch.document() for batch in self.batches],
            "connections": [connection.document() for connection in self.connections],
        }


def _counted(counts: Mapping[LinkState, int]) -> dict[str, int]:
    return {state.value: count for state, count in counts.items()}


# --- handoff -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver:
    """A connection whose token Codat's team imports."""

    address: Address
    company: str
    company_id: str
    connection_id: str
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One of the six steps of a managed migration: who does it, and how far it is."""

    what: str
    who: str
    state: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformPack:
    """What Codat's team is handed for one platform. ``details`` are the user's own, and no secrets."""

    name: str
    slug: str
    key: str
    workspace: str
    details: Mapping[str, str]
    connections: tuple[HandedOver, ...]
    steps: tuple[Step, ...]

    @property
    def linked(self) -> int:
        """How many connections are Linked already."""
        return sum(connection.status is Status.LINKED for connection in self.connections)

    @property
    def companies(self) -> int:
        """How many companies they belong to."""
        return len({connection.company_id for connection in self.connections})


# --- custody -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingLink:
    """A connection that waits for its customer. The URL may carry a one-time password, so it is a secret."""

    address: Address
    company: str
    company_id: str
    connection_id: str
    platform: str
    status: Status
    url: Secret


@dataclass(frozen=True, slots=True)
class Retired:
    """A secret that Codat holds a newer one of: every connection that it belongs to is Linked."""

    reference: SecretRef
    uses: tuple[tuple[Address, str], ...]
    """The connections and the fields of their authorization that name it."""

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        uses = [{"address": str(address), "field": field} for address, field in self.uses]
        return {"reference": str(self.reference), "uses": uses}
