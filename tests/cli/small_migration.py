"""Two companies, one of them with two connections of one platform, and what must have become of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from installed import company, connection, write_specs

from reconciler.sandbox import Sandbox

ENV: Final = {"ONE": "good-1", "TWO": "good-2", "THREE": "good-3"}
WRITES: Final = 2 + 1 + 1 + 3 + 1 + 3 + 2
"""Two companies, a product, sync settings, three connections, their record, three authorizes, two syncs."""


def specs_in(directory: Path) -> Path:
    """The specs of both."""
    return write_specs(
        directory,
        [
            company("acme", connection("books", "xero", "ONE"), fields="products: [lending]"),
            company(
                "bravo",
                connection("bank1", "truelayer", "TWO"),
                connection("bank2", "truelayer", "THREE"),
                fields="syncSettings: {banking-accounts: {syncSchedule: 12}}",
            ),
        ],
    )


def shape(sandbox: Sandbox) -> list[Any]:
    """What must be the same however often a run was killed."""
    return [
        (
            company["name"],
            company["products"],
            sorted((tag, value) for tag, value in company["tags"].items() if tag != "codatSyncLinks"),
            [(link["integrationKey"], link["status"]) for link in company["dataConnections"]],
        )
        for company in sorted(sandbox.state()["companies"], key=lambda value: value["name"])
    ]


def expect_whole(sandbox: Sandbox) -> None:
    """Both are there once, linked once with tokens that were never sent in vain, and synced."""
    assert shape(sandbox) == [
        (
            "acme",
            ["lending"],
            [("codatSyncKey", "acme"), ("codatSyncWorkspace", "test")],
            [("gbol", "Linked")],
        ),
        (
            "bravo",
            [],
            [("codatSyncKey", "bravo"), ("codatSyncWorkspace", "test")],
            [("upvr", "Linked"), ("upvr", "Linked")],
        ),
    ]
    journal = sandbox.journal()
    settings = [
        document
        for document in journal
        if document["path"].endswith("/syncSettings") and document["tookEffect"]
    ]
    assert len(settings) in (1, 2), "sent again at most where no answer came"
    assert not any(entry["tokensToLinked"] for entry in journal)
    effective = [
        entry["connectionId"]
        for entry in journal
        if entry["path"].endswith("/authorization") and entry["tookEffect"]
    ]
    assert len(effective) == len(set(effective)) == 3
    synced = {pull["connectionId"] for pull in sandbox.state()["pulls"]}
    assert synced == set(effective)
