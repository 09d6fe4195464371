"""Records which connection is which, where a company's own create or update has not done so.

Connections carry no name and no tags (https://docs.codat.io/core-concepts/connections), so the record
stands in a tag of the company. It is written after the last create and before the first authorize, and
before a delete of what it holds no id of.
"""

from __future__ import annotations

from uuid import UUID

from reconciler.apply import waiting
from reconciler.apply.failing import changed, differs
from reconciler.apply.retried_write import settle
from reconciler.apply.state import WorkerState
from reconciler.codat import Client
from reconciler.codat.errors import NotFoundError
from reconciler.codat.looking import Look
from reconciler.model import LINKS_TAG, Address, LiveCompany, Mark, links_tag, marks_of
from reconciler.plan import CreateConnection, DeleteConnection


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
        live = await waiting.look(read, worker.pausing("Codat does not show the company yet"))
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
