"""Deletes what exists. A 404 is done; anything that changed since the plan is left alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import UUID

from reconciler.apply.changing import check_unchanged
from reconciler.apply.failing import FailureCode, Then, changed, not_done
from reconciler.apply.recording import record_links
from reconciler.apply.retried_write import settle
from reconciler.apply.state import WorkerState
from reconciler.codat.errors import NotFoundError
from reconciler.codat.looking import Look
from reconciler.model import LiveCompany
from reconciler.outcome import Result
from reconciler.plan import DeleteCompany, DeleteConnection


async def delete_company(worker: WorkerState, action: DeleteCompany) -> Result:
    """Delete a company that still is what the plan read, its connections too, and carries no guard since."""
    client, look = worker.client, Look()

    async def check() -> None:
        live = await client.looking(look).company(action.company_id)
        if live.is_protected:
            raise not_done(
                FailureCode.PROTECTED,
                f"company {action.company_id} carries the tag codatSyncProtect",
                then=Then.UNPROTECT,
            )
        check_unchanged(action.observed, live)
        _check_connections(action.observed, live)

    return await _delete(
        worker, action, check, lambda: client.resting_on(look).delete_company(action.company_id)
    )


def _check_connections(observed: LiveCompany, live: LiveCompany) -> None:
    """Raise NotDoneError where the connections that go with a company are not those that the plan read."""
    before = {one.id: one for one in observed.connections}
    now = {one.id: one for one in live.connections}
    for identifier, one in {**before, **now}.items():
        named = f"connection {identifier} ({one.platform_name or one.platform_key})"
        if identifier not in before:
            raise changed(f"{named} has come up, and it is {one.status}")
        if identifier not in now:
            raise changed(f"{named} has gone")
        if one.status is not before[identifier].status:
            raise changed(f"{named} has become {one.status} where {before[identifier].status} was read")


async def delete_connection(worker: WorkerState, action: DeleteConnection) -> Result:
    """Delete a connection that still has the status that the plan read, once its id is on record."""
    if action.links:
        await record_links(worker, action)
    client, look = worker.client, Look()

    async def check() -> None:
        live = await client.looking(look).connection(action.company_id, action.connection_id)
        if live.status is not action.status:
            raise changed(f"the connection has become {live.status} where {action.status} was read")

    return await _delete(
        worker,
        action,
        check,
        lambda: client.resting_on(look).delete_connection(action.company_id, action.connection_id),
    )


async def _delete(
    worker: WorkerState,
    action: DeleteCompany | DeleteConnection,
    check: Callable[[], Awaitable[None]],
    delete: Callable[[], Awaitable[None]],
) -> Result:
    async def find_gone() -> bool | None:
        try:
            await check()
        except NotFoundError:
            return True
        return None

    async def send(_key: UUID) -> bool:
        with suppress(NotFoundError):
            await delete()
        return True

    if await find_gone():
        return Result.ALREADY
    await settle(worker, action, send, find_gone)
    return Result.DONE
