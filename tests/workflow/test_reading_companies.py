"""What a plan asks Codat for: the companies that carry our tag, and all only where something is missing."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from reconciler.codat import ReadClient
from reconciler.live import LiveCompany
from reconciler.model import KEY_TAG, WORKSPACE_TAG, Desired, DesiredCompany
from reconciler.workflow.reading import list_companies

TAGGED, OLD = "codatSyncWorkspace=prod", "codatSyncWorkspace=pilot"


class Listings:
    """A Codat with one company, which carries a workspace and the key ``acme``."""

    def __init__(self, workspace: str) -> None:
        self.asked: list[str] = []
        self._one = LiveCompany(id="a1", name="Acme", tags={WORKSPACE_TAG: workspace, KEY_TAG: "acme"})

    async def companies(self, query: str = "") -> tuple[LiveCompany, ...]:
        self.asked.append(query)
        _, _, workspace = query.partition("=")
        return (self._one,) if workspace in ("", self._one.tags[WORKSPACE_TAG]) else ()


@pytest.mark.parametrize(
    ("carries", "renamed_from", "asked"),
    [
        pytest.param("prod", None, [TAGGED], id="ours"),
        pytest.param("pilot", None, [TAGGED, ""], id="another-workspaces-is-looked-for-everywhere"),
        pytest.param("pilot", "pilot", [TAGGED, OLD], id="of-the-workspace-that-is-taken-over"),
        pytest.param("prod", "pilot", [TAGGED, OLD], id="taken-over-already"),
        pytest.param("prod", "prod", [TAGGED], id="renamed-to-its-own-name"),
    ],
)
def test_no_more_is_listed_than_it_takes_to_find_what_is_wanted(
    carries: str, renamed_from: str | None, asked: list[str]
) -> None:
    codat = Listings(carries)
    desired = Desired(
        workspace="prod",
        companies={"acme": DesiredCompany(key="acme", name="Acme")},
        renamed_from=renamed_from,
    )
    found = asyncio.run(list_companies(cast("ReadClient", codat), desired))
    assert codat.asked == asked
    assert [company.id for company in found] == ["a1"]
