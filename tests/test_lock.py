"""What CI installs is locked: every dependency at a version that fits, each file by its hash."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text()
LOCKED = {
    canonicalize_name(name): version
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", LOCK, re.MULTILINE)
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WANTED = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]


@pytest.mark.parametrize("written", WANTED)
def test_a_dependency_is_locked_at_a_version_that_fits(written: str) -> None:
    wanted = Requirement(written)
    assert wanted.specifier.contains(LOCKED[canonicalize_name(wanted.name)])


def test_each_version_has_its_hashes() -> None:
    blocks = re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"^#.*\n", "", LOCK, flags=re.MULTILINE).strip())
    assert len(blocks) == len(LOCKED)
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []
