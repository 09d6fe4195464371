"""What a run asks of the planner beyond the specs, and how much it may destroy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from reconciler.account_actions import SetProfileSyncSettings
from reconciler.actions import Action, DeleteCompany, DeleteConnection, SetSyncSettings, UnlinkConnection
from reconciler.live import Status
from reconciler.model import Address, matches
from reconciler.plan import Refusal
from reconciler.source_account_actions import DeleteSourceAccount
from reconciler.workspace import Guard, Limit


@dataclass(frozen=True, slots=True)
class Before:
    """A connection as the plan that was agreed to read it, before its tokens were sent."""

    status: Status | None
    """``None`` where that plan creates it."""
    last_sync: datetime | None = None
    mark: str = ""
    """What stands on the company once the tokens were sent, where it was Linked."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a run that goes on knows from before this plan, and Codat does not show.

    Once tokens have arrived Codat rotates them, so the same ones sent again would break the connection
    (https://docs.codat.io/get-started/migration). ``--reauthorize`` must not do that by being repeated.
    """

    sent: frozenset[Address] = frozenset()
    """Connections whose tokens this run has sent."""
    before: Mapping[Address, Before] = field(default_factory=dict)
    """Connections whose tokens were to be sent."""

    def __or__(self, later: Earlier) -> Earlier:
        return Earlier(self.sent | later.sent, {**self.before, **later.before})

    def is_done(self, address: Address, status: Status | None, sent: str = "") -> bool:
        """Whether the tokens were sent, or are not needed any more: it was not Linked, and now it is.

        ``sent`` is the mark that Codat shows of the last tokens.
        """
        before = self.before.get(address)
        became_linked = status is Status.LINKED and before is not None and before.status is not Status.LINKED
        is_marked = before is not None and bool(before.mark) and sent == before.mark
        return address in self.sent or became_linked or is_marked

    def owes_sync(self, address: Address, last_sync: datetime) -> bool:
        """Whether the sync that was to follow the tokens has not ended."""
        before = self.before.get(address)
        return before is not None and before.last_sync is not None and last_sync <= before.last_sync


@dataclass(frozen=True, slots=True)
class Policy:
    """The planner's inputs besides desired and live state.

    ``now`` is read by ``sync.maxAge`` and ``custody.warnAfter`` alone. ``targets`` and ``reauthorize`` are
    address patterns. ``allow_deletes`` and what begins alike take the place of the guard's limits where
    given.
    ``preconditions_waived`` is set for the sandbox, where no application of the user's refreshes tokens.
    """

    now: datetime
    targets: tuple[str, ...] = ()
    reauthorize: tuple[str, ...] = ()
    retry_syncs: bool = False
    prune: bool = False
    guard: Guard = field(default_factory=Guard)
    allow_deletes: int | None = None
    allow_unlinks: int | None = None
    allow_narrowings: int | None = None
    allow_source_account_deletes: int | None = None
    preconditions_waived: bool = False
    warn_after: timedelta | None = None
    """The age of tokens past which the plan warns before they are sent."""
    create_with_products: bool = False
    """Whether a company's create names its products."""
    companies: frozenset[str] | None = None
    """The keys of the companies that the run narrows to, besides ``targets``."""
    earlier: Earlier = field(default_factory=Earlier)

    @property
    def is_narrowed(self) -> bool:
        """Whether the run does not concern itself with all of the specs."""
        return bool(self.targets) or self.companies is not None

    def includes(self, address: Address) -> bool:
        """Whether this run concerns itself with ``address``."""
        if self.companies is not None and address.company not in self.companies:
            return False
        return not self.targets or any(matches(pattern, address) for pattern in self.targets)

    def reauthorizes(self, address: Address, status: Status | None, sent: str = "") -> bool:
        """Whether ``--reauthorize`` names ``address``, and what it asks for is not done already."""
        if not self.reauthorize:
            return False
        named = any(matches(pattern, address) for pattern in self.reauthorize)
        return named and not self.earlier.is_done(address, status, sent)


@dataclass(frozen=True, slots=True)
class _Guard:
    """One guard: what counts, its setting and its flag, and how a refusal says what would be done."""

    counts: Callable[[Action], int]
    setting: str
    limit: Callable[[Policy], Limit]
    flag: str
    told: Callable[[Policy], int | None]
    would: str


def _narrowed(action: Action) -> int:
    """The companies of whose synced data Codat may drop some."""
    if isinstance(action, SetProfileSyncSettings):
        return action.narrowed
    return int(isinstance(action, SetSyncSettings) and bool(action.narrows))


_GUARDS: Final = (
    _Guard(
        lambda action: isinstance(action, DeleteCompany | DeleteConnection) and action.pruned,
        "maxDeletes",
        lambda policy: policy.guard.max_deletes,
        "--allow-deletes",
        lambda policy: policy.allow_deletes,
        "prune {}",
    ),
    _Guard(
        lambda action: isinstance(action, UnlinkConnection),
        "maxUnlinks",
        lambda policy: policy.guard.max_unlinks,
        "--allow-unlinks",
        lambda policy: policy.allow_unlinks,
        "unlink {}",
    ),
    _Guard(
        _narrowed,
        "maxNarrowings",
        lambda policy: policy.guard.max_narrowings,
        "--allow-narrowings",
        lambda policy: policy.allow_narrowings,
        "narrow sync settings of companies with synced data ({})",
    ),
    _Guard(
        lambda action: isinstance(action, DeleteSourceAccount),
        "maxSourceAccountDeletes",
        lambda policy: policy.guard.max_source_account_deletes,
        "--allow-source-account-deletes",
        lambda policy: policy.allow_source_account_deletes,
        "delete {} of the source accounts that feed customers' books",
    ),
)


def refusals(actions: Sequence[Action], managed: int, policy: Policy) -> tuple[Refusal, ...]:
    """The guards that the actions exceed; ``managed`` is the number of companies that percentages are of.

    Pruned deletes count against ``maxDeletes``, unlinks against ``maxUnlinks`` and companies whose sync
    settings narrow against ``maxNarrowings``; a company or a connection that a spec deletes by
    ``state: absent`` was reviewed there and counts against none. Each source account counts: what the
    customer mapped it to is lost with it.
    """
    found = []
    for guard in _GUARDS:
        count = sum(map(guard.counts, actions))
        told = guard.told(policy)
        permitted = guard.limit(policy).of(managed) if told is None else told
        if count > permitted:
            message = (
                f"the plan would {guard.would.format(count)}, and guard.{guard.setting} permits {permitted}; "
                f"if that is meant, pass {guard.flag} {count}"
            )
            found.append(Refusal(message))
    return tuple(found)
