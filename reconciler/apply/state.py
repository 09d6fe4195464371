"""What one worker knows while it works: ids, keys, and how long it has waited.

See https://docs.codat.io/using-the-api/write-data/idempotency: Codat replays the first answer under a
key for 90 minutes, so a crashed or doubled run that creates under the same key creates nothing twice.

All waiting here goes through a ``Pause``, which Ctrl-C cuts short; so it does what a client waits for.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final, ParamSpec, TypeVar
from uuid import UUID, uuid5

from reconciler.actions import (
    Action,
    AuthorizeConnection,
    CreateConnection,
    DeleteConnection,
    SyncCompany,
    UnlinkConnection,
)
from reconciler.apply.failing import NotDoneError, changed
from reconciler.apply.running import Run
from reconciler.codat import Client
from reconciler.codat.errors import (
    ApiError,
    HeldUpError,
    NoAnswerError,
    NotFoundError,
    QuotaExhaustedError,
    ServerFaultError,
    StillRunningError,
    UnexpectedAnswerError,
    UnreachableError,
)
from reconciler.codat.exchange import SentSecrets
from reconciler.codat.transport import Look, StoppedError, unless_stopped
from reconciler.diagnostics import CodatSyncError
from reconciler.kinds import Kind
from reconciler.live import LiveCompany, LiveConnection, LiveSyncSettings
from reconciler.model import Address
from reconciler.outcome import Failure, FailureCode, Then
from reconciler.secret_refs import Secret, SecretRef

NAMESPACE: Final = UUID("b41e0c06-9d5f-4c39-9a4b-53a7c5e0f9d2")
"""Ours. It must never change: an old and a new version may run at once."""


def company_key(workspace: str, key: str, attempt: int) -> UUID:
    """The key of the ``attempt``-th (from 0) creation of a company."""
    return _key("company", workspace, key, attempt)


def connection_key(company_id: str, key: str, attempt: int) -> UUID:
    """The key of the ``attempt``-th (from 0) creation of a connection."""
    return _key("connection", company_id, key, attempt)


def webhook_key(url: str, what: Sequence[object], beside: Sequence[str], attempt: int) -> UUID:
    """The key of the ``attempt``-th (from 0) creation of a webhook consumer, by all that it is.

    ``beside`` are the consumers of its URL that were there before: with others, it is another creation.
    """
    return _key("webhook", url, json.dumps(what), *beside, attempt)


def source_account_key(connection_id: str, account_id: str, attempt: int) -> UUID:
    """The key of the ``attempt``-th (from 0) creation of a source account."""
    return _key("source-account", connection_id, account_id, attempt)


def run_key(seed: int, address: Address, kind: Kind, number: int) -> UUID:
    """The key of a run's ``number``-th change or sync at an address; a later run has other ones."""
    return _key("run", seed, str(address), kind.value, number)


def _key(*parts: str | int) -> UUID:
    """The parts as a JSON array, which no two different lists of parts share."""
    return uuid5(NAMESPACE, json.dumps(parts, separators=(",", ":"), ensure_ascii=True))


Pause = Callable[[float], Awaitable[None]]
"""Returns after so many seconds, or raises ``StoppedError``."""

GROWING: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds between looks: 30 in all, since Codat's index may lag."""
SAME_KEY: Final = (*GROWING, 30.0)
"""Seconds between requests under the same key: 60 in all."""

PASSING: Final = (NoAnswerError, UnreachableError, ServerFaultError, UnexpectedAnswerError, StillRunningError)
"""What a look that failed may get over; it says nothing of what it looked for."""
SAME_KEY_ERRORS: Final = (NoAnswerError, UnreachableError, StillRunningError)
"""After these the same idempotency key gives the answer, as soon as there is one."""
UNSETTLED: Final[tuple[type[ApiError], ...]] = (*SAME_KEY_ERRORS, ServerFaultError)
"""After these a write may or may not have taken effect."""


async def look(find: Callable[[], Awaitable[T | None]], pause: Pause) -> T | None:
    """What ``find`` finds, looking again with growing waits for 30 seconds; ``None`` if it is not there.

    Raises:
        ApiError: the last look failed.
    """
    for seconds in GROWING:
        with suppress(*PASSING):
            found = await find()
            if found is not None:
                return found
        await pause(seconds)
    return await find()


async def under_same_key(send: Callable[[], Awaitable[T]], pause: Pause) -> T:
    """What ``send`` returns, asked again after no answer and while it is in progress, for 60 seconds.

    Raises:
        ApiError: the last answer, or none.
    """
    for seconds in SAME_KEY:
        with suppress(*SAME_KEY_ERRORS):
            return await send()
        await pause(seconds)
    return await send()


