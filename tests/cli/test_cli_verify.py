"""verify: what passes, what does not, what waits; it never writes."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from migrating import Move, managed, tokens


@pytest.fixture
def move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Move:
    monkeypatch.chdir(tmp_path)
    return Move(tmp_path, capsys)


def checks(move: Move, *arguments: str) -> dict[str, str]:
    """Each check of the only connection, with its verdict."""
    (one,) = move.verify(*arguments)["connections"]
    return {finding["check"]: finding["verdict"] for finding in one["checks"]}


def test_what_is_linked_and_synced_passes_every_check(move: Move) -> None:
    move.specs(acme=tokens("ACME"))
    move.apply()

    assert checks(move) == dict.fromkeys(
        ("in-codat", "linked", "no-open-error", "data", "first-sync"), "passed"
    )


def test_before_the_first_apply_nothing_is_there_yet(move: Move) -> None:
    move.specs(acme=tokens("ACME"))

    assert checks(move) == {"in-codat": "pending"}
    assert move.sandbox.journal() == []


def test_a_running_sync_is_waited_for_and_passes_when_it_has_ended(move: Move) -> None:
    move.sandbox.set(syncSeconds=600)
    move.specs(acme=tokens("ACME"))
    move.apply()
    assert checks(move) == {
        "in-codat": "passed",
        "linked": "passed",
        "no-open-error": "passed",
        "data": "pending",
        "first-sync": "pending",
    }

    move.sandbox.advance(600)

    assert move.verdicts() == {"acme/books": "passed"}


def test_a_lost_access_fails_and_says_who_must_act(move: Move) -> None:
    move.specs(acme=tokens("ACME"))
    move.apply()
    move.sandbox.happen(move.connection("acme"), "deauthorize")

    assert move("verify", "--wait", "15m") == 1
    assert "x acme/books  linked: reauthorization is required" in move.out
    assert "the customer must reconnect" in move.out
    assert move.err == "", "what does not come by itself is not waited for"


def test_a_failed_sync_fails(move: Move) -> None:
    move.specs(acme=tokens("ACME"))
    move.apply()
    move.sandbox.happen(move.connection("acme"), "fail-next-sync", status="FetchError")
    move.ask(lambda client: client.sync_all(move.company("acme")["id"], UUID(int=1)))

    assert checks(move)["data"] == "failed"
    assert "FetchError" in str(move.verify())


def test_an_offline_connector_is_told_apart_and_changes_no_status(move: Move) -> None:
    move.specs(acme=tokens("ACME", "quickbooks-desktop"))
    move.apply()

    assert move.verdicts() == {"acme/books": "offline"}
    assert move("verify", "--wait", "15m") == 0
    assert "queued until the customer's connector is online and its schedule is due" in move.out
    assert move("plan") == 0
    assert "the schedule that the customer has set" in " ".join(move.out.split())

    move.sandbox.happen(move.connection("acme"), "online")

    assert move.verdicts() == {"acme/books": "passed"}


def test_no_data_is_asked_of_a_connection_that_is_never_synced(move: Move) -> None:
    move.specs(acme="books: {platform: xero, authorization: {accessToken: '${env:A}'}, sync: never}")
    move.apply()

    assert checks(move) == {"in-codat": "passed", "linked": "passed", "no-open-error": "passed"}


def test_a_type_that_the_spec_names_must_have_been_synced(move: Move) -> None:
    move.specs(acme=tokens("ACME"))
    move.apply()
    authorized = "platform: xero, authorization: {accessToken: '${env:A}'}"
    move.specs(acme=f"books: {{{authorized}, sync: {{dataTypes: [journals]}}}}")

    assert checks(move)["data"] == "pending"


def test_two_connections_of_one_company_are_judged_each_by_its_own_syncs(move: Move) -> None:
    bank = "{platform: truelayer, authorization: {accessToken: '${env:A}'}}"
    move.specs(acme=f"one: {bank}, two: {bank}")
    move.apply()
    assert set(move.verdicts().values()) == {"passed"}
    company = move.company("acme")
    second = dict(entry.split(":") for entry in company["tags"]["codatSyncLinks"].split(","))["two"]
    (identifier,) = (
        connection["id"] for connection in company["dataConnections"] if connection["id"].startswith(second)
    )
    move.sandbox.happen(identifier, "fail-next-sync", status="FetchError")
    move.ask(lambda client: client.queue(company["id"], "banking-accounts", identifier, UUID(int=1)))

    assert move.verdicts() == {"acme/one": "passed", "acme/two": "failed"}


def test_a_managed_connection_passes_once_codats_team_has_imported_it(move: Move) -> None:
    move.specs(acme=managed())
    move.apply()
    assert move.verdicts() == {"acme/books": "pending"}

    move.sandbox.happen(move.connection("acme"), "import")
    move.apply()

    assert move.verdicts() == {"acme/books": "passed"}
    assert move("plan", "--detailed-exitcode") == 0


def test_a_company_that_the_import_made_beside_ours_is_found(move: Move) -> None:
    move.specs(acme=managed())
    move.apply()
    move.sandbox.happen(move.connection("acme"), "import")
    move.apply()
    move.ask(lambda client: client.create_company({"name": "ACME"}, UUID(int=1)))

    found = checks(move)

    assert found.pop("no-stray-company") == "failed"
    assert set(found.values()) == {"passed"}


def test_a_target_is_all_that_is_looked_at_and_must_name_something(move: Move) -> None:
    move.specs(acme=tokens("ACME"), bravo=tokens("BRAVO"))
    move.apply()

    assert move.verdicts("--target", "acme") == {"acme/books": "passed"}
    assert move("verify", "--target", "nobody") == 2
    assert move("verify", "--wait", "soon") == 2


def test_verify_writes_nothing(move: Move) -> None:
    move.specs(acme=tokens("ACME"), bravo=managed())
    move.apply()
    before = move.sandbox.journal()

    move.verify()

    assert move.sandbox.journal() == before
