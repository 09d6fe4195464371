"""A migration in this process: specs, the embedded sandbox, and the command on both."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import run
from reconciler.codat import Client, asgi_transport, connect
from reconciler.sandbox import Sandbox
from reconciler.secret_refs import Secret
from reconciler.workspace import Limits

SETTINGS = "version: 1\nworkspace: test\n"


@dataclass
class Move:
    """A directory with specs and a sandbox; syncs there take no time unless a test says so."""

    directory: Path
    capsys: pytest.CaptureFixture[str]
    out: str = ""
    err: str = ""

    def __post_init__(self) -> None:
        (self.directory / ".git").mkdir()
        (self.directory / "specs").mkdir()
        self.settings("")
        self.sandbox.set(syncSeconds=0)

    @property
    def sandbox(self) -> Sandbox:
        return Sandbox(self.directory / "codat.db")

    def settings(self, text: str) -> None:
        (self.directory / "specs" / "workspace.yaml").write_text(SETTINGS + text)

    def specs(self, **companies: str) -> None:
        """Write companies: for each key its connections, as YAML in flow style."""
        text = "".join(
            f"  {key}:\n    name: {key.title()}\n    connections: {{{connections}}}\n"
            for key, connections in companies.items()
        )
        (self.directory / "specs" / "companies.yaml").write_text("version: 1\ncompanies:\n" + text)

    def __call__(self, command: str, *arguments: str | Path) -> int:
        file = str(self.directory / "codat.db")
        specs = str(self.directory / "specs")
        status = run([command, specs, "--sandbox-file", file, *map(str, arguments)])
        self.out, self.err = self.capsys.readouterr()
        return status

    def apply(self, *arguments: str) -> int:
        return self("apply", "--yes", *arguments)

    def verify(self, *arguments: str) -> dict[str, Any]:
        """The verification as JSON; its status must say the same."""
        status = self("verify", "--format", "json", *arguments)
        document: dict[str, Any] = json.loads(self.out)
        assert status == (0 if document["passed"] else 1)
        return document

    def verdicts(self, *arguments: str) -> dict[str, str]:
        return {
            connection["address"]: connection["verdict"]
            for connection in self.verify(*arguments)["connections"]
        }

    def company(self, name: str) -> dict[str, Any]:
        (found,) = [
            company for company in self.sandbox.state()["companies"] if company["name"] == name.title()
        ]
        return found

    def connection(self, name: str) -> str:
        """The id of a company's first connection."""
        identifier: str = self.company(name)["dataConnections"][0]["id"]
        return identifier

    def ask(self, do: Callable[[Client], Awaitable[Any]]) -> None:
        """Let someone else ask Codat."""
        asyncio.run(self.talk(do))

    async def talk(self, do: Callable[[Client], Awaitable[Any]]) -> None:
        """Let someone else ask Codat, from within a loop."""
        async with connect(
            Client,
            "http://127.0.0.1",
            Secret("Basic eA=="),
            limits=Limits(),
            transport=asgi_transport(self.sandbox),
            paced=False,
        ) as client:
            await do(client)

    @property
    def names(self) -> list[str]:
        return sorted(company["name"] for company in self.sandbox.state()["companies"])


def tokens(variable: str, platform: str = "xero") -> str:
    """A self-service connection ``books``."""
    return f"books: {{platform: {platform}, authorization: {{accessToken: '${{env:{variable}}}'}}}}"


def managed(platform: str = "freeagent") -> str:
    """A connection ``books`` that Codat's team links."""
    return f"books: {{platform: {platform}, migration: managed}}"
