"""kill -9 at every request boundary: the next run ends where an undisturbed one does, nothing twice."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

import pytest
from gate import Gate
from installed import over_http, run, start, write_specs
from loopback import serving
from small_migration import ENV, WRITES, expect_whole, specs_in

from reconciler.sandbox import Sandbox

IS_EACH_TRIED: Final = os.environ.get("CODAT_SYNC_OFTEN") == "1"
"""Whether every write is killed both before and after it took effect, as ``.ci/deep`` does; else by turns."""


def boundaries(writes: int) -> list[tuple[int, str]]:
    """Where an apply of so many writes is killed; the executor's own tests try each in virtual time."""
    both = [(nth, when) for nth in range(1, writes + 1) for when in ("before", "after")]
    return [(nth, when) for nth, when in both if IS_EACH_TRIED or nth % 2 == (when == "after")]


EVERY_SO_OFTEN: Final = 5
"""One boundary of so many is tried while someone waits."""


@pytest.mark.parametrize(
    ("nth", "when"),
    [
        pytest.param(*boundary, marks=() if number % EVERY_SO_OFTEN == 0 else pytest.mark.slow)
        for number, boundary in enumerate(boundaries(WRITES))
    ],
)
def test_a_killed_apply_is_completed_by_the_next(
    nth: int, when: Literal["before", "after"], tmp_path: Path
) -> None:
    specs = specs_in(tmp_path)
    sandbox = Sandbox(tmp_path / "codat.db", settings={"syncSeconds": 600})
    _killed_and_repeated(specs, Gate(sandbox, nth, when), ENV)
    expect_whole(sandbox)


def _killed_and_repeated(specs: Path, gate: Gate, env: Mapping[str, str]) -> None:
    """Apply, kill -9 at the gate, and apply again to a good end, after which nothing is left to do."""
    with serving(gate) as url:
        place = {"cwd": specs.parent, "env": over_http(url) | env}
        process = start("apply", specs, "--yes", **place)
        assert gate.reached.wait(30), process.communicate(timeout=5)
        process.kill()
        process.communicate(timeout=10)
        done = run("apply", specs, "--yes", **place)
        assert done.returncode == 0, done.stdout + done.stderr
        left = run("plan", specs, "--detailed-exitcode", **place)
        assert left.returncode == 0, left.stdout + left.stderr


OF_ACCOUNT: Final = 2 + 1 + 1 + 1
"""Two consumers, the delete of the one that they replace, the profile and its sync settings."""
SAMPLED: Final = (1, "after")
"""A consumer that was created, and whose answer was lost: what is easiest to create twice."""
HOOK: Final = {"HOOK": "https://lender.example/hook?key=must-never-be-shown"}


@pytest.mark.parametrize(
    ("nth", "when"),
    [
        pytest.param(*boundary, marks=() if boundary == SAMPLED else pytest.mark.slow)
        for boundary in boundaries(OF_ACCOUNT)
    ],
)
def test_a_killed_apply_of_the_account_is_completed_by_the_next(
    nth: int, when: Literal["before", "after"], tmp_path: Path
) -> None:
    specs = write_specs(tmp_path, ["  acme: {name: Acme}\n"])
    sandbox = Sandbox(tmp_path / "codat.db")
    (specs / "account.yaml").write_text(account("read.completed", "old"))
    with serving(sandbox) as url:
        before = run("apply", specs, "--yes", cwd=tmp_path, env=over_http(url) | HOOK)
        assert before.returncode == 0, before.stdout + before.stderr
    (specs / "account.yaml").write_text(account("company.created", "new"))

    _killed_and_repeated(specs, Gate(sandbox, nth, when), HOOK)

    consumers = [
        (hook["url"].rpartition("/")[2], *hook["eventTypes"]) for hook in sandbox.state()["webhooks"]
    ]
    assert sorted(consumers) == [
        ("hook?key=must-never-be-shown", "company.created"),
        ("links", "connection.connected"),
        ("new", "connection.connected"),
        ("old", "connection.connected"),
        ("test", "client.rateLimit.reset"),
    ]
    done = [
        entry["method"]
        for entry in sandbox.journal()
        if entry["path"].startswith("/webhooks") and entry["tookEffect"]
    ]
    assert done == ["POST"] * 6 + ["DELETE"], "each once, and no event is lost"


def account(event: str, path: str) -> str:
    """The account's file: the hidden URL is sent ``event``; ``path`` is one that no other file names."""
    return f"""\
version: 1
profile:
  redirectUrl: https://lender.example/{path}
  syncSettings: {{invoices: {{fetchOnFirstLink: true, syncSchedule: {len(path) * len(event)}}}}}
webhooks:
  hidden: {{url: "${{env:HOOK}}", eventTypes: [{event}]}}
  links: {{url: https://lender.example/links, eventTypes: [connection.connected]}}
  moved: {{url: https://lender.example/{path}, eventTypes: [connection.connected]}}
"""
