"""The GitHub action: its steps are run by bash against a sandbox, with a fake ``gh`` and a fake ``pip``."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from installed import REPOSITORY, company, connection, write_specs
from served import Codat
from steps import Runner

needs_jq = pytest.mark.skipif(
    shutil.which("jq") is None, reason="jq is not installed; the fake gh filters with it"
)

ACME = company("acme", connection("books", "xero", "ACME_TOKEN"), name="Acme")
pytestmark = pytest.mark.slow

MARKER = "<!-- codat-sync workspace=test specs=specs -->"
HOSTILE = "x$(touch pwned)`touch pwned`'\"; touch pwned; #\ntouch pwned"


def test_it_installs_its_own_checkout(runner: Runner) -> None:
    assert runner.action(command="validate").status == 0
    pip = "-I -m pip --disable-pip-version-check install --quiet"
    assert (runner.temp / "pip.txt").read_text().splitlines() == [
        f"{pip} --require-hashes --requirement {REPOSITORY}/requirements.lock",
        f"{pip} --no-deps --no-build-isolation {REPOSITORY}",
    ]


def test_validate_needs_no_key_and_marks_the_line(runner: Runner) -> None:
    alone = Runner(runner.work, runner.temp, {})
    assert alone.action(command="validate").status == 0
    (runner.work / "specs" / "bad.yaml").write_text("version: 1\ncompanies: {bravo: {nmae: B}}\n")
    ran = alone.action(command="validate")
    assert ran.status == 1
    assert re.search(r"^::error .*file=specs/bad\.yaml,line=2,", ran.log, re.MULTILINE), ran.log


def test_plan_saves_tells_the_log_the_summary_and_the_next_steps(codat: Codat, runner: Runner) -> None:
    ran = runner.action(command="plan")
    assert ran.status == 0, ran.log
    outputs = runner.outputs()
    assert (outputs["status"], outputs["has-changes"], outputs["company-create"]) == ("0", "true", "1")
    saved = json.loads(Path(outputs["plan"]).read_text())
    assert saved["digest"] == outputs["digest"]
    assert runner.summary() == Path(outputs["markdown"]).read_text()
    assert runner.summary().startswith(MARKER)
    assert '+ acme        create company "Acme"' in ran.log
    assert runner.told() == []
    assert codat.writes() == []


def test_apply_carries_out_the_saved_plan(codat: Codat, runner: Runner) -> None:
    assert runner.action(command="plan").status == 0
    reviewed = runner.outputs()["plan"]
    ran = runner.action(command="apply", plan=reviewed)
    assert ran.status == 0, ran.log
    assert (runner.outputs()["complete"], len(codat.writes())) == ("true", 4)
    assert runner.summary().startswith("### codat-sync apply\n\n**Applied: 4 done, 0 failed")
    assert "create company" not in runner.summary(), "the plan was reviewed, and is not told again"
    codat.drift("Acme", name="Acme Limited")
    stale = runner.action(command="apply", plan=reviewed)
    assert (stale.status, runner.outputs()["status"]) == (3, "3")
    assert "acme: the saved plan is stale" in stale.log
    assert "acme: the saved plan is stale" in runner.summary()


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_the_summary_of_a_run_that_fails_early_says_why(command: str, runner: Runner) -> None:
    (runner.work / "specs" / "bad.yaml").write_text("version: 1\ncompanies: {bravo: {nmae: B}}\n")
    assert runner.action(command=command).status == 1
    heading, _, caution, _, _, error, *_ = runner.summary().splitlines()
    assert (heading, caution) == (f"### codat-sync {command}", "> [!CAUTION]")
    assert error.startswith("- `specs/bad.yaml:2:13` companies.bravo: the field 'name' is missing")


def test_the_summary_of_a_misused_command_line_points_to_the_log(runner: Runner) -> None:
    assert runner.action(command="apply", options="--no-such-flag").status == 2
    assert runner.summary().splitlines()[2].startswith("**The command ended with 2.**")


def test_the_summary_of_an_apply_leads_with_its_result_and_its_failures(runner: Runner) -> None:
    rejected = Runner(runner.work, runner.temp, {**runner.env, "ACME_TOKEN": "bad-token"})
    assert rejected.action(command="apply").status == 1
    shown = rejected.summary()
    order = ["**Applied: 2 done, 1 failed", "authorize connection failed", "**Not started (1)**", "The plan"]
    assert sorted(order, key=shown.index) == order
    assert "bad-token" not in shown


def test_without_a_saved_plan_apply_plans_anew(codat: Codat, runner: Runner) -> None:
    assert runner.action(command="apply").status == 0
    assert len(codat.writes()) == 4


def test_options_are_taken_a_line_each_and_the_key_as_an_input(codat: Codat, runner: Runner) -> None:
    write_specs(runner.work, [ACME, "  bravo: {name: Bravo}\n"])
    alone = Runner(runner.work, runner.temp, {})
    options = "--target=bravo\n\n--no-color\n"
    ran = alone.action(command="apply", options=options, api_key="k", api_url=codat.url)
    assert ran.status == 0, ran.log
    assert [company["name"] for company in codat.sandbox.state()["companies"]] == ["Bravo"]


INPUTS = ("specs", "base", "plan", "options", "api_key", "api_url")


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("plan", "command"),
        *(("validate", name) for name in ("specs", "options")),
        *((command, name) for command in ("plan", "apply") for name in INPUTS),
    ],
)
def test_no_input_is_run_as_a_script(command: str, name: str, codat: Codat, runner: Runner) -> None:
    runner.action(**{"command": command, name: HOSTILE})  # type: ignore[arg-type]
    assert not list(codat.directory.rglob("pwned"))


def test_a_command_that_is_none_is_refused(runner: Runner) -> None:
    ran = runner.action(command="sandbox")
    assert (ran.status, "the input command is validate, plan or apply" in ran.log) == (2, True)


# --- the comment -------------------------------------------------------------------------------


def comment(number: int, body: str, *, ours: bool = True) -> dict[str, object]:
    return {"databaseId": number, "viewerDidAuthor": ours, "body": body}


@needs_jq
def test_the_first_plan_of_a_pull_request_is_a_new_comment(runner: Runner) -> None:
    runner.github("comments.json", [comment(1, "Nice!", ours=False)])
    assert runner.action(command="plan", pull_request="7").status == 0
    (told,) = runner.told()
    assert (told["method"], told["path"]) == ("POST", "repos/harbour/lending/issues/7/comments")
    assert told["body"] == Path(runner.outputs()["markdown"]).read_text()


@needs_jq
def test_the_next_plan_edits_it_wherever_it_stands_and_nobody_elses(runner: Runner) -> None:
    others = [
        comment(1, f"{MARKER}\nnot ours", ours=False),
        comment(2, f"What is {MARKER}?"),
        comment(3, "<!-- codat-sync workspace=other specs=specs -->\nanother workspace"),
        comment(4, "<!-- codat-sync workspace=test specs=more -->\nanother directory"),
    ]
    runner.github("comments.json", [*others, comment(5, f"{MARKER}\r\nan older plan")])
    assert runner.action(command="plan", pull_request="7").status == 0
    (told,) = runner.told()
    assert (told["method"], told["path"]) == ("PATCH", "repos/harbour/lending/issues/comments/5")


@needs_jq
def test_a_plan_that_a_guard_refuses_is_shown_and_fails_the_job(runner: Runner) -> None:
    assert runner.action(command="apply").status == 0
    write_specs(runner.work, ["  bravo: {name: Bravo}\n"])
    ran = runner.action(command="plan", options="--prune", pull_request="7")
    assert (ran.status, runner.outputs()["refused"]) == (3, "true")
    assert "Refused: as it stands, this plan is not applied" in runner.told()[0]["body"]


@needs_jq
def test_a_run_without_a_plan_takes_back_the_older_one(runner: Runner) -> None:
    runner.github("comments.json", [comment(5, f"{MARKER}\nan older plan")])
    (runner.work / "specs" / "bad.yaml").write_text("version: 1\ncompanies: {bravo: {nmae: B}}\n")
    assert runner.action(command="plan", pull_request="7").status == 1
    (told,) = runner.told()
    assert told["path"].endswith("/comments/5")
    assert told["body"].startswith(f"{MARKER}\n\n")
    assert "There is no plan of the last commit" in told["body"]
    runner.github("comments.json", [])
    assert runner.action(command="plan", pull_request="7").status == 1
    assert runner.told() == []


def test_the_key_and_the_tokens_are_in_no_log_summary_or_file(runner: Runner) -> None:
    logs = [runner.action(command=text).log for text in ("validate", "plan", "apply")]
    kept = [path for path in runner.temp.rglob("*") if path.is_file() and path.name != "script.sh"]
    for text in [*logs, *(path.read_text(errors="replace") for path in kept)]:
        assert "canary-" not in text
