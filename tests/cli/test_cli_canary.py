"""No secret leaves: every command, format and verbosity, every failure, and every file that is written."""

from __future__ import annotations

import base64
import json
import logging
import stat
from collections.abc import Iterator
from typing import Any

import click
import pytest
from installed import write_specs
from served import Codat, Done

from reconciler.cli import codat_sync
from reconciler.cli.options import Exit

CANARY = "CANARY4711"
KEY = f"{CANARY}-api-key"
FORMS = (CANARY, base64.b64encode(KEY.encode()).decode(), "otp=")
"""What must be seen nowhere: a part of every secret, the key as the header has it, a link's password."""

SPEC = """\
  acme:
    name: Acme Stores
    connections:
      books:
        platform: xero
        authorization:
          accessToken: ${env:ACME_TOKEN}
          refreshToken: ${file:tokens/acme.json#/refresh}
          clientSecret: ${table:tokens/all.csv#acme.secret}
          realmId: "4620816365"
      bank: {platform: plaid}
  bravo:
    name: Bravo
    connections:
      shop: {platform: shopify, migration: managed}
"""
RUNS: dict[str, list[list[str]]] = {
    "validate": [["specs"]],
    "plan": [["specs"], ["specs", "--out", "plan.json"], ["specs", "--base", "specs"]],
    "show": [["plan.json"]],
    "apply": [
        ["specs", "--yes"],
        ["specs", "--yes", "--events", "events.jsonl"],
        ["specs", "--yes", "--events", "-"],
        ["plan.json", "--yes"],
        ["specs", "--yes", "--reauthorize", "acme/books"],
        ["specs"],
    ],
    "verify": [["specs"]],
    "explain": [["acme"], ["acme/books"], ["bravo/shop", "specs"], ["authorization-literal"]],
    "platforms": [[]],
    "import": [["--all", "--out", "imported.yaml"]],
    "init": [["other", "--workspace", "other"]],
    "handoff": [["specs", "--out", "pack"]],
    "links": [["specs", "--out", "links.csv"]],
    "retired": [["specs"]],
    "status": [["specs"]],
    "fmt": [["specs", "--check"]],
    "sandbox": [["reset", "--sandbox-file", "none.db"]],
}
"""How each command is run; ``sandbox serve`` runs until it is stopped, and has tests of its own."""
CARRIES_LINKS = ("links",)
"""Commands whose files hold link URLs, because that is what they are for."""


def formats(command: click.Command) -> list[list[str]]:
    """Each ``--format`` that the command knows, and none."""
    options = [param for param in command.params if "--format" in param.opts]
    choices: list[str] = [name for option in options for name in getattr(option.type, "choices", ())]
    return [[], *(["--format", name] for name in choices)]


def invocations(*, in_each_format: bool) -> Iterator[list[str]]:
    """Every command, each in its own way: in every format, or in another one each time."""
    for name, command in codat_sync.commands.items():
        forms = formats(command)
        for number, arguments in enumerate(RUNS.get(name, [])):
            some = forms if in_each_format else [forms[number % len(forms)]]
            yield from ([name, *arguments, *form] for form in some)


@pytest.fixture
def secretive(codat: Codat, monkeypatch: pytest.MonkeyPatch) -> Codat:
    """A workspace that holds canaries in every kind of reference, before a Codat that is empty."""
    monkeypatch.setenv("CODAT_API_KEY", KEY)
    monkeypatch.setenv("ACME_TOKEN", f"{CANARY}-access")
    specs = write_specs(codat.directory, [SPEC])
    (specs / "tokens").mkdir()
    (specs / "tokens" / "acme.json").write_text(json.dumps({"refresh": f"{CANARY}-refresh"}))
    (specs / "tokens" / "all.csv").write_text(f"id,secret\nacme,{CANARY}-client\n")
    return codat


