"""A field more for companies is a row of the table, its place in the nouns, the schema and the sandbox.

The test does what ``CONTRIBUTING.md`` tells a contributor, in a copy of the package, and then follows
the field through every command. Nothing but the files named here is touched.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from installed import REPOSITORY, environment

DESCRIPTION: Final = '        "description": {\n          "title": "Description"'
NULLABLE: Final = '        "nickname": {"type": ["string", "null"]},\n'
ROW: Final = '    TextField(path="description"'
NEW_ROW: Final = '    TextField(path="nickname", wire="nickName", attribute="nick"),\n'
WANTED: Final = "    description: str | Unset | None = UNSET\n"
LIVE: Final = "    description: str | None = None\n"
EDITS: Final = {
    "schemas/spec.schema.json": [(DESCRIPTION, NULLABLE + DESCRIPTION)],
    "reconciler/model.py": [
        (WANTED, WANTED + WANTED.replace("description", "nick")),
    ],
    "reconciler/live.py": [(LIVE, LIVE + LIVE.replace("description", "nick"))],
    "reconciler/fields.py": [(ROW, NEW_ROW + ROW)],
    "reconciler/sandbox/companies.py": [('("description",)', '("description", "nickName")')],
    "reconciler/sandbox/store.py": [
        ("    description TEXT,\n", "    description TEXT,\n    nickName TEXT,\n")
    ],
}
"""What a field of the name ``nickname`` takes, which Codat calls ``nickName``: each text once in its file."""

STORY: Final = """
import io, json, sqlite3, sys
from contextlib import closing, redirect_stderr, redirect_stdout
from pathlib import Path
import reconciler
from reconciler import cli

def run(*arguments):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with redirect_stdout(stream), redirect_stderr(stream):
        status = int(cli.run([*arguments, "--sandbox"] if arguments[0] != "show" else list(arguments)))
    return {"status": status, "text": stream.buffer.getvalue().decode()}

def wanted(nickname):
    Path("specs").mkdir(exist_ok=True)
    text = f"version: 1\\ncompanies:\\n  acme:\\n    name: Acme\\n    nickname: {nickname}\\n"
    Path("specs/acme.yaml").write_text(text)

def codat(statement):
    with closing(sqlite3.connect(".codat-sync/sandbox.db")) as database, database:
        return database.execute(statement).fetchall()

def round_of(name):
    return {
        f"{name} plan": run("plan", "--out", "plan.json", "--format", "json"),
        f"{name} saved": Path("plan.json").read_text(),
        f"{name} apply": run("apply", "plan.json", "--yes"),
        f"{name} codat": codat("SELECT nickName FROM company"),
    }

told = {"package": reconciler.__file__}
wanted("Ace")
told |= round_of("create")
told["show"] = run("show", "plan.json", "-v")
codat("UPDATE company SET nickName = 'Sea'")
told["explain"] = run("explain", "acme", "--format", "json")
told |= round_of("drift")
wanted("null")
told |= round_of("clear")
told["again"] = run("plan", "--detailed-exitcode")
codat("UPDATE company SET nickName = 'Dee'")
codat("DELETE FROM tag")
told["import"] = run("import", "--all", "--out", "imported.yaml")
told["imported"] = Path("imported.yaml").read_text()
json.dump(told, sys.stdout)
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What each command said in a copy that has the field."""
    copy, work = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("work")
    for room in ("reconciler", "schemas"):
        shutil.copytree(REPOSITORY / room, copy / room)  # with what is compiled
    for name, edits in EDITS.items():
        text = (copy / name).read_text()
        for place, put in edits:
            assert text.count(place) == 1, f"{name} has changed; say anew where a field is added"
            text = text.replace(place, put)
        (copy / name).write_text(text)
    (work / "workspace.yaml").write_text("version: 1\nworkspace: test\n")
    variables = environment(PYTHONPATH=os.fspath(copy), PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run(
        [sys.executable, "-c", STORY], cwd=work, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert Path(found["package"]).is_relative_to(copy)
    return found


ROUNDS: Final = [
    pytest.param("create", None, "Ace", id="create"),
    pytest.param("drift", "Sea", "Ace", id="drift"),
    pytest.param("clear", "Ace", None, id="clear"),
]


@pytest.mark.parametrize(("name", "before", "after"), ROUNDS)
def test_a_new_field_is_planned_saved_and_written(
    told: dict[str, Any], name: str, before: str | None, after: str | None
) -> None:
    (action,) = json.loads(told[f"{name} plan"]["text"].partition("\nSaved")[0])["actions"]
    changed = [{"path": "nickname", "before": before, "after": after}]
    assert action["after"]["nickname"] == after if name == "create" else action["changes"] == changed
    assert json.loads(told[f"{name} saved"])["desired"]["companies"]["acme"]["nickname"] == after
    assert told[f"{name} apply"]["status"] == 0, told[f"{name} apply"]["text"]
    assert told[f"{name} codat"] == [[after or ""]]


def test_a_new_field_that_is_as_wanted_is_left_alone(told: dict[str, Any]) -> None:
    assert told["again"]["status"] == 0, told["again"]["text"]


def test_a_new_field_is_shown_and_explained(told: dict[str, Any]) -> None:
    assert re.search(r"nickname\W+Ace", told["show"]["text"]), told["show"]["text"]
    explained = told["explain"]["text"]
    assert '"nickname": "Sea"' in explained
    assert '"after": "Ace"' in explained


def test_a_new_field_is_imported(told: dict[str, Any]) -> None:
    assert told["import"]["status"] == 0, told["import"]["text"]
    assert "nickname: Dee" in told["imported"]
