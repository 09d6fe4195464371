"""Changes what exists: each reads it right before, and fails where what the plan read has changed.

Where the wanted end is there already (an earlier run was killed, or two ran at once), nothing is sent.
"""

from __future__ import annotations

from uuid import UUID

from reconciler.apply.failing import changed, differs, is_normalised, normalised
from reconciler.apply.retried_write import settle
from reconciler.apply.state import WorkerState
from reconciler.codat.looking import Look
from reconciler.fields import BY_PATH, TAGS, value_at
from reconciler.model import LiveCompany, LiveConnection, Status
from reconciler.outcome import Result
from reconciler.plan import AdoptCompany, Change, UnlinkConnection, UpdateCompany


async def patch_company(worker: WorkerState, action: AdoptCompany | UpdateCompany) -> Result:
    """Adopt or update a company: one PATCH of what differs."""
    look = Look()
    client = worker.client.resting_on(look)

    async def find_done() -> LiveCompany | None:
        live = await worker.read_company(action.company_id, look)
        if not _open_changes(action, live):
            return live
        check_unchanged(action.observed, live)
        return None

    if await find_done():
        return Result.ALREADY

    async def send(key: UUID) -> LiveCompany:
        return await client.update_company(action.company_id, action.body(), key)

    answer = await settle(worker, action, send, find_done)
    kept = []
    for change in _open_changes(action, answer):
        asked, got = change.after or "", value_at(answer, change.path) or ""
        if not is_normalised(change.path, asked, got):
            raise differs(change.path, asked, got)
        kept.append((change.path, got))
    if kept:
        raise normalised(kept)
    return Result.DONE


async def unlink_connection(worker: WorkerState, action: UnlinkConnection) -> Result:
    """Sever a Linked connection; its data stays."""
    look = Look()
    client = worker.client.resting_on(look)

    async def find_done() -> LiveConnection | None:
        live = await worker.read_connection(action.company_id, action.connection_id, look)
        if live.status is Status.UNLINKED:
            return live
        if live.status is not Status.LINKED:
            raise changed(f"the connection has become {live.status} where {Status.LINKED} was read")
        return None

    if await find_done():
        return Result.ALREADY

    async def send(key: UUID) -> LiveConnection:
        return await client.unlink(action.company_id, action.connection_id, key)

    answer = await settle(worker, action, send, find_done)
    if answer.status is not Status.UNLINKED:
        raise differs("status", Status.UNLINKED, answer.status)
    return Result.DONE


def check_unchanged(observed: LiveCompany, live: LiveCompany) -> None:
    """Raise NotDoneError where a company's texts or tags are not what the plan read."""
    tags = sorted({*observed.tags, *live.tags})
    for path in (*BY_PATH, *(f"{TAGS}{tag}" for tag in tags)):
        before, now = value_at(observed, path), value_at(live, path)
        if before != now:
            raise changed(f"{path} has become '{now or ''}' where '{before or ''}' was read")


def _open_changes(action: AdoptCompany | UpdateCompany, live: LiveCompany) -> list[Change]:
    """The changes that the company does not show."""
    return [one for one in action.changes if value_at(live, one.path) != (one.after or None)]
