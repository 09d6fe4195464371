"""The contributor's two doors: ``nox -s quick`` in under a minute, and ``nox -s all``, which is what CI does.

Both run in the environment that nox runs in (``pip install -e '.[test]'``), so nothing is installed again.
"""

from __future__ import annotations

import subprocess
from fnmatch import fnmatch
from pathlib import Path

import nox

nox.options.sessions = ["quick"]
nox.options.default_venv_backend = "none"
NO_TESTS = 5
"""What pytest ends with where no test is selected."""
RELATED = {
    "reconciler/cli/*": ("tests/cli/test_cli_examples.py", "tests/cli/test_cli_status.py"),
    "reconciler/*.py": ("tests/workflow/test_catalogue.py",),
    "reconciler/model.py": ("tests/planner",),
    "reconciler/outcome.py": ("tests/apply/test_apply_running.py",),
    "schemas/*": ("tests/loading/test_spec_schema.py",),
    "docs/*": ("tests/test_reference_pages.py",),
    "README.md": ("tests/test_readme.py",),
}
"""Tests of what is no room, or of a room whose tests take too long."""
LONG = {"tests/cli", "tests/simulation", "tests/fuzz"}
"""Directories that take longer than anyone waits; a file of them that changed itself is run."""


@nox.session
def quick(session: nox.Session) -> None:
    """Lint, types, import contracts, and the tests of the rooms that differ from main."""
    _checks(session)
    tests = _tests_of(_changed())
    if not tests:
        session.log("no room differs from main, so no test is run")
        return
    session.run(
        "python", "-m", "pytest", "-q", "-n", "auto", "-m", "not slow", *tests, success_codes=[0, NO_TESTS]
    )


@nox.session(name="all")
def everything(session: nox.Session) -> None:
    """All that CI does, on a copy, in fresh environments."""
    session.run("bash", ".ci/run", external=True)


@nox.session(venv_backend="virtualenv")
def site(session: nox.Session) -> None:
    """The documentation as a site, every link checked; ``nox -s site -- serve`` shows it."""
    session.install("--no-compile", "mkdocs-material>=9.6,<10")
    arguments = session.posargs or ["build", "--site-dir", session.create_tmp()]
    session.run("mkdocs", *arguments, env={"NO_MKDOCS_2_WARNING": "1"})


def _checks(session: nox.Session) -> None:
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("lint-imports")


def _changed() -> list[str]:
    """The files that differ from where this branch left main, and those that git does not track yet."""
    base = _git("merge-base", "HEAD", "main") or ["HEAD"]
    return [*_git("diff", "--name-only", base[0]), *_git("ls-files", "--others", "--exclude-standard")]


def _git(*arguments: str) -> list[str]:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    return done.stdout.split("\n")[:-1]


def _tests_of(changed: list[str]) -> list[str]:
    """The tests of what a change touches: its room's, those beside a helper, and those in ``RELATED``."""
    found: set[str] = set()
    for name in changed:
        found |= {
            tests for pattern, related in RELATED.items() if fnmatch(name, pattern) for tests in related
        }
        top, *rest = Path(name).parts
        if top == "tests" and Path(name).name.startswith("test_"):
            found.add(name)
        elif top in ("reconciler", "tests") and len(rest) > 1:
            found.add(f"tests/{rest[0]}")
    return sorted(tests for tests in found - LONG if Path(tests).exists())
