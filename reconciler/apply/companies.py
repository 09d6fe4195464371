"""Creates companies and changes what exists of them.

Where the wanted end is there already (an earlier run was killed, or two ran at once), nothing is sent.

Codat answers them without a body, so what came of one is found by reading.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID

from reconciler.actions import (
    AddProduct,
    AdoptCompany,
    CreateCompany,
    RemoveProduct,
    SetSyncSettings,
    UnlinkConnection,
    UpdateCompany,
)
from reconciler.apply import state
from reconciler.apply.failing import NotDoneError, changed, differs, is_normalised, normalised, not_done
from reconciler.apply.idempotent_create import create
from reconciler.apply.retried_write import settle
from reconciler.apply.state import WorkerState
from reconciler.codat import Answered, Client
from reconciler.codat.errors import NotFoundError
from reconciler.codat.transport import Look
from reconciler.fields import BY_PATH, TAGS, value_at
from reconciler.kinds import Change
from reconciler.live import LiveCompany, LiveConnection, LiveSyncSettings, Status
from reconciler.model import KEY_TAG, LINKS_TAG, WORKSPACE_TAG, setting_text
from reconciler.outcome import FailureCode, Result, Then


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
    return [change for change in action.changes if value_at(live, change.path) != (change.after or None)]


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
    if not await state.look(read, worker.pausing("Codat does not show the settings yet")):
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


async def create_company(worker: WorkerState, action: CreateCompany) -> Result:
    """Create the company, or find that another run of ours did."""
    making = MakingCompany(worker, action)
    try:
        made = await create(worker, making)
    except NotDoneError as error:
        raise _advised(action, error) from None
    worker.made_company = made.value.id
    for product in action.products:
        if product not in made.value.products:
            await worker.write(worker.client.add_product, made.value.id, product)
    if kept := [(path, got) for path, _, got in _differences(action, made.value)]:
        raise normalised(kept)
    return Result.ALREADY if made.found else Result.DONE


def _advised(action: CreateCompany, error: NotDoneError) -> NotDoneError:
    """The failure, which says what to write where Codat wants a product of every company."""
    if "product" not in error.failure.message.lower() or action.products:
        return error
    return NotDoneError(replace(error.failure, then=Then.WITH_PRODUCTS), error.result)


@dataclass(frozen=True, slots=True)
class MakingCompany:
    """What the protocol of creation asks of a company."""

    worker: WorkerState
    action: CreateCompany

    @property
    def what(self) -> str:
        """What it is, for messages."""
        return f"company {self.action.address}"

    @property
    def _owner(self) -> tuple[str, str]:
        return self.worker.run.workspace, self.worker.key

    def key(self, attempt: int) -> UUID:
        """The idempotency key of an attempt."""
        return state.company_key(*self._owner, attempt)

    async def send(self, client: Client, key: UUID) -> Answered[LiveCompany]:
        """``POST /companies``."""
        return await client.create_company(self.action.body(), key)

    async def find(self) -> LiveCompany | None:
        """The company that carries our two tags; the answer is filtered again on our side."""
        workspace, key = self._owner
        query = f"{WORKSPACE_TAG}={workspace} && {KEY_TAG}={key}"
        found = [
            company for company in await self.worker.client.companies(query) if company.owner() == self._owner
        ]
        if len(found) > 1:
            ids = " and ".join(company.id for company in found)
            raise not_done(
                FailureCode.DUPLICATE,
                f"Codat has {len(found)} companies that carry the key '{key}': {ids}",
                then=Then.PIN,
            )
        return found[0] if found else None

    async def read(self, made: LiveCompany) -> LiveCompany:
        """The company as it is now."""
        live = await self.worker.client.company(made.id)
        if live.owner() != self._owner:
            raise not_done(
                FailureCode.NOT_OURS,
                f"an earlier run created company {made.id} for this key, and it no longer carries our tags",
                then=Then.ADOPT,
            )
        return live

    async def has_owner(self) -> bool:
        """Never: a company belongs to nothing."""
        return False

    def is_another(self, made: LiveCompany) -> bool:  # noqa: ARG002 - of the protocol
        """Never: a key stands for one company."""
        return False

    def compare(self, made: LiveCompany) -> None:
        """Every field that was sent, but for texts that Codat keeps in its own way."""
        for path, asked, got in _differences(self.action, made):
            if not is_normalised(path, asked, got):
                raise differs(path, asked, got)


def _differences(action: CreateCompany, made: LiveCompany) -> Iterator[tuple[str, str, str]]:
    """Each path that was sent, with what was asked and what Codat keeps, where the two differ.

    The record of links may have grown since.
    """
    for path, asked in action.fields.items():
        got = value_at(made, path) or ""
        if path == f"{TAGS}{LINKS_TAG}" and got:
            continue
        if got != asked:
            yield path, asked, got