def leaked(codat: Codat, done: Done, caplog: pytest.LogCaptureFixture) -> list[str]:
    """Where a secret is seen: a stream, the log, or a file that is not the secrets' own."""
    seen = {"stdout": done.out, "stderr": done.err, "log": caplog.text}
    for path in codat.directory.rglob("*"):
        if path.is_file() and "tokens" not in path.parts:
            seen[path.name] = path.read_bytes().decode(errors="replace")
    forms = [(where, form) for where in seen for form in FORMS]
    return [f"{form} in {where}" for where, form in forms if form in seen[where]]


# --- every command -----------------------------------------------------------------------------


def test_every_command_is_run_in_search_of_secrets() -> None:
    assert set(codat_sync.commands) <= set(RUNS)


@pytest.mark.parametrize(
    ("is_applied", "verbosity", "in_each_format"),
    [
        pytest.param(True, "-v", False, id="soon"),
        pytest.param(False, "", True, id="fresh", marks=pytest.mark.slow),
        pytest.param(False, "-vv", True, id="fresh -vv", marks=pytest.mark.slow),
        pytest.param(True, "-v", True, id="applied -v", marks=pytest.mark.slow),
        pytest.param(True, "-q", True, id="applied -q", marks=pytest.mark.slow),
    ],
)
def test_no_command_shows_a_secret_in_any_format(
    secretive: Codat,
    caplog: pytest.LogCaptureFixture,
    verbosity: str,
    is_applied: bool,
    in_each_format: bool,
) -> None:
    caplog.set_level(logging.DEBUG)
    flags = [verbosity] if verbosity else []
    secretive.run("plan", "specs", "--out", "plan.json")
    if is_applied:
        assert secretive.run("apply", "specs", "--yes").status == Exit.OK
    ran = 0
    for arguments in invocations(in_each_format=in_each_format):
        done = secretive.run(*arguments, *flags)
        assert done.status in (0, 1, 3), (arguments, done)
        assert "bug in codat-sync" not in done.err, (arguments, done.err)
        found = leaked(secretive, done, caplog)
        if arguments[0] in CARRIES_LINKS:
            (secretive.directory / "links.csv").unlink(missing_ok=True)
            found = [text for text in found if text != "otp= in links.csv"]
        assert found == [], arguments
        caplog.clear()
        ran += 1
    assert ran > 20


@pytest.mark.parametrize("name", ["plan.json", "events.jsonl"])
def test_what_is_written_is_for_its_owner_alone(secretive: Codat, name: str) -> None:
    secretive.run("plan", "specs", "--out", "plan.json")
    secretive.run("apply", "plan.json", "--yes", "--events", "events.jsonl")
    mode = stat.S_IMODE((secretive.directory / name).stat().st_mode)
    assert mode == 0o600


def test_a_file_that_all_could_read_becomes_its_owners_alone(secretive: Codat) -> None:
    for name in ("plan.json", "events.jsonl"):
        path = secretive.directory / name
        path.write_text("before")
        path.chmod(0o666)
    secretive.run("plan", "specs", "--out", "plan.json")
    secretive.run("apply", "specs", "--yes", "--events", "events.jsonl")
    modes = {
        stat.S_IMODE((secretive.directory / name).stat().st_mode) for name in ("plan.json", "events.jsonl")
    }
    assert modes == {0o600}


def test_the_tokens_did_arrive(secretive: Codat) -> None:
    """Without this, a canary that is never used would prove nothing."""
    assert secretive.run("apply", "specs", "--yes").status == Exit.OK
    (books,) = (
        connection
        for connection in secretive.company("Acme Stores")["dataConnections"]
        if connection["integrationKey"] == "gbol"
    )
    assert books["status"] == "Linked"


