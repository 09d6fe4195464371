"""Releases: a tag, the version and the changelog agree, and every fragment will be gathered."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
KINDS = ("added", "changed", "fixed", "security")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that is ready to be released as 1.2.3."""
    for name in (".ci", "reconciler", "changelog.d"):
        (tmp_path / name).mkdir()
    (tmp_path / ".ci" / "check-release").write_bytes((ROOT / ".ci" / "check-release").read_bytes())
    (tmp_path / "reconciler" / "__init__.py").write_text('__version__ = "1.2.3"\n')
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## [1.2.3] - 2026-12-01\n")
    return tmp_path


def check(checkout: Path, tag: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, checkout / ".ci" / "check-release", tag], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr.strip()


def test_a_release_that_says_the_same_everywhere_goes_on(checkout: Path) -> None:
    assert check(checkout, "v1.2.3") == (0, "")


def test_another_tag_is_refused(checkout: Path) -> None:
    assert check(checkout, "v1.2.4") == (1, "the tag is v1.2.4, and reconciler/__init__.py says 1.2.3")


def test_an_undated_heading_and_fragments_that_were_not_gathered_are_refused(checkout: Path) -> None:
    (checkout / "CHANGELOG.md").write_text("## [1.2.3] - unreleased\n")
    (checkout / "changelog.d" / "status.added.md").write_text("New.\n")
    status, told = check(checkout, "v1.2.3")
    assert status == 1
    assert told.splitlines() == [
        "CHANGELOG.md has no dated heading for 1.2.3; run towncrier build",
        "changelog.d still holds status.added.md; run towncrier build",
    ]


def test_the_version_of_this_checkout_has_a_heading() -> None:
    version = re.search(r'__version__ = "(.+)"', (ROOT / "reconciler" / "__init__.py").read_text())
    assert version
    assert f"## [{version[1]}] - " in (ROOT / "CHANGELOG.md").read_text()


def test_every_fragment_has_a_kind_that_is_gathered() -> None:
    names = [path.name for path in (ROOT / "changelog.d").iterdir() if path.name != "README.txt"]
    assert [name for name in names if not re.fullmatch(rf"[a-z0-9-]+\.({'|'.join(KINDS)})\.md", name)] == []
