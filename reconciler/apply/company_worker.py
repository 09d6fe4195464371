"""One company's worker: its actions in order, until one fails or the run ends."""

from __future__ import annotations

import logging
from typing import Final, assert_never

from reconciler.apply.account import (
    create_webhook,
    delete_webhook,
    set_profile_sync_settings,
    update_profile,
)
from reconciler.apply.authorizing import authorize_connection
from reconciler.apply.changing import patch_company, unlink_connection
from reconciler.apply.companies import create_company
from reconciler.apply.configuring import change_product, set_sync_settings
from reconciler.apply.connections import create_connection
from reconciler.apply.failing import FailureCode, NotDoneError, interrupted, of_bug, of_error
from reconciler.apply.removing import delete_company, delete_connection
from reconciler.apply.state import WorkerState, planned_company_id
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
    CreateWebhook,
    DeleteCompany,
    DeleteConnection,
    DeleteWebhook,
    RemoveProduct,
    SetProfileSyncSettings,
    SetSyncSettings,
    SyncCompany,
    UnlinkConnection,
    UpdateCompany,
    UpdateProfile,
)

logger: Final = logging.getLogger(__name__)
WELL: Final = (Result.DONE, Result.ALREADY)


async def work(worker: WorkerState) -> list[ActionOutcome]:
    """Carry out the worker's actions; those that are left when it ends are not among the outcomes."""
    outcomes: list[ActionOutcome] = []
    for action in worker.actions:
        worker.run.keep_reserve()
        if worker.run.is_ending:
            break
        worker.run.tell.action_started(action)
        result, failure = await _attempted(worker, action)
        told = worker.run.told(failure) if failure else None
        outcomes.append(_outcome(worker, action, result, told))
        worker.run.tell.action_ended(outcomes[-1])
        if stops_company(outcomes[-1]):
            break
    return outcomes


async def _attempted(worker: WorkerState, action: Action) -> tuple[Result, Failure | None]:
    """How an action ended. Whatever goes wrong in it, the other workers' results are not lost."""
    before = worker.written_before = worker.writes
    try:
        return await perform(worker, action), None
    except NotDoneError as error:
        return error.result, error.failure
    except StoppedError:
        return (Result.INCOMPLETE, interrupted()) if worker.writes > before else (Result.NOT_STARTED, None)
    except ApiError as error:
        failure = of_error(error)
        if not isinstance(error, RunStoppingError):
            return Result.FAILED, failure
        worker.run.halt(failure, at_once=True)
        return (Result.FAILED, failure) if worker.writes > before else (Result.NOT_STARTED, None)
    except Exception as error:
        logger.debug("a bug in %s %s", action.kind, action.address, exc_info=True)
        failure = of_bug(error)
        worker.run.halt(failure)
        return Result.FAILED, failure


async def perform(worker: WorkerState, action: Action) -> Result:  # noqa: C901 - a case for each kind
    """Carry out one action.

    Raises:
        NotDoneError: it failed, or its end is not known.
        StoppedError: Ctrl-C came.
        ApiError: a request failed in a way that the action has no answer to.
    """
    match action:
        case CreateWebhook():
            return await create_webhook(worker, action)
        case DeleteWebhook():
            return await delete_webhook(worker, action)
        case UpdateProfile():
            return await update_profile(worker, action)
        case SetProfileSyncSettings():
            return await set_profile_sync_settings(worker, action)
        case CreateCompany():
            return await create_company(worker, action)
        case AdoptCompany() | UpdateCompany():
            return await patch_company(worker, action)
        case AddProduct() | RemoveProduct():
            return await change_product(worker, action)
        case SetSyncSettings():
            return await set_sync_settings(worker, action)
        case DeleteCompany():
            return await delete_company(worker, action)
        case UnlinkConnection():
            return await unlink_connection(worker, action)
        case DeleteConnection():
            return await delete_connection(worker, action)
        case CreateConnection():
            return await create_connection(worker, action)
        case AuthorizeConnection():
            return await authorize_connection(worker, action)
        case SyncCompany():
            return await sync_company(worker, action)
        case _:
            assert_never(action)


def stops_company(ended: ActionOutcome) -> bool:
    """Whether nothing of the company may follow; a text that Codat keeps in its own way stops nothing."""
    is_normalised = ended.failure is not None and ended.failure.code == FailureCode.NORMALISED
    return ended.result not in WELL and not is_normalised


def _outcome(worker: WorkerState, action: Action, result: Result, failure: Failure | None) -> ActionOutcome:
    connection_id = None if action.address.is_company else _connection_id(worker, action)
    return ActionOutcome(
        action.kind,
        action.address,
        result,
        failure,
        planned_company_id(action) or worker.made_company,
        connection_id,
    )


def _connection_id(worker: WorkerState, action: Action) -> str | None:
    match action:
        case UnlinkConnection() | DeleteConnection() | AuthorizeConnection() if action.connection_id:
            return action.connection_id
        case _:
            return worker.made.get(action.address)
