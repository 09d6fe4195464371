"""Which commands apply may run: those of the root's workspace.yaml at that moment, and no others."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

from reconciler.loading import SpecError, load
from reconciler.secret_refs import Lookup, Secret, SecretRef
from reconciler.secrets import MadeUp, SecretError
from reconciler.workflow import applying

REF = SecretRef(Lookup("show", "acme"))
PERMITTED = 'version: 1\nworkspace: prod\nsecrets: {commands: {show: [show, "{ref}"]}}\n'


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / "show").write_text("#!/bin/sh\n: > ran\nprintf 'token of %s' \"$1\"\n")
    (tmp_path / "show").chmod(0o755)
    (tmp_path / "workspace.yaml").write_text(PERMITTED)
    return tmp_path


def resolver(root, *, sandbox=False):
    endpoint = SimpleNamespace(environ={"PATH": f"{root}:/usr/bin:/bin"}, is_sandbox=sandbox)
    request = SimpleNamespace(source=SimpleNamespace(context=SimpleNamespace(endpoint=endpoint)))
    return applying._resolver(request, SimpleNamespace(workspace=SimpleNamespace(root=str(root))))


def test_a_permitted_command_is_run_without_holding_up_the_loop(root):
    resolve = applying._unblocking(resolver(root), SimpleNamespace(actions=()))

    async def secret() -> Secret:
        return await resolve(REF)

    assert asyncio.run(secret()).reveal() == "token of acme"


def test_a_plan_file_permits_nothing_that_the_workspace_does_not(root):
    (root / "workspace.yaml").write_text("version: 1\nworkspace: prod\n")
    with pytest.raises(SecretError, match="known here are env, file, table"):
        resolver(root)(REF)
    (root / "workspace.yaml").unlink()
    with pytest.raises(SecretError, match="known here are env, file, table"):
        resolver(root)(REF)
    assert not (root / "ran").exists()


def test_an_unsound_workspace_stops_apply(root):
    (root / "workspace.yaml").write_text(PERMITTED.replace("{ref}", "ref"))
    with pytest.raises(SpecError, match="no argument takes the reference"):
        resolver(root)


def test_the_sandbox_runs_none(root):
    resolve = resolver(root, sandbox=True)
    assert isinstance(resolve, MadeUp)
    assert resolve(REF).reveal().startswith("made-up-")
    assert not (root / "ran").exists()


def test_loading_specs_runs_none(root):
    (root / "a.yaml").write_text(
        "version: 1\ncompanies: {a: {name: A, connections: "
        '{x: {platform: xero, authorization: {token: "${show:acme}"}}}}}\n'
    )
    company = load(Path()).desired.companies["a"]
    assert company.connections["x"].authorization["token"] == REF
    assert not (root / "ran").exists()
