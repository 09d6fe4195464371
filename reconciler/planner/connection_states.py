"""Where each connection that shall be linked stands, whatever a plan would do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.model import (
    Address,
    DesiredCompany,
    DesiredConnection,
    LiveCompany,
    LiveConnection,
    Presence,
    Status,
    Wanted,
)
from reconciler.plan import Attention, AttentionClass, AttentionCode
from reconciler.planner.decisions import CompanyDraft, Draft
from reconciler.planner.policy import Policy
from reconciler.planner.sync_rules import wants_sync

_FOR_OTHERS = (AttentionCode.MANAGED, AttentionCode.LINK)


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """A connection that a spec wants linked, and its live company and connection, as far as there are any."""

    address: Address
    company: DesiredCompany
    connection: DesiredConnection
    live_company: LiveCompany | None
    live: LiveConnection | None
    attention: Attention | None
    """What a plan would say of the connection, or of its company where that is in trouble."""

    @property
    def is_linked(self) -> bool:
        """Whether it is what the spec wants."""
        return self.live is not None and self.live.status is Status.LINKED

    @property
    def is_synced_by_us(self) -> bool:
        """Whether it is Linked and data of it is wanted: not with ``sync: never``, and no bank feed."""
        return self.is_linked and wants_sync(self.connection)

    @property
    def is_blocked(self) -> bool:
        """Whether a person has to settle something before a plan can go on here."""
        return self.attention is not None and self.attention.attention_class is AttentionClass.BLOCKING

    @property
    def waits_for_others(self) -> bool:
        """Whether Codat's team or the customer has to link it for the first time."""
        return self.attention is not None and self.attention.code in _FOR_OTHERS


def states_of(drafted: Draft, policy: Policy) -> tuple[ConnectionState, ...]:
    """Every connection that shall be linked and that the run concerns itself with, by address."""
    return tuple(sorted(_standings(drafted, policy), key=lambda one: one.address))


def _standings(drafted: Draft, policy: Policy) -> Iterator[ConnectionState]:
    for company in drafted.companies:
        desired = company.desired
        if desired is None or desired.state is Presence.ABSENT:
            continue
        for key, connection in desired.connections.items():
            address = Address(desired.key, key)
            if connection.wanted is Wanted.LINKED and policy.includes(address):
                yield _standing(address, company, desired, connection)


def _standing(
    address: Address, company: CompanyDraft, desired: DesiredCompany, connection: DesiredConnection
) -> ConnectionState:
    drafted = next((one for one in company.connections if one.address == address), None)
    return ConnectionState(
        address,
        desired,
        connection,
        company.live,
        drafted.live if drafted else None,
        company.attention or (drafted.attention if drafted else None),
    )
