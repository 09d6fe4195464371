"""kill -9 at every request boundary: the next run ends where an undisturbed one does, nothing twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
from gate import Gate
from installed import company, connection, over_http, run, start, write_specs
from loopback import serving

from reconciler.sandbox import Sandbox

ENV = {"ONE": "good-1", "TWO": "good-2", "THREE": "good-3"}
WRITES = 2 + 3 + 1 + 3 + 2
"""Two companies, three connections, one record of links, three authorizes, two syncs."""


def specs_in(directory: Path) -> Path:
    return write_specs(
        directory,
        [
            company("acme", connection("books", "xero", "ONE")),
            company(
                "bravo", connection("bank1", "truelayer", "TWO"), connection("bank2", "truelayer", "THREE")
            ),
        ],
    )


def shape(sandbox: Sandbox) -> list[Any]:
    """What must be the same however often a run was killed."""
    return [
        (
            one["name"],
            sorted((tag, value) for tag, value in one["tags"].items() if tag != "codatSyncLinks"),
            [(link["integrationKey"], link["status"]) for link in one["dataConnections"]],
        )
        for one in sorted(sandbox.state()["companies"], key=lambda one: one["name"])
    ]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", range(1, WRITES + 1))
def test_a_killed_apply_is_completed_by_the_next(
    nth: int, when: Literal["before", "after"], tmp_path: Path
) -> None:
    specs = specs_in(tmp_path)
    sandbox = Sandbox(tmp_path / "codat.db", settings={"syncSeconds": 600})
    gate = Gate(sandbox, nth, when)
    with serving(gate) as url:
        env = over_http(url) | ENV
        process = start("apply", specs, "--yes", cwd=tmp_path, env=env)
        assert gate.reached.wait(30), process.communicate(timeout=5)
        process.kill()
        process.communicate(timeout=10)
        done = run("apply", specs, "--yes", cwd=tmp_path, env=env)
        assert done.returncode == 0, done.stdout + done.stderr
    assert shape(sandbox) == [
        ("acme", [("codatSyncKey", "acme"), ("codatSyncWorkspace", "test")], [("gbol", "Linked")]),
        (
            "bravo",
            [("codatSyncKey", "bravo"), ("codatSyncWorkspace", "test")],
            [("upvr", "Linked"), ("upvr", "Linked")],
        ),
    ]
    journal = sandbox.journal()
    assert not any(entry["tokensToLinked"] for entry in journal)
    effective = [
        entry["connectionId"] for entry in journal if entry["method"] == "PUT" and entry["tookEffect"]
    ]
    assert len(effective) == len(set(effective)) == 3
    synced = {pull["connectionId"] for pull in sandbox.state()["pulls"]}
    assert synced == set(effective)
