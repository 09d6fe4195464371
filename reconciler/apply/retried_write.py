"""Writes that may be sent twice, and the tags that record what was done.

Connections carry no name and no tags (https://docs.codat.io/core-concepts/connections), so the record
stands in a tag of the company. It is written after the last create and before the first authorize, and
before a delete of what it holds no id of.

Nothing that Codat shows of such a connection tells whether new tokens have arrived, so a run that was
killed could not be told from one that never began. The mark stands in a tag of the company: connections
carry none (https://docs.codat.io/core-concepts/connections).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar
from uuid import UUID

from reconciler.actions import Action, AuthorizeConnection, CreateConnection, DeleteConnection
from reconciler.apply import state
from reconciler.apply.failing import changed, differs, not_done
from reconciler.apply.state import UNSETTLED, WorkerState
from reconciler.codat import Client
from reconciler.codat.errors import HeldUpError, NotFoundError, ServerFaultError, StillRunningError
from reconciler.codat.transport import Look
from reconciler.live import LiveCompany
from reconciler.model import (
    BEING_SENT,
    LINKS_TAG,
    MAX_TAG_VALUE,
    MAX_TAGS,
    SENT_TAG,
    Address,
    Mark,
    links_tag,
    marks_of,
    sent_marks,
    sent_tag,
    short_id,
)
from reconciler.outcome import FailureCode, Then

T = TypeVar("T")

KEPT: Final = (ServerFaultError, StillRunningError)
"""Answers that Codat may repeat under the same key."""
HELD_UP: Final = 5
"""How often a write may be held up right after the look that it rests on, until that is a failure."""
BEFORE_LOOKING: Final = 2.0
"""Seconds to give a write that was not answered."""


async def settle(
    worker: WorkerState,
    action: Action,
    send: Callable[[UUID], Awaitable[T]],
    find_done: Callable[[], Awaitable[T | None]],
) -> T:
    """What ``send`` answers, or what ``find_done`` finds where it left that open.

    A ``send`` that rests on a look rests on what ``find_done`` saw last.
    ``send`` is given an idempotency key: the same one again after no answer, which Codat replays; a
    new one after a fault, which Codat would replay too.

    Raises:
        ApiError: it was sent twice, and is not done.
    """
    key = worker.next_key(action)
    try:
        return await _promptly(worker, send, key, find_done)
    except UNSETTLED as error:
        done = await _looked(worker, action, find_done)
        if done is not None:
            return done
        if isinstance(error, KEPT):
            key = worker.next_key(action)
    try:
        return await _promptly(worker, send, key, find_done)
    except UNSETTLED:
        done = await _looked(worker, action, find_done)
        if done is None:
            raise
        return done


async def _promptly(
    worker: WorkerState,
    send: Callable[[UUID], Awaitable[T]],
    key: UUID,
    find_done: Callable[[], Awaitable[T | None]],
) -> T:
    """What ``send`` answers right after a look, or what a further look finds done where that was too old."""
    for _ in range(HELD_UP):
        try:
            return await worker.write(send, key)
        except HeldUpError:
            done = await find_done()
            if done is not None:
                return done
    return await worker.write(send, key)


async def _looked(
    worker: WorkerState, action: Action, find_done: Callable[[], Awaitable[T | None]]
) -> T | None:
    await worker.pausing(f"looking what came of {action.kind} {action.address}")(BEFORE_LOOKING)
    return await find_done()


async def record_links(worker: WorkerState, action: CreateConnection | DeleteConnection) -> None:
    """Write the record that ``action`` carries, merged into the tags as they are now.

    A create carries the whole record, a delete some of its entries.
    """
    client, look, company_id = worker.client, Look(), worker.company_id(action.company_id)
    links = {key: _known(worker, key, mark) for key, mark in action.links.items()}
    tags: dict[str, str] = {}

    def recorded(live: LiveCompany) -> str:
        kept = {} if isinstance(action, CreateConnection) else marks_of(live.tags.get(LINKS_TAG, ""))
        return links_tag({**kept, **links})

    async def read() -> LiveCompany | None:
        live = await _found(client.looking(look), company_id)
        if live is not None:
            _check_owner(worker, live)
            tags.clear()
            tags.update({**live.tags, LINKS_TAG: recorded(live)})
        return live

    async def find_recorded() -> LiveCompany | None:
        live = await state.look(read, worker.pausing("Codat does not show the company yet"))
        if live is None:
            raise changed(f"company {company_id} has gone")
        return live if live.tags.get(LINKS_TAG) == recorded(live) else None

    if await find_recorded():
        return

    async def send(key: UUID) -> LiveCompany:
        return await client.resting_on(look).update_company(company_id, {"tags": dict(tags)}, key)

    answer = await settle(worker, action, send, find_recorded)
    for tag, value in sorted(tags.items()):
        if answer.tags.get(tag) != value:
            raise differs(f"tags.{tag}", value, answer.tags.get(tag, ""))


async def _found(client: Client, company_id: str) -> LiveCompany | None:
    try:
        return await client.company(company_id)
    except NotFoundError:
        return None


def _check_owner(worker: WorkerState, live: LiveCompany) -> None:
    if live.owner() != (worker.run.workspace, worker.key):
        raise changed(f"company {live.id} has lost our tags")


def _known(worker: WorkerState, key: str, mark: Mark) -> Mark:
    """The entry with the id of what this worker has created."""
    return Mark(id=worker.connection_id(Address(worker.key, key), None)) if mark.is_to_come else mark


class SendingMark:
    """What a company shows of the tokens that an action sends to one of its connections."""

    def __init__(
        self, worker: WorkerState, action: AuthorizeConnection, company_id: str, connection_id: str
    ) -> None:
        self._lane = worker
        self._action = action
        self._company_id = company_id
        self._connection_id = connection_id
        self._announced = action.mark + BEING_SENT
        self.is_open = False
        """Whether it says that tokens are being sent."""

    async def announce(self) -> None:
        """Say that the tokens are about to be sent.

        Raises:
            NotDoneError: another run has sent some since the plan, or there is no room to say it.
        """
        look = Look()
        live = await self._lane.read_company(self._company_id, look)
        if sent_marks(live.tags).get(short_id(self._connection_id), "") != self._action.sent_before:
            raise changed("tokens were sent to the connection by another run")
        await self._write(self._announced, look, live)
        self.is_open = True

    async def conclude(self, *, sent: bool) -> None:
        """Say that the tokens were taken, or that none were."""
        look = Look()
        live = await self._lane.read_company(self._company_id, look)
        if sent_marks(live.tags).get(short_id(self._connection_id)) == self._announced:
            await self._write(self._action.mark if sent else self._action.sent_before, look, live)
        self.is_open = False

    async def _write(self, mark: str, look: Look, live: LiveCompany) -> None:
        tags = self._with(mark, live)
        client = self._lane.client.resting_on(look)

        async def find_written() -> LiveCompany | None:
            nonlocal tags
            found = await self._lane.read_company(self._company_id, look)
            tags = self._with(mark, found)
            return found if tags == found.tags else None

        async def send(key: UUID) -> LiveCompany:
            return await client.update_company(self._company_id, {"tags": tags}, key)

        answer = await settle(self._lane, self._action, send, find_written)
        if answer.tags.get(SENT_TAG) != tags.get(SENT_TAG):
            raise differs(f"tags.{SENT_TAG}", tags.get(SENT_TAG, ""), answer.tags.get(SENT_TAG, ""))

    def _with(self, mark: str, live: LiveCompany) -> dict[str, str]:
        """The company's tags as they shall be; what stands there of connections that are gone is dropped."""
        if live.owner() != (self._lane.run.workspace, self._lane.key):
            raise changed(f"company {self._company_id} has lost our tags")
        known = {short_id(connection.id) for connection in live.connections}
        marks = {name: sent for name, sent in sent_marks(live.tags).items() if name in known}
        value = sent_tag(marks | {short_id(self._connection_id): mark})
        others = {name: tag for name, tag in live.tags.items() if name != SENT_TAG}
        tags = others | ({SENT_TAG: value} if value else {})
        if len(value) > MAX_TAG_VALUE or (len(tags) > MAX_TAGS and len(tags) > len(live.tags)):
            raise not_done(
                FailureCode.NO_ROOM,
                f"the tag {SENT_TAG}, which shows that tokens were sent, has no room on the company",
                then=Then.MAKE_ROOM,
            )
        return tags
