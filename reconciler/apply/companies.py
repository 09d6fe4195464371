"""Creates a company, its two tags of ours in the same request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from reconciler.apply import keys
from reconciler.apply.creating import create
from reconciler.apply.failing import FailureCode, differs, not_done
from reconciler.apply.state import LaneState
from reconciler.codat import Answered, Client
from reconciler.model import KEY_TAG, LINKS_TAG, WORKSPACE_TAG, LiveCompany
from reconciler.outcome import Result
from reconciler.plan import CreateCompany


async def create_company(lane: LaneState, action: CreateCompany) -> Result:
    """Create the company, or find that another run of ours did."""
    made = await create(lane, MakingCompany(lane, action))
    lane.made_company = made.value.id
    return Result.ALREADY if made.found else Result.DONE


@dataclass(frozen=True, slots=True)
class MakingCompany:
    """What the protocol of creation asks of a company."""

    lane: LaneState
    action: CreateCompany

    @property
    def what(self) -> str:
        """What it is, for messages."""
        return f"company {self.action.address}"

    @property
    def _owner(self) -> tuple[str, str]:
        return self.lane.run.workspace, self.lane.key

    def key(self, attempt: int) -> UUID:
        """The idempotency key of an attempt."""
        return keys.company_key(*self._owner, attempt)

    async def send(self, client: Client, key: UUID) -> Answered[LiveCompany]:
        """``POST /companies``."""
        body: dict[str, Any] = {"name": self.action.name, "tags": dict(self.action.tags)}
        if self.action.description is not None:
            body["description"] = self.action.description
        return await client.create_company(body, key)

    async def find(self) -> LiveCompany | None:
        """The company that carries our two tags; the answer is filtered again on our side."""
        workspace, key = self._owner
        query = f"{WORKSPACE_TAG}={workspace} && {KEY_TAG}={key}"
        found = [one for one in await self.lane.client.companies(query) if one.owner() == self._owner]
        if len(found) > 1:
            ids = " and ".join(one.id for one in found)
            raise not_done(
                FailureCode.DUPLICATE,
                f"Codat has {len(found)} companies that carry the key '{key}': {ids}",
                then="pin the right one by 'id' in the spec, delete the other or take its tags away",
            )
        return found[0] if found else None

    async def read(self, made: LiveCompany) -> LiveCompany:
        """The company as it is now."""
        live = await self.lane.client.company(made.id)
        if live.owner() != self._owner:
            raise not_done(
                FailureCode.NOT_OURS,
                f"an earlier run created company {made.id} for this key, and it no longer carries our tags",
                then="adopt it by 'id' in the spec, or delete it and run the same command again",
            )
        return live

    async def has_owner(self) -> bool:
        """Never: a company belongs to nothing."""
        return False

    def is_another(self, made: LiveCompany) -> bool:  # noqa: ARG002 - of the protocol
        """Never: a key stands for one company."""
        return False

    def compare(self, made: LiveCompany) -> None:
        """The name and every tag that was asked for; the record of links may have grown since."""
        if made.name != self.action.name:
            raise differs("name", self.action.name, made.name)
        for tag, value in sorted(self.action.tags.items()):
            has_grown = tag == LINKS_TAG and tag in made.tags
            if made.tags.get(tag) != value and not has_grown:
                raise differs(f"tags.{tag}", value, made.tags.get(tag, ""))
