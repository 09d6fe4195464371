"""One company's lane: its actions in order, until one fails or the run ends."""

from __future__ import annotations

import logging
from typing import Final, assert_never

from reconciler.apply.authorizing import authorize_connection
from reconciler.apply.changing import patch_company, unlink_connection
from reconciler.apply.companies import create_company
from reconciler.apply.configuring import change_product, set_sync_settings
from reconciler.apply.connections import create_connection
from reconciler.apply.failing import FailureCode, NotDoneError, interrupted, of_bug, of_error
from reconciler.apply.removing import delete_company, delete_connection
from reconciler.apply.state import LaneState, planned_company_id
from reconciler.apply.syncing import sync_company
from reconciler.codat.errors import ApiError, RunStoppingError
from reconciler.codat.stopping import StoppedError
from reconciler.outcome import ActionOutcome, Failure, Result
from reconciler.plan import (
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
)

logger: Final = logging.getLogger(__name__)
WELL: Final = (Result.DONE, Result.ALREADY)


async def work(lane: LaneState) -> list[ActionOutcome]:
    """Carry out the lane's actions; those that are left when it ends are not among the outcomes."""
    outcomes: list[ActionOutcome] = []
    for action in lane.actions:
        lane.run.keep_reserve()
        if lane.run.is_ending:
            break
        lane.run.tell.action_started(action)
        result, failure = await _attempted(lane, action)
        told = lane.run.told(failure) if failure else None
        outcomes.append(_outcome(lane, action, result, told))
        lane.run.tell.action_ended(outcomes[-1])
        if stops_company(outcomes[-1]):
            break
    return outcomes


async def _attempted(lane: LaneState, action: Action) -> tuple[Result, Failure | None]:
    """How an action ended. Whatever goes wrong in it, the other lanes' results are not lost."""
    before = lane.written_before = lane.writes
    try:
        return await perform(lane, action), None
    except NotDoneError as error:
        return error.result, error.failure
    except StoppedError:
        return (Result.INCOMPLETE, interrupted()) if lane.writes > before else (Result.NOT_STARTED, None)
    except ApiError as error:
        failure = of_error(error)
        if not isinstance(error, RunStoppingError):
            return Result.FAILED, failure
        lane.run.halt(failure, at_once=True)
        return (Result.FAILED, failure) if lane.writes > before else (Result.NOT_STARTED, None)
    except Exception as error:
        logger.debug("a bug in %s %s", action.kind, action.address, exc_info=True)
        failure = of_bug(error)
        lane.run.halt(failure)
        return Result.FAILED, failure


async def perform(lane: LaneState, action: Action) -> Result:  # noqa: C901 - a case for each kind
    """Carry out one action.

    Raises:
        NotDoneError: it failed, or its end is not known.
        StoppedError: Ctrl-C came.
        ApiError: a request failed in a way that the action has no answer to.
    """
    match action:
        case CreateCompany():
            return await create_company(lane, action)
        case AdoptCompany() | UpdateCompany():
            return await patch_company(lane, action)
        case AddProduct() | RemoveProduct():
            return await change_product(lane, action)
        case SetSyncSettings():
            return await set_sync_settings(lane, action)
        case DeleteCompany():
            return await delete_company(lane, action)
        case UnlinkConnection():
            return await unlink_connection(lane, action)
        case DeleteConnection():
            return await delete_connection(lane, action)
        case CreateConnection():
            return await create_connection(lane, action)
        case AuthorizeConnection():
            return await authorize_connection(lane, action)
        case SyncCompany():
            return await sync_company(lane, action)
        case _:
            assert_never(action)


def stops_company(ended: ActionOutcome) -> bool:
    """Whether nothing of the company may follow; a text that Codat keeps in its own way stops nothing."""
    is_normalised = ended.failure is not None and ended.failure.code == FailureCode.NORMALISED
    return ended.result not in WELL and not is_normalised


def _outcome(lane: LaneState, action: Action, result: Result, failure: Failure | None) -> ActionOutcome:
    connection_id = None if action.address.is_company else _connection_id(lane, action)
    return ActionOutcome(
        action.kind,
        action.address,
        result,
        failure,
        planned_company_id(action) or lane.made_company,
        connection_id,
    )


def _connection_id(lane: LaneState, action: Action) -> str | None:
    match action:
        case UnlinkConnection() | DeleteConnection() | AuthorizeConnection() if action.connection_id:
            return action.connection_id
        case _:
            return lane.made.get(action.address)
