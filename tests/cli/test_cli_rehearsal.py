"""A whole migration from tables, rehearsed: first company, the rest, mistakes mended, verify, handoff."""

from __future__ import annotations

import csv
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from installed import COMMAND, environment, run

from reconciler.sandbox import Sandbox

CUSTOMERS = 1000
"""Customers whose tokens we hold."""
MANAGED = 20
"""Customers whose tokens Codat's team imports."""
BAD = range(100, 112)
BY_HAND = range(5)
"""Managed customers that are linked outside of us meanwhile."""
REVOKED = range(200, 203)
WIPED = range(300, 302)

WORKSPACE = """\
version: 1
workspace: rehearsal
rollout: {canary: c0000, maxFailures: 50}
"""
SETS = """\
version: 1
companySets:
  customers:
    from: customers.csv
    key: ${row:id}
    company:
      name: ${row:name}
      connections:
        shop:
          platform: bigcommerce
          authorization: {accessToken: "${table:tokens.csv#${row:id}.accessToken}"}
  handed-over:
    from: managed.csv
    key: ${row:id}
    company:
      name: ${row:name}
      connections: {books: {platform: freshbooks, migration: managed}}
"""


def write_table(path: Path, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def write_tokens(specs: Path, bad: range) -> None:
    rows = [(f"c{n:04}", f"bad-{n}" if n in bad else f"good-{n}") for n in range(CUSTOMERS)]
    write_table(specs / "tokens.csv", ("id", "accessToken"), rows)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    specs = tmp_path / "specs"
    specs.mkdir()
    (specs / "workspace.yaml").write_text(WORKSPACE)
    (specs / "sets.yaml").write_text(SETS)
    customers = [(f"c{n:04}", f"Customer {n}") for n in range(CUSTOMERS)]
    write_table(specs / "customers.csv", ("id", "name"), customers)
    write_table(specs / "managed.csv", ("id", "name"), [(f"m{n:02}", f"Managed {n}") for n in range(MANAGED)])
    write_tokens(specs, BAD)
    return tmp_path


def apply(project: Path) -> tuple[int, dict[str, Any]]:
    done = run("apply", "specs", "--sandbox-file", "codat.db", "--yes", "--format", "json", cwd=project)
    return done.returncode, json.loads(done.stdout)


def meanwhile(sandbox: Sandbox) -> None:
    """What happens outside while the migration goes on."""
    companies = {company["name"]: company for company in sandbox.state()["companies"]}

    def only_connection(name: str) -> str:
        (connection,) = companies[name]["dataConnections"]
        return str(connection["id"])

    for number in BY_HAND:
        sandbox.happen(only_connection(f"Managed {number}"), "import")
    for number in REVOKED:
        sandbox.happen(only_connection(f"Customer {number}"), "deauthorize")
    for number in WIPED:
        sandbox.wipe_tags(companies[f"Customer {number}"]["id"])


@pytest.mark.slow
def test_a_thousand_customers_are_migrated_from_two_tables(project: Path) -> None:
    sandbox = Sandbox(project / "codat.db", settings={"syncSeconds": 0})

    status, first = apply(project)
    assert (status, first["summary"]["failed"]) == (1, len(BAD))
    assert {result["failure"]["code"] for result in first["results"] if "failure" in result} == {"rejected"}
    per_company = 4
    not_synced = len(BAD)
    assert first["summary"]["requests"] == CUSTOMERS * per_company - not_synced + MANAGED * 2

    write_tokens(project / "specs", range(0))
    status, second = apply(project)
    assert (status, second["summary"]["requests"]) == (0, len(BAD) * 2)

    meanwhile(sandbox)
    status, third = apply(project)
    codes = [attention["code"] for attention in third["attention"]]
    assert (codes.count("exists"), codes.count("relink")) == (len(WIPED), len(REVOKED))
    assert codes.count("managed") == MANAGED - len(BY_HAND)
    assert status == 1, "companies whose tags were wiped block until someone says what is meant"
    assert third["summary"]["requests"] == 1 * len(BY_HAND), "a first sync for each that was linked by hand"

    status, fourth = apply(project)
    assert (status, fourth["summary"]["requests"], fourth["results"]) == (1, 0, [])
    verified = run("verify", "specs", "--sandbox-file", "codat.db", "--format", "json", cwd=project)
    counts = json.loads(verified.stdout)["summary"]
    passed = CUSTOMERS - len(REVOKED) - len(WIPED) + len(BY_HAND)
    assert (verified.returncode, counts["passed"]) == (1, passed)
    packed = run("handoff", "specs", "--sandbox-file", "codat.db", "--out", "pack", cwd=project)
    assert packed.returncode == 0, packed.stderr
    assert any((project / "pack").iterdir())

    companies = sandbox.state()["companies"]
    assert len(companies) == CUSTOMERS + MANAGED
    connections = [link for company in companies for link in company["dataConnections"]]
    assert len(connections) == CUSTOMERS + MANAGED
    linked = sum(link["status"] == "Linked" for link in connections)
    assert linked == CUSTOMERS - len(REVOKED) + len(BY_HAND)
    assert not any(entry["tokensToLinked"] for entry in sandbox.journal())


TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"
FEW = 180
"""Customers that the tutorial's rehearsal has here; two of them with a bad token."""


def _in_bash(script: str, directory: Path) -> str:
    """What a script prints, run as a reader runs it with the command on the path."""
    env = environment()
    env["PATH"] = f"{Path(COMMAND).parent}:{env['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=directory,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_rehearsal_of_the_tutorial_goes_as_it_says(tmp_path: Path) -> None:
    found = re.search(r"^<!-- ci: rehearsal -->\n```sh\n(.*?)^```$", TUTORIAL.read_text(), re.M | re.S)
    assert found is not None
    script = found[1].replace("customers=1000", f"customers={FEW}")
    lines = _in_bash(script, tmp_path).splitlines()
    applied = [line.split("; ")[:2] for line in lines if line.startswith("Applied: ")]
    assert applied == [
        [f"Applied: {FEW * 4 + 2 - 2 * 2} done, 2 failed, 2 not started", f"{FEW * 4} write requests"],
        ["Applied: 4 done, 0 failed, 0 not started", "4 write requests"],
    ]
    assert f"Verified {FEW} connections: {FEW} passed." in lines
    assert f"Nothing to do: {FEW * 2 + 2} unchanged; 1 needs attention." in lines
    assert f"Destroy {FEW} secrets: Codat refreshes these tokens itself, and yours are stale." in lines
    assert any((tmp_path / "rehearsal" / "pack").rglob("*.csv"))


@pytest.mark.slow
def test_the_first_steps_of_the_tutorial_go_as_it_says(tmp_path: Path) -> None:
    page = TUTORIAL.read_text().split("\n## A thousand customers")[0]
    blocks = "".join(re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    script = re.sub(r"^(python3 -m venv|PATH=|mkdir /tmp/first).*\n", "", blocks, flags=re.MULTILINE)
    done = _in_bash(script, tmp_path)
    assert "Applied: 4 done, 0 failed, 0 not started; 4 write requests." in done
    assert "Applied: 1 done, 0 failed, 0 not started; 1 write request." in done
    assert done.count("Nothing to do: 2 ") == 1
    assert "acme/books: nothing to do" in done
