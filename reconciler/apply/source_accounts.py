"""Source accounts of bank feeds: created once, renamed and deleted as they were read.

What Codat makes of a second create with the same ``id`` no document says, so one looks before each, and the
idempotency key follows from the account, so that two runs at once send the same one.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from typing import Any
from uuid import UUID

from reconciler.actions import Action
from reconciler.apply import state
from reconciler.apply.failing import changed, differs, not_done
from reconciler.apply.idempotent_create import create
from reconciler.apply.retried_write import settle
from reconciler.apply.state import WorkerState
from reconciler.codat import Answered, Client
from reconciler.codat.errors import NotFoundError
from reconciler.codat.transport import Look
from reconciler.live import LiveSourceAccount
from reconciler.model import BALANCE
from reconciler.outcome import FailureCode, Result, Then
from reconciler.secret_refs import Secret
from reconciler.source_account_actions import CreateSourceAccount, DeleteSourceAccount, UpdateSourceAccount


async def create_source_account(worker: WorkerState, action: CreateSourceAccount) -> Result:
    """Create the account, unless it is there by now."""
    company_id = worker.company_id(action.company_id)
    connection_id = worker.connection_id(action.address, action.connection_id)
    numbers = {name: await worker.secret(ref) for name, ref in action.account.numbers.items()}
    making = _Making(worker, action, company_id, connection_id, _body(action, numbers))
    found = await making.find()
    if found is not None:
        for name, asked, now in _differences(action, found)[:1]:
            told = f"its {name} is '{now}' where the spec says '{asked}'"
            raise changed(f"someone made source account '{found.id}', and {told}")
        return Result.ALREADY
    await create(worker, making)
    return Result.DONE


def _body(action: CreateSourceAccount, numbers: dict[str, Secret]) -> dict[str, Any]:
    account = action.account
    return {
        "id": account.id,
        "accountName": account.name,
        "accountType": account.type,
        "currency": account.currency,
        **{name: number for name, number in numbers.items() if name != BALANCE},
        BALANCE: _amount(numbers[BALANCE]) if BALANCE in numbers else 0,
    }


def _amount(secret: Secret) -> float:
    """The balance as the number that Codat takes; a text that is none is not repeated."""
    try:
        amount = float(secret.reveal())
    except ValueError:
        amount = float("nan")
    if not isfinite(amount):
        raise not_done(
            FailureCode.SECRET,
            "the reference of balance leads to something that is no number",
            then=Then.WHEN_SECRET,
        )
    return amount


@dataclass(frozen=True, slots=True)
class _Making:
    """What the protocol of creation asks of a source account."""

    worker: WorkerState
    action: CreateSourceAccount
    company_id: str
    connection_id: str
    body: dict[str, Any]

    @property
    def what(self) -> str:
        """What it is, for messages."""
        return f"source account '{self.action.account_id}'"

    def key(self, attempt: int) -> UUID:
        """The idempotency key of an attempt."""
        return state.source_account_key(self.connection_id, self.action.account_id, attempt)

    async def send(self, client: Client, key: UUID) -> Answered[LiveSourceAccount]:
        """``POST …/bankFeedAccounts``."""
        return await client.create_source_account(self.company_id, self.connection_id, self.body, key)

    async def find(self) -> LiveSourceAccount | None:
        """The account of this id, if it is there."""
        return await _account(self.worker.client, self.company_id, self.connection_id, self.action.account_id)

    async def read(self, made: LiveSourceAccount) -> LiveSourceAccount:
        """The account as it is now, from the listing: there is no request for one alone."""
        if made.id != self.action.account_id:
            raise differs("id", self.action.account_id, made.id)
        found = await self.find()
        if found is None:
            raise NotFoundError("the source account has gone", status=404)
        return found

    async def has_owner(self) -> bool:
        """Whether Codat shows its connection."""
        look = Look()
        await self.worker.read_connection(self.company_id, self.connection_id, look)
        return True

    def is_another(self, made: LiveSourceAccount) -> bool:  # noqa: ARG002 - of the protocol
        """Never: a key stands for one account."""
        return False

    def compare(self, made: LiveSourceAccount) -> None:
        """Raise NotDoneError where Codat made something else than was asked."""
        for name, asked, got in _differences(self.action, made)[:1]:
            raise differs(name, asked, got)


def _differences(action: CreateSourceAccount, live: LiveSourceAccount) -> list[tuple[str, str, str]]:
    """What is not as asked; Codat writes a type in its own case, and may leave members out."""
    account = action.account
    compared = (
        ("id", account.id, live.id),
        ("accountName", account.name, live.name),
        ("accountType", account.type, live.type),
        ("currency", account.currency, live.currency),
    )
    return [
        (name, asked, got)
        for name, asked, got in compared
        if (got or name == "id") and not _is_same(name, asked, got)
    ]


def _is_same(name: str, asked: str, got: str) -> bool:
    return asked == got or (name in ("accountType", "currency") and asked.casefold() == got.casefold())


async def _account(
    client: Client, company_id: str, connection_id: str, account_id: str
) -> LiveSourceAccount | None:
    accounts = await client.source_accounts(company_id, connection_id)
    return next((account for account in accounts if account.id == account_id), None)


async def update_source_account(worker: WorkerState, action: UpdateSourceAccount) -> Result:
    """Rename the account, right after a look that it is as it was read."""
    look, change = Look(), action.change
    place = action.company_id, action.connection_id, action.account_id

    async def find_done() -> LiveSourceAccount | None:
        live = await _account(worker.client.looking(look), *place)
        if live is None:
            raise _gone(action, action.account_id)
        if live.name == change.after:
            return live
        if live.name != (change.before or ""):
            raise changed(f"accountName has become '{live.name}' where '{change.before or ''}' was read")
        return None

    if await find_done():
        return Result.ALREADY

    async def send(key: UUID) -> LiveSourceAccount:
        client = worker.client.resting_on(look)
        return await client.rename_source_account(*place, change.after or "", key)

    answer = await settle(worker, action, send, find_done)
    if answer.name != change.after:
        raise differs("accountName", change.after or "", answer.name)
    return Result.DONE


async def delete_source_account(worker: WorkerState, action: DeleteSourceAccount) -> Result:
    """Delete the account, right after a look that it is as it was read: a new mapping would be lost."""
    look, observed = Look(), action.observed
    place = action.company_id, action.connection_id, action.account_id

    async def find_gone() -> bool | None:
        live = await _account(worker.client.looking(look), *place)
        if live is None:
            return True
        if live != observed:
            status = live.status or "without a status"
            raise changed(f"source account '{observed.id}' has become '{live.name}', {status}")
        return None

    if await find_gone():
        return Result.ALREADY

    async def send(_key: UUID) -> bool:
        with suppress(NotFoundError):
            await worker.client.resting_on(look).delete_source_account(*place)
        return True

    await settle(worker, action, send, find_gone)
    return Result.DONE


def _gone(action: Action, account_id: str) -> Exception:
    return changed(f"source account '{account_id}' of {action.address} has gone")
