"""Starts syncs, once a company (https://docs.codat.io/using-the-api/queueing-data-syncs).

Codat refuses to queue what is in progress already. Such a refusal is as good as done where the history
shows a pull of each connection concerned that runs, or that began after its tokens were sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from reconciler.actions import SyncCompany
from reconciler.apply import state
from reconciler.apply.failing import NotDoneError, not_done
from reconciler.apply.retried_write import KEPT
from reconciler.apply.state import WorkerState
from reconciler.codat import Client
from reconciler.codat.errors import AlreadyQueuedError, RejectedError, is_no_custom_product
from reconciler.live import Pull, PullState
from reconciler.model import Address
from reconciler.outcome import FailureCode, Result, Then


@dataclass(frozen=True, slots=True)
class _Request:
    """One request to sync: all types of several connections, or one type of one connection.

    Of ``product``, if there is one, what that fetches of them.
    """

    connections: tuple[tuple[Address, str], ...]
    data_type: str = ""
    product: str = ""


async def sync_company(worker: WorkerState, action: SyncCompany) -> Result:
    """Ask for every sync that the action names; what is in progress is not in the way of the others."""
    incomplete: list[NotDoneError] = []
    results = set()
    for request in _requests(worker, action):
        try:
            results.add(await _Syncing(worker, action, request).run())
        except NotDoneError as error:
            if error.result is not Result.INCOMPLETE:
                raise
            incomplete.append(error)
    if incomplete:
        raise incomplete[0]
    return Result.ALREADY if results == {Result.ALREADY} else Result.DONE


def _requests(worker: WorkerState, action: SyncCompany) -> Iterator[_Request]:
    targets = [
        ((target.address, worker.connection_id(target.address, target.connection_id)), target.data_types)
        for target in action.targets
    ]
    everything = tuple(connection for connection, data_types in targets if not data_types)
    if everything and not action.only_products:
        yield _Request(everything)
    if everything:
        yield from (_Request(everything, product=product) for product in action.products)
    for connection, data_types in targets:
        for data_type in data_types:
            yield _Request((connection,), data_type)


class _Syncing:
    """One request to sync, and the look at the history where its answer says too little."""

    def __init__(self, worker: WorkerState, action: SyncCompany, request: _Request) -> None:
        self._lane = worker
        self._action = action
        self._request = request
        self._company_id = worker.company_id(action.company_id)
        self._is_standard = False

    async def run(self) -> Result:
        """Ask; after a fault look, and ask once more under a new key."""
        try:
            return await self._once()
        except state.UNSETTLED as error:
            if not await self._is_unseen():
                return Result.DONE
            if not isinstance(error, KEPT):
                raise
        try:
            return await self._once()
        except state.UNSETTLED:
            if await self._is_unseen():
                raise
            return Result.DONE

    async def _once(self) -> Result:
        try:
            await self._send()
        except AlreadyQueuedError:
            await self._expect_seen()
            return Result.ALREADY
        return Result.DONE

    async def _send(self) -> None:
        key = self._lane.next_key(self._action)
        pause = self._lane.pausing("no answer yet on a sync; asking again under the same key")
        await state.under_same_key(lambda: self._lane.write(self._ask, self._lane.client, key), pause)

    async def _ask(self, client: Client, key: UUID) -> None:
        product = self._request.product
        if product and not self._is_standard:
            try:
                return await client.refresh_product(self._company_id, product, key)
            except RejectedError as error:
                if not is_no_custom_product(error):
                    raise
                # The product is one of Codat's own after all, which are refreshed with all data.
                self._is_standard, key = True, self._lane.next_key(self._action)
        if not self._request.data_type:
            return await client.sync_all(self._company_id, key)
        ((_, connection_id),) = self._request.connections
        return await client.queue(self._company_id, self._request.data_type, connection_id, key)

    async def _expect_seen(self) -> None:
        """Raise NotDoneError, incomplete, where the history does not show within 30 seconds what serves."""

        async def find() -> bool | None:
            return None if await self._is_unseen() else True

        pause = self._lane.pausing("a sync is in progress; looking for it in the history")
        if not await state.look(find, pause):
            names = ", ".join(str(address) for address, _ in self._request.connections)
            raise not_done(
                FailureCode.SYNC_NOT_SEEN,
                f"a sync of the company is in progress, and none that serves is seen of {names}",
                then=Then.WHEN_SYNCED,
                result=Result.INCOMPLETE,
            )

    async def _is_unseen(self) -> bool:
        """Whether some connection concerned has no pull that serves."""
        pulls = await self._lane.client.pulls(self._company_id)
        return not all(
            _serves(pulls, connection_id, self._request.data_type, self._since(connection_id))
            for _, connection_id in self._request.connections
        )

    def _since(self, connection_id: str) -> datetime:
        """When its tokens were sent, or the run began; in whole seconds, as Codat may tell them."""
        since = self._lane.authorized.get(connection_id, self._lane.run.began)
        return since.replace(microsecond=0)


def _serves(pulls: Sequence[Pull], connection_id: str, data_type: str, since: datetime) -> bool:
    return any(
        pull.connection_id == connection_id
        and data_type in ("", pull.data_type)
        and (pull.state is PullState.RUNNING or pull.requested >= since)
        for pull in pulls
    )
