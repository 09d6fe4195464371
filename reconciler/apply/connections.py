"""Creates a connection; it then waits to be authorized."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from reconciler.apply import keys
from reconciler.apply.failing import FailureCode, Then, differs, not_done
from reconciler.apply.idempotent_create import create
from reconciler.apply.recording import record_links
from reconciler.apply.state import WorkerState
from reconciler.codat import Answered, Client
from reconciler.codat.looking import Look
from reconciler.model import LiveConnection, Status
from reconciler.outcome import Result
from reconciler.plan import AuthorizeConnection, CreateConnection


async def create_connection(worker: WorkerState, action: CreateConnection) -> Result:
    """Create the connection, or find that another run of ours did; then record the links, if it is due."""
    making = MakingConnection(worker, action, worker.company_id(action.company_id))
    made = await create(worker, making)
    worker.made[action.address] = made.value.id
    if made.ago is not None:
        making.look.taken_at = worker.run.clock.now() - made.ago
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
        return keys.connection_key(self.company_id, self.action.address.connection, attempt)

    async def send(self, client: Client, key: UUID) -> Answered[LiveConnection]:
        """``POST /companies/{id}/connections``."""
        client = client.looking(self.look) if self._is_authorized_next() else client
        return await client.create_connection(self.company_id, self.action.platform_key, key)

    def _is_authorized_next(self) -> bool:
        """Whether its tokens are the next thing to be sent, so that a turn is to be kept for them."""
        following = self.worker.actions[self.worker.actions.index(self.action) + 1 :][:1]
        return not self.action.links and any(
            isinstance(one, AuthorizeConnection) and one.address == self.action.address for one in following
        )

    async def find(self) -> LiveConnection | None:
        """The connection of our platform that the plan did not know and no action of this worker uses.

        Several that nobody authorized are interchangeable. One that somebody did is taken only where
        the company has no other connection of the platform in its spec.
        """
        found = [
            one
            for one in await self.worker.client.connections(self.company_id)
            if one.platform_key == self.action.platform_key
            and one.id not in self.action.known
            and not self.is_another(one)
        ]
        pending = sorted((one for one in found if one.status is Status.PENDING_AUTH), key=_age)
        others = [one for one in found if one.status is not Status.PENDING_AUTH]
        if len(others) > 1 or (others and self._has_siblings()):
            ids = ", ".join(one.id for one in others)
            raise not_done(
                FailureCode.AMBIGUOUS,
                f"since the plan, connections of {self.action.platform} have come up: {ids}",
                then=Then.PLAN_AGAIN,
            )
        return next(iter((*others, *pending)), None)

    def _has_siblings(self) -> bool:
        """Whether the company may have more connections of the platform in its spec."""
        creates = [one for one in self.worker.actions if isinstance(one, CreateConnection)]
        return any(
            len(one.links) > 1 or (one.platform_key == self.action.platform_key and one is not self.action)
            for one in creates
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
