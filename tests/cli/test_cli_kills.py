"""kill -9 at every request boundary: the next run ends where an undisturbed one does, nothing twice."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import pytest
from gate import Gate
from installed import over_http, run, start
from loopback import serving
from small_migration import ENV, WRITES, expect_whole, specs_in

from reconciler.sandbox import Sandbox

BOUNDARIES: Final = [(nth, when) for nth in range(1, WRITES + 1) for when in ("before", "after")]
EVERY_SO_OFTEN: Final = 9
"""One boundary of so many is tried while someone waits; the executor's own tests try each in virtual time."""


@pytest.mark.parametrize(
    ("nth", "when"),
    [
        pytest.param(*boundary, marks=() if number % EVERY_SO_OFTEN == 0 else pytest.mark.slow)
        for number, boundary in enumerate(BOUNDARIES)
    ],
)
def test_a_killed_apply_is_completed_by_the_next(
    nth: int, when: Literal["before", "after"], tmp_path: Path
) -> None:
    specs = specs_in(tmp_path)
    sandbox = Sandbox(tmp_path / "codat.db", settings={"syncSeconds": 600})
    gate = Gate(sandbox, nth, when)
    with serving(gate) as url:
        env = over_http(url) | ENV
        process = start("apply", specs, "--yes", cwd=tmp_path, env=env)
        assert gate.reached.wait(30), process.communicate(timeout=5)
        process.kill()
        process.communicate(timeout=10)
        done = run("apply", specs, "--yes", cwd=tmp_path, env=env)
        assert done.returncode == 0, done.stdout + done.stderr
    expect_whole(sandbox)
