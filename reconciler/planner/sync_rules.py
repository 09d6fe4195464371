"""When a connection that is, or by this plan becomes, Linked is synced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from reconciler.kinds import Kind
from reconciler.live import LiveCompany, LiveConnection, Pull, PullState
from reconciler.model import (
    FETCH_ON_FIRST_LINK,
    STANDARD_PRODUCTS,
    Address,
    DesiredCompany,
    DesiredConnection,
    SourceType,
    SyncSettings,
    Unset,
)
from reconciler.plan import AttentionCode
from reconciler.planner.policy import Policy
from reconciler.planner.rules import NO, YES, Rule, RuleTable


class LastPull(StrEnum):
    """What the history says of a connection's pulls; ``SETTLED`` means nothing runs and none failed last."""

    SETTLED = "settled"
    RUNNING = "running"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SyncSituation:
    """Everything that the rules for a sync may look at.

    ``last_pull`` counts only where the listing alone says that a sync is due: no other history is
    read. ``due`` says what the history leaves of that.
    """

    authorized: bool
    due: bool
    last_pull: LastPull
    retry: bool
    fetchable: bool


_SYNC = (Kind.COMPANY_SYNC,)

SYNC_RULES: Final = RuleTable(
    SyncSituation,
    (
        Rule("sync-authorized", {"authorized": YES, "fetchable": YES}, "authorized by this plan", _SYNC),
        Rule(
            "sync-authorized-nothing",
            {"authorized": YES, "fetchable": NO},
            "no data type is fetched on first link",
            attention=AttentionCode.NOTHING_TO_SYNC,
        ),
        Rule(
            "sync-not-due",
            {"authorized": NO, "due": NO, "last_pull": (LastPull.SETTLED,)},
            "not due for a sync",
        ),
        Rule(
            "sync-running",
            {"authorized": NO, "last_pull": (LastPull.RUNNING,)},
            "a pull is running",
            attention=AttentionCode.SYNCING,
        ),
        Rule(
            "sync-failed",
            {"authorized": NO, "last_pull": (LastPull.FAILED,), "retry": NO},
            "the last pull failed",
            attention=AttentionCode.SYNC_FAILED,
        ),
        Rule(
            "sync-retry",
            {"authorized": NO, "last_pull": (LastPull.FAILED,), "retry": YES, "fetchable": YES},
            "the last pull failed, and --retry-syncs",
            _SYNC,
        ),
        Rule(
            "sync-retry-nothing",
            {"authorized": NO, "last_pull": (LastPull.FAILED,), "retry": YES, "fetchable": NO},
            "no data type is fetched on first link",
            attention=AttentionCode.NOTHING_TO_SYNC,
        ),
        Rule(
            "sync-due",
            {"authorized": NO, "due": YES, "last_pull": (LastPull.SETTLED,), "fetchable": YES},
            "due for a sync",
            _SYNC,
        ),
        Rule(
            "sync-due-nothing",
            {"authorized": NO, "due": YES, "last_pull": (LastPull.SETTLED,), "fetchable": NO},
            "no data type is fetched on first link",
            attention=AttentionCode.NOTHING_TO_SYNC,
        ),
    ),
)


def wants_sync(desired: DesiredConnection) -> bool:
    """Whether the connection is ever synced by us: not with ``sync: never``, and no bank feed."""
    return not desired.sync.never and desired.source_type is not SourceType.BANK_FEED


def products_of(desired: DesiredCompany | None, live: LiveCompany | None) -> tuple[str, ...]:
    """The products that the company has once it is as specified."""
    if desired is not None and not isinstance(desired.products, Unset):
        return tuple(sorted(desired.products))
    return tuple(sorted(live.products)) if live else ()


def custom_products(desired: DesiredCompany | None, live: LiveCompany | None) -> tuple[str, ...]:
    """Those of them that may have settings of their own."""
    return tuple(name for name in products_of(desired, live) if name not in STANDARD_PRODUCTS)


def fetched_types(
    desired: DesiredCompany, live: LiveCompany | None, profile: frozenset[str] | None
) -> frozenset[str] | None:
    """The data types that a sync of the company fetches once its settings are as specified.

    The company's own settings, where they were read, come before the profile's, and what its spec names
    before both. ``None`` where none were read.
    """
    own = live.sync_settings if live else None
    is_profiles = own is not None and not own.are_own and profile is not None
    known = profile if own is None or is_profiles else _marked(own.by_type, True)
    if known is None or isinstance(desired.sync_settings, Unset):
        return known
    if desired.sync_settings is None:
        return profile
    return (known | _marked(desired.sync_settings, True)) - _marked(desired.sync_settings, False)


def _marked(settings: SyncSettings, mark: bool) -> frozenset[str]:
    return frozenset(
        data_type for data_type, members in settings.items() if members.get(FETCH_ON_FIRST_LINK) is mark
    )


def due_reason(
    address: Address, desired: DesiredConnection, live: LiveConnection, pulls: Sequence[Pull], policy: Policy
) -> str | None:
    """Why a Linked connection is due for a sync, or ``None`` where it is not.

    ``lastSync`` is null until the first sync ends (https://docs.codat.io/core-concepts/connections),
    so a pull that the history shows as done counts as well.
    """
    last = last_synced(live, pulls)
    if last is None:
        return "never synced"
    if desired.issued_at is not None and desired.issued_at > last:
        return "authorized with newer tokens since the last sync"
    if policy.earlier.owes_sync(address, last):
        return "authorized by an earlier part of this run, and not synced since"
    if desired.sync.max_age is not None and policy.now - last > desired.sync.max_age:
        return "last sync older than sync.maxAge"
    return None


def last_synced(live: LiveConnection, pulls: Sequence[Pull]) -> datetime | None:
    """When the connection's data was last fetched, by its own word or by its history."""
    done = [pull.completed or pull.requested for pull in pulls if pull.state is PullState.DONE]
    return max([*done, *([live.last_sync] if live.last_sync else [])], default=None)


def last_pull(pulls: Sequence[Pull]) -> LastPull:
    """What a connection's own pulls say: running, failed with none succeeded since, or settled."""
    if any(pull.state is PullState.RUNNING for pull in pulls):
        return LastPull.RUNNING
    failed = max((pull.requested for pull in pulls if pull.state is PullState.FAILED), default=None)
    done = max((pull.requested for pull in pulls if pull.state is PullState.DONE), default=None)
    if failed is not None and (done is None or done < failed):
        return LastPull.FAILED
    return LastPull.SETTLED
