"""Marks at Codat that tokens are sent to a connection that is Linked, before and after they are.

Nothing that Codat shows of such a connection tells whether new tokens have arrived, so a run that was
killed could not be told from one that never began. The mark stands in a tag of the company: connections
carry none (https://docs.codat.io/core-concepts/connections).
"""

from __future__ import annotations

from uuid import UUID

from reconciler.apply.failing import FailureCode, Then, changed, differs, not_done
from reconciler.apply.retried_write import settle
from reconciler.apply.state import WorkerState
from reconciler.codat.looking import Look
from reconciler.model import (
    BEING_SENT,
    MAX_TAG_VALUE,
    MAX_TAGS,
    SENT_TAG,
    LiveCompany,
    sent_marks,
    sent_tag,
    short_id,
)
from reconciler.plan import AuthorizeConnection


class Mark:
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
        known = {short_id(one.id) for one in live.connections}
        marks = {name: one for name, one in sent_marks(live.tags).items() if name in known}
        value = sent_tag(marks | {short_id(self._connection_id): mark})
        others = {name: one for name, one in live.tags.items() if name != SENT_TAG}
        tags = others | ({SENT_TAG: value} if value else {})
        if len(value) > MAX_TAG_VALUE or (len(tags) > MAX_TAGS and len(tags) > len(live.tags)):
            raise not_done(
                FailureCode.NO_ROOM,
                f"the tag {SENT_TAG}, which shows that tokens were sent, has no room on the company",
                then=Then.MAKE_ROOM,
            )
        return tags
