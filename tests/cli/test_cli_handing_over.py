"""handoff, links and retired: whole packs, guarded files, and never a token or a URL where it can be seen."""

from __future__ import annotations

import csv
import json
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from migrating import Move, managed, tokens

from reconciler.codat import exchange, reading

SECRET = "must-never-be-seen"
CLIENT = "client: '${env:CLIENT}'"


@pytest.fixture
def move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Move:
    monkeypatch.chdir(tmp_path)
    return Move(tmp_path, capsys)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def steady(text: str) -> str:
    """A text with every id as the same one."""
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "00000000-0000-0000-0000-000000000000", text)


# --- handoff -----------------------------------------------------------------------------------


def test_the_pack_is_what_codats_team_needs(move: Move, golden: Callable[[str, str], None]) -> None:
    move.settings(
        "preconditions: {callbackUrlAdded: done}\n"
        "platforms: {freeagent: {details: {application: Example | Lending}}}\n"
    )
    move.specs(acme=managed(), bravo=managed(), delta=managed("wave"), echo=tokens("ECHO"))
    move.apply()
    move.sandbox.happen(move.connection("acme"), "import")

    assert move("handoff", "--out", "pack") == 0

    pack = move.directory / "pack"
    assert sorted(path.name for path in pack.iterdir()) == [
        "freeagent.csv",
        "freeagent.md",
        "wave.csv",
        "wave.md",
    ]
    for path in sorted(pack.iterdir()):
        golden(f"handoff-{path.name}", steady(path.read_text()))
    assert [(row["address"], row["connectionId"]) for row in rows(pack / "freeagent.csv")] == [
        ("acme/books", move.connection("acme")),
        ("bravo/books", move.connection("bravo")),
    ]


