"""Hands over tokens, never to a connection that works (https://docs.codat.io/get-started/migration).

Once a connection is Linked, Codat rotates its tokens, and those of the spec are stale. The request
takes no idempotency key, so a connection is read before, unless nobody else can know it, and again
where no answer told what became of the tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final, NoReturn

from reconciler.actions import AuthorizeConnection
from reconciler.apply import state
from reconciler.apply.failing import NotDoneError, changed, differs, not_done
from reconciler.apply.retried_write import HELD_UP, SendingMark
from reconciler.apply.running import PlatformTurns
from reconciler.apply.state import WorkerState
from reconciler.codat.errors import (
    ApiError,
    HeldUpError,
    KeyReusedError,
    NoAnswerError,
    NotFoundError,
    RejectedError,
    ServerFaultError,
    StillRunningError,
    UnreachableError,
)
from reconciler.codat.transport import Look, StoppedError
from reconciler.live import LiveConnection, Status
from reconciler.outcome import FailureCode, Result, Then
from reconciler.secret_refs import Secret, SecretRef

SENDS: Final = 2
"""How often the tokens are sent at most."""
UNANSWERED: Final = (NoAnswerError, ServerFaultError, UnreachableError)
"""After these the tokens may or may not have arrived."""
REFUSED: Final = (RejectedError, StillRunningError, KeyReusedError)
"""Every 4xx that does not stop the run."""


async def authorize_connection(worker: WorkerState, action: AuthorizeConnection) -> Result:
    """Send the tokens, or find the connection Linked."""
    breaker = worker.run.breaker[action.platform_key]
    async with breaker.taken():
        worker.run.check_going()
        return await _Authorizing(worker, action, breaker).run()


class _Authorizing:
    """One authorize: the connection, the status that it must have, and what an answer means."""

    def __init__(self, worker: WorkerState, action: AuthorizeConnection, breaker: PlatformTurns) -> None:
        self._lane = worker
        self._action = action
        self._turns = breaker
        self._company_id = worker.company_id(action.company_id)
        self._connection_id = worker.connection_id(action.address, action.connection_id)
        self._expected = action.observed or Status.PENDING_AUTH
        self._look = worker.creates.pop(self._connection_id, Look())
        self._mark = SendingMark(worker, action, self._company_id, self._connection_id)

    async def run(self) -> Result:
        """Look, where someone else may know the connection; then send."""
        try:
            result = await self._send()
        except REFUSED as error:
            await self._conclude(sent=False)
            self._refuse(error)
        except NotDoneError as error:
            if error.failure.code != FailureCode.AUTHORIZE_UNKNOWN:
                await self._conclude(sent=False)
            raise
        await self._conclude(sent=True)
        self._turns.accepted()
        return result

    async def _conclude(self, *, sent: bool) -> None:
        """Settle the mark; where that fails it stays open, and the same plan sends nothing again."""
        if self._mark.is_open:
            with suppress(ApiError, NotDoneError, StoppedError):
                await self._mark.conclude(sent=sent)

    async def _send(self) -> Result:
        """Send the tokens right after a look, however long that or the tokens take.

        Where the look was too old by the time of sending, or Codat asks for a pause, look again; after
        no answer, send once more where the connection still is what it was.
        """
        errors: list[ApiError] = []
        held_up = 0
        while len(errors) < SENDS:
            self._check_platform(errors)
            if await self._is_already_linked():
                return Result.DONE if errors else Result.ALREADY
            tokens = await self._tokens()
            if self._action.is_marked and not self._mark.is_open:
                await self._mark.announce()
            if await self._is_already_linked():
                return Result.DONE if errors else Result.ALREADY
            self._check_platform(errors)
            try:
                await self._put(tokens)
            except HeldUpError:
                held_up += 1
                if held_up == HELD_UP:
                    raise
            except UNANSWERED as error:
                errors.append(error)
                if await self._is_linked_now(errors):
                    return Result.DONE
            else:
                return Result.DONE
        raise self._unknown(errors)

    def _check_platform(self, errors: Sequence[ApiError]) -> None:
        """Raise NotDoneError where others' credentials were rejected meanwhile, and none of ours was sent."""
        if self._turns.is_stopped and not errors:
            raise not_done(
                FailureCode.PLATFORM_STOPPED,
                f"{self._action.platform} has rejected several credentials in a row, so no more are sent",
                then=Then.PUT_RIGHT,
                result=Result.NOT_STARTED,
            )

    async def _is_already_linked(self) -> bool:
        """Whether a look, where one is due, finds the connection Linked that was not.

        Raises:
            NotDoneError: it has become something else.
        """
        if self._look.lasts(self._lane.run.clock.now()):
            return False
        live = await self._read()
        if live.status is self._expected:
            return False
        if live.status is Status.LINKED:
            return True
        raise changed(f"the connection has become {live.status} where {self._expected} was read")

    async def _put(self, tokens: Mapping[str, Secret]) -> None:
        client = self._lane.client.resting_on(self._look)
        self._lane.authorized[self._connection_id] = self._lane.run.clock.now()
        answer = await self._lane.write(client.authorize, self._company_id, self._connection_id, tokens)
        if answer.status is not Status.LINKED:
            raise differs("status", Status.LINKED, answer.status)

    async def _tokens(self) -> dict[str, Secret]:
        """The authorization with its references resolved; nothing keeps it."""
        return {
            name: await self._lane.secret(value) if isinstance(value, SecretRef) else Secret(value)
            for name, value in self._action.authorization.items()
        }

    async def _is_linked_now(self, errors: Sequence[ApiError]) -> bool:
        """Whether the tokens have arrived after all; looks for 30 seconds.

        Raises:
            NotDoneError: that cannot be told.
        """
        if self._expected is Status.LINKED:
            raise self._unknown(errors)

        async def find() -> bool | None:
            live = await self._read()
            if live.status in (Status.LINKED, self._expected):
                return True if live.status is Status.LINKED else None
            raise self._unknown(errors)

        pause = self._lane.pausing("no answer about the tokens; looking whether the connection is Linked")
        try:
            return bool(await state.look(find, pause))
        except state.PASSING as error:
            failed = error
        raise self._unknown([*errors, failed])

    async def _read(self) -> LiveConnection:
        return await self._lane.read_connection(self._company_id, self._connection_id, self._look)

    def _unknown(self, errors: Sequence[ApiError]) -> Exception:
        """What to raise when sending came to no end: the tokens may have arrived, or none was ever sent."""
        if all(isinstance(error, UnreachableError) for error in errors):
            return errors[-1]
        return not_done(
            FailureCode.AUTHORIZE_UNKNOWN,
            "the tokens were sent, and whether they arrived is not known",
            then=Then.VERIFY_FIRST if self._expected is Status.LINKED else Then.READS_FIRST,
            error=errors[-1],
        )

    def _refuse(self, error: ApiError) -> NoReturn:
        """Fail; a rejection by the platform, not of the connection itself, counts against the platform."""
        if isinstance(error, NotFoundError):
            told = f"{self._action.address} or its company has gone"
            raise not_done(FailureCode.REJECTED, told, then=Then.PLAN_AGAIN, error=error) from None
        if isinstance(error, RejectedError):
            self._turns.rejected()
            said = f"{error.status}: {error.said}" if error.said else error.summary
            told = f"{self._action.platform} rejected the credentials ({said})"
            raise not_done(FailureCode.REJECTED, told, then=Then.CORRECT, told_by=error) from None
        told = "Codat refused the authorization"
        raise not_done(FailureCode.REJECTED, told, then=Then.CORRECT, error=error) from None
