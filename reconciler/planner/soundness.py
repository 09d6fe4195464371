"""A separate check that a plan is sound, run on every plan before anyone sees it.

It knows nothing of how the plan was made; a fault here is a bug of ours, never of the user's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final

from reconciler.actions import (
    Action,
    AddProduct,
    AdoptCompany,
    AuthorizeConnection,
    CreateCompany,
    CreateConnection,
    DeleteCompany,
    DeleteConnection,
    RemoveProduct,
    SetSyncSettings,
    SyncCompany,
    UnlinkConnection,
    UpdateCompany,
    order_key,
)
from reconciler.diagnostics import CodatSyncError, Diagnostic
from reconciler.live import Status
from reconciler.model import KEY_TAG, MAX_TAGS, WORKSPACE_TAG
from reconciler.plan import Attention, AttentionClass
from reconciler.source_account_actions import CreateSourceAccount, DeleteSourceAccount, UpdateSourceAccount


class PlannerCode(StrEnum):
    """Why there is no plan. Codes are stable: scripts match them."""

    ACCOUNT_OWNED = "account-owned"
    NO_SUCH_ADDRESS = "no-such-address"
    UNSOUND_PLAN = "unsound-plan"


_OF_A_COMPANY: Final = (
    AddProduct,
    SetSyncSettings,
    CreateConnection,
    AuthorizeConnection,
    CreateSourceAccount,
    SyncCompany,
)
"""Actions on a company that this plan may itself create."""


class UnsoundPlanError(CodatSyncError):
    """The planner made a plan that breaks its own promises: a bug, so nothing may be applied."""


def check(actions: Sequence[Action], attention: Sequence[Attention]) -> None:
    """Raise UnsoundPlanError where the actions contradict each other, their order or the attention."""
    found = [
        *_order(actions),
        *_repeated(actions),
        *_blocked(actions, attention),
        *_contradicted(actions),
        *_unprepared(actions),
        *(fault for action in actions for fault in _marks(action)),
    ]
    if found:
        raise UnsoundPlanError(
            *(
                Diagnostic(
                    PlannerCode.UNSOUND_PLAN,
                    f"the plan is not sound: {fault}",
                    fix="this is a bug in codat-sync, and nothing was done; please report it",
                )
                for fault in found
            )
        )


def _order(actions: Sequence[Action]) -> Iterator[str]:
    if list(actions) != sorted(actions, key=order_key):
        yield "actions are out of order"


def _repeated(actions: Sequence[Action]) -> Iterator[str]:
    seen = Counter((action.kind, str(action.address), _identity(action)) for action in actions)
    for (kind, address, _), count in seen.items():
        if count > 1:
            yield f"{kind} {address} stands in it {count} times"


def _identity(action: Action) -> str:
    """What tells two actions of one kind at one address apart: two orphans may carry one key."""
    if isinstance(action, AddProduct | RemoveProduct):
        return action.product
    if isinstance(action, CreateSourceAccount | UpdateSourceAccount | DeleteSourceAccount):
        return action.account_id
    return action.company_id if isinstance(action, DeleteCompany) else ""


def _blocked(actions: Sequence[Action], attention: Sequence[Attention]) -> Iterator[str]:
    blocked = {
        blocker.address.company
        for blocker in attention
        if blocker.address.is_company and blocker.attention_class is AttentionClass.BLOCKING
    }
    for action in actions:
        if action.address.company in blocked and not isinstance(action, DeleteCompany):
            yield f"{action.kind} {action.address} although its company is blocked"


def _contradicted(actions: Sequence[Action]) -> Iterator[str]:
    gone = {action.address for action in actions if isinstance(action, DeleteConnection | UnlinkConnection)}
    deleted = {action.address.company for action in actions if isinstance(action, DeleteCompany)}
    for action in actions:
        if isinstance(action, CreateConnection | AuthorizeConnection) and action.address in gone:
            yield f"{action.kind} {action.address} although it is removed"
        if action.address.company in deleted and not isinstance(action, DeleteCompany):
            yield f"{action.kind} {action.address} although its company is deleted"


def _unprepared(actions: Sequence[Action]) -> Iterator[str]:
    companies = {action.address.company for action in actions if isinstance(action, CreateCompany)}
    connections = {action.address for action in actions if isinstance(action, CreateConnection)}
    for action in actions:
        if isinstance(action, _OF_A_COMPANY) and (
            (action.company_id is None) != (action.address.company in companies)
        ):
            yield f"{action.kind} {action.address} without its company"
        if isinstance(action, AuthorizeConnection | CreateSourceAccount) and (
            (action.connection_id is None) != (action.address in connections)
        ):
            yield f"{action.kind} {action.address} without its connection"
        if isinstance(action, AuthorizeConnection) and (
            (action.observed is Status.LINKED) != action.reauthorized
        ):
            yield f"{action.kind} {action.address} would send tokens to a Linked connection"


def _marks(action: Action) -> Iterator[str]:
    if isinstance(action, CreateCompany):
        tags = action.tags
    elif isinstance(action, AdoptCompany | UpdateCompany):
        tags = action.body().get("tags", action.observed.tags)
    else:
        return
    if len(tags) > MAX_TAGS:
        yield f"{action.kind} {action.address} with {len(tags)} tags"
    if not tags.get(WORKSPACE_TAG) or not tags.get(KEY_TAG):
        yield f"{action.kind} {action.address} without our marks"
