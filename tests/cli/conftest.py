"""A workspace before a sandbox that answers on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gate import Gate
from installed import company, connection, over_http, write_specs
from loopback import serving
from served import Codat
from steps import Runner

from reconciler.sandbox import Sandbox


@pytest.fixture
def codat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Codat]:
    """An empty Codat whose syncs end at once, named in the environment of an empty directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CI", raising=False)
    sandbox = Sandbox(settings={"syncSeconds": 0})
    gate = Gate(sandbox)
    with serving(gate) as url:
        for name, value in over_http(url).items():
            monkeypatch.setenv(name, value)
        yield Codat(sandbox, gate, url, tmp_path, capsys)


@pytest.fixture
def runner(codat: Codat) -> Runner:
    """GitHub's runner in a checkout whose specs want the company ``acme`` with a connection."""
    work = codat.directory / "work"
    write_specs(work, [company("acme", connection("books", "xero", "ACME_TOKEN"), name="Acme")])
    return Runner.made(codat.directory, work, over_http(codat.url) | {"ACME_TOKEN": "canary-token"})