# --- every failure -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CODAT_API_KEY", f"{CANARY} with a space"),
        ("CODAT_AUTH_HEADER", f"Bearer {CANARY}"),
        ("CODAT_API_URL", f"https://user:{CANARY}@api.codat.example"),
        ("CODAT_API_URL", f"http://api.codat.example/?key={CANARY}"),
        ("CODAT_API_KEY", f"{CANARY}\udcff"),
        ("CODAT_AUTH_HEADER", f"Basic \udcff{CANARY}"),
        ("CODAT_API_URL", f"https://{CANARY}\udcff:{CANARY}"),
        ("ACME_TOKEN", f"bad-{CANARY}"),
        ("ACME_TOKEN", f"{CANARY}\udcff"),
        ("ACME_TOKEN", ""),
    ],
)
@pytest.mark.parametrize("command", ["plan", "apply", "verify", "explain", "import"])
def test_no_failure_shows_a_secret(
    secretive: Codat,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    command: str,
    variable: str,
    value: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv(variable, value)
    done = secretive.run(command, *RUNS[command][0], "-vv")
    assert "bug in codat-sync" not in done.err
    assert leaked(secretive, done, caplog) == []


@pytest.mark.parametrize(
    "broken",
    [
        f"accessToken: '{CANARY}",
        f"accessToken: {CANARY}: x",
        f"accessToken: [{CANARY}",
        f"accessToken: &{CANARY} *nothing",
        f"accessToken: !{CANARY} x",
        f"accessToken: *{CANARY}",
        f"accessToken: ${{{CANARY}",
        f"accessToken: ${{{CANARY}:x}}",
        f"accessToken: Bearer ${{env:{CANARY}}}",
        f"accessToken:{CANARY}",
        f"{CANARY}",
        f"- {CANARY}",
        f"? [{CANARY}]\n            : x",
        f"accessToken: {CANARY}\n            accessToken: {CANARY}",
        f"accessToken: {{nested: {CANARY}}}",
        f"accessToken: |\n              {CANARY}\n           bad",
        f'accessToken: "\\q{CANARY}"',
        f"accessToken: @{CANARY}",
        f"\taccessToken: {CANARY}",
        f"accessToken: {CANARY}\x01",
        f"accessToken: {CANARY * 10000}",
    ],
)
def test_malformed_yaml_shows_no_token(
    secretive: Codat, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    caplog.set_level(logging.DEBUG)
    head = "version: 1\ncompanies:\n  a:\n    name: A\n    connections:\n      x:\n        platform: xero\n"
    bad = secretive.directory / "bad.yaml"
    (secretive.directory / "specs" / "companies.yaml").unlink()
    for form in formats(codat_sync.commands["validate"]):
        spec = secretive.directory / "specs" / "a.yaml"
        spec.write_text(f"{head}        authorization:\n            {broken}\n")
        done = secretive.run("validate", "specs", "-vv", *form)
        spec.rename(bad)
        assert done.status == Exit.ERROR
        bad.unlink()
        assert leaked(secretive, done, caplog) == []


TABLES = {
    "no header": f"acme,{CANARY}-a,{CANARY}-b\n",
    "no header, one cell": f"{CANARY}\n",
    "no header, a token twice": f"acme,{CANARY},{CANARY}\n",
    "no header, other columns": f"{CANARY}-name,{CANARY}-secret,id-{CANARY}\n",
    "another separator": f"acme;{CANARY}\nbravo;{CANARY}\n",
    "a row too long": f"id,name,secret\nacme,Acme,{CANARY}\nb,{CANARY},x,y\n",
    "a row too short": f"id,name,secret\n{CANARY}\n",
    "a key twice": f"id,name,secret\nacme,Acme,{CANARY}\nacme,Acme,{CANARY}\n",
    "a quote that is not closed": f'id,name,secret\nacme,Acme,"{CANARY}\n',
    "a quote that is not closed, in the header": f'"{CANARY},x\n',
    "something behind a quote": f'id,name,secret\nacme,Acme,"{CANARY}"{CANARY}\n',
    "not UTF-8": f"id,name,secret\nacme,Acme,\xe9{CANARY}\n",
    "a NUL": f"id,name,secret\nacme,Acme,\0{CANARY}\n",
    "a reference in a cell": f"id,name,secret\nacme,${{{CANARY}}},x\n",
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_table_of_tokens_that_is_wrong_shows_none(
    secretive: Codat, caplog: pytest.LogCaptureFixture, table: str
) -> None:
    caplog.set_level(logging.DEBUG)
    specs = secretive.directory / "specs"
    (specs / "tokens" / "all.csv").write_bytes(table.encode("latin-1"))
    (specs / "set.yaml").write_text(
        "version: 1\ncompanySets:\n"
        "  s: {from: tokens/all.csv, key: '${row:id}', company: {name: '${row:name}'}}\n"
    )
    for form in formats(codat_sync.commands["validate"]):
        done = secretive.run("validate", "specs", "-vv", *form)
        assert done.status == Exit.ERROR
        assert leaked(secretive, done, caplog) == []
    (specs / "set.yaml").unlink()
    done = secretive.run("apply", "specs", "--yes", "-vv")
    assert "bug in codat-sync" not in done.err
    assert leaked(secretive, done, caplog) == []


JSON = {
    "cut": f'{{"refresh": "{CANARY}',
    "no JSON": CANARY,
    "something behind it": f'{{"refresh": "{CANARY}"}} {CANARY}',
    "a name that is missing": f'{{"{CANARY}": "{CANARY}"}}',
    "a list": f'{{"refresh": ["{CANARY}"]}}',
    "half a character": f'{{"refresh": "\\ud800{CANARY}"}}',
    "a line break": f'{{"refresh": "{CANARY}\n"}}',
    "not UTF-8": f'{{"refresh": "\xe9{CANARY}"}}',
    "too deep": "[" * 100_000 + CANARY,
    "large and cut": f'{{"{CANARY}": "{CANARY * 10_000}", "refresh": "{CANARY}',
    "large, and a list": f'{{"{CANARY}": "{CANARY * 10_000}", "refresh": ["{CANARY}"]}}',
}


@pytest.mark.parametrize("document", JSON.values(), ids=JSON)
def test_a_json_file_of_tokens_that_is_wrong_shows_none_and_nothing_is_written(
    secretive: Codat, caplog: pytest.LogCaptureFixture, document: str
) -> None:
    caplog.set_level(logging.DEBUG)
    (secretive.directory / "specs" / "tokens" / "acme.json").write_bytes(document.encode("latin-1"))
    done = secretive.run("apply", "specs", "--yes", "-vv")
    assert (done.status, secretive.writes()) == (Exit.ERROR, [])
    assert "${file:tokens/acme.json#/refresh}" in done.err
    assert leaked(secretive, done, caplog) == []


@pytest.mark.parametrize("verbosity", [(), ("-v",), ("-vv",)])
def test_a_bug_shows_where_and_never_what(
    secretive: Codat, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, verbosity: tuple[str]
) -> None:
    from reconciler.workflow import planning

    def broken(*_: object) -> None:
        token = f"{CANARY}-in-a-local"
        raise KeyError(token)

    monkeypatch.setattr(planning, "draft", broken)
    done = secretive.run("plan", "specs", *verbosity)
    assert done.status == Exit.ERROR
    assert "failed with KeyError: this is a bug" in done.err
    assert ("in broken" in done.err) == bool(verbosity)
    assert leaked(secretive, done, caplog) == []


def test_a_bug_while_tokens_are_sent_shows_none(
    secretive: Codat, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from reconciler.codat import Client

    async def broken(self: Client, company: str, connection: str, authorization: Any) -> None:  # noqa: ARG001
        raise RuntimeError({name: value.reveal() for name, value in authorization.items()})

    caplog.set_level(logging.INFO)
    monkeypatch.setattr(Client, "authorize", broken)
    done = secretive.run("apply", "specs", "--yes", "-vv", "--events", "events.jsonl")
    assert done.status == Exit.ERROR
    assert "RuntimeError" in done.out
    assert leaked(secretive, done, caplog) == []


def test_the_search_finds_a_leak_on_every_way_out(secretive: Codat, caplog: pytest.LogCaptureFixture) -> None:
    (secretive.directory / "leak.txt").write_text("https://link.example/start?otp=1")
    logging.getLogger("reconciler").warning(KEY)
    found = leaked(secretive, Done(0, f"x{CANARY}x", FORMS[1]), caplog)
    assert [text.rpartition(" in ")[2] for text in found] == ["stdout", "stderr", "log", "leak.txt"]
