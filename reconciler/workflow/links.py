"""What ``links`` does: gather the URLs that customers must go through, into a file that is not shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.migration import WaitingLink
from reconciler.plan import AttentionCode
from reconciler.planner import ConnectionState
from reconciler.workflow.new_files import check_free, write_new
from reconciler.workflow.running import run
from reconciler.workflow.surveying import Survey, SurveyRequest, look, survey_context

FOR_THE_CUSTOMER: Final = (AttentionCode.LINK, AttentionCode.RELINK)
"""Attention that ends when the customer goes through the link URL."""


@dataclass(frozen=True, slots=True)
class Linked:
    """The connections that wait for their customer, and how many are not in Codat yet."""

    links: tuple[WaitingLink, ...]
    not_created: int


def links(request: SurveyRequest, out: Path, write: Callable[[Sequence[WaitingLink]], str]) -> Linked:
    """Write the link URLs of connections that wait for a customer to ``out``, for its owner alone to read.

    Nothing is written where none waits. ``write`` makes the file's text.

    Raises:
        CodatSyncError: ``out`` is there already or cannot be written, specs, flags or credentials are
            wrong, or Codat cannot be read.
    """
    check_free(out)
    survey = run(_survey(request))
    waiting = [one for one in survey.states if _waits_for_customer(one)]
    found = tuple(link for one in waiting if (link := _link(one)) is not None)
    if found:
        write_new(out, write(found))
    return Linked(found, sum(one.live is None for one in waiting))


def _waits_for_customer(standing: ConnectionState) -> bool:
    return standing.attention is not None and standing.attention.code in FOR_THE_CUSTOMER


def _link(standing: ConnectionState) -> WaitingLink | None:
    company, live = standing.live_company, standing.live
    if company is None or live is None or live.link_url is None:
        return None
    return WaitingLink(
        standing.address,
        company.name,
        company.id,
        live.id,
        standing.connection.platform,
        live.status,
        live.link_url,
    )


async def _survey(request: SurveyRequest) -> Survey:
    async with survey_context(request) as on:
        return await look(on)
