"""Source accounts of a bank feed as specs: created, renamed, deleted past the guard, saved and imported."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from installed import write_specs
from loopback import asked
from served import Codat, Done

from reconciler.codat import ReadClient
from reconciler.live import LiveSourceAccount

NUMBER, BALANCE = "87654321", "4002.5"
CURRENT = (
    "acc-001: {accountName: Current account, accountType: checking, currency: GBP, "
    "accountNumber: '${env:NUMBER}', sortCode: '${env:SORT_CODE}', balance: '${env:BALANCE}'}"
)
SAVINGS = (
    "acc-002: {accountName: Savings, accountType: savings, currency: EUR, accountNumber: '${env:NUMBER}'}"
)
WHOLE = {
    "id": "acc-001",
    "accountName": "Current account",
    "accountType": "checking",
    "currency": "GBP",
    "accountNumber": NUMBER,
    "sortCode": "040004",
    "balance": 4002.5,
    "status": "pending",
}


def feed(*accounts: str) -> str:
    """A company with a bank feed of these accounts."""
    listed = "".join(f"          {account}\n" for account in accounts)
    return (
        "  acme:\n    name: Acme\n    connections:\n      feed:\n"
        "        platform: quickbooks-online-bankfeeds\n"
        f"        sourceAccounts:\n{listed}"
    )


@pytest.fixture
def specs(codat: Codat, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace whose company feeds two accounts."""
    for name, value in {"NUMBER": NUMBER, "SORT_CODE": "040004", "BALANCE": BALANCE}.items():
        monkeypatch.setenv(name, value)
    return write_specs(codat.directory, [feed(CURRENT, SAVINGS)])


def change(specs: Path, *accounts: str) -> None:
    write_specs(specs.parent, [feed(*accounts)])


def live(codat: Codat) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in account.items() if name not in ("modifiedDate", "connectionId")}
        for account in codat.sandbox.state()["sourceAccounts"]
    ]


def ask(codat: Codat, method: str, account: str = "", **fields: Any) -> None:
    """What a colleague does, past this tool."""
    company = codat.company("Acme")
    place = f"/companies/{company['id']}/connections/{company['dataConnections'][0]['id']}"
    url = f"{codat.url}{place}/connectionInfo/bankFeedAccounts{account}"
    headers = {"Authorization": "Basic eA=="}
    asked(method, url, json=fields, headers=headers).raise_for_status()


def kinds(done: Done) -> list[str]:
    return [action["kind"] for action in json.loads(done.out)["actions"]]


def test_accounts_are_created_with_their_connection_and_nothing_is_left_to_do(
    codat: Codat, specs: Path
) -> None:
    planned = codat.run("plan", specs, "--format", "json")
    assert kinds(planned) == ["company.create", "connection.create", *["sourceAccount.create"] * 2]

    applied = codat.run("apply", specs, "--yes")

    assert applied.status == 0, applied.out + applied.err
    assert live(codat)[0] == WHOLE
    assert [account["balance"] for account in live(codat)] == [4002.5, 0]
    codat.gate.reads.clear()
    assert codat.run("plan", specs, "--detailed-exitcode").status == 0
    assert sum(path.endswith("/bankFeedAccounts") for path in codat.gate.reads) == 1
    for printed in (planned, applied):
        assert NUMBER not in printed.out + printed.err
        assert BALANCE not in printed.out + printed.err


def test_what_drifted_is_mended_and_what_no_spec_names_is_left_alone(codat: Codat, specs: Path) -> None:
    assert codat.run("apply", specs, "--yes").status == 0
    ask(codat, "PATCH", "/acc-001", accountName="Renamed")
    ask(codat, "DELETE", "/acc-002")
    theirs = WHOLE | {"id": "theirs"}
    ask(codat, "POST", **theirs)

    planned = codat.run("plan", specs)
    assert "theirs" in planned.out
    assert kinds(codat.run("plan", specs, "--format", "json")) == [
        "sourceAccount.update",
        "sourceAccount.create",
    ]
    assert codat.run("apply", specs, "--yes").status == 0
    assert codat.run("plan", specs, "--detailed-exitcode").status == 0
    assert [account["id"] for account in live(codat)] == ["acc-001", "theirs", "acc-002"]
    assert live(codat)[0] == WHOLE


