"""Which Codat a run speaks to: what counts as this machine, and what is left open afterwards."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from reconciler.codat import ReadClient
from reconciler.diagnostics import RefusedError
from reconciler.sandbox import Sandbox
from reconciler.workflow import endpoint
from reconciler.workflow.endpoint import Endpoint
from reconciler.workspace import Limits, Workspace

FOR_A_SANDBOX = Workspace(name="test", root="/", sandbox_only=True)


@pytest.mark.parametrize(
    "url", ["http://localhost:8080", "http://127.0.0.1", "http://127.0.0.2:8080", "http://[::1]:8080"]
)
def test_what_may_be_asked_over_http_may_be_asked_with_specs_for_a_sandbox(url: str) -> None:
    Endpoint({}, api_url=url).check(FOR_A_SANDBOX)


@pytest.mark.parametrize("url", ["https://api.codat.io", "https://localhost.example", "https://128.0.0.1"])
def test_specs_for_a_sandbox_are_kept_from_anything_else(url: str) -> None:
    with pytest.raises(RefusedError, match="sandboxOnly"):
        Endpoint({}, api_url=url).check(FOR_A_SANDBOX)


def test_the_embedded_sandbox_is_closed_when_the_client_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = Sandbox(tmp_path / "sandbox.db")
    monkeypatch.setattr(endpoint, "embedded_sandbox", lambda _: sandbox)

    async def ask() -> None:
        async with Endpoint({}, sandbox_file=tmp_path / "sandbox.db").open(ReadClient, Limits()) as client:
            await client.platforms()

    asyncio.run(ask())
    with pytest.raises(sqlite3.ProgrammingError):
        sandbox.journal()
