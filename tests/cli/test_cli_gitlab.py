"""The jobs for GitLab: their scripts run by bash, with curl against a stand-in for GitLab's API."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from installed import COMMAND, company, connection, environment, over_http, write_specs
from repository import Repository
from served import Codat
from steps import CI

pytestmark = [
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed; the jobs use it"),
    pytest.mark.slow,
]

JOBS: dict[str, Any] = yaml.safe_load((CI / "gitlab-ci.yml").read_text())
ACME = company("acme", connection("books", "xero", "ACME_TOKEN"), name="Acme")
MARKER = "<!-- codat-sync workspace=test specs=specs -->"
NOTES = "/projects/5/merge_requests/7/notes"


@dataclass
class GitLab:
    """A project's merge request: its notes, and what was written."""

    notes: list[dict[str, Any]] = field(default_factory=list)
    written: list[tuple[str, str, str]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    state = GitLab()

    class Handler(BaseHTTPRequestHandler):
        answers: ClassVar[dict[str, Any]] = {"/user": {"id": 1}, NOTES: state.notes}

        def answer(self) -> None:
            assert self.headers["PRIVATE-TOKEN"] == "canary-gitlab-token"
            path = urlsplit(self.path).path
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            if self.command != "GET":
                state.written.append((self.command, path, parse_qs(body)["body"][0]))
            answer = json.dumps(self.answers.get(path, {}) if self.command == "GET" else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = answer  # noqa: N815 - http.server looks for these names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield state
        server.shutdown()


@pytest.fixture
def work(codat: Codat) -> Path:
    """A checkout whose last commit adds acme."""
    repository = Repository.made(codat.directory / "work")
    repository.commit("nothing")
    write_specs(repository.path, [ACME])
    repository.commit("acme")
    return repository.path


def job(name: str, work: Path, codat: Codat, **variables: str) -> tuple[int, str]:
    """Run a job's script, as GitLab's runner does where bash is there."""
    base = subprocess.run(
        ["git", "-C", work, "rev-parse", "HEAD~1"], capture_output=True, text=True, check=True
    )
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(JOBS[name]["script"])],
        cwd=work,
        env=environment(
            **over_http(codat.url),
            PATH=f"{COMMAND.parent}:/usr/bin:/bin",
            SPECS=JOBS["variables"]["SPECS"],
            CI="true",
            CI_MERGE_REQUEST_DIFF_BASE_SHA=base.stdout.strip(),
            CI_PROJECT_ID="5",
            CI_MERGE_REQUEST_IID="7",
            CODAT_SYNC_GITLAB_TOKEN="canary-gitlab-token",
            **variables,
        ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def note(number: int, body: str, author: int = 1) -> dict[str, Any]:
    return {"id": number, "body": body, "author": {"id": author}}


def test_the_first_plan_is_a_new_note(work: Path, codat: Codat, gitlab: GitLab) -> None:
    status, log = job("review", work, codat, CI_API_V4_URL=gitlab.url)
    assert status == 0, log
    ((method, path, body),) = gitlab.written
    assert (method, path, body.splitlines()[0]) == ("POST", NOTES, MARKER)
    assert "This change: " in body
    assert "canary" not in log
    assert not (work / ".gitlab-token").exists()


def test_the_next_plan_edits_our_note_and_nobody_elses(work: Path, codat: Codat, gitlab: GitLab) -> None:
    gitlab.notes += [
        note(1, f"{MARKER}\nx", author=2),
        note(2, ""),
        note(3, "Nice!"),
        note(4, f"{MARKER}\nold"),
    ]
    status, log = job("review", work, codat, CI_API_V4_URL=gitlab.url)
    assert status == 0, log
    assert [(method, path) for method, path, _ in gitlab.written] == [("PUT", f"{NOTES}/4")]


def test_specs_that_do_not_load_write_no_note(work: Path, codat: Codat, gitlab: GitLab) -> None:
    (work / "specs" / "bad.yaml").write_text("version: 1\ncompanies: {bravo: {nmae: B}}\n")
    assert job("review", work, codat, CI_API_V4_URL=gitlab.url)[0] == 1
    assert gitlab.written == []
    assert job("validate", work, codat)[0] == 1


def test_the_watch_fails_where_something_is_blocked_and_nothing_else_is_due(work: Path, codat: Codat) -> None:
    pinned = company("acme", name="Acme", fields="id: 8a210b68-6988-11ed-a1eb-0242ac120002")
    write_specs(work, [pinned.replace("    connections:\n", "")])
    status, log = job("drift", work, codat)
    assert (status, "Blocked: 1 needs attention (1 blocking)." in log) == (1, True), log
    assert "Something is blocked, which no apply settles" in log


def test_main_is_planned_applied_as_planned_and_watched(work: Path, codat: Codat) -> None:
    assert job("drift", work, codat)[0] == 2
    assert job("plan", work, codat)[0] == 0
    status, log = job("apply", work, codat, ACME_TOKEN="good")
    assert (status, len(codat.writes())) == (0, 4), log
    assert job("drift", work, codat)[0] == 0
    codat.drift("Acme", name="Acme Limited")
    assert job("apply", work, codat, ACME_TOKEN="good")[0] == 3
