"""Stands in for GitHub's ``gh``: answers from the directory ``$FAKE_GH`` and notes what it was told to do.

``api.json`` maps paths to answers, ``comments.json`` holds a pull request's comments, ``issues.json`` the
open issues. Filters are run by jq, as gh does by a library of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

STATE = Path(os.environ["FAKE_GH"])


def read(name: str, otherwise: Any) -> Any:
    path = STATE / name
    return json.loads(path.read_text()) if path.exists() else otherwise


def filtered(answer: Any, query: str) -> None:
    done = subprocess.run(["jq", "--raw-output", query], input=json.dumps(answer), text=True, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def option(name: str) -> str:
    return sys.argv[sys.argv.index(name) + 1]


def note(**told: Any) -> None:
    with (STATE / "told.jsonl").open("a") as file:
        file.write(json.dumps(told) + "\n")


def graphql() -> None:
    """A pull request's comments, two a page."""
    comments = read("comments.json", [])
    for start in range(0, max(len(comments), 1), 2):
        nodes = {"nodes": comments[start : start + 2]}
        filtered({"data": {"repository": {"pullRequest": {"comments": nodes}}}}, option("--jq"))


def api() -> None:
    if sys.argv[2] == "graphql":
        assert "--paginate" in sys.argv, "only the first page was asked for"
        graphql()
    elif "--method" in sys.argv:
        at = sys.argv.index("--method")
        body = Path(option("-F").removeprefix("body=@")).read_text()
        note(method=sys.argv[at + 1], path=sys.argv[at + 2], body=body)
    else:
        filtered(read("api.json", {})[sys.argv[2]], option("--jq"))


def issue() -> None:
    if sys.argv[2] == "list":
        filtered(read("issues.json", []), option("--jq"))
        return
    body = Path(option("--body-file")).read_text() if "--body-file" in sys.argv else ""
    note(issue=sys.argv[2], arguments=sys.argv[3:], body=body)


def run() -> None:
    directory = Path(option("--dir"))
    directory.mkdir(parents=True)
    shutil.copy(STATE / "artifacts" / sys.argv[3] / option("--name"), directory / "codat-sync.plan.json")


assert os.environ["GH_TOKEN"] == "fake-token"
{"api": api, "issue": issue, "label": lambda: note(label=sys.argv[3]), "run": run}[sys.argv[1]]()