def test_no_token_and_no_link_url_is_in_the_pack(move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME", SECRET)
    move.specs(
        acme="books: {platform: freeagent, migration: managed, authorization: {accessToken: '${env:ACME}'}}"
    )
    move.apply()
    move("handoff", "--out", "pack")

    text = "".join(path.read_text() for path in (move.directory / "pack").iterdir())
    for never in (SECRET, "${env", "ACME", "otp", "http"):
        assert never not in text


def test_a_pack_is_whole_or_not_at_all(move: Move) -> None:
    move.specs(acme=managed(), bravo=managed())
    move.apply("--target", "acme")

    assert move("handoff", "--out", "pack") == 1
    assert "bravo/books: it is not in Codat yet" in move.err
    assert not (move.directory / "pack").exists()
    assert move("handoff", "--out", "pack", "--target", "acme") == 0


def test_nothing_is_written_over(move: Move) -> None:
    move.specs(acme=managed())
    move.apply()
    (move.directory / "pack").mkdir()
    assert move("handoff", "--out", "pack") == 0, "an empty directory will do"
    (move.directory / "pack" / "freeagent.md").write_text("mine")

    assert move("handoff", "--out", "pack") == 1
    assert "name a directory that is new or empty" in move.err
    assert (move.directory / "pack" / "freeagent.md").read_text() == "mine"


def test_the_pack_goes_into_a_directory_of_its_own_where_none_is_named(
    move: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(move.directory)
    move.specs(acme=managed())
    move.apply()
    assert move("handoff") == 0
    assert any((move.directory / "handoff").iterdir())


def test_without_managed_connections_there_is_nothing_to_hand_over(move: Move) -> None:
    move.specs(acme=tokens("ACME"))
    move.apply()

    assert move("handoff", "--out", "pack") == 1
    assert "migration: managed" in move.err


def test_a_reference_is_no_detail_for_codats_team(move: Move) -> None:
    move.settings("platforms: {freeagent: {details: {secret: '${env:CLIENT_SECRET}'}}}\n")
    move.specs(acme=managed())

    assert move("handoff", "--out", "pack") == 1
    assert "no secret is handed over" in move.err


def send_half_a_character(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Codat send a company's name and a link URL with half a character in them."""
    genuine = reading.read

    def spoiled(content: bytes) -> reading.Node:
        return genuine(content.replace(b'"Acme"', b'"Acme\\ud800"').replace(b"?otp=", b"?\\udfff="))

    monkeypatch.setattr(exchange, "read", spoiled)


@pytest.mark.parametrize("command", ["links", "handoff"])
def test_half_a_character_of_codats_breaks_nothing_for_the_others(
    command: str, move: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = {"links": "migration: link", "handoff": "migration: managed"}[command]
    move.specs(**dict.fromkeys(("acme", "bravo"), f"books: {{platform: freeagent, {kind}}}"))
    move.apply()
    send_half_a_character(monkeypatch)

    assert move(command, "--out", "out") == 0, move.err

    table = move.directory / ("out" if command == "links" else "out/freeagent.csv")
    assert [row["company"] for row in rows(table)] == ["Acme\\ud800", "Bravo"]


# --- links -------------------------------------------------------------------------------------


def test_link_urls_go_into_a_file_for_its_owner_alone(move: Move) -> None:
    move.specs(acme="books: {platform: xero}", bravo=tokens("BRAVO"), delta=tokens("DELTA"))
    move.apply()
    move.sandbox.happen(move.connection("delta"), "deauthorize")

    assert move("links", "--out", "links.csv") == 0

    path = move.directory / "links.csv"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = rows(path)
    assert [(document["address"], document["status"]) for document in found] == [
        ("acme/books", "PendingAuth"),
        ("delta/books", "Deauthorized"),
    ]
    for document in found:
        assert document["linkUrl"].startswith("http")
        assert document["linkUrl"] not in move.out + move.err
    assert "http" not in move.out + move.err


def test_links_are_never_written_over_a_file_or_to_stdout(move: Move) -> None:
    move.specs(acme="books: {platform: xero}")
    move.apply()
    (move.directory / "mine.csv").write_text("mine")
    (move.directory / "link.csv").symlink_to("mine.csv")

    for name, status in (("mine.csv", 1), ("link.csv", 1), ("/dev/stdout", 1), ("-", 2)):
        assert move("links", "--out", name) == status, name
        assert "http" not in move.out + move.err
    assert (move.directory / "mine.csv").read_text() == "mine"


def test_no_file_is_written_where_no_customer_is_waited_for(move: Move) -> None:
    move.specs(acme=tokens("ACME"))
    move.apply()

    assert move("links", "--out", "links.csv") == 0
    assert not (move.directory / "links.csv").exists()


# --- retired -----------------------------------------------------------------------------------


def test_a_secret_is_retired_when_every_connection_that_needs_it_is_linked(
    move: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME", SECRET)
    monkeypatch.setenv("BRAVO", "bad-token")
    shared = (
        "books: {{platform: xero, authorization: {{accessToken: '${{env:{0}}}', client: '${{env:CLIENT}}'}}}}"
    )
    move.specs(acme=shared.format("ACME"), bravo=shared.format("BRAVO"))
    move.apply()

    assert move("retired", "--format", "json") == 0
    assert json.loads(move.out)["retired"] == [
        {"reference": "${env:ACME}", "uses": [{"address": "acme/books", "field": "accessToken"}]}
    ]
    move("retired", "--target", "acme")
    assert "${env:ACME}" in move.out
    assert "CLIENT" not in move.out, "bravo still needs it"
    assert SECRET not in move.out


def test_old_tokens_are_warned_of_before_they_are_sent(move: Move) -> None:
    move.settings("custody: {warnAfter: 30d}\n")
    old = "books: {{platform: xero, issuedAt: '{0}', authorization: {{accessToken: '${{env:A}}'}}}}"
    move.specs(acme=old.format("2020-01-01T00:00:00Z"), bravo=old.format("2999-01-01T00:00:00Z"))

    move("plan")
    assert (
        "Older than custody.warnAfter, by their issuedAt: the tokens of acme/books (2020-01-01)" in move.out
    )
    assert "bravo/books (" not in move.out
    move.apply()
    move("plan")
    assert "custody" not in move.out, "what is Linked is never sent again"
