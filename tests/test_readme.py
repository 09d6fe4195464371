"""The README, the docs and the example specs stay true: commands, links, tables, schema lines."""

import json
import re
from itertools import dropwhile, takewhile
from pathlib import Path
from textwrap import indent

import pytest

from reconciler.cli import run
from reconciler.cli.options import Exit
from reconciler.kinds import Kind
from reconciler.loading import load
from reconciler.model import Migration
from reconciler.plan import AttentionCode
from reconciler.sandbox.app import CONTROL
from reconciler.sandbox.control import EVENTS, PREFIX
from reconciler.sandbox.faults import KINDS
from reconciler.sandbox.link_pages import CHOICES, STANDINGS
from reconciler.sandbox.settings import SETTINGS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
EXAMPLES = sorted(path for pattern in ("*.yaml", "*.yml") for path in ROOT.glob(f"specs/**/{pattern}"))
MODELINE = re.compile(r"# yaml-language-server: \$schema=(\S+)")


def named(paths: list[Path]) -> list[object]:
    return [pytest.param(path, id=path.relative_to(ROOT).as_posix()) for path in paths]


def command(marker: str) -> str:
    """The fenced block under a marker: what ``.ci/run`` takes out of the README too."""
    found = re.findall(rf"^<!-- ci: {marker} -->\n```sh\n(.*?)\n```$", README, re.MULTILINE | re.DOTALL)
    assert len(found) == 1, f"the README has {len(found)} commands marked 'ci: {marker}'"
    return found[0]


def table_rows(heading: str, page: str = README) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    section = re.split(rf"^##+ {heading}$", page, flags=re.MULTILINE)[1].split("\n## ")[0]
    lines = dropwhile(lambda line: not line.startswith("|"), section.splitlines())
    rows = list(takewhile(lambda line: line.startswith("|"), lines))
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[2:]]


def first_column(heading: str, page: str) -> list[str]:
    """What the first column of a table names, one cell after the other."""
    return [name for row in table_rows(heading, page) for name in re.findall(r"`([^`]+)`", row[0])]


