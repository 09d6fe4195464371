"""A pull request from end to end: reviewed as a comment, merged, and applied exactly as reviewed."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from gate import Gate
from installed import company, connection, over_http, run, start, write_specs
from loopback import asked, serving
from repository import Repository

from reconciler.sandbox import Sandbox

TOKENS = {"ACME_TOKEN": "canary-1", "BRAVO_TOKEN": "canary-2"}
ACME = company("acme", connection("books", "xero", "ACME_TOKEN"), name="Acme")
BRAVO = company("bravo", connection("books", "freeagent", "BRAVO_TOKEN"), name="Bravo")
DELTA = "  delta: {name: Delta}\n"
FOXTROT = "  foxtrot: {name: Foxtrot, tags: {region: uk}}\n"

APPLIED = [ACME, DELTA, "  foxtrot: {name: Foxtrot}\n"]
BASE = [ACME, DELTA, FOXTROT]
HEAD = [
    ACME.replace("name: Acme", "name: Acme Stores"),
    DELTA.replace("name: Delta", "name: Delta, state: absent"),
    FOXTROT,
    BRAVO,
]
REVIEWED = [
    ("PATCH", "/companies/{companyId}"),  # acme's name
    ("POST", "/companies"),  # bravo
    ("POST", "/companies/{companyId}/connections"),
    ("PUT", "/companies/{companyId}/connections/{connectionId}/authorization"),
    ("POST", "/companies/{companyId}/data/all"),
    ("DELETE", "/companies/{companyId}"),  # delta
    ("PATCH", "/companies/{companyId}"),  # foxtrot's tag, which was due already
]


@dataclass(frozen=True)
class Review:
    """A pull request that was reviewed and merged, and the Codat that it is about."""

    sandbox: Sandbox
    gate: Gate
    env: dict[str, str]
    repository: Repository
    comment: str
    before: int

    def apply(self) -> tuple[int, str]:
        """Apply what was reviewed to the merged ``main``, as the documented job does."""
        done = run(*self.command, cwd=self.repository.path, env=self.env)
        return done.returncode, done.stdout + done.stderr

    @property
    def command(self) -> tuple[str, ...]:
        return ("apply", "specs", "--plan", "../artifact/plan.json")

    def writes(self) -> list[tuple[str, str]]:
        """What was written since the review."""
        entries = self.sandbox.journal()[self.before :]
        return sorted((entry["method"], entry["path"]) for entry in entries if entry["tookEffect"])


@contextmanager
def merged(directory: Path, nth: int = 0, when: Literal["before", "after"] = "before") -> Iterator[Review]:
    """A pull request that is planned, reviewed and merged, before a gate that holds the ``nth`` write."""
    sandbox = Sandbox(settings={"syncSeconds": 0}, seed=5)
    work = directory / "work"
    write_specs(work, APPLIED)
    with serving(sandbox) as url:
        assert run("apply", "--yes", cwd=work, env=over_http(url) | TOKENS).returncode == 0
    repository = Repository.made(work)
    write_specs(work, BASE)
    repository.commit("what main wants")
    repository.git("switch", "--quiet", "--create", "change")
    write_specs(work, HEAD)
    repository.commit("the change")
    before = len(sandbox.journal())
    gate = Gate(sandbox, nth, when)
    with serving(gate) as url:
        env = over_http(url) | {"CI": "true"}
        (directory / "artifact").mkdir()
        told = ("--base", "main", "--format", "markdown", "--out", "../artifact/plan.json")
        planned = run("plan", "specs", *told, cwd=work, env=env)  # without the customers' tokens
        assert planned.returncode == 0, planned.stderr
        assert (gate.writes, repository.git("status", "--porcelain")) == (0, "")
        repository.git("switch", "--quiet", "main")
        repository.git("merge", "--quiet", "--squash", "change")
        repository.commit("the change (#1)")
        yield Review(sandbox, gate, env | TOKENS, repository, planned.stdout, before)


def test_what_is_applied_after_the_merge_is_what_the_comment_said(
    tmp_path: Path, golden: Callable[[str, str], None]
) -> None:
    with merged(tmp_path) as review:
        stable = re.sub(r"http://127\.0\.0\.1:\d+", "http://codat.test", review.comment)
        golden("pull-request.md", re.sub("sha256:[0-9a-f]{64}", "sha256:…", stable))
        status, printed = review.apply()
        assert status == 0, printed
        assert review.writes() == sorted(REVIEWED)
        names = sorted(company["name"] for company in review.sandbox.state()["companies"])
        assert names == ["Acme Stores", "Bravo", "Foxtrot"]
        assert run("plan", "--detailed-exitcode", cwd=review.repository.path, env=review.env).returncode == 0


def drift(review: Review, name: str, /, **fields: str) -> None:
    """Change a company as a colleague of ours would, past this tool."""
    (found,) = (company for company in review.sandbox.state()["companies"] if company["name"] == name)
    url = f"{review.env['CODAT_API_URL']}/companies/{found['id']}"
    headers = {"Authorization": "Basic eA==", "Idempotency-Key": str(uuid.uuid4())}
    asked("PATCH", url, json=fields, headers=headers).raise_for_status()


def test_after_drift_it_is_refused_and_names_the_address(tmp_path: Path) -> None:
    with merged(tmp_path) as review:
        drift(review, "Foxtrot", description="by hand")  # nobody manages it
        drift(review, "Acme", name="Acme Limited")
        drifted = review.writes()
        status, printed = review.apply()
        assert status == 3
        assert "acme: the saved plan is stale: reviewed was company.update (name); now it would be" in printed
        assert "foxtrot" not in printed
        assert review.writes() == drifted


@pytest.mark.parametrize(
    ("nth", "when"),
    [
        (4, "before"),
        pytest.param(1, "after", marks=pytest.mark.slow),
        pytest.param(len(REVIEWED), "after", marks=pytest.mark.slow),
    ],
)
def test_killed_half_way_it_goes_on_with_the_same_saved_plan(
    nth: int, when: Literal["before", "after"], tmp_path: Path
) -> None:
    with merged(tmp_path, nth, when) as review:
        process = start(*review.command, cwd=review.repository.path, env=review.env)
        assert review.gate.reached.wait(30), process.communicate(timeout=5)
        process.kill()
        process.communicate(timeout=10)
        status, printed = review.apply()
        assert status == 0, printed
        more = Counter(review.writes()) - Counter(REVIEWED)
        assert not Counter(REVIEWED) - Counter(review.writes())
        # Which connection is bravo's is recorded by its id, where its company was there before it.
        assert more in (Counter(), Counter([("PATCH", "/companies/{companyId}")]))


def test_a_merge_that_changed_more_than_was_reviewed_is_refused(tmp_path: Path) -> None:
    with merged(tmp_path) as review:
        write_specs(review.repository.path, [*HEAD, "  golf: {name: Golf}\n"])
        status, printed = review.apply()
        assert (status, "the specs in specs do not say the same any more" in printed) == (3, True)
        assert review.writes() == []
