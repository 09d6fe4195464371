"""The catalogue has every code that can be raised and no other, and its examples give what they say."""

import ast
import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path
from textwrap import indent

import pytest

import reconciler
from reconciler import codat, loading, plan, planner, secrets, workflow
from reconciler.codat import errors
from reconciler.codat import errors as codat_codes
from reconciler.loading import SpecError, load
from reconciler.outcome import FailureCode
from reconciler.planner import soundness
from reconciler.workflow import command_codes as workflow_codes
from reconciler.workflow.catalogue import GROUPS, Entry, catalogue, entries_of, meanings

PACKAGE = Path(reconciler.__file__).parent
MODULES = {path: path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))}
ENTRIES = [pytest.param(entry, id=f"{entry.group}-{entry.code}") for entry in catalogue()]


def raised_errors() -> set[str]:
    """The codes of the API's errors, save for those classes that only gather others."""
    gathering = {errors.ApiError, errors.RunStoppingError}
    found, waiting = set(), [errors.ApiError]
    while waiting:
        error_class = waiting.pop()
        waiting += error_class.__subclasses__()
        found |= {error_class.code} if error_class not in gathering else set()
    return found


def values(*enums: type[StrEnum]) -> set[str]:
    return {each_enum.value for enum in enums for each_enum in enum}


RAISED = {
    "specs": values(loading.SpecCode),
    "secrets": values(secrets.SecretCode),
    "codat": values(codat_codes.ApiCode) | raised_errors(),
    "command": values(soundness.PlannerCode, workflow_codes.CommandCode),
    "attention": values(plan.AttentionCode),
    "apply": values(FailureCode) - raised_errors(),
}
"""Every code that a room can raise, by the group of the catalogue that explains it."""


@pytest.mark.parametrize("group", GROUPS)
def test_every_code_of_a_room_is_in_the_catalogue_and_no_other(group: str) -> None:
    assert {entry.code for entry in catalogue() if entry.group == group} == RAISED[group]


def test_the_groups_are_those_of_the_rooms() -> None:
    assert list(GROUPS) == list(RAISED) == list(dict.fromkeys(entry.group for entry in catalogue()))


# --- no code that the enums do not know --------------------------------------------------------

TAKES_CODE = ("Diagnostic", "Failure", "_refused", "_unusable", "not_done", "refused", "Finding")


@cache
def all_calls() -> tuple[tuple[Path, ast.Call], ...]:
    """Every call in the package: parsed once for all who search."""
    return tuple(
        (path, node)
        for path, text in MODULES.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
    )


def calls(name: str) -> Iterator[tuple[Path, ast.expr]]:
    """The first argument of every call of a function or class of this name."""
    for path, call in all_calls():
        called = call.func
        named = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if named == name:
            keywords = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
            yield from ((path, item) for item in (*call.args[:1], *keywords))


@pytest.mark.parametrize("name", TAKES_CODE)
def test_no_code_is_written_as_text_where_it_is_raised(name: str) -> None:
    written = [
        f"{path.relative_to(PACKAGE)}:{code.lineno}: {code.value}"
        for path, code in calls(name)
        if isinstance(code, ast.Constant) and "sandbox" not in path.relative_to(PACKAGE).parts
    ]
    assert written == []


def test_the_search_for_codes_finds_the_calls() -> None:
    assert len(list(calls("Diagnostic"))) > 20


@pytest.mark.parametrize(
    ("room", "enum"),
    [
        pytest.param(room, enum, id=f"{room.__name__}.{enum.__name__}")
        for room, enum in (
            (loading, loading.SpecCode),
            (secrets, secrets.SecretCode),
            (codat, codat_codes.ApiCode),
            (planner, soundness.PlannerCode),
            (workflow, workflow_codes.CommandCode),
        )
    ],
)
def test_every_code_is_raised_somewhere(room, enum) -> None:
    inside = Path(room.__file__).parent
    text = "".join(
        re.sub(rf"class {enum.__name__}\(StrEnum\):.*?\n\n\n", "", module + "\n\n\n", flags=re.DOTALL)
        for path, module in MODULES.items()
        if any(
            path.is_relative_to(room_path) for room_path in (inside, PACKAGE / "workflow", PACKAGE / "cli")
        )
    )
    assert [code for code in enum if not re.search(rf"\b{enum.__name__}\.{code.name}\b", text)] == []


@pytest.mark.parametrize("code", list(FailureCode))
def test_every_failure_is_told_somewhere(code: FailureCode) -> None:
    assert any(
        f"FailureCode.{code.name}" in text
        for path, text in MODULES.items()
        if "apply" in path.parts or path.name == "outcome.py"
    )


# --- what an entry says ------------------------------------------------------------------------


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_says_all_that_it_should_in_sentences(entry: Entry) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry.code)
    for text in (entry.summary, entry.cause, entry.remedy):
        assert re.fullmatch(r"[^\n]+\.", text)
    assert entry.example
    assert len(entry.summary) <= 110


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_has_the_status_that_its_command_ends_with(entry: Entry) -> None:
    assert entry.severity in {"error", "warning", "blocking", "waiting", "info"}
    assert (entry.exit is None) == (entry.severity != "error")
    assert entry.exit in {None, 1, 2, 3, 130}


def test_a_code_of_two_groups_has_both_entries() -> None:
    assert [entry.group for entry in entries_of("ambiguous")] == ["attention", "apply"]
    assert entries_of("no-code-of-ours") == ()


def test_sarif_gets_a_sentence_for_every_code() -> None:
    assert set(meanings()) == {entry.code for entry in catalogue()}
    assert meanings()["unknown-field"].startswith("A field that the schema does not have")


# --- the examples ------------------------------------------------------------------------------


def is_whole(entry: Entry) -> bool:
    return bool(re.match(r"(# workspace\.yaml\n)?version: 1\n", entry.example + "\n"))


def is_part(entry: Entry) -> bool:
    return entry.example.startswith(("companies:\n", "connections:\n"))


WHOLE = [
    pytest.param(entry, id=entry.code) for entry in catalogue() if entry.group == "specs" and is_whole(entry)
]
PARTS = [
    pytest.param(entry, id=entry.code)
    for entry in catalogue()
    if entry.group == "attention" and is_part(entry)
]


@pytest.fixture
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    directory = tmp_path / "specs"
    directory.mkdir()
    (directory / "workspace.yaml").write_text("version: 1\nworkspace: test\n")
    return directory


@pytest.mark.parametrize("entry", WHOLE)
def test_an_example_of_bad_specs_gives_its_code_and_no_other(entry: Entry, specs: Path) -> None:
    is_workspace = entry.example.startswith("# workspace.yaml")
    (specs / "acme.yaml").write_text("version: 1\ncompanies: {}\n")
    (specs / ("workspace.yaml" if is_workspace else "acme.yaml")).write_text(entry.example + "\n")
    try:
        found = load(Path("specs")).warnings
    except SpecError as error:
        found = error.diagnostics
    assert {(diagnostic.code, diagnostic.severity.value) for diagnostic in found} == {
        (entry.code, entry.severity)
    }


@pytest.mark.parametrize("entry", PARTS)
def test_an_example_of_what_settles_attention_is_a_spec_that_validate_accepts(
    entry: Entry, specs: Path
) -> None:
    text = entry.example
    if text.startswith("connections:"):
        text = "companies:\n  acme:\n    name: Acme Stores\n" + indent(text, "    ")
    (specs / "acme.yaml").write_text(f"version: 1\n{text}\n")
    assert load(specs).warnings == ()


def test_most_examples_are_tried() -> None:
    assert len(WHOLE) > 35
    assert len(PARTS) > 8
