"""A sandbox on loopback, and the command run against it in the test's own process."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from gate import Gate
from loopback import asked

from reconciler.cli import run
from reconciler.sandbox import Sandbox


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Codat:
    """A sandbox on loopback, what it was asked, and the command run against it in ``directory``."""

    sandbox: Sandbox
    gate: Gate
    url: str
    directory: Path
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: str | Path) -> Done:
        """Run ``codat-sync`` on ``arguments``."""
        self.capsys.readouterr()
        status = run([str(argument) for argument in arguments])
        printed = self.capsys.readouterr()
        return Done(status, printed.out, printed.err)

    def company(self, name: str) -> dict[str, Any]:
        """The live company of this name."""
        (found,) = (company for company in self.sandbox.state()["companies"] if company["name"] == name)
        return found

    def writes(self) -> list[tuple[str, str]]:
        """The method and path of every write that took effect."""
        return [
            (document["method"], document["path"])
            for document in self.sandbox.journal()
            if document["tookEffect"]
        ]

    def drift(self, name: str, /, **fields: object) -> None:
        """Change a company as a colleague of ours would, past this tool."""
        url = f"{self.url}/companies/{self.company(name)['id']}"
        headers = {"Authorization": "Basic eA==", "Idempotency-Key": str(uuid.uuid4())}
        asked("PATCH", url, json=fields, headers=headers).raise_for_status()
