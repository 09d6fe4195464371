"""Commands start quickly: each loads only what it needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "specs"
HEAVY = {
    "httpx",
    "deepdiff",
    "cattrs",
    "asyncio",
    "starlette",
    "uvicorn",
    "ruamel.yaml",
    "tenacity",
    "aiolimiter",
}
ONLY_FOR_SPECS = {"jsonschema", "jsonschema_rs", "yaml", "rich"}
LOADED = """
import sys
from reconciler.cli import run
run(sys.argv[1:])
print(*sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "left_out"),
    [
        pytest.param(["--help"], HEAVY | ONLY_FOR_SPECS, id="help"),
        pytest.param(["validate", str(EXAMPLES), "--sandbox"], HEAVY, id="validate"),
    ],
)
def test_a_command_loads_only_what_it_needs(arguments: list[str], left_out: set[str]) -> None:
    command = [sys.executable, "-c", LOADED, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert left_out.intersection(done.stderr.splitlines()[-1].split()) == set()
