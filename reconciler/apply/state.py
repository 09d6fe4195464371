"""What one worker knows while it works: ids as they become known, and what needs no second look."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import ParamSpec, TypeVar
from uuid import UUID

from reconciler.apply import keys, waiting
from reconciler.apply.failing import FailureCode, NotDoneError, Then, changed
from reconciler.apply.running import Run
from reconciler.apply.waiting import Pause
from reconciler.codat import Client
from reconciler.codat.errors import HeldUpError, NotFoundError, QuotaExhaustedError
from reconciler.codat.looking import Look
from reconciler.codat.stopping import StoppedError, unless_stopped
from reconciler.diagnostics import CodatSyncError
from reconciler.model import Address, LiveCompany, LiveConnection, LiveSyncSettings, Secret, SecretRef
from reconciler.outcome import ActionOutcome, Failure, Result
from reconciler.plan import (
    Action,
    AuthorizeConnection,
    CreateCompany,
    CreateConnection,
    DeleteConnection,
    SyncCompany,
    UnlinkConnection,
)

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

    @property
    def address(self) -> Address:
        """The company's address."""
        return Address(self.key)

    @property
    def client(self) -> Client:
        """The client to ask now. Once an action has written something, Ctrl-C alone cuts it short."""
        return self.run.finishing if self._is_under_way else self.run.client

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
        return frozenset(self.made.values()) | {one for action in self.actions for one in _ids(action)}

    def next_key(self, action: Action) -> UUID:
        """A key for a change or a sync, that no other request of any run has."""
        self._numbered += 1
        return keys.run_key(self.run.seed, action.address, action.kind, self._numbered)

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
            failure = Failure(code, str(error), then=Then.WHEN_SECRET)
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
            live = await waiting.look(find, self.pausing(f"Codat does not show the {what} yet"))
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
            named = tuple(one.connection_id for one in action.targets)
        case CreateConnection():
            named = tuple(mark.id for mark in action.links.values() if mark.id)
        case _:
            pass
    return tuple(one for one in named if one is not None)


def planned_company_id(action: Action) -> str | None:
    """The id of the action's company, if the plan knew it."""
    return None if isinstance(action, CreateCompany) else action.company_id


def not_started(action: Action) -> ActionOutcome:
    """The outcome of an action that the run did not come to."""
    return ActionOutcome(
        action.kind, action.address, Result.NOT_STARTED, company_id=planned_company_id(action)
    )
