"""Runs the shell steps of the action and the example workflows as GitHub's runner does; ``gh`` is a fake."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from installed import COMMAND, REPOSITORY, environment

EXPRESSION: Final = re.compile(r"\$\{\{ *([^}]*?) *\}\}")
ACTION: Final = yaml.safe_load((REPOSITORY / "action.yml").read_text())
CI: Final = REPOSITORY / "docs" / "ci"

FAKE_GH: Final = Path(__file__).with_name("fake_gh.py")
FAKE_PYTHON: Final = f"""#!/usr/bin/env bash
# The real python3, but a pip of the environment that it makes only notes what it shall install.
set -eu
"{sys.executable}" "$@" --without-pip
bin=${{@: -1}}/bin
rm "$bin/python3" "$bin/python"
printf '#!/usr/bin/env bash\\necho "$@" >>"$RUNNER_TEMP/pip.txt"\\n' >"$bin/python"
chmod +x "$bin/python"
ln -s python "$bin/python3"
ln -sf "{COMMAND}" "$bin/codat-sync"
"""


@dataclass(frozen=True)
class Ran:
    """How a step ended."""

    status: int
    log: str


@dataclass(frozen=True)
class Runner:
    """GitHub's runner for one job, in the checkout ``work``."""

    work: Path
    temp: Path
    env: Mapping[str, str]

    @classmethod
    def made(cls, directory: Path, work: Path, env: Mapping[str, str]) -> Runner:
        """A runner with a fresh directory for temporary files."""
        temp = directory / "runner"
        (temp / "bin").mkdir(parents=True)
        (temp / "bin" / "gh").write_text(f"#!{sys.executable}\n{FAKE_GH.read_text()}")
        (temp / "bin" / "python3").write_text(FAKE_PYTHON)
        for name in ("gh", "python3"):
            (temp / "bin" / name).chmod(0o755)
        (temp / "gh").mkdir()
        return cls(work, temp, env)

    def run(self, step: Mapping[str, Any], context: Mapping[str, str]) -> Ran:
        """Run a step's script; its variables are what ``context`` says of the expressions in them."""
        variables = {
            name: EXPRESSION.sub(lambda found: context[found[1]], value)
            for name, value in step.get("env", {}).items()
        }
        files = {"GITHUB_OUTPUT": "output.txt", "GITHUB_STEP_SUMMARY": "summary.md"}
        given = {
            "PATH": f"{self.temp / 'bin'}:/usr/bin:/bin",
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_ACTION_PATH": str(REPOSITORY),
            "GITHUB_REPOSITORY": "harbour/lending",
            "GITHUB_SHA": "a" * 40,
            "CI": "true",
            "FAKE_GH": str(self.temp / "gh"),
            **{name: str(self.temp / file) for name, file in files.items()},
        }
        script = self.temp / "script.sh"
        script.write_text(step["run"])
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            cwd=self.work,
            env=environment(**self.env, **given, **variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Ran(done.returncode, done.stdout + done.stderr)

    def action(self, *, pull_request: str = "", **inputs: str) -> Ran:
        """Run the action with ``inputs`` (``_`` for ``-``): its steps, and on a pull request its comment."""
        given = {f"inputs.{name}": entry.get("default", "") for name, entry in ACTION["inputs"].items()}
        given |= {f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()}
        given["inputs.github-token"] = "fake-token"
        given["github.event.pull_request.number"] = pull_request
        (self.temp / "output.txt").write_text("")
        install, run, comment = ACTION["runs"]["steps"]
        installed = self.run(install, given)
        assert installed.status == 0, installed.log
        given["steps.install.outputs.directory"] = self.outputs()["directory"]
        for name in ("output.txt", "summary.md"):
            (self.temp / name).write_text("")
        ran = self.run(run, given)
        if pull_request and inputs["command"] == "plan":
            given["steps.run.outputs.markdown"] = self.outputs().get("markdown", "")
            commented = self.run(comment, given)
            assert commented.status == 0, commented.log
        return ran

    def outputs(self) -> dict[str, str]:
        """The outputs of the last step."""
        return dict(line.split("=", 1) for line in (self.temp / "output.txt").read_text().splitlines())

    def summary(self) -> str:
        """The job's summary."""
        return (self.temp / "summary.md").read_text()

    def github(self, name: str, state: Any) -> None:
        """Set what ``gh`` answers from."""
        (self.temp / "gh" / name).write_text(json.dumps(state))

    def told(self) -> list[dict[str, Any]]:
        """What ``gh`` was told to write, since the last time this was asked."""
        path = self.temp / "gh" / "told.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [json.loads(line) for line in lines]


def workflow(name: str) -> dict[str, Any]:
    """An example workflow; YAML 1.1 reads the key ``on`` as true."""
    document: dict[str, Any] = yaml.safe_load((CI / name).read_text())
    return document


def step(name: str, job: str, title: str) -> dict[str, Any]:
    """The step of this title in a job of an example workflow."""
    (found,) = (step for step in workflow(name)["jobs"][job]["steps"] if step.get("name") == title)
    return found  # type: ignore[no-any-return]
