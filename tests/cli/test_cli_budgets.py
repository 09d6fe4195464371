"""How much is asked of Codat: four writes for a company with a connection, and plans that cost pages."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest
from gate import Gate
from installed import company, connection, over_http, run, write_specs
from loopback import serving

from reconciler.codat import Client, asgi_transport, connect
from reconciler.model import KEY_TAG, WORKSPACE_TAG
from reconciler.sandbox import Sandbox
from reconciler.secret_refs import Secret
from reconciler.workspace import Limits


def test_fifty_new_companies_with_a_connection_take_two_hundred_writes(tmp_path: Path) -> None:
    keys = [f"c{number:02}" for number in range(50)]
    specs = write_specs(tmp_path, [company(key, connection("books", "xero", "TOKEN")) for key in keys])
    gate = Gate(Sandbox(settings={"syncSeconds": 600}))
    with serving(gate) as url:
        env = over_http(url) | {"TOKEN": "good"}
        done = run("apply", specs, "--yes", cwd=tmp_path, env=env)
        assert (done.returncode, gate.writes) == (0, 200), done.stdout + done.stderr
        again = run("apply", specs, "--yes", cwd=tmp_path, env=env)
        assert (again.returncode, gate.writes) == (0, 200), again.stdout + again.stderr


@pytest.fixture(scope="module")
def crowded() -> Sandbox:
    """A sandbox of 6,000 companies, every second one managed by the workspace ``test``."""
    sandbox = Sandbox(settings={"syncSeconds": 0})

    async def fill() -> None:
        async with connect(
            Client,
            "http://127.0.0.1",
            Secret("Basic eA=="),
            limits=Limits(),
            transport=asgi_transport(sandbox),
            paced=False,
        ) as client:
            for number in range(6000):
                tags = {WORKSPACE_TAG: "test", KEY_TAG: f"c{number}"} if number % 2 else {}
                await client.create_company({"name": f"Company {number}", "tags": tags}, _uuid(number))

    asyncio.run(fill())
    return sandbox


def _uuid(number: int):
    from uuid import UUID

    return UUID(int=number + 1)


@pytest.mark.slow
def test_a_plan_over_three_thousand_of_six_thousand_companies_costs_pages(
    crowded: Sandbox, tmp_path: Path
) -> None:
    managed = [f"  c{number}: {{name: Company {number}}}\n" for number in range(1, 6000, 2)]
    specs = write_specs(tmp_path, managed)
    gate = Gate(crowded)
    with serving(gate) as url:
        done = run("plan", specs, "--format", "json", cwd=tmp_path, env=over_http(url))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["summary"]["unchanged"] == 3000
    assert len(gate.reads) <= 3 + 3, Counter(gate.reads)
    assert gate.writes == 0
