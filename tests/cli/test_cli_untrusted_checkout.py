"""A checkout that nobody trusts: nothing of it is imported or written through, and it never gets the key."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pytest
from installed import company, connection, environment, write_specs
from served import Codat
from steps import FAKE_PYTHON, Runner
from test_cli_gitlab import JOBS, GitLab, gitlab, job, work

from reconciler.cli.options import Exit

__all__ = ["gitlab", "work"]
KEY = "canary-api-key"


def plant_modules(directory: Path) -> Path:
    """Modules called like those of the standard library; importing one leaves the file that is returned."""
    pwned = directory.parent / "pwned"
    for name in sys.stdlib_module_names:
        (directory / f"{name}.py").write_text(f"open({str(pwned)!r}, 'a').write({name!r})\n")
    return pwned


# --- the real scripts --------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["validate", "plan"])
def test_the_action_imports_nothing_from_the_checkout(command: str, runner: Runner) -> None:
    pwned = plant_modules(runner.work)
    before = set(runner.work.rglob("*"))
    assert runner.action(command=command).status == 0
    assert not pwned.exists()
    assert set(runner.work.rglob("*")) == before


def test_the_gitlab_jobs_import_nothing_from_the_checkout(work: Path, codat: Codat, gitlab: GitLab) -> None:
    pwned = plant_modules(work)
    programs = codat.directory / "programs"
    programs.mkdir()
    for name, text in {"python3": FAKE_PYTHON, "git": "#!/bin/sh\n"}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    lines = "\n".join(JOBS["default"]["before_script"])
    variables = {"PATH": f"{programs}:/usr/bin:/bin", "RUNNER_TEMP": str(codat.directory)}
    installed = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", lines],
        cwd=work,
        env=environment(CODAT_SYNC_COMMIT=JOBS["variables"]["CODAT_SYNC_COMMIT"], **variables),
        capture_output=True,
        text=True,
        check=False,
    )
    assert installed.returncode == 0, installed.stderr
    assert "--require-hashes" in (codat.directory / "pip.txt").read_text()
    status, log = job("review", work, codat, CI_API_V4_URL=gitlab.url)
    assert status == 0, log
    assert not pwned.exists()


def test_the_gitlab_job_writes_through_no_link(work: Path, codat: Codat, gitlab: GitLab) -> None:
    stolen = work / "stolen"
    names = (".gitlab-token", "me.json", "notes.json", "codat-sync.plan.json", "codat-sync.plan.md")
    for name in names:
        (work / name).symlink_to(stolen)
    status, log = job("review", work, codat, CI_API_V4_URL=gitlab.url)
    assert status == 0, log
    assert not stolen.exists()
    assert not (work / "codat-sync.plan.json").is_symlink()
    assert len(gitlab.written) == 1


def test_a_committed_plan_is_not_taken_for_that_of_a_run_that_failed(
    work: Path, codat: Codat, gitlab: GitLab
) -> None:
    (work / "codat-sync.plan.json").write_text("{}")
    (work / "specs" / "bad.yaml").write_text("version: 1\ncompanies: {bravo: {nmae: B}}\n")
    assert job("review", work, codat, CI_API_V4_URL=gitlab.url)[0] == Exit.ERROR
    assert gitlab.written == []
    assert not (work / "codat-sync.plan.json").exists()


# --- the key -----------------------------------------------------------------------------------


def test_the_action_keeps_the_key_in_no_variable_that_specs_can_name(codat: Codat, runner: Runner) -> None:
    write_specs(runner.work, [company("acme", connection("books", "xero", "API_KEY"), name="Acme")])
    ran = Runner(runner.work, runner.temp, {}).action(command="apply", api_key=KEY, api_url=codat.url)
    assert (ran.status, "the environment variable API_KEY is not set" in ran.log) == (Exit.ERROR, True)
    assert codat.writes() == []


FORMS = {
    "raw": KEY,
    "base64": base64.b64encode(KEY.encode()).decode(),
    "header": "Basic " + base64.b64encode(KEY.encode()).decode(),
    "spaced": f" {KEY}\n",
}


@pytest.mark.parametrize("set_as", ["CODAT_API_KEY", "CODAT_AUTH_HEADER"])
@pytest.mark.parametrize("form", FORMS)
def test_a_reference_that_resolves_to_the_key_is_refused_before_the_first_write(
    form: str, set_as: str, codat: Codat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CODAT_API_KEY")
    monkeypatch.setenv(set_as, FORMS["header"] if set_as == "CODAT_AUTH_HEADER" else KEY)
    monkeypatch.setenv("HARMLESS", FORMS[form])
    write_specs(codat.directory, [company("acme", connection("books", "xero", "HARMLESS"), name="Acme")])
    done = codat.run("apply", "--yes", "-v")
    assert (done.status, "secret-is-key" in done.err) == (Exit.ERROR, True), done.err
    assert KEY not in done.err + done.out
    assert codat.writes() == []


def test_a_secret_command_sees_the_key_under_no_name(codat: Codat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARMLESS", KEY)
    settings = "secrets: {commands: {show: [sh, -c, 'env >seen; printf token', '{ref}']}}\n"
    line = "      books: {platform: xero, authorization: {accessToken: '${show:acme}'}}\n"
    write_specs(codat.directory, [company("acme", line, name="Acme")], settings=settings)
    assert codat.run("apply", "--yes").status == Exit.OK
    (seen,) = codat.directory.rglob("seen")
    assert "PATH=" in seen.read_text()
    assert KEY not in seen.read_text()


# --- files that the checkout prepared ----------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [("apply", "--events"), ("apply", "--outputs"), ("plan", "--outputs"), ("apply", "--summary")],
)
@pytest.mark.parametrize("through", ["link", "directory/file"])
def test_no_link_is_followed_and_nothing_was_done(
    arguments: tuple[str, str], through: str, codat: Codat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    write_specs(codat.directory, ["  bravo: {name: Bravo}\n"])
    (codat.directory / "elsewhere").mkdir()
    mine = codat.directory / "elsewhere" / "file"
    mine.write_text("mine\n")
    (codat.directory / "link").symlink_to(mine)
    (codat.directory / "directory").symlink_to(mine.parent)
    command, option = arguments
    done = codat.run(command, option, through)
    assert (done.status, "no link is followed" in done.err) == (Exit.ERROR, True), done.err
    assert (mine.read_text(), codat.writes()) == ("mine\n", [])


@pytest.mark.parametrize("through", ["link", "directory/file"])
def test_a_plan_is_saved_through_no_link(through: str, codat: Codat) -> None:
    write_specs(codat.directory, ["  bravo: {name: Bravo}\n"])
    (codat.directory / "elsewhere").mkdir()
    (codat.directory / "link").symlink_to("elsewhere/file")
    (codat.directory / "directory").symlink_to("elsewhere")
    done = codat.run("plan", "--out", through)
    assert (done.status, "no link is followed" in done.err) == (Exit.ERROR, True)
    assert list((codat.directory / "elsewhere").iterdir()) == []


def test_outputs_that_have_no_place_stop_an_apply_before_its_first_write(codat: Codat) -> None:
    write_specs(codat.directory, ["  bravo: {name: Bravo}\n"])
    assert codat.run("apply", "--yes", "--outputs", "nowhere/outputs").status == Exit.ERROR
    assert codat.writes() == []