def doc(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


# --- commands ----------------------------------------------------------------------------------


@pytest.mark.parametrize("marker", ["setup", "tests"])
def test_a_set_up_command_is_one_line_to_copy(marker: str) -> None:
    assert "\n" not in command(marker)


def test_the_first_command_installs_and_applies_the_examples_to_the_sandbox() -> None:
    steps = command("setup").split(" && ")
    assert steps[0] == "python3 -m venv .venv"
    assert steps[-1] == ".venv/bin/codat-sync apply specs/ --sandbox --yes"


def test_the_second_command_installs_the_test_extra_and_runs_the_tests() -> None:
    install, run = command("tests").split(" && ")
    assert install.endswith("'.[test]'")
    assert " -m pytest" in run


def test_ci_runs_the_commands_that_it_takes_from_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for name in ("setup", "tests"):
        assert f"{name}=$(readme_command {name})" in script
        assert f'bash -euo pipefail -c "${name}"' in script


def test_ci_is_executable() -> None:
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_the_examples_apply_to_a_sandbox_and_leave_nothing_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    sandbox = ["specs/", "--sandbox-file", str(tmp_path / "sandbox.db")]
    assert run(["apply", *sandbox, "--yes"]) == Exit.OK
    assert run(["plan", *sandbox, "--detailed-exitcode"]) == Exit.OK
    assert "blocking" not in capsys.readouterr().out.lower()


# --- links -------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", named(PAGES))
def test_every_link_to_a_file_or_heading_leads_somewhere(page: Path) -> None:
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


# --- tables ------------------------------------------------------------------------------------


def test_the_page_on_plans_has_every_kind_of_action() -> None:
    assert first_column("Reading a plan", doc("plan-and-apply")) == [kind.value for kind in Kind]


def test_the_page_on_plans_speaks_of_every_attention_code() -> None:
    page = doc("plan-and-apply")
    assert [code.value for code in AttentionCode if f"`{code.value}`" not in page] == []


def test_the_page_on_the_sandbox_has_every_route_fault_and_event() -> None:
    page = doc("sandbox")
    routes = {f"{method} {PREFIX}{path}" for method, path, _ in CONTROL}
    assert set(first_column("Making things go wrong", page)) == routes
    assert set(first_column("Faults", page)) == set(KINDS)
    assert set(first_column("What happens to a connection", page)) == set(EVENTS)


def test_the_page_on_the_sandbox_has_every_button_of_the_customers_page() -> None:
    shown: dict[str, list[str]] = {}
    for status, label, *_ in table_rows("The customer's side", doc("sandbox")):
        shown.setdefault(status.strip("` ") or list(shown)[-1], []).append(label)
    assert shown == {
        status: [CHOICES[name].label for name in standing.choices] for status, standing in STANDINGS.items()
    }


def test_the_page_on_the_sandbox_has_every_setting_with_its_default() -> None:
    shown = {
        name.strip("`"): json.loads(default.strip("`"))
        for name, default, _ in table_rows("Settings", doc("sandbox"))
    }
    assert shown == {name: setting.default for name, setting in SETTINGS.items()}


# --- examples ----------------------------------------------------------------------------------


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 1


@pytest.mark.parametrize("example", named(EXAMPLES))
def test_every_example_names_its_schema_on_the_first_line(example: Path) -> None:
    first = example.read_text(encoding="utf-8").splitlines()[0]
    found = MODELINE.fullmatch(first)
    assert found is not None, f"no schema on the first line: {first}"
    schema = (example.parent / found[1]).resolve()
    kind = "workspace" if example.stem == "workspace" else "spec"
    assert schema == ROOT / "schemas" / f"{kind}.schema.json"
    assert schema.is_file()


@pytest.mark.parametrize("sandbox", [True, False], ids=["for the sandbox", "for the real API"])
def test_the_examples_hold_no_mistake(sandbox: bool) -> None:
    loaded = load(ROOT / "specs", sandbox=sandbox)
    assert loaded.warnings == ()
    assert loaded.workspace.sandbox_only, "examples must never reach the real API"


def test_the_examples_show_the_six_platforms_that_codats_team_migrates() -> None:
    companies = load(ROOT / "specs").desired.companies.values()
    connections = [connection for company in companies for connection in company.connections.values()]
    managed = {connection.platform for connection in connections if connection.migration is Migration.MANAGED}
    assert managed == {"freeagent", "freshbooks", "quickbooks-online", "shopify", "wave", "zoho-books"}


WRAPPERS = {
    "version:": "{}",
    "companies:": "version: 1\n{}",
    "connections:": "version: 1\ncompanies:\n  acme:\n    name: Acme\n{}",
}
"""By its first word, what makes a whole file of a spec that a page shows a part of."""


def shown_specs() -> list[object]:
    """The specs and parts of specs in fenced blocks of the README and the docs."""
    found = []
    for page in PAGES:
        blocks = re.findall(
            r"^```yaml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        )
        for number, block in enumerate(blocks, 1):
            first = block.split(maxsplit=1)[0]
            if first in WRAPPERS and "\nworkspace:" not in block:
                text = indent(block, "    ") if first == "connections:" else block
                found.append(pytest.param(WRAPPERS[first].format(text), id=f"{page.name}-{number}"))
    return found


@pytest.mark.parametrize("spec", shown_specs())
def test_a_spec_that_a_page_shows_is_one_that_validate_accepts(spec: str, tmp_path: Path) -> None:
    (tmp_path / "workspace.yaml").write_text("version: 1\nworkspace: shown\n", encoding="utf-8")
    (tmp_path / "spec.yaml").write_text(spec, encoding="utf-8")
    assert load(tmp_path).desired.companies