P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class WorkerState:
    """One company's worker: its actions in order, and what they have found out so far."""

    run: Run
    key: str
    """The company's key in the workspace."""
    actions: tuple[Action, ...]
    made_company: str | None = None
    """The id of the company, once this worker has created it."""
    made: dict[Address, str] = field(default_factory=dict)
    """Ids of the connections that this worker has created, or found created."""
    creates: dict[str, Look] = field(default_factory=dict)
    """This run's own creates, by the id of the connection: for as long as a look they serve as one."""
    authorized: dict[str, datetime] = field(default_factory=dict)
    """When this run last sent a connection's tokens, by id."""
    writes: int = 0
    """Writes that were asked of the client, and not handed back undone."""
    written_before: int = 0
    """How many of them before the action that the worker is at."""
    _numbered: int = 0
    _sent: SentSecrets = field(default_factory=SentSecrets, repr=False)

    def forget(self) -> None:
        """Let go of what was sent: no secret waits in memory for the end of the run."""
        self._sent = SentSecrets()

    @property
    def address(self) -> Address:
        """The company's address."""
        return Address(self.key)

    @property
    def client(self) -> Client:
        """The client to ask now. Once an action has written something, Ctrl-C alone cuts it short."""
        client = self.run.finishing if self._is_under_way else self.run.client
        return client.remembering(self._sent)

    @property
    def _is_under_way(self) -> bool:
        return self.writes > self.written_before

    @property
    def _end(self) -> asyncio.Event:
        return self.run.stop if self._is_under_way else self.run.ending

    def company_id(self, planned: str | None) -> str:
        """The id that the plan knew, or of the company that this worker created."""
        return _known(planned or self.made_company)

    def connection_id(self, address: Address, planned: str | None) -> str:
        """The id that the plan knew, or of the connection that this worker created."""
        return _known(planned or self.made.get(address))

    def claimed(self) -> frozenset[str]:
        """Ids of connections that some action of this worker speaks of."""
        return frozenset(self.made.values()) | {
            identifier for action in self.actions for identifier in _ids(action)
        }

    def next_key(self, action: Action) -> UUID:
        """A key for a change or a sync, that no other request of any run has."""
        self._numbered += 1
        return run_key(self.run.seed, action.address, action.kind, self._numbered)

    async def write(self, call: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """What a writing method of the client answers.

        Raises:
            StoppedError: the run ends; nothing was sent.
        """
        if self.run.stop.is_set() or self._end.is_set():
            raise StoppedError
        self.writes += 1
        try:
            return await call(*args, **kwargs)
        except (HeldUpError, StoppedError):
            self.writes -= 1
            raise
        except QuotaExhaustedError as error:
            self.writes -= not error.was_sent
            raise

    async def secret(self, ref: SecretRef) -> Secret:
        """The value of a reference, right before it is sent; nothing keeps it.

        Raises:
            NotDoneError: it cannot be resolved.
        """
        try:
            found = self.run.resolve(ref)
            return found if isinstance(found, Secret) else await found
        except CodatSyncError as error:
            code = error.diagnostics[0].code if error.diagnostics else FailureCode.SECRET
            failure = Failure(code=code, what=str(error), then=Then.WHEN_SECRET)
        raise NotDoneError(failure)

    def pausing(self, why: str) -> Pause:
        """Pauses that the observer is told the reason of, and that Ctrl-C cuts short."""
        return partial(self._pause, why)

    async def _pause(self, why: str, seconds: float) -> None:
        self.run.tell.waiting(self.address, seconds, why)
        await unless_stopped(self.run.clock.sleep(seconds), self._end)

    async def read_company(self, company_id: str, look: Look | None = None) -> LiveCompany:
        """A company as it is now; a write that follows may rest on ``look``.

        Raises:
            NotDoneError: it is gone.
        """
        client = self._reading(look)
        return await self._seen("company", company_id, lambda: client.company(company_id))

    async def read_sync_settings(self, company_id: str, look: Look | None = None) -> LiveSyncSettings:
        """A company's sync settings as they are now; a write that follows may rest on ``look``.

        Raises:
            NotDoneError: the company is gone.
        """
        client = self._reading(look)
        return await self._seen("company", company_id, lambda: client.sync_settings(company_id))

    async def read_connection(self, company_id: str, connection_id: str, look: Look) -> LiveConnection:
        """A connection as it is now; a write that follows may rest on ``look``.

        Raises:
            NotDoneError: it is gone.
        """
        client = self._reading(look)
        return await self._seen(
            "connection", connection_id, lambda: client.connection(company_id, connection_id)
        )

    def _reading(self, look: Look | None) -> Client:
        return self.client if look is None else self.client.looking(look)

    async def _seen(self, what: str, identifier: str, read: Callable[[], Awaitable[T]]) -> T:
        """What ``read`` answers; what this worker made itself is waited for, since Codat may lag."""

        async def find() -> T | None:
            try:
                return await read()
            except NotFoundError:
                return None

        if identifier == self.made_company or identifier in self.made.values():
            live = await look(find, self.pausing(f"Codat does not show the {what} yet"))
        else:
            live = await find()
        if live is None:
            raise changed(f"{what} {identifier} has gone")
        return live


def _known(identifier: str | None) -> str:
    if identifier is None:
        raise RuntimeError("a plan speaks of something before it creates it")
    return identifier


def _ids(action: Action) -> tuple[str, ...]:
    """Ids of the connections that an action names."""
    named: tuple[str | None, ...] = ()
    match action:
        case AuthorizeConnection() | UnlinkConnection() | DeleteConnection():
            named = (action.connection_id,)
        case SyncCompany():
            named = tuple(target.connection_id for target in action.targets)
        case CreateConnection():
            named = tuple(mark.id for mark in action.links.values() if mark.id)
        case _:
            pass
    return tuple(identifier for identifier in named if identifier is not None)
