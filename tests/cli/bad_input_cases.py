r"""Cases of bad input as text: a set-up, a command line, what Codat answers, and what the user gets.

::

    === a name
    + printf '...' > specs/acme.yaml      set-up, by a shell in the working directory
    ~ GET /companies 200 {"results": 5}   an answer of Codat's, by method, path (globs) and status; headers
                                          (Retry-After=900) may follow; a body that starts with ``<`` is
                                          HTML. What is not answered so, a sandbox answers.
    $ codat-sync plan specs -v            the command; variables may stand before it
    ? 1                                   its exit status
    @ 2 reads, 0 writes                   the requests that reach Codat; none, if it is not there
    1> ...                                stdout, line by line
    2> ...                                stderr

``pytest --update-golden`` writes what comes after the command anew, to be reviewed.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import installed
from installed import environment

from reconciler.sandbox import Sandbox

HERE: Final = Path(__file__).parent / "bad_input"
BIN: Final = Path(sys.executable).parent
CANARY: Final = "CANARY"
SECRETS: Final = {
    "CODAT_API_KEY": f"{CANARY}-api-key-4711",
    "ACME_TOKEN": f"{CANARY}-token-0815",
    "EMPTY": "",
}
"""What the environment of every case holds in secret."""
ASSIGNED: Final = r"(?!PYTHON)[A-Za-z_]+=(?:'[^'$]*'|[^ '$|<>&;~]*) "
"""A variable before a command, but for those that Python itself reads when it starts."""
PLAIN: Final = re.compile(
    rf"(?:env -u (?P<unset>\w+) )?(?P<set>(?:{ASSIGNED})*)codat-sync"
    r"(?P<words> [^$|<>&;~]*?)?(?: > (?P<file>[\w.]+))?"
)
"""A command line in which a shell would do little but tell the words apart."""
WORKSPACE: Final = """\
version: 1
workspace: test
preconditions: {callbackUrlAdded: done, legacySyncDisabled: done}
"""
SPEC: Final = """\
version: 1
companies:
  acme:
    name: Acme Stores
    connections:
      books:
        platform: xero
        authorization: {accessToken: "${env:ACME_TOKEN}"}
"""


@dataclass(frozen=True, slots=True)
class Case:
    """One case: what it is called, what leads to it, and what the user gets."""

    file: str
    name: str
    setup: tuple[str, ...]
    answers: tuple[str, ...]
    command: str
    expected: tuple[str, ...]

    @property
    def key(self) -> str:
        """Its name among all cases."""
        return f"{self.file}: {self.name}"


def cases() -> list[Case]:
    """Every case of every table."""
    return [_case(path.stem, block) for path in sorted(HERE.glob("*.txt")) for block in _blocks(path)]


def _blocks(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n=== ")[1:]


def _case(file: str, block: str) -> Case:
    name, *lines = block.strip("\n").split("\n")
    marked: dict[str, list[str]] = {"+": [], "~": [], "$": []}
    expected = []
    for line in lines:
        mark, _, rest = line.partition(" ")
        if mark in marked:
            marked[mark].append(rest)
        else:
            expected.append(line)
    (command,) = marked["$"]
    return Case(file, name, tuple(marked["+"]), tuple(marked["~"]), command, tuple(expected))


def rewrite(case: Case, got: tuple[str, ...]) -> None:
    """Put what was got into the case's table."""
    path = HERE / f"{case.file}.txt"
    head, *blocks = path.read_text(encoding="utf-8").split("\n=== ")
    lines = [
        case.name,
        *(f"+ {text}" for text in case.setup),
        *(f"~ {answer}" for answer in case.answers),
        f"$ {case.command}",
        *got,
    ]
    new = [
        "\n".join(lines) + "\n" if _case(case.file, block).name == case.name else block for block in blocks
    ]
    path.write_text("\n=== ".join([head, *new]), encoding="utf-8")


# --- Codat's answers ---------------------------------------------------------------------------


@dataclass(slots=True)
class Canned:
    """An application that answers as a case says, and like a sandbox otherwise; it counts what comes in."""

    answers: tuple[str, ...] = ()
    counted: Counter[str] = field(default_factory=Counter)
    sandbox: Sandbox = field(default_factory=Sandbox)
    keys: set[bytes] = field(default_factory=set)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer as an ASGI application."""
        method, path = scope["method"], scope["path"]
        self.counted["reads" if method == "GET" else "writes"] += 1
        self.keys |= {value for name, value in scope["headers"] if name == b"authorization"}
        for answer in self.answers:
            wanted, pattern, status, rest = f"{answer} ".split(" ", 3)
            if wanted == method and fnmatchcase(path, pattern):
                await _answer(send, int(status), rest.strip())
                return
        await self.sandbox(scope, receive, send)


async def _answer(send: Any, status: int, rest: str) -> None:
    headers, body = {}, rest
    while found := re.match(r"([A-Za-z-]+)=(\S+) ?", body):
        headers[found[1]] = found[2]
        body = body[found.end() :]
    headers["Content-Type"] = "text/html" if body.startswith("<") else "application/json"
    headers["Content-Length"] = str(len(body.encode()))
    shown = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": shown})
    await send({"type": "http.response.body", "body": body.encode()})


# --- running -----------------------------------------------------------------------------------


def prepare(case: Case, directory: Path) -> None:
    """Make the workspace that the case starts from: sound, until its set-up spoils it."""
    (directory / "specs").mkdir()
    (directory / ".git").mkdir()
    (directory / "specs" / "workspace.yaml").write_text(WORKSPACE)
    (directory / "specs" / "acme.yaml").write_text(SPEC)
    for line in case.setup:
        for part in line.split(" && ") if line.startswith("codat-sync ") else [line]:
            _run(part, directory, {}).check_returncode()


def run(case: Case, directory: Path, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the case's command line with ``variables`` in the environment: by a shell, if it takes one."""
    return _run(case.command, directory, {**SECRETS, **variables})


def got(done: subprocess.CompletedProcess[str], canned: Canned, shown: Mapping[str, str]) -> tuple[str, ...]:
    """What a case gives, as its table writes it; ``shown`` replaces what differs from run to run."""
    lines = [f"? {done.returncode}"]
    if canned.counted:
        lines.append(f"@ {canned.counted['reads']} reads, {canned.counted['writes']} writes")
    for mark, text in (("1>", done.stdout), ("2>", done.stderr)):
        for found, instead in shown.items():
            text = text.replace(found, instead)
        lines += [f"{mark} {line}".rstrip() for line in text.splitlines()]
    return tuple(lines)


def codes(text: str) -> list[str]:
    """The codes that ``-v`` shows behind diagnostics, and those that JSON holds."""
    try:
        return [diagnostic["code"] for diagnostic in json.loads(text)["diagnostics"]]
    except (ValueError, KeyError, TypeError):
        return re.findall(r" \[([a-z0-9-]+)\]$", text, re.MULTILINE)


def _run(line: str, directory: Path, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    if found := PLAIN.fullmatch(line):
        assigned = dict(text.split("=", 1) for text in shlex.split(found["set"]))
        env = {name: value for name, value in variables.items() if name != found["unset"]} | assigned
        done = installed.run(*shlex.split(found["words"] or ""), cwd=directory, env=env)
        if found["file"]:
            (directory / found["file"]).write_text(done.stdout)
            done.stdout = ""
        return done
    return _shell(line, directory, environment(**{"PATH": _path(), **variables}))


def _path() -> str:
    return f"{BIN}{os.pathsep}{os.environ['PATH']}"


def _shell(line: str, directory: Path, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line],
        cwd=directory,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=120,
        check=False,
    )
