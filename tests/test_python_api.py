"""The Python API: the page's example runs, and a plan is applied as it was made or not at all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciler.api import CodatSyncError, Options, RefusedError, Specs, apply, load, plan

PAGE = (Path(__file__).parents[1] / "docs" / "python.md").read_text(encoding="utf-8")
SPEC = """\
version: 1
companies:
  acme:
    name: Acme
    connections: {books: {platform: xero, migration: link}}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a spec, where the test works."""
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "acme.yaml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def specs(here: Path) -> Specs:
    return load("specs", sandbox_file=here / "sandbox.db", environ={})


def example() -> str:
    (found,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.mark.usefixtures("here")
def test_the_example_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(example(), "docs/python.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == [
        "company.create acme",
        "connection.create acme/books",
        "acme done",
        "acme/books done",
    ]


def test_the_example_shows_what_is_wrong_with_specs_and_ends_as_the_command_does(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "specs" / "acme.yaml").write_text(SPEC.replace("xero", "xeroo"))
    with pytest.raises(SystemExit, match="1"):
        exec(compile(example(), "docs/python.md", "exec"), {})
    assert "specs/acme.yaml:5:" in capsys.readouterr().out


def test_a_second_plan_is_empty_and_the_first_applies_again_without_a_write(specs: Specs) -> None:
    first = plan(specs)
    apply(first)
    again = apply(first).outcome
    assert plan(specs).plan.actions == ()
    assert again is not None
    assert (again.results, again.is_complete) == ((), True)


def test_a_plan_is_refused_where_the_specs_have_changed_since(here: Path, specs: Specs) -> None:
    ready = plan(specs)
    (here / "specs" / "acme.yaml").write_text(SPEC.replace("Acme", "Bravo"))
    with pytest.raises(RefusedError):
        apply(ready)
    ready = plan(specs)
    assert [str(action.address) for action in ready.plan.actions] == ["acme", "acme/books"]


def test_a_plan_that_a_guard_refuses_is_not_carried_out(here: Path, specs: Specs) -> None:
    apply(plan(specs))
    (here / "specs" / "acme.yaml").write_text("# nothing\n")
    ready = plan(specs, Options(prune=True))
    assert ready.plan.refusals
    assert apply(ready).outcome is None
    permitted = apply(plan(specs, Options(prune=True, allow_deletes=1)))
    assert permitted.outcome is not None
    assert permitted.outcome.is_complete


def test_without_a_key_the_error_says_what_to_set(here: Path) -> None:
    (here / "specs" / "workspace.yaml").write_text("version: 1\nworkspace: prod\n")
    with pytest.raises(CodatSyncError, match="CODAT_API_KEY"):
        plan(load("specs", environ={}))