def test_a_delete_needs_its_flag_and_an_account_that_was_mapped_since_is_kept(
    codat: Codat, specs: Path
) -> None:
    assert codat.run("apply", specs, "--yes").status == 0
    change(specs, CURRENT, "acc-002: {state: absent}")

    refused = codat.run("apply", specs, "--yes")
    assert refused.status == 3
    assert "--allow-source-account-deletes 1" in refused.out + refused.err
    assert len(live(codat)) == 2
    permitted = ("--allow-source-account-deletes", "1")
    assert codat.run("plan", specs, "--out", "plan.json", *permitted).status == 0
    ask(codat, "PATCH", "/acc-002", status="disconnected")
    stale = codat.run("apply", "plan.json", "--yes")
    assert (stale.status, len(live(codat))) == (3, 2)
    assert codat.run("plan", specs, "--out", "plan.json", *permitted).status == 0
    beside = codat.run("apply", specs, "--plan", "plan.json", "--yes")
    assert (beside.status, len(live(codat))) == (3, 2), "what the specs' guard refuses no plan permits"

    assert codat.run("apply", specs, "--plan", "plan.json", "--yes", *permitted).status == 0
    assert [account["id"] for account in live(codat)] == ["acc-001"]
    assert codat.run("plan", specs, "--detailed-exitcode").status == 0


def test_an_account_of_another_kind_under_the_same_id_is_not_guessed_at(codat: Codat, specs: Path) -> None:
    assert codat.run("apply", specs, "--yes").status == 0
    writes = codat.writes()
    change(specs, CURRENT.replace("checking", "loan"), SAVINGS)

    blocked = codat.run("apply", specs, "--yes")

    assert blocked.status == 1
    assert "accountType is 'checking' where the spec says 'loan'" in " ".join(blocked.out.split())
    assert codat.writes() == writes


def test_two_accounts_of_one_id_are_not_guessed_between(
    codat: Codat, specs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert codat.run("apply", specs, "--yes").status == 0
    writes, read = codat.writes(), ReadClient.source_accounts

    async def doubled(client: ReadClient, company: str, connection: str) -> tuple[LiveSourceAccount, ...]:
        first, *rest = await read(client, company, connection)
        return (first, *rest, replace(first, name="Other"))

    monkeypatch.setattr(ReadClient, "source_accounts", doubled)
    blocked = codat.run("apply", specs, "--yes")

    assert blocked.status == 1
    assert "Codat has several source accounts 'acc-001' here" in " ".join(blocked.out.split())
    assert codat.writes() == writes


def test_a_saved_plan_holds_no_number_and_is_applied_as_reviewed(codat: Codat, specs: Path) -> None:
    assert codat.run("plan", specs, "--out", "plan.json").status == 0
    text = Path("plan.json").read_text()
    assert NUMBER not in text
    assert BALANCE not in text

    assert codat.run("apply", "plan.json", "--yes").status == 0

    assert live(codat)[0] == WHOLE


def test_a_missing_number_is_told_before_anything_is_written(
    codat: Codat, specs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NUMBER")
    refused = codat.run("apply", specs, "--yes")
    assert refused.status == 1
    assert "NUMBER is not set" in refused.err
    assert codat.writes() == []


def test_a_balance_that_is_no_number_is_told_and_not_shown(
    codat: Codat, specs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BALANCE", "about-four-thousand")
    failed = codat.run("apply", specs, "--yes")
    assert failed.status == 1
    assert "no number" in failed.out + failed.err
    assert "about-four-thousand" not in failed.out + failed.err


def test_imported_accounts_are_planned_as_they_are(codat: Codat, specs: Path) -> None:
    assert codat.run("apply", specs, "--yes").status == 0
    codat.sandbox.wipe_tags(codat.company("Acme")["id"])
    (specs / "companies.yaml").unlink()

    named = codat.run("import", "--all", "--out", "specs/some.yaml")
    assert "--with sourceAccounts" in named.err
    Path("specs/some.yaml").unlink()
    imported = codat.run("import", "--all", "--with", "sourceAccounts")

    assert imported.status == 0, imported.err
    text = (specs / "imported.yaml").read_text()
    assert "accountNumber: ${env:ACCOUNT_NUMBER_ACC_001}" in text
    assert NUMBER not in text
    assert kinds(codat.run("plan", specs, "--format", "json")) == ["company.adopt"]
    assert codat.run("apply", specs, "--yes").status == 0
    assert codat.run("plan", specs, "--detailed-exitcode").status == 0
