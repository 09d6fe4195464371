"""Where each connection that shall be linked is on its way, and who acts next: what ``status`` counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from reconciler.migration import ConnectionStatus, LinkState
from reconciler.model import Address
from reconciler.plan import (
    Attention,
    AttentionClass,
    AttentionCode,
    AuthorizeConnection,
    CreateConnection,
    Plan,
    SyncCompany,
)
from reconciler.planner.connection_states import ConnectionState

_STATES: Final[Mapping[AttentionCode, LinkState]] = {
    AttentionCode.SYNCING: LinkState.SYNCING,
    AttentionCode.SYNC_FAILED: LinkState.FAILED,
    AttentionCode.NOTHING_TO_SYNC: LinkState.FAILED,
    AttentionCode.UNKNOWN_STATUS: LinkState.FAILED,
    AttentionCode.LINK: LinkState.WAITING_FOR_CUSTOMER,
    AttentionCode.RELINK: LinkState.WAITING_FOR_CUSTOMER,
    AttentionCode.MANAGED: LinkState.WAITING_FOR_CODAT,
    AttentionCode.UNLINKED: LinkState.GONE,
    AttentionCode.MISSING: LinkState.GONE,
}
"""What an attention says of its connection; any other that blocks means ``BLOCKED``."""


def connection_statuses(standings: Iterable[ConnectionState], plan: Plan) -> tuple[ConnectionStatus, ...]:
    """The state of every connection, by address."""
    told: defaultdict[Address, list[Attention]] = defaultdict(list)
    for attention in plan.attention:
        told[attention.address].append(attention)
    pending: dict[Address, str] = {}
    for address, what in _pending(plan):
        pending.setdefault(address, what)
    return tuple(
        _status(standing, told, pending)
        for standing in sorted(standings, key=lambda standing: standing.address)
    )


def _pending(plan: Plan) -> Iterator[tuple[Address, str]]:
    """What the next apply does for a connection, in the order in which it does it."""
    for action in plan.actions:
        match action:
            case CreateConnection() | AuthorizeConnection():
                yield action.address, f"{action.kind.value.partition('.')[2]}: {action.reason}"
            case SyncCompany():
                for target in action.targets:
                    yield target.address, f"sync: {action.reason}"
            case _:
                pass


def _status(
    standing: ConnectionState, told: Mapping[Address, list[Attention]], pending: Mapping[Address, str]
) -> ConnectionStatus:
    company_address = Address(standing.address.company)
    for attention in (*told.get(company_address, ()), *told.get(standing.address, ())):
        if standing.live is None and attention.attention_class is AttentionClass.WAITING:
            continue  # nobody can act before apply has created it
        state = _STATES.get(attention.code)
        if state is None and attention.attention_class is AttentionClass.BLOCKING:
            state = LinkState.BLOCKED
        if state is not None:
            return _told(standing, state, f"{attention.code}: {attention.message}")
    live = standing.live
    if live is None or not standing.is_linked:
        return _told(standing, LinkState.WAITING_FOR_APPLY, pending.get(standing.address, "not linked yet"))
    errors = [error.message for error in live.errors if error.active]
    if errors:
        return _told(standing, LinkState.FAILED, f"Codat reports an open error: {'; '.join(errors)}")
    if standing.is_synced_by_us and live.last_sync is None:
        due = pending.get(standing.address)
        return _told(
            standing,
            LinkState.WAITING_FOR_APPLY if due else LinkState.SYNCING,
            due or "the first sync has not ended",
        )
    return _told(standing, LinkState.LINKED, pending.get(standing.address, ""))


def _told(standing: ConnectionState, state: LinkState, why: str) -> ConnectionStatus:
    return ConnectionStatus(
        address=standing.address, platform=standing.connection.platform, state=state, why=why
    )
