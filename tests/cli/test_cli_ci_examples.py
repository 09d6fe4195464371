"""The example pipelines: of the published form, safe to copy, and their scripts do what their words say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from installed import REPOSITORY, company, connection, run, write_specs
from served import Codat
from steps import ACTION, CI, Runner, step, workflow

WORKFLOWS = sorted(path.name for path in CI.glob("github-*.yml"))
needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="jq is missing; the fake gh filters with it")

ACME = company("acme", connection("books", "xero", "ACME_TOKEN"), name="Acme")
PINNED = re.compile(r"[a-z-]+/[a-z-]+@[0-9a-f]{40}")


PIPELINES = [".github/workflows/release.yml", *(f"docs/ci/{name}" for name in WORKFLOWS)]

# --- form --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-actions", ["action.yml"]),
        ("vendor.github-workflows", PIPELINES),
        ("custom.github-workflows-require-timeout", PIPELINES),
        ("vendor.gitlab-ci", ["docs/ci/gitlab-ci.yml"]),
    ],
)
def test_files_are_of_the_published_form(schema: str, files: list[str]) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    flags = ["--data-transform", "gitlab-ci"] if "gitlab" in schema else []
    paths = [REPOSITORY / file for file in files]
    done = subprocess.run([*command, *flags, *paths], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


HOOKS = {hook["id"]: hook for hook in yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text())}


def test_the_hook_that_formats_runs_a_command_that_is_there(tmp_path: Path) -> None:
    hook = HOOKS["codat-sync-fmt"]
    assert hook["pass_filenames"] is False
    write_specs(tmp_path, [ACME])
    (tmp_path / "specs" / "more.yaml").write_text("version:  1\n")
    program, *arguments = hook["entry"].split()
    assert program == "codat-sync"
    assert run(*arguments, "--check", cwd=tmp_path).returncode == 1
    assert run(*arguments, cwd=tmp_path).returncode == 0
    assert run(*arguments, "--check", cwd=tmp_path).returncode == 0


def test_the_pre_commit_hook_runs_a_command_that_is_there(tmp_path: Path) -> None:
    hook = HOOKS["codat-sync-validate"]
    assert {"id", "name", "entry", "language"} <= set(hook)
    assert hook["pass_filenames"] is False, "a key that stands in two files shows only where both are read"
    write_specs(tmp_path, [ACME])
    program, *arguments = hook["entry"].split()
    assert program == "codat-sync"
    assert run(*arguments, cwd=tmp_path).returncode == 0
    (tmp_path / "specs" / "twice.yaml").write_text("version: 1\ncompanies: {acme: {name: Acme}}\n")
    assert run(*arguments, cwd=tmp_path).returncode == 1
    for name in ("specs/a.yaml", "codat/specs/north/b.yml", "specs/customers.csv", "workspace.yaml"):
        assert re.search(hook["files"], name), name


# --- safe to copy ------------------------------------------------------------------------------


def steps_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in document["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_no_script_holds_an_expression(name: str) -> None:
    scripts = [document["run"] for document in steps_of(workflow(name)) if "run" in document]
    assert [script for script in scripts if "${{" in script] == []


def test_no_script_of_the_action_holds_an_expression() -> None:
    assert [step["name"] for step in ACTION["runs"]["steps"] if "${{" in step["run"]] == []


@pytest.mark.parametrize("name", WORKFLOWS)
def test_other_actions_are_pinned_and_leave_no_token_in_the_checkout(name: str) -> None:
    for document in steps_of(workflow(name)):
        uses = document.get("uses")
        assert uses is None or PINNED.fullmatch(uses), uses
        if uses and "checkout" in uses:
            assert document["with"]["persist-credentials"] is False


@pytest.mark.parametrize("name", WORKFLOWS)
def test_nothing_is_permitted_that_a_job_does_not_ask_for(name: str) -> None:
    document = workflow(name)
    assert document["permissions"] == {}
    allowed = {
        "validate": {"contents": "read"},
        "plan": {"contents": "read", "pull-requests": "write"},
        "apply": {"actions": "read", "contents": "read", "pull-requests": "read"},
        "drift": {"contents": "read", "issues": "write"},
    }
    assert {job: entry["permissions"] for job, entry in document["jobs"].items()} == {
        job: allowed[job] for job in document["jobs"]
    }


def test_a_fork_gets_validate_and_no_secret() -> None:
    document = workflow("github-plan.yml")
    assert set(document[True]) == {"pull_request"}, "pull_request_target would hand secrets to a fork"
    jobs = document["jobs"]
    assert "head.repo.full_name == github.repository" in jobs["plan"]["if"]
    assert "secrets." not in json.dumps(jobs["validate"])
    gitlab = yaml.safe_load((CI / "gitlab-ci.yml").read_text())
    (rule,) = gitlab["review"]["rules"]
    assert "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID" in rule["if"]


def test_two_applies_wait_for_each_other() -> None:
    assert workflow("github-apply.yml")["concurrency"] == {
        "group": "codat-apply",
        "cancel-in-progress": False,
    }
    gitlab = yaml.safe_load((CI / "gitlab-ci.yml").read_text())
    assert gitlab["apply"]["resource_group"]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_what_the_action_is_given_and_asked_for_is_there(name: str) -> None:
    document = workflow(name)
    for entry in steps_of(document):
        if entry.get("uses", "").startswith("codat-sync/"):
            assert set(entry["with"]) <= set(ACTION["inputs"])
    asked = set(re.findall(r"steps\.plan\.outputs\.([a-z-]+)", json.dumps(document)))
    assert asked <= set(ACTION["outputs"])


# --- what the scripts do -----------------------------------------------------------------------


FETCH = step("github-apply.yml", "apply", "Fetch the plan that was reviewed")
TOKEN = {"github.token": "fake-token"}
PULLS = f"repos/harbour/lending/commits/{'a' * 40}/pulls"
RUNS = (
    "repos/harbour/lending/actions/workflows/codat-plan.yml/runs?event=pull_request&status=success&head_sha="
)
MERGED = {"merged_at": "2026-11-20T09:00:00Z", "head": {"sha": "b" * 40}}


def planned_by(repository: str, number: int = 11) -> dict[str, Any]:
    return {"id": number, "head_repository": {"full_name": repository}}


@needs_jq
@pytest.mark.slow
def test_after_the_merge_the_reviewed_plan_is_found_and_applied(codat: Codat, runner: Runner) -> None:
    assert runner.action(command="plan").status == 0
    artifact = runner.temp / "gh" / "artifacts" / "12" / "codat-sync-plan"
    artifact.parent.mkdir(parents=True)
    shutil.copy(runner.outputs()["plan"], artifact)
    Path(runner.outputs()["plan"]).unlink()
    runs = [planned_by("mallory/lending", 11), planned_by("harbour/lending", 12)]
    open_one = {"merged_at": None, "head": {"sha": "c" * 40}}
    runner.github("api.json", {PULLS: [open_one, MERGED], RUNS + "b" * 40: {"workflow_runs": runs}})
    (runner.temp / "output.txt").write_text("")
    fetched = runner.run(FETCH, TOKEN)
    assert fetched.status == 0, fetched.log
    applied = runner.action(command="apply", plan=runner.outputs()["plan"])
    assert (applied.status, len(codat.writes())) == (0, 4), applied.log


@needs_jq
@pytest.mark.parametrize(
    "answers",
    [
        {PULLS: []},
        {PULLS: [MERGED], RUNS + "b" * 40: {"workflow_runs": []}},
        {PULLS: [MERGED], RUNS + "b" * 40: {"workflow_runs": [planned_by("mallory/lending")]}},
    ],
    ids=["pushed past review", "no run", "a fork's run"],
)
def test_without_a_plan_of_ours_nothing_is_applied(answers: dict[str, Any], runner: Runner) -> None:
    runner.github("api.json", answers)
    fetched = runner.run(FETCH, TOKEN)
    assert (fetched.status, "::error::No reviewed plan" in fetched.log) == (1, True)


DRIFT = step("github-drift.yml", "drift", "Open, update or close the issue")


def watch(runner: Runner, status: int = 0) -> list[dict[str, Any]]:
    """Plan and run the step that keeps the issue, which ends with ``status``; what gh was told."""
    assert runner.action(command="plan").status == 0
    outputs = {f"steps.plan.outputs.{name}": value for name, value in runner.outputs().items()}
    watched = runner.run(DRIFT, TOKEN | {"github.repository": "harbour/lending"} | outputs)
    assert watched.status == status, watched.log
    return runner.told()


@needs_jq
@pytest.mark.slow
def test_what_is_blocked_opens_the_issue_and_fails_the_job(runner: Runner) -> None:
    pinned = company("acme", name="Acme", fields="id: 8a210b68-6988-11ed-a1eb-0242ac120002")
    write_specs(runner.work, [pinned.replace("    connections:\n", "")])
    _, opened = watch(runner, status=1)
    assert "Blocked: 1 needs attention (1 blocking)." in opened["body"]
    assert runner.outputs()["has-changes"] == "false"


@needs_jq
@pytest.mark.slow
def test_drift_opens_one_issue_updates_it_and_closes_it(runner: Runner) -> None:
    label, opened = watch(runner)
    assert (label["label"], opened["issue"]) == ("codat-drift", "create")
    assert opened["body"] == runner.summary()
    runner.github("issues.json", [{"number": 3}])
    (edited,) = watch(runner)
    assert (edited["issue"], edited["arguments"][0]) == ("edit", "3")
    assert runner.action(command="apply").status == 0
    (closed,) = watch(runner)
    assert (closed["issue"], closed["arguments"][0]) == ("close", "3")
    runner.github("issues.json", [])
    assert watch(runner) == []
