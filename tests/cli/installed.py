"""The command, as a user runs it: in the test's own process, or in one of its own where that is the point."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Final
from unittest.mock import patch

from reconciler import cli

COMMAND: Final = Path(sys.executable).with_name("codat-sync")
REPOSITORY: Final = Path(__file__).parents[2]
EXAMPLES: Final = REPOSITORY / "specs"


def environment(**variables: str) -> dict[str, str]:
    """The process's environment without what would steer the command, and with ``variables``."""
    ours = ("CODAT_", "CI", "NO_COLOR", "FORCE_COLOR", "COLUMNS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, **variables}


def run(
    *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``codat-sync`` here, as a process in ``cwd`` would run that has its standard input closed."""
    told = [str(argument) for argument in arguments]
    with _place(cwd, environment(**(env or {}))), _stream() as out, _stream() as err:
        with redirect_stdout(out), redirect_stderr(err):
            status = cli.run(told)
        return subprocess.CompletedProcess([str(COMMAND), *told], int(status), _text(out), _text(err))


@contextmanager
def _place(directory: Path, environ: Mapping[str, str]) -> Iterator[None]:
    """A working directory, an environment and an empty standard input, and all as before at the end."""
    with (
        chdir(directory),
        patch.dict(os.environ, environ, clear=True),
        Path(os.devnull).open(encoding="utf-8") as nothing,
        patch.object(sys, "stdin", nothing),
    ):
        yield


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="surrogateescape", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    written = stream.buffer
    assert isinstance(written, io.BytesIO)
    return written.getvalue().decode(errors="surrogateescape")


def start(*arguments: str | Path, cwd: Path, env: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start ``codat-sync`` and let it run."""
    return subprocess.Popen(
        [COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=environment(**env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def over_http(url: str) -> dict[str, str]:
    """The environment in which the command speaks to the server at ``url``."""
    return {"CODAT_API_URL": url, "CODAT_API_KEY": "canary-api-key"}


def company(key: str, *connections: str, name: str = "", fields: str = "") -> str:
    """A company of a spec, as YAML below ``companies:``; ``fields`` is a line of further ones."""
    more = f"    {fields}\n" if fields else ""
    return f"  {key}:\n    name: {name or key}\n{more}    connections:\n" + "".join(connections)


def connection(key: str, platform: str, token: str) -> str:
    """A self-service connection of a spec; ``token`` is the name of an environment variable."""
    return f"      {key}: {{platform: {platform}, authorization: {{accessToken: '${{env:{token}}}'}}}}\n"


def write_specs(directory: Path, companies: Sequence[str], *, settings: str = "") -> Path:
    """A workspace with one spec file; the preconditions are met. Returns the directory of specs."""
    specs = directory / "specs"
    specs.mkdir(parents=True, exist_ok=True)
    (specs / "workspace.yaml").write_text(
        "version: 1\nworkspace: test\n"
        "preconditions: {callbackUrlAdded: done, legacySyncDisabled: done}\n"
        f"limits: {{requestsPerMinute: 60000}}\n{settings}"
    )
    (specs / "companies.yaml").write_text("version: 1\ncompanies:\n" + "".join(companies))
    return specs
