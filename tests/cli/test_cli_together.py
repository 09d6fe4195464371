"""Two applies started at the same moment: everything is created once, and tokens collide in a race alone.

``CODAT_SYNC_RACES=50`` starts fifty pairs, as ``.ci/deep`` does.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from installed import company, connection, over_http, run, start, write_specs
from loopback import serving

from reconciler.sandbox import Sandbox

RACES = int(os.environ.get("CODAT_SYNC_RACES", "4"))
RACE = timedelta(seconds=2)
"""Within this time two runs may both send the tokens of a connection, as docs/guarantees.md says."""
KEYS = ("acme", "bravo", "cargo", "delta", "echo", "ferry")


@pytest.mark.parametrize(
    "_race",
    [0, *(pytest.param(race, marks=pytest.mark.slow) for race in range(1, RACES))],
)
def test_two_applies_at_once_create_nothing_twice(_race: int, tmp_path: Path) -> None:
    specs = write_specs(
        tmp_path,
        [
            company(key, connection("bank1", "truelayer", "ONE"), connection("bank2", "truelayer", "TWO"))
            for key in KEYS
        ],
    )
    sandbox = Sandbox(tmp_path / "codat.db", settings={"syncSeconds": 0})
    with serving(sandbox) as url:
        env = over_http(url) | {"ONE": "good-1", "TWO": "good-2"}
        both = [start("apply", specs, "--yes", cwd=tmp_path, env=env) for _ in range(2)]
        said = [popen.communicate(timeout=120) for popen in both]
        done = run("apply", specs, "--yes", cwd=tmp_path, env=env)
    assert "Traceback" not in f"{said}{done.stderr}"
    assert "a bug in codat-sync" not in f"{said}{done}"
    assert done.returncode == 0, done.stdout + done.stderr

    companies = sandbox.state()["companies"]
    assert Counter(company["tags"]["codatSyncKey"] for company in companies) == dict.fromkeys(KEYS, 1)
    assert [len(company["dataConnections"]) for company in companies] == [2] * len(KEYS)
    raced = _raced(sandbox.journal())
    synced = {pull["connectionId"] for pull in sandbox.state()["pulls"]}
    for customer in companies:
        for link in customer["dataConnections"]:
            is_whole = link["status"] == "Linked" and link["id"] in synced
            assert is_whole or link["id"] in raced


def _raced(journal: list[dict[str, Any]]) -> set[str]:
    """The connections whose tokens came from both runs; each time within the race that is permitted."""
    raced, linked_at = set(), {}
    for entry in journal:
        if entry["method"] != "PUT":
            continue
        at = datetime.fromisoformat(entry["at"])
        if entry["tokensToLinked"]:
            assert at - linked_at[entry["connectionId"]] < RACE
            raced.add(entry["connectionId"])
        elif entry["tookEffect"]:
            linked_at[entry["connectionId"]] = at
    return raced
