"""Commands start quickly: each loads only what it needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "specs"
SLOW = {
    "asyncio",
    "difflib",
    "importlib.metadata",
    "importlib.resources",
    "ssl",
    "tempfile",
    "traceback",
}
"""Modules of Python's own that cost a start several milliseconds each."""
HELP = {"cli", "diagnostics", "wording", "workflow"}
VALIDATE = HELP | {"csv_form", "fields", "loading", "model", "secret_refs", "workspace"}
EXPLAIN = HELP | {
    "account_actions",
    "actions",
    "fields",
    "kinds",
    "live",
    "migration",
    "model",
    "outcome",
    "plan",
    "planned",
    "render",
    "secret_refs",
    "source_account_actions",
    "workspace",
}
LOADED = """
import sys
before = dict(sys.modules)
from reconciler.cli import run
run(sys.argv[1:])
loaded = {name: sys.modules[name] for name in sys.modules.keys() - before}
print(*(name for name, module in loaded.items() if hasattr(module, "__file__")), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "libraries", "ours"),
    [
        pytest.param(["--help"], {"click"}, HELP, id="help"),
        pytest.param(
            ["validate", str(EXAMPLES)], {"click", "jsonschema_rs", "yaml"}, VALIDATE, id="validate"
        ),
        pytest.param(["explain", "relink"], {"click", "rich"}, EXPLAIN, id="explain"),
    ],
)
def test_a_command_loads_nothing_but_these(arguments: list[str], libraries: set[str], ours: set[str]) -> None:
    command = [sys.executable, "-c", LOADED, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = set(done.stderr.splitlines()[-1].split())
    rooms = {parts[1] for name in loaded if (parts := name.split("."))[0] == "reconciler" and len(parts) > 1}
    foreign = {name.split(".")[0] for name in loaded} - sys.stdlib_module_names - {"reconciler"}
    assert rooms <= ours
    assert foreign <= libraries
    assert loaded & SLOW == set()


def test_every_command_is_loaded_from_its_module_alone() -> None:
    modules = "import sys; print(*(name for name in sys.modules if name.startswith('reconciler.cli.')))"
    command = [
        sys.executable,
        "-c",
        f"from reconciler.cli import run; run(['validate', '--help']); {modules}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert loaded == {f"reconciler.cli.{name}" for name in ("options", "showing", "specs", "streams")}
