"""The account itself as specs: created, drifted, mended, saved, imported, and of one workspace alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from installed import company, connection, write_specs
from loopback import asked
from served import Codat

ACCOUNT = """\
version: 1
profile:
  redirectUrl: https://lender.example/{companyId}
  syncSettings:
    invoices: {fetchOnFirstLink: true, syncSchedule: 12}
webhooks:
  reads: {url: "${env:HOOK}", eventTypes: [read.completed]}
  links: {url: https://lender.example/links, eventTypes: [connection.connected], companyTags: ["region:uk"]}
"""
URL = "https://lender.example/hook?key=must-never-be-shown"
KINDS = {"webhook.create": 3, "profile.update": 1, "profile.syncSettings": 1}


@pytest.fixture
def specs(codat: Codat, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace whose company is not linked to anything yet."""
    monkeypatch.setenv("HOOK", URL)
    monkeypatch.setenv("TOKEN", "good-token")
    directory = write_specs(codat.directory, [company("acme", connection("books", "xero", "TOKEN"))])
    (directory / "account.yaml").write_text(ACCOUNT)
    return directory


def account_kinds(codat: Codat, *arguments: str) -> dict[str, int]:
    done = codat.run("plan", "specs", "--format", "json", *arguments)
    assert done.status == 0, done.err
    summary = json.loads(done.out)["summary"]
    return {
        kind: summary[kind] for kind in summary if kind.startswith(("webhook", "profile")) and summary[kind]
    }


def ask(codat: Codat, method: str, path: str, body: Any = None) -> Any:
    """What a colleague does, past this tool."""
    answer = asked(method, codat.url + path, json=body, headers={"Authorization": "Basic eA=="})
    answer.raise_for_status()
    return answer.json() if answer.content else None


@pytest.mark.usefixtures("specs")
def test_what_drifted_is_mended_and_nothing_else_is_touched(codat: Codat) -> None:
    assert account_kinds(codat) == KINDS
    applied = codat.run("apply", "specs", "--yes")
    assert applied.status == 0, applied.err
    assert account_kinds(codat) == {}
    paths = [path for _, path in codat.writes()]
    assert paths.index("/companies") > paths.index("/profile/syncSettings"), "the account comes first"

    ask(codat, "PUT", "/profile", ask(codat, "GET", "/profile") | {"redirectUrl": "https://other.example"})
    (links,) = (webhook for webhook in codat.sandbox.state()["webhooks"] if webhook["url"].endswith("/links"))
    ask(codat, "DELETE", f"/webhooks/{links['id']}")
    ask(codat, "POST", "/webhooks", links | {"eventTypes": ["company.created"]})
    assert account_kinds(codat) == {"webhook.create": 1, "webhook.delete": 1, "profile.update": 1}

    assert codat.run("apply", "specs", "--yes").status == 0
    assert account_kinds(codat) == {}
    assert "must-never-be-shown" not in applied.out + applied.err


def test_a_saved_plan_is_applied_as_reviewed_or_is_stale(codat: Codat, specs: Path) -> None:
    assert codat.run("plan", "specs", "--out", "plan.json").status == 0
    assert "must-never-be-shown" not in Path("plan.json").read_text()
    assert codat.run("apply", "plan.json", "--yes").status == 0
    assert codat.run("plan", "specs", "--detailed-exitcode").status == 0

    (specs / "account.yaml").write_text(ACCOUNT.replace("syncSchedule: 12", "syncSchedule: 6"))
    codat.run("plan", "specs", "--out", "plan.json")
    settings = ask(codat, "GET", "/profile/syncSettings")
    changed = [setting | {"syncSchedule": 48} for setting in settings["settings"]]
    ask(codat, "POST", "/profile/syncSettings", settings | {"settings": changed})
    stale = codat.run("apply", "plan.json", "--yes")
    assert stale.status == 3
    assert "@account/profile: the saved plan is stale" in stale.err


def test_one_workspace_has_the_account_and_a_second_is_refused(codat: Codat, specs: Path) -> None:
    assert codat.run("apply", "specs", "--yes").status == 0
    writes = codat.writes()
    (specs / "workspace.yaml").write_text("version: 1\nworkspace: other\n")

    for command in (("plan", "specs"), ("apply", "specs", "--yes")):
        refused = codat.run(*command)
        assert refused.status == 3
        assert "managed by the workspace 'test'" in refused.err
    assert codat.writes() == writes
    assert codat.run("plan", "specs", "--target", "acme").status == 0, "its companies alone are planned"

    (specs / "workspace.yaml").write_text("version: 1\nworkspace: other\nworkspaceRenamedFrom: test\n")
    assert codat.run("apply", "specs", "--yes").status == 0
    assert codat.run("plan", "specs", "--detailed-exitcode").status == 0


def test_what_was_there_before_blocks_until_it_is_settled(codat: Codat, specs: Path) -> None:
    there = ask(codat, "POST", "/webhooks", {"url": URL, "eventTypes": ["company.created"]})

    blocked = codat.run("apply", "specs", "--yes")

    assert blocked.status == 1
    assert f"webhook consumer {there['id']} at https://lender.example" in blocked.out
    assert [webhook["id"] for webhook in codat.sandbox.state()["webhooks"]] == [there["id"]]
    settled = f"  old: {{id: {there['id']}, state: absent}}\n"
    (specs / "account.yaml").write_text(ACCOUNT + settled)
    assert codat.run("apply", "specs", "--yes").status == 0
    assert there["id"] not in {webhook["id"] for webhook in codat.sandbox.state()["webhooks"]}
    assert account_kinds(codat) == {}


def test_an_imported_account_is_planned_as_it_is(codat: Codat, specs: Path) -> None:
    assert codat.run("apply", "specs", "--yes").status == 0
    (specs / "account.yaml").unlink()
    codat.gate.reads.clear()
    codat.run("plan", "specs")
    assert not {"/webhooks", "/profile", "/profile/syncSettings"} & set(codat.gate.reads)

    imported = codat.run("import", "--account")
    assert imported.status == 0, imported.err
    text = (specs / "account.yaml").read_text()
    assert "must-never-be-shown" not in text
    assert "its URL may hold a secret" in text
    codat.gate.reads.clear()
    assert account_kinds(codat) == {}
    assert [codat.gate.reads.count(word) for word in ("/webhooks", "/profile", "/profile/syncSettings")] == [
        1
    ] * 3
    again = codat.run("import", "--account")
    assert (again.status, "exists already" in again.err) == (1, True)


def test_settings_of_the_same_plan_give_a_sync_something_to_fetch(codat: Codat, specs: Path) -> None:
    settings = ask(codat, "GET", "/profile/syncSettings")
    nothing = [setting | {"fetchOnFirstLink": False} for setting in settings["settings"]]
    ask(codat, "POST", "/profile/syncSettings", settings | {"settings": nothing, "overridesDefaults": True})
    (specs / "account.yaml").rename(codat.directory / "away")
    assert "nothing-to-sync" in codat.run("plan", "specs").out

    (codat.directory / "away").rename(specs / "account.yaml")
    assert "nothing-to-sync" not in codat.run("plan", "specs").out
    assert codat.run("apply", "specs", "--yes").status == 0
    assert {pull["dataType"] for pull in codat.sandbox.state()["pulls"]} == {"invoices"}


def test_narrowing_the_profile_counts_every_company_that_has_synced(codat: Codat, specs: Path) -> None:
    assert codat.run("apply", "specs", "--yes").status == 0
    narrow = ACCOUNT.replace("syncSchedule: 12", "syncSchedule: 12, syncFromWindow: 3")
    (specs / "account.yaml").write_text(narrow)

    refused = codat.run("plan", "specs")

    assert refused.status == 3
    assert "--allow-narrowings 1" in refused.out + refused.err
    assert codat.run("apply", "specs", "--yes", "--allow-narrowings", "1").status == 0


def test_a_review_needs_no_secret_and_an_apply_says_which_is_missing(
    codat: Codat, specs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOOK")
    reviewed = codat.run("plan", specs)
    assert reviewed.status == 0
    assert "@account/webhook.reads (${env:HOOK})" in " ".join(reviewed.out.split())
    refused = codat.run("apply", specs, "--yes")
    assert refused.status == 1
    assert "HOOK is not set" in refused.err
    assert codat.writes() == []


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("@account", "a disabled webhook consumer names"),
        ("@account/profile", "profile.update"),
        ("@account/webhook.reads", "webhook-new"),
    ],
)
@pytest.mark.usefixtures("specs")
def test_everything_of_it_is_explained(codat: Codat, address: str, told: str) -> None:
    explained = codat.run("explain", address)
    assert explained.status == 0, explained.err
    assert told in explained.out
    assert "must-never-be-shown" not in explained.out


def test_a_company_keeps_what_its_spec_says_where_the_profile_changes_in_the_same_plan(
    codat: Codat, specs: Path
) -> None:
    own = "syncSettings: {invoices: {syncSchedule: 24}}"
    write_specs(codat.directory, [company("acme", connection("books", "xero", "TOKEN"), fields=own)])
    (specs / "account.yaml").rename(codat.directory / "away")
    assert codat.run("apply", "specs", "--yes").status == 0
    (codat.directory / "away").rename(specs / "account.yaml")

    assert codat.run("apply", "specs", "--yes").status == 0

    assert codat.run("plan", "specs", "--detailed-exitcode").status == 0
    settings = ask(codat, "GET", f"/companies/{codat.company('acme')['id']}/syncSettings")
    hours = {setting["dataType"]: setting["syncSchedule"] for setting in settings["settings"]}
    assert (hours["invoices"], settings["overridesDefaults"]) == (24, True)
