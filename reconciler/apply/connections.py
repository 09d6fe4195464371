"""Creates connections, and deletes what is no longer wanted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

from reconciler.actions import AuthorizeConnection, CreateConnection, DeleteCompany, DeleteConnection
from reconciler.apply import state
from reconciler.apply.companies import check_unchanged
from reconciler.apply.failing import changed, differs, not_done
from reconciler.apply.idempotent_create import create
from reconciler.apply.retried_write import record_links, settle
from reconciler.apply.state import WorkerState
from reconciler.codat import Answered, Client
from reconciler.codat.errors import NotFoundError
from reconciler.codat.transport import Look
from reconciler.live import LiveCompany, LiveConnection, Status
from reconciler.outcome import FailureCode, Result, Then


async def create_connection(worker: WorkerState, action: CreateConnection) -> Result:
    """Create the connection, or find that another run of ours did; then record the links, if it is due."""
    making = MakingConnection(worker, action, worker.company_id(action.company_id))
    made = await create(worker, making)
    worker.made[action.address] = made.value.id
    # What Codat says works already is looked at first: no token goes to it.
    if made.ago is not None and made.value.status is Status.PENDING_AUTH:
        now = worker.run.clock.now()
        making.look.count_from(now - made.ago, now)
        worker.creates[made.value.id] = making.look
    if action.links:
        await record_links(worker, action)
    return Result.ALREADY if made.found else Result.DONE


@dataclass(frozen=True, slots=True)
class MakingConnection:
    """What the protocol of creation asks of a connection."""

    worker: WorkerState
    action: CreateConnection
    company_id: str
    look: Look = field(default_factory=Look)
    """The create, which its tokens may rest on: until then nobody else can know the connection.

    Codat does not tell an answer from the replay of one, so another run may have made it as well, and
    it counts from the moment that Codat made it.
    """

    @property
    def what(self) -> str:
        """What it is, for messages."""
        return f"connection {self.action.address}"

    def key(self, attempt: int) -> UUID:
        """The idempotency key of an attempt."""
        return state.connection_key(self.company_id, self.action.address.connection, attempt)

    async def send(self, client: Client, key: UUID) -> Answered[LiveConnection]:
        """``POST /companies/{id}/connections``."""
        client = client.looking(self.look) if self._is_authorized_next() else client
        return await client.create_connection(self.company_id, self.action.platform_key, key)

    def _is_authorized_next(self) -> bool:
        """Whether its tokens are the next thing to be sent, so that a turn is to be kept for them."""
        following = self.worker.actions[self.worker.actions.index(self.action) + 1 :][:1]
        return not self.action.links and any(
            isinstance(action, AuthorizeConnection) and action.address == self.action.address
            for action in following
        )

    async def find(self) -> LiveConnection | None:
        """The connection of our platform that the plan did not know and no action of this worker uses.

        Several that nobody authorized are interchangeable. One that somebody did is taken only where
        the company has no other connection of the platform in its spec.
        """
        found = [
            connection
            for connection in await self.worker.client.connections(self.company_id)
            if connection.platform_key == self.action.platform_key
            and connection.id not in self.action.known
            and not self.is_another(connection)
        ]
        pending = sorted(
            (connection for connection in found if connection.status is Status.PENDING_AUTH), key=_age
        )
        others = [connection for connection in found if connection.status is not Status.PENDING_AUTH]
        if len(others) > 1 or (others and self._has_siblings()):
            ids = ", ".join(connection.id for connection in others)
            raise not_done(
                FailureCode.AMBIGUOUS,
                f"since the plan, connections of {self.action.platform} have come up: {ids}",
                then=Then.PLAN_AGAIN,
            )
        return next(iter((*others, *pending)), None)

    def _has_siblings(self) -> bool:
        """Whether the company may have more connections of the platform in its spec."""
        creates = [action for action in self.worker.actions if isinstance(action, CreateConnection)]
        return any(
            len(create.links) > 1
            or (create.platform_key == self.action.platform_key and create is not self.action)
            for create in creates
        )

    async def read(self, made: LiveConnection) -> LiveConnection:
        """The connection as it is now."""
        return await self.worker.client.connection(self.company_id, made.id)

    async def has_owner(self) -> bool:
        """Always, or the company is gone."""
        await self.worker.read_company(self.company_id)
        return True

    def is_another(self, made: LiveConnection) -> bool:
        """Whether the plan knew the connection as another one, or the worker uses it.

        Of what nobody had named, the replay of our own create proves that an earlier run made it.
        """
        is_named = made.id in self.action.known and made.id not in self.action.unnamed
        return is_named or made.id in self.worker.claimed()

    def compare(self, made: LiveConnection) -> None:
        """The platform that was asked for, where the answer names one."""
        if made.platform_key and made.platform_key != self.action.platform_key:
            raise differs("platform", self.action.platform_key, made.platform_key)


def _age(connection: LiveConnection) -> tuple[str, str]:
    return (connection.created.isoformat() if connection.created else "", connection.id)


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
    before = {connection.id: connection for connection in observed.connections}
    now = {connection.id: connection for connection in live.connections}
    for identifier, connection in {**before, **now}.items():
        named = f"connection {identifier} ({connection.platform_name or connection.platform_key})"
        if identifier not in before:
            raise changed(f"{named} has come up, and it is {connection.status}")
        if identifier not in now:
            raise changed(f"{named} has gone")
        if connection.status is not before[identifier].status:
            raise changed(
                f"{named} has become {connection.status} where {before[identifier].status} was read"
            )


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
