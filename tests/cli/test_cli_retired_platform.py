"""A platform that Codat has retired stands on old companies: they are imported, and kept as they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from installed import run

from reconciler.sandbox import Sandbox, companies, connections
from reconciler.sandbox.answers import Call

PANDLE = "vjms"


@pytest.fixture
def account(tmp_path: Path) -> Path:
    """A directory whose sandbox holds a company on a platform that was retired since."""
    sandbox = Sandbox(tmp_path / "sandbox.db", settings={"retiredPlatforms": []})

    def body(**fields: object) -> bytes:
        return json.dumps(fields).encode()

    with sandbox._store.transaction() as session:
        made = companies.create_company(session, Call("", "", "", {}, body=body(name="Old Books")))
        path = {"companyId": made.document["id"]}
        books = connections.create_connection(session, Call("", "", "", path, body=body(platformKey=PANDLE)))
        path["connectionId"] = books.document["id"]
        connections.authorize(session, Call("", "", "", path, body=body(accessToken="good")))
    sandbox.set(retiredPlatforms=[PANDLE])
    sandbox.close()
    return tmp_path


def command(directory: Path, name: str, *arguments: str) -> str:
    done = run(name, *arguments, "--sandbox-file", "sandbox.db", cwd=directory)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_stands_on_a_retired_platform_is_imported_adopted_and_in_order(account: Path) -> None:
    command(account, "import", "--all")
    written = (account / "specs" / "imported.yaml").read_text()
    assert f"platform: {PANDLE}" in written

    first = json.loads(command(account, "plan", "specs", "--format", "json"))
    assert [action["kind"] for action in first["actions"]] == ["company.adopt"]
    command(account, "apply", "specs", "--yes")
    second = json.loads(command(account, "plan", "specs", "--format", "json"))
    assert (second["actions"], second["attention"]) == ([], [])


SPEC = """\
version: 1
companies:
  new:
    name: New Books
    connections: {books: {platform: vjms, migration: link}}
"""


def test_what_codat_says_of_a_new_connection_on_it_is_told(account: Path) -> None:
    (account / "workspace.yaml").write_text("version: 1\nworkspace: prod\n")
    (account / "specs").mkdir()
    (account / "specs" / "a.yaml").write_text(SPEC)

    done = run("apply", "specs", "--sandbox-file", "sandbox.db", "--yes", cwd=account)

    assert done.returncode == 1
    assert "No integration was found with key vjms" in done.stdout + done.stderr
