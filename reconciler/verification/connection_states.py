"""Where each connection that shall be linked stands, and who acts next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.actions import AuthorizeConnection, CreateConnection, SyncCompany
from reconciler.live import LiveCompany, LiveConnection, Status
from reconciler.migration import ConnectionStatus, LinkState, Step
from reconciler.model import (
    Address,
    DesiredCompany,
    DesiredConnection,
    Precondition,
    PreconditionState,
    Presence,
    Wanted,
)
from reconciler.plan import Attention, AttentionClass, AttentionCode, Plan
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
    return tuple(sorted(_standings(drafted, policy), key=lambda state: state.address))


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
    drafted = next((draft for draft in company.connections if draft.address == address), None)
    return ConnectionState(
        address,
        desired,
        connection,
        company.live,
        drafted.live if drafted else None,
        company.attention or (drafted.attention if drafted else None),
    )


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


YOU: Final = "you"
CODAT: Final = "Codat"
_TO_DO: Final = "to do"


def steps(standings: Sequence[ConnectionState], *, has_details: bool) -> tuple[Step, ...]:
    """The steps for the connections of one platform, from preconditions and from what Codat shows."""
    return (
        Step(
            what="Supply migration and platform details",
            who=YOU,
            state="done, with this pack" if has_details else _TO_DO,
            how="The table beside this page is the migration; platform details stand below.",
        ),
        Step(
            what="Schedule the migration",
            who=f"{YOU} and {CODAT}",
            state="to agree",
            how="Agree on a date with Codat's team.",
        ),
        Step(
            what="Add Codat's callback URL to your application at the provider",
            who=YOU,
            state=_precondition(standings, Precondition.CALLBACK_URL_ADDED),
            how="Without it a customer who must reconnect is turned away.",
        ),
        Step(
            what="Disable data syncing in your existing application for these companies",
            who=YOU,
            state=_precondition(standings, Precondition.LEGACY_SYNC_DISABLED),
            how="Tokens that your own application still refreshes become invalid.",
        ),
        Step(
            what="Migrate the first company and test it end to end",
            who=CODAT,
            state=_first(standings),
            how="No reauthorization is required, and data syncs complete.",
        ),
        Step(
            what="Migrate the rest, test end to end, hand over",
            who=CODAT,
            state=_rest(standings),
            how="codat-sync verify runs the same test on every connection of this pack.",
        ),
    )


def _precondition(standings: Sequence[ConnectionState], precondition: Precondition) -> str:
    states = [
        standing.connection.preconditions.get(precondition, PreconditionState.TODO) for standing in standings
    ]
    todo = states.count(PreconditionState.TODO)
    if todo:
        return _TO_DO if todo == len(states) else f"{_TO_DO} for {todo} of {len(states)}"
    is_idle = all(state is PreconditionState.NOT_APPLICABLE for state in states)
    return "not applicable" if is_idle else "done"


def _first(standings: Sequence[ConnectionState]) -> str:
    linked = next((standing for standing in standings if standing.is_linked), None)
    return f"imported: {linked.address} is Linked" if linked else _TO_DO


def _rest(standings: Sequence[ConnectionState]) -> str:
    linked = sum(standing.is_linked for standing in standings)
    if linked == len(standings):
        return "imported: all are Linked"
    return f"{linked} of {len(standings)} are Linked"
