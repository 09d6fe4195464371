"""Products and sync settings of a company: requests that may be sent twice without harm.

Codat answers them without a body, so what came of one is found by reading.
"""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from reconciler.apply import waiting
from reconciler.apply.failing import changed, differs
from reconciler.apply.retried_write import settle
from reconciler.apply.state import WorkerState
from reconciler.codat.errors import NotFoundError
from reconciler.codat.looking import Look
from reconciler.model import LiveSyncSettings, setting_text
from reconciler.outcome import Result
from reconciler.plan import AddProduct, Change, RemoveProduct, SetSyncSettings


async def change_product(worker: WorkerState, action: AddProduct | RemoveProduct) -> Result:
    """Give a company a product, or take one away."""
    client, company_id = worker.client, worker.company_id(action.company_id)
    wanted = isinstance(action, AddProduct)

    async def find_done() -> bool | None:
        live = await worker.read_company(company_id)
        return True if (action.product in live.products) is wanted else None

    async def send(_key: UUID) -> bool:
        if wanted:
            await client.add_product(company_id, action.product)
        else:
            with suppress(NotFoundError):
                await client.remove_product(company_id, action.product)
        return True

    await settle(worker, action, send, find_done)
    return Result.DONE


async def set_sync_settings(worker: WorkerState, action: SetSyncSettings) -> Result:
    """Send all settings of a company with what the spec names merged in, since the request replaces all.

    What others have set meanwhile of the same fields is a failure; the rest of theirs is kept.
    """
    look, company_id = Look(), worker.company_id(action.company_id)
    client = worker.client.resting_on(look)
    live = target = LiveSyncSettings({}, are_own=False)

    async def read() -> bool | None:
        nonlocal live, target
        live = await worker.read_sync_settings(company_id, look)
        target = live.as_wanted(action.settings)
        return True if target == live else None

    async def find_done() -> bool | None:
        done = await read()
        if done is None and action.company_id is not None:
            _check_unchanged(action, live)
        return done

    if await find_done():
        return Result.ALREADY

    async def send(key: UUID) -> bool:
        await client.set_sync_settings(company_id, target, key)
        return True

    await settle(worker, action, send, find_done)
    if not await waiting.look(read, worker.pausing("Codat does not show the settings yet")):
        for change in action.changes:
            if setting_at(live, change) != change.after:
                raise differs(change.path, change.after or "", setting_at(live, change) or "")
    return Result.DONE


def _check_unchanged(action: SetSyncSettings, live: LiveSyncSettings) -> None:
    """Raise NotDoneError where a setting is neither what the plan read nor what it shall be."""
    for change in action.changes:
        now = setting_at(live, change)
        if now not in (change.before, change.after):
            raise changed(f"{change.path} has become '{now or ''}' where '{change.before or ''}' was read")


def setting_at(live: LiveSyncSettings, change: Change) -> str | None:
    """What stands at a change's path: ``syncSettings.invoices.syncSchedule``, or ``…overridesDefaults``."""
    _, data_type, *member = change.path.split(".")
    if not member:
        return setting_text(live.are_own)
    value = live.by_type.get(data_type, {}).get(member[0])
    return None if value is None else setting_text(value)
