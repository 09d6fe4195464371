"""Creates a company, its two tags of ours in the same request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from reconciler.apply import keys
from reconciler.apply.failing import (
    FailureCode,
    NotDoneError,
    Then,
    differs,
    is_normalised,
    normalised,
    not_done,
)
from reconciler.apply.idempotent_create import create
from reconciler.apply.state import WorkerState
from reconciler.codat import Answered, Client
from reconciler.fields import TAGS, value_at
from reconciler.model import KEY_TAG, LINKS_TAG, WORKSPACE_TAG, LiveCompany
from reconciler.outcome import Result
from reconciler.plan import CreateCompany


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
        return keys.company_key(*self._owner, attempt)

    async def send(self, client: Client, key: UUID) -> Answered[LiveCompany]:
        """``POST /companies``."""
        return await client.create_company(self.action.body(), key)

    async def find(self) -> LiveCompany | None:
        """The company that carries our two tags; the answer is filtered again on our side."""
        workspace, key = self._owner
        query = f"{WORKSPACE_TAG}={workspace} && {KEY_TAG}={key}"
        found = [one for one in await self.worker.client.companies(query) if one.owner() == self._owner]
        if len(found) > 1:
            ids = " and ".join(one.id for one in found)
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
