"""The Dockerfile: its steps install the program, and what runs has no rights. Docker itself is not needed."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from reconciler import __version__

ROOT: Final = Path(__file__).parent.parent
HOME: Final = "/opt/codat-sync"
STEPS: Final = re.findall(r"^([A-Z]+) (.*)$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)


def of(instruction: str) -> list[str]:
    return [rest for name, rest in STEPS if name == instruction]


def test_it_runs_as_a_user_without_rights() -> None:
    (user,) = of("USER")
    assert all(0 < int(number) < 65_536 for number in user.split(":"))
    assert [name for name, _ in STEPS].index("USER") > [name for name, _ in STEPS].index("ENV")


def test_every_package_is_checked_by_its_hash() -> None:
    lock, own = (line for line in of("RUN") if "pip install" in line)
    assert "--require-hashes --requirement requirements.lock" in lock
    assert "--no-deps --no-build-isolation" in own


def test_what_is_copied_is_let_through_and_nothing_else() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = {name for line in of("COPY") if "--from" not in line for name in line.split()[:-1]}
    assert {line[1:] for line in ignored if line.startswith("!")} == copied
    assert ignored[0] == "*"


@pytest.mark.slow
def test_its_steps_give_a_program_that_runs(tmp_path: Path) -> None:
    source, home = tmp_path / "src", tmp_path / "codat-sync"
    source.mkdir()
    for line in of("COPY"):
        if "--from" not in line:
            *names, target = line.split()
            for name in names:
                copy = source / target / name if target == "./" else source / target
                (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, copy)
    for step in of("RUN"):
        line = step.replace(HOME, str(home)).replace("python -m", "python3 -m")
        line = line.replace("pip install", "pip install --no-compile")  # what is loaded once needs it not
        subprocess.run(shlex.split(line), cwd=source, check=True, capture_output=True)
    (entry,) = (json.loads(line) for line in of("ENTRYPOINT"))
    done = subprocess.run(
        [home / "bin" / entry[0], "--version"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert __version__ in done.stdout
