"""Existing accounts: import writes specs that adopt every company and change nothing else."""

from __future__ import annotations

import asyncio
import json
import uuid
from pathlib import Path

import pytest
from installed import run
from loopback import asked
from served import Codat

from reconciler.cli.options import Exit
from reconciler.codat import Client, asgi_transport, connect
from reconciler.model import KEY_TAG, WORKSPACE_TAG
from reconciler.sandbox import Sandbox
from reconciler.secret_refs import Secret
from reconciler.workspace import Limits

COMPANIES = 40


@pytest.fixture
def account(tmp_path: Path) -> Path:
    """A directory whose sandbox holds unmanaged companies of every shape, and one that is managed."""
    sandbox = Sandbox(tmp_path / "sandbox.db", settings={"syncSeconds": 0})

    async def fill() -> None:
        async with connect(
            Client,
            "http://127.0.0.1",
            Secret("Basic eA=="),
            limits=Limits(),
            transport=asgi_transport(sandbox),
            paced=False,
        ) as client:
            for number in range(COMPANIES):
                body = {"name": f"Company {number // 2}", "tags": {"uid": f"cust_{number}"}}
                made = await client.create_company(body | {"description": "on: 2026-01-01"}, uuid.uuid4())
                for platform in ("gbol", "qhyg", "upvr", "upvr")[: number % 5]:
                    connection = await client.create_connection(made.value.id, platform, uuid.uuid4())
                    if platform == "upvr" or (platform == "gbol" and number % 2):
                        tokens = {"accessToken": Secret(f"good-{number}")}
                        await client.authorize(made.value.id, connection.value.id, tokens)
            tags = {WORKSPACE_TAG: "other", KEY_TAG: "theirs"}
            await client.create_company({"name": "Theirs", "tags": tags}, uuid.uuid4())

    asyncio.run(fill())
    sandbox.close()
    return tmp_path


def plan(directory: Path) -> dict[str, int]:
    done = run("plan", "specs", "--sandbox-file", "sandbox.db", "--format", "json", cwd=directory)
    assert done.returncode == 0, done.stderr
    summary: dict[str, int] = json.loads(done.stdout)["summary"]
    return {kind: count for kind, count in summary.items() if "." in kind and count}


@pytest.mark.parametrize("out", ["specs/imported.yaml", "specs/imported"])
def test_what_is_imported_is_adopted_and_then_in_order(account: Path, out: str) -> None:
    done = run("import", "--all", "--out", out, "--sandbox-file", "sandbox.db", cwd=account)
    assert done.returncode == 0, done.stderr
    assert f"Wrote {COMPANIES} companies" in done.stdout
    assert "theirs of the workspace other manages it already" in done.stderr
    assert plan(account) == {"company.adopt": COMPANIES}
    applied = run("apply", "specs", "--sandbox-file", "sandbox.db", "--yes", cwd=account)
    assert applied.returncode == 0, applied.stdout
    assert plan(account) == {}


def test_an_import_never_writes_over_a_file(account: Path) -> None:
    (account / "specs").mkdir()
    (account / "specs" / "imported.yaml").write_text("# mine\n")
    done = run("import", "--all", "--sandbox-file", "sandbox.db", cwd=account)
    assert (done.returncode, "exists already" in done.stderr) == (1, True)
    assert (account / "specs" / "imported.yaml").read_text() == "# mine\n"


def test_companies_can_be_chosen_by_tag(account: Path) -> None:
    done = run("import", "--tags", "uid = cust_7", "--sandbox-file", "sandbox.db", cwd=account)
    assert "Wrote 1 company" in done.stdout
    assert plan(account) == {"company.adopt": 1}


@pytest.mark.parametrize("choice", [[], ["--all", "--tags", "a = b"]])
def test_one_choice_of_companies_is_needed(choice: list[str], tmp_path: Path) -> None:
    done = run("import", *choice, "--sandbox", cwd=tmp_path)
    assert (done.returncode, "one of --all, --tags QUERY, --id ID" in done.stderr) == (2, True)


@pytest.mark.parametrize("option", ["--id", "--tags"])
def test_what_no_query_can_hold_is_misuse(account: Path, option: str) -> None:
    done = run("import", option, "a\udcff", "--sandbox", "--sandbox-file", "sandbox.db", cwd=account)
    assert (done.returncode, "must be printable text" in done.stderr) == (2, True)


# --- what is written where it is asked for, and what cannot be ---------------------------------


def ask(codat: Codat, method: str, path: str, body: object = None) -> dict:
    headers = {"Authorization": "Basic eA==", "Idempotency-Key": str(uuid.uuid4())}
    answer = asked(method, f"{codat.url}/{path}", json=body, headers=headers).raise_for_status()
    return answer.json() if answer.content else {}


@pytest.fixture
def workspace(codat: Codat) -> Codat:
    """An empty workspace, and a company with products and sync settings of its own."""
    (codat.directory / "workspace.yaml").write_text("version: 1\nworkspace: test\n")
    company = f"companies/{ask(codat, 'POST', 'companies', {'name': 'Acme', 'tags': {}})['id']}"
    ask(codat, "PUT", f"{company}/products/lending")
    settings = ask(codat, "GET", f"{company}/syncSettings")
    settings["settings"][0]["syncSchedule"] = 3
    ask(codat, "POST", f"{company}/syncSettings", settings | {"overridesDefaults": True})
    return codat


def adopts(codat: Codat) -> bool:
    done = codat.run("plan", "--format", "json")
    return [action["kind"] for action in json.loads(done.out)["actions"]] == ["company.adopt"]


def test_products_and_sync_settings_are_told_as_left_out(workspace: Codat) -> None:
    done = workspace.run("import", "--all")
    assert "--with products writes them" in done.err
    assert "--with syncSettings" in done.err
    assert adopts(workspace)


def test_products_and_sync_settings_are_written_where_they_are_asked_for(workspace: Codat) -> None:
    done = workspace.run("import", "--all", "--with", "products,syncSettings")
    text = (workspace.directory / "specs" / "imported.yaml").read_text()
    assert ("products:" in text, "syncSchedule: 3" in text, "left out" in done.err) == (True, True, False)
    assert adopts(workspace)
    assert workspace.run("apply", "--yes").status == Exit.OK
    assert json.loads(workspace.run("plan", "--format", "json").out)["actions"] == []


def test_a_part_that_nobody_knows_is_misuse(workspace: Codat) -> None:
    assert workspace.run("import", "--all", "--with", "tokens").status == Exit.CHANGES


@pytest.mark.parametrize(
    ("earlier", "arguments", "spec"),
    [
        ((), ("--all",), "specs/imported.yaml"),
        ((), ("--all", "--out", "infra/each"), "infra/each/acme.yaml"),
        ((), ("--account",), "specs/account.yaml"),
        (("init", "specs", "--schemas"), ("--all",), "specs/imported.yaml"),
        (("init", ".", "--schemas"), ("--all", "--out", "infra/each"), "infra/each/acme.yaml"),
    ],
)
def test_editors_find_the_schema_that_an_imported_spec_names(
    workspace: Codat, earlier: tuple[str, ...], arguments: tuple[str, ...], spec: str
) -> None:
    (workspace.directory / "specs").mkdir(exist_ok=True)
    if earlier:
        assert run(*earlier, cwd=workspace.directory).returncode == 0
    assert workspace.run("import", *arguments).status == Exit.OK
    file = workspace.directory / spec
    named = file.read_text().splitlines()[0].removeprefix("# yaml-language-server: $schema=")
    assert json.loads((file.parent / named).read_text())["title"]
    assert len([*workspace.directory.rglob("spec.schema.json")]) == 1


def test_an_import_of_nothing_writes_nothing(workspace: Codat) -> None:
    assert workspace.run("import", "--tags", "uid = nobody", "--out", "new").out == "Nothing to write.\n"
    assert not (workspace.directory / "new").exists()


def test_what_cannot_be_adopted_is_counted_and_commented(workspace: Codat) -> None:
    ask(workspace, "POST", "companies", {"name": "Full", "tags": {f"t{n}": "x" for n in range(10)}})
    done = workspace.run("import", "--all", "--out", "specs/each")
    assert "1 left out: company" in done.err
    comment = (workspace.directory / "specs" / "each" / "_left-out.yaml").read_text()
    assert "10 tags and 2 of ours" in comment
    assert workspace.run("validate").status == Exit.OK
    assert adopts(workspace)


def test_four_letters_that_nobody_carries_are_refused_by_plan_and_not_offline(workspace: Codat) -> None:
    (workspace.directory / "specs").mkdir()
    spec = "version: 1\ncompanies: {bravo: {name: B, connections: {x: {platform: zzzz, migration: link}}}}\n"
    (workspace.directory / "specs" / "a.yaml").write_text(spec)
    offline, planned = workspace.run("validate"), workspace.run("plan")
    assert (offline.status, "has the key 'zzzz'" in offline.out + offline.err) == (Exit.OK, True)
    assert (planned.status, "no connection in Codat, has the key 'zzzz'" in planned.err) == (Exit.ERROR, True)
