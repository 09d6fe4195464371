"""The first minute of a stranger: the examples against the embedded sandbox, with the installed command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from installed import EXAMPLES, REPOSITORY, run
from jsonschema import Draft202012Validator

from reconciler.sandbox import Sandbox

SCHEMA = json.loads((REPOSITORY / "schemas" / "plan.schema.json").read_text())


@pytest.fixture
def applied(tmp_path: Path) -> Path:
    """A directory in which the examples have been applied to its sandbox."""
    done = run("apply", EXAMPLES, "--sandbox", "--yes", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
    return tmp_path


def writes(directory: Path) -> int:
    return len(Sandbox(directory / ".codat-sync" / "sandbox.db").journal())


def test_applying_again_says_that_there_is_nothing_to_do_and_writes_nothing(applied: Path) -> None:
    before = writes(applied)
    again = run("apply", EXAMPLES, "--sandbox", "--yes", cwd=applied)
    assert again.returncode == 0
    assert "Nothing to do" in again.stdout
    assert writes(applied) == before


def test_made_up_tokens_are_announced(tmp_path: Path) -> None:
    done = run("apply", EXAMPLES, "--sandbox", "--yes", cwd=tmp_path)
    assert "made-up tokens stood in" in done.stdout


def test_the_detailed_exit_status_tells_pending_changes_from_none(tmp_path: Path) -> None:
    plan = ("plan", EXAMPLES, "--sandbox", "--detailed-exitcode")
    assert run(*plan, cwd=tmp_path).returncode == 2
    run("apply", EXAMPLES, "--sandbox", "--yes", cwd=tmp_path)
    assert run(*plan, cwd=tmp_path).returncode == 0


def test_the_plan_in_json_is_of_the_published_form(tmp_path: Path) -> None:
    done = run("plan", EXAMPLES, "--sandbox", "--format", "json", cwd=tmp_path)
    document = json.loads(done.stdout)
    Draft202012Validator(SCHEMA).validate(document)
    assert document["summary"]["company.create"] == 10


def test_the_same_specs_and_state_give_the_same_bytes(applied: Path) -> None:
    (applied / "wanted").mkdir()
    plans = {
        run(
            "plan",
            EXAMPLES,
            "--sandbox-file",
            "other.db",
            "--format",
            "json",
            cwd=applied,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1", "2", "3", "4")
    }
    assert len(plans) == 1


def test_the_sandbox_can_be_emptied(applied: Path) -> None:
    assert run("sandbox", "reset", cwd=applied).returncode == 0
    done = run("plan", EXAMPLES, "--sandbox", "--detailed-exitcode", cwd=applied)
    assert done.returncode == 2


def test_the_platforms_are_listed(tmp_path: Path) -> None:
    done = run("platforms", "--sandbox", cwd=tmp_path)
    assert done.returncode == 0
    assert "quickbooks-online" in done.stdout


SPEC = """\
version: 1
companies:
  acme:
    name: Acme
    connections:
      books: {platform: xero, authorization: {accessToken: "${table:tokens.csv#acme.accessToken}"}}
"""
TABLES = [
    pytest.param(None, 0, "made-up tokens stood in", id="no-table"),
    pytest.param("key,accessToken\nacme,token\n", 0, "", id="whole"),
    pytest.param("key,accessToken\nbravo,token\n", 1, "tokens.csv has no row for this key", id="no-row"),
    pytest.param("key,token\nacme,token\n", 1, "there is no column 'accessToken'", id="no-column"),
    pytest.param("key,accessToken\nacme,\n", 1, "tokens.csv:2: the cell is empty", id="empty-cell"),
]


@pytest.mark.parametrize(("table", "status", "told"), TABLES)
def test_the_sandbox_makes_up_what_is_not_there_and_tells_what_is_broken(
    table: str | None, status: int, told: str, tmp_path: Path
) -> None:
    (tmp_path / "acme.yaml").write_text(SPEC)
    if table is not None:
        (tmp_path / "tokens.csv").write_text(table)
    done = run("apply", "acme.yaml", "--sandbox", "--yes", cwd=tmp_path)
    assert (done.returncode, told in done.stdout + done.stderr) == (status, True), done.stderr
    assert (writes(tmp_path) > 0) is (status == 0)
