"""Saved plans: what is in the file, how it is shown, and that it is applied as reviewed or not at all."""

from __future__ import annotations

import json
import os
import re
import resource
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from installed import company, connection, write_specs
from served import Codat

from reconciler.cli import run
from reconciler.cli.options import Exit
from reconciler.planner import to_document
from reconciler.workflow import saving

ACME = company("acme", connection("books", "xero", "ACME_TOKEN"), name="Acme")
BRAVO = "  bravo: {name: Bravo, tags: {region: uk}}\n"
TOKEN = "canary-token"


@pytest.fixture
def specs(codat: Codat, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A company with a connection, and one without."""
    monkeypatch.setenv("ACME_TOKEN", TOKEN)
    return write_specs(codat.directory, [ACME, BRAVO])


@pytest.fixture
def plan(codat: Codat, specs: Path) -> Path:
    """A saved plan that creates everything."""
    assert codat.run("plan", specs, "--out", "plan.json").status == Exit.OK
    return codat.directory / "plan.json"


# --- the file ----------------------------------------------------------------------------------


def test_only_its_owner_may_read_it_and_no_secret_is_in_it(plan: Path) -> None:
    assert stat.S_IMODE(plan.stat().st_mode) == 0o600
    text = plan.read_text()
    assert "${env:ACME_TOKEN}" in text
    assert TOKEN not in text
    assert "canary-api-key" not in text


def test_a_plan_that_is_there_already_is_replaced_as_a_whole(codat: Codat, specs: Path) -> None:
    open_to_all = codat.directory / "plan.json"
    open_to_all.write_text("an older plan")
    open_to_all.chmod(0o644)
    before = open_to_all.stat().st_ino
    assert codat.run("plan", specs, "--out", open_to_all).status == Exit.OK
    assert stat.S_IMODE(open_to_all.stat().st_mode) == 0o600
    assert open_to_all.stat().st_ino != before, "written in place: a reader may see half of it"
    assert [path.name for path in codat.directory.glob("*plan*")] == ["plan.json"]


def test_a_plan_that_cannot_be_written_leaves_no_file_behind(codat: Codat, specs: Path) -> None:
    done = codat.run("plan", specs, "--out", "nowhere/plan.json")
    assert (done.status, "nowhere/plan.json cannot be written" in done.err) == (Exit.ERROR, True)


def test_a_plan_that_would_not_be_read_back_as_it_is_wanted_is_not_saved(
    codat: Codat, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = write_specs(codat.directory, ["  acme: {name: Acme, description: Moved}\n"])

    def forgetful(noun: Any) -> dict[str, Any]:
        document = to_document(noun)
        for written in document.get("companies", {}).values():
            written.pop("description")
        return document

    monkeypatch.setattr(saving, "to_document", forgetful)
    done = codat.run("plan", specs, "--out", "plan.json")
    assert (done.status, "would not be read back" in done.err) == (Exit.ERROR, True)
    assert not (codat.directory / "plan.json").exists()


def test_products_and_ids_are_saved_in_whatever_order_they_are_written(codat: Codat) -> None:
    specs = write_specs(codat.directory, ["  acme: {name: Acme, products: [sync, assess, bank]}\n"])
    assert codat.run("plan", specs, "--out", "plan.json").status == Exit.OK
    (acme,) = json.loads((codat.directory / "plan.json").read_text())["desired"]["companies"].values()
    assert acme["products"] == ["assess", "bank", "sync"]


def test_a_disk_that_is_full_leaves_nothing_of_a_plan(codat: Codat, plan: Path) -> None:
    before = plan.read_text()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, hard))
    try:
        done = codat.run("plan", "specs", "--out", "plan.json", "-q")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (done.status, "File too large" in done.err) == (Exit.ERROR, True)
    assert [path.name for path in codat.directory.glob("*plan*")] == ["plan.json"]
    assert [path.name for path in codat.directory.glob(".*plan*")] == []
    assert plan.read_text() == before


@pytest.mark.usefixtures("specs")
def test_a_device_or_a_pipe_is_not_replaced_by_a_plan(codat: Codat) -> None:
    os.mkfifo(codat.directory / "pipe")
    done = codat.run("plan", "specs", "--out", "pipe")
    assert (done.status, "pipe cannot be written: it is no file" in done.err) == (Exit.ERROR, True)
    assert (codat.directory / "pipe").is_fifo()


@pytest.mark.usefixtures("plan")
@pytest.mark.parametrize(
    "source", [["plan.json"], ["specs", "--plan", "plan.json"]], ids=["alone", "with specs"]
)
def test_a_plan_that_was_reviewed_is_not_printed_again(source: list[str], codat: Codat) -> None:
    done = codat.run("apply", *source, "--yes")
    assert (done.status, "create company" in done.out) == (Exit.OK, False)
    assert done.out.splitlines()[0] == "Plan: 3 to create, 1 to authorize, 1 to sync."
    again = codat.run("apply", *source, "--yes", "-v")
    assert "Nothing to do: 3 companies and connections are as specified." in again.out


@pytest.mark.usefixtures("plan")
@pytest.mark.parametrize("flags", [["--yes", "-v"], []], ids=["-v", "a question"])
def test_it_is_printed_again_where_that_is_asked_for_or_somebody_is_asked(
    flags: list[str], codat: Codat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["reconciler.cli.apply"], "_is_asked", lambda yes: not yes)
    monkeypatch.setattr("click.confirm", lambda *_, **__: True)
    done = codat.run("apply", "plan.json", *flags)
    assert (done.status, done.out.count("create company")) == (Exit.OK, 2)


def test_nothing_is_pruned_beside_a_file_that_may_be_a_spec(codat: Codat, specs: Path) -> None:
    assert codat.run("apply", specs, "--yes").status == Exit.OK
    (specs / "bravo.YAML").write_text("version: 1\ncompanies:\n" + BRAVO)
    (specs / "companies.yaml").write_text("version: 1\ncompanies:\n" + ACME)
    assert "looks like a spec and is not read" in codat.run("plan", specs).err
    before = codat.writes()
    done = codat.run("apply", specs, "--prune", "--allow-deletes", "5", "--yes")
    assert (done.status, "--prune would delete what only it names" in done.err) == (Exit.ERROR, True)
    assert codat.writes() == before


@pytest.mark.parametrize("format_", ["text", "json", "markdown", "html"])
def test_show_prints_what_plan_printed(format_: str, codat: Codat, specs: Path) -> None:
    planned = codat.run("plan", specs, "--out", "plan.json", "--format", format_)
    shown = codat.run("show", "plan.json", "--format", format_)
    assert shown.status == Exit.OK
    assert _without_forecast(shown.out) == _without_forecast(planned.out)


def _without_forecast(text: str) -> str:
    """What the day's quota means is told when planning alone: it is no part of the plan."""
    words = re.sub(r"\s+", " ", text)
    return re.sub(
        r'(<p class="banner"><strong>|> )?Note:(</strong>)? [^.]*quota[^.]*\.reserve\)\. ?(</p> )?', "", words
    )


def test_show_marks_its_comment_as_plan_does_so_that_it_is_edited_in_place(codat: Codat, specs: Path) -> None:
    elsewhere = specs.rename(codat.directory / "wanted")
    marker = codat.run("plan", elsewhere.name, "--out", "plan.json", "--format", "markdown").out
    assert "specs=wanted" in marker.splitlines()[0]
    shown = codat.run("show", "plan.json", "--format", "markdown").out
    assert shown.splitlines()[0] == marker.splitlines()[0]


# --- applied as reviewed -----------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [("plan.json",), ("specs", "--plan", "plan.json")])
@pytest.mark.usefixtures("plan")
def test_it_is_applied_and_a_second_time_there_is_nothing_to_do(
    arguments: tuple[str, ...], codat: Codat
) -> None:
    done = codat.run("apply", *arguments, "--yes")
    assert done.status == Exit.OK, done.err
    assert len(codat.writes()) == 5
    assert codat.run("apply", *arguments, "--yes").status == Exit.OK
    assert len(codat.writes()) == 5


def test_the_specs_are_not_needed_to_apply_it(codat: Codat, plan: Path, specs: Path) -> None:
    (specs / "companies.yaml").unlink()
    assert codat.run("apply", plan, "--yes").status == Exit.OK
    assert codat.company("Bravo")["tags"] == {
        "codatSyncKey": "bravo",
        "codatSyncWorkspace": "test",
        "region": "uk",
    }


def test_secrets_are_read_when_it_is_applied(
    codat: Codat, plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ACME_TOKEN")
    done = codat.run("apply", plan, "--yes")
    assert (done.status, "ACME_TOKEN" in done.err, codat.writes()) == (Exit.ERROR, True, [])
    monkeypatch.setenv("ACME_TOKEN", "bad-token")
    assert codat.run("apply", plan, "--yes").status == Exit.ERROR
    monkeypatch.setenv("ACME_TOKEN", "good-token")
    assert codat.run("apply", plan, "--yes").status == Exit.OK


def test_it_is_made_again_with_its_own_flags(codat: Codat, specs: Path) -> None:
    assert codat.run("plan", specs, "--target", "bravo", "--out", "plan.json").status == Exit.OK
    assert codat.run("apply", "plan.json", "--yes").status == Exit.OK
    assert [company["name"] for company in codat.sandbox.state()["companies"]] == ["Bravo"]


def test_nobody_says_yes(codat: Codat, plan: Path) -> None:
    done = codat.run("apply", plan)
    assert (done.status, codat.writes()) == (Exit.REFUSED, [])


# --- stale -------------------------------------------------------------------------------------


@pytest.fixture
def changed(codat: Codat, specs: Path) -> Path:
    """A saved plan that changes two companies that are there."""
    assert codat.run("apply", specs, "--yes").status == Exit.OK
    write_specs(
        codat.directory,
        [ACME.replace("name: Acme", "name: Acme Stores"), "  bravo: {name: Bravo, tags: {region: eu}}\n"],
    )
    assert codat.run("plan", specs, "--out", "plan.json").status == Exit.OK
    return codat.directory / "plan.json"


def test_drift_is_refused_with_each_address_reviewed_and_now(codat: Codat, changed: Path) -> None:
    codat.drift("Acme", description="by hand")
    tags = codat.company("Bravo")["tags"]
    codat.drift("Bravo", name="Bravissimo", tags={**tags, "region": "us"})
    before = codat.writes()
    done = codat.run("apply", changed, "--yes")
    assert done.status == Exit.REFUSED
    assert "bravo: the saved plan is stale: reviewed was company.update (tags.region); " in done.err
    assert "now it would be company.update (name, tags.region)" in done.err
    assert "make the plan again and have it reviewed" in done.err
    assert "acme:" not in done.err, "nobody manages that description"
    assert codat.writes() == before


def test_what_is_done_already_is_left_out(codat: Codat, changed: Path) -> None:
    codat.drift("Acme", name="Acme Stores")
    before = len(codat.writes())
    assert codat.run("apply", changed, "--yes").status == Exit.OK
    assert len(codat.writes()) == before + 1
    assert codat.company("Bravo")["tags"]["region"] == "eu"


def test_a_sync_that_became_due_meanwhile_is_left_for_the_next_plan(codat: Codat, specs: Path) -> None:
    books = "{platform: freeagent, migration: managed}"
    waiting = f"  delta:\n    name: Delta\n    connections: {{books: {books}}}\n"
    write_specs(codat.directory, [waiting])
    assert codat.run("apply", specs, "--yes").status == Exit.OK
    write_specs(codat.directory, [waiting, BRAVO])
    assert codat.run("plan", specs, "--out", "plan.json").status == Exit.OK
    codat.sandbox.happen(codat.company("Delta")["dataConnections"][0]["id"], "import")
    assert json.loads(codat.run("plan", specs, "--format", "json").out)["summary"]["company.sync"] == 1
    before = codat.writes()
    assert codat.run("apply", "plan.json", "--yes").status == Exit.OK
    assert codat.writes()[len(before) :] == [("POST", "/companies")]


def test_a_delete_is_refused_when_a_customer_has_linked_since_the_review(codat: Codat, specs: Path) -> None:
    connections = "{books: {platform: xero, migration: link}}"
    write_specs(codat.directory, [f"  delta: {{name: Delta, connections: {connections}}}\n"])
    assert codat.run("apply", specs, "--yes").status == Exit.OK
    write_specs(codat.directory, ["  delta: {name: Delta, state: absent}\n"])
    planned = codat.run("plan", specs, "--out", "plan.json")
    assert 'delete company "Delta" and all its data at Codat, and 1 connection (' in planned.out
    codat.sandbox.happen(codat.company("Delta")["dataConnections"][0]["id"], "link")
    before = codat.writes()
    done = codat.run("apply", "plan.json", "--yes")
    assert done.status == Exit.REFUSED
    assert "Linked)" in done.err
    assert codat.writes() == before


# --- refused -----------------------------------------------------------------------------------


def edited(change: Callable[[dict[str, Any]], None]) -> Callable[[str], str]:
    def edit(text: str) -> str:
        document = json.loads(text)
        change(document)
        return json.dumps(document)

    return edit


REFUSED = {
    "an action taken out": (edited(lambda plan: plan["actions"].pop()), "has been edited since it was saved"),
    "a name in what is wanted": (
        edited(lambda plan: plan["desired"]["companies"]["bravo"].update(name="Mallory")),
        "has been edited",
    ),
    "a flag": (edited(lambda plan: plan["run"]["options"].update(prune=True)), "has been edited"),
    "another seal": (edited(lambda plan: plan.update(seal="sha256:" + 64 * "0")), "has been edited"),
    "cut": (lambda text: text[: len(text) // 2], "is not whole"),
    "empty": (lambda _: "", "is not whole"),
    "another version": (edited(lambda plan: plan.update(formatVersion=2)), "is no plan of this version"),
    "not a plan": (lambda _: "[]", "is no plan of this version"),
    "printed and not saved": (
        edited(lambda plan: [plan.pop(name) for name in ("seal", "run", "desired")]),
        "was printed, and not saved with plan --out",
    ),
}


@pytest.mark.parametrize(("edit", "told"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("command", [("show",), ("apply", "--yes")], ids=["show", "apply"])
def test_a_file_that_is_not_as_it_was_saved_is_refused(
    command: tuple[str, ...], edit: Callable[[str], str], told: str, codat: Codat, plan: Path
) -> None:
    plan.write_text(edit(plan.read_text()))
    done = codat.run(*command, plan)
    assert done.status == Exit.REFUSED
    assert f"plan.json {told}" in done.err
    assert "make the plan again" in done.err
    assert codat.writes() == []


def test_a_plan_of_another_api_is_refused(codat: Codat, plan: Path) -> None:
    done = codat.run("apply", plan, "--sandbox", "--yes")
    assert done.status == Exit.REFUSED
    assert "it was made against http://127.0.0.1:" in done.err
    assert "not sandbox" in done.err


def test_specs_that_say_something_else_now_are_refused(codat: Codat, plan: Path, specs: Path) -> None:
    write_specs(codat.directory, [ACME])
    done = codat.run("apply", specs, "--plan", plan, "--yes")
    assert done.status == Exit.REFUSED
    assert "do not say the same any more" in done.err
    assert codat.writes() == []


def forge(plan: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a saved plan and seal it anew, as whoever may write the file can."""
    from reconciler.kinds import digest

    document = json.loads(plan.read_text())
    change(document)
    document["seal"] = digest({name: value for name, value in document.items() if name != "seal"})
    plan.write_text(json.dumps(document))


def test_a_plan_whose_digest_is_not_of_what_it_shows_is_refused(codat: Codat, plan: Path) -> None:
    forge(plan, lambda document: document["actions"].pop())
    done = codat.run("show", plan)
    assert done.status == Exit.REFUSED
    assert "has been edited since it was saved" in done.err


@pytest.mark.parametrize(
    "members", [{"connections": "abc"}, {"lastSync": "soon"}], ids=lambda members: str(*members)
)
def test_members_that_no_plan_has_are_refused_and_no_bug(
    members: dict[str, str], codat: Codat, plan: Path
) -> None:
    def forged(document: dict[str, Any]) -> None:
        create = next(action for action in document["actions"] if action["kind"] == "company.create")
        create["after"].update(members)

    forge(plan, forged)
    done = codat.run("show", plan)
    assert (done.status, "has a value that no plan has" in done.err) == (Exit.REFUSED, True)


def with_token(reference: str) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        books = document["desired"]["companies"]["acme"]["connections"]["books"]
        books["authorization"]["accessToken"] = reference

    return change


def test_a_forged_plan_does_not_get_our_own_key(codat: Codat, plan: Path) -> None:
    forge(plan, with_token("${env:CODAT_API_KEY}"))
    done = codat.run("apply", plan, "--yes")
    assert (done.status, codat.writes()) == (Exit.ERROR, [])
    assert "${env:CODAT_API_KEY}: CODAT_ variables cannot be referred to" in done.err


def test_a_forged_plan_does_not_get_a_file_outside_the_workspace(codat: Codat, plan: Path) -> None:
    outside = codat.directory / "outside"
    outside.write_text(TOKEN)
    forge(plan, with_token("${file:../outside}"))
    done = codat.run("apply", plan, "--yes")
    assert (done.status, codat.writes()) == (Exit.ERROR, [])
    assert "leads out of the workspace's root" in done.err


@pytest.mark.parametrize(
    ("root", "told"),
    [
        ("../" * 40, "/ has no workspace.yaml"),
        (".", " has no workspace.yaml"),
        ("specs/elsewhere", " has no workspace.yaml"),
        ("../beside", "/beside is neither around nor below this directory"),
    ],
)
def test_a_plan_takes_its_root_from_nowhere_but_a_workspace_that_is_here(
    root: str, told: str, codat: Codat, plan: Path
) -> None:
    beside = codat.directory.parent / "beside"
    beside.mkdir(exist_ok=True)
    (beside / "workspace.yaml").write_text("version: 1\nworkspace: test\n")
    forge(plan, lambda document: document["run"]["workspace"].update(root=root))
    done = codat.run("apply", plan, "--yes")
    assert (done.status, codat.writes()) == (Exit.REFUSED, [])
    assert f"{plan} is of a workspace elsewhere: " in done.err
    assert told in done.err


def test_a_forged_plan_chooses_no_program(codat: Codat, plan: Path, specs: Path) -> None:
    """Who may write the plan and add a file below the specs has no program run, with our environment."""
    deep = specs / "deep"
    deep.mkdir()
    command = f"[touch, '{codat.directory}/ran', '{{ref}}']"
    settings = f"version: 1\nworkspace: test\nsecrets: {{commands: {{sh: {command}}}}}\n"
    (deep / "workspace.yaml").write_text(settings)
    forge(plan, with_token("${sh:x}"))
    forge(plan, lambda document: document["run"]["workspace"].update(root="specs/deep"))
    done = codat.run("apply", plan, "--yes")
    assert (done.status, codat.writes()) == (Exit.REFUSED, [])
    assert not (codat.directory / "ran").exists()
    assert f"name its specs too: apply SPECS --plan {plan}" in done.err


def test_a_plan_of_an_earlier_version_keeps_the_guard_that_it_does_not_name(codat: Codat, plan: Path) -> None:
    forge(plan, lambda document: document["run"]["workspace"]["guard"].pop("maxNarrowings"))
    assert codat.run("apply", plan, "--yes").status == Exit.OK


def test_a_plan_file_may_lie_anywhere_and_is_shown_anywhere(
    codat: Codat, plan: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    artifact = plan.rename(tmp_path_factory.mktemp("artifacts") / "plan.json")
    assert codat.run("apply", artifact, "--yes").status == Exit.OK
    monkeypatch.chdir(artifact.parent)
    assert codat.run("show", artifact).status == Exit.OK
    assert codat.run("apply", artifact, "--yes").status == Exit.REFUSED


def test_with_specs_the_root_is_theirs(
    codat: Codat,
    plan: Path,
    specs: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert codat.run("apply", specs, "--plan", plan, "--yes").status == Exit.OK


def test_a_whole_forgery_does_not_get_past_the_specs(codat: Codat, plan: Path, specs: Path) -> None:
    """The seal tells slips and not malice; with ``--plan`` the specs decide what is wanted."""

    def change(document: dict[str, Any]) -> None:
        document["desired"]["companies"]["bravo"]["name"] = "Mallory"
        for action in document["actions"]:
            if action["address"] == "bravo":
                action["after"]["name"] = "Mallory"

    forge(plan, change)
    done = codat.run("apply", specs, "--plan", plan, "--yes")
    assert (done.status, codat.writes()) == (Exit.REFUSED, [])


def test_with_plan_the_guards_are_those_of_the_workspace_now(codat: Codat, specs: Path) -> None:
    assert codat.run("apply", specs, "--yes").status == Exit.OK
    write_specs(codat.directory, [ACME], settings="guard: {maxDeletes: 1}\n")
    assert codat.run("plan", specs, "--prune", "--out", "plan.json").status == Exit.OK
    write_specs(codat.directory, [ACME])
    before = codat.writes()
    assert codat.run("apply", specs, "--plan", "plan.json", "--yes").status == Exit.REFUSED
    assert codat.writes() == before


def test_a_plan_that_a_guard_refused_is_refused_again(codat: Codat, specs: Path) -> None:
    assert codat.run("apply", specs, "--yes").status == Exit.OK
    write_specs(codat.directory, [ACME])
    assert codat.run("plan", specs, "--prune", "--out", "plan.json").status == Exit.REFUSED
    done = codat.run("apply", "plan.json", "--yes")
    assert (done.status, "--allow-deletes 1" in done.out) == (Exit.REFUSED, True)


@pytest.mark.parametrize(
    "flags",
    [
        ("--target", "acme"),
        ("--prune",),
        ("--retry-syncs",),
        ("--plan", "plan.json"),
    ],
    ids=lambda flags: flags[0],
)
@pytest.mark.usefixtures("plan")
def test_flags_that_choose_are_misuse_with_a_saved_plan(flags: tuple[str, ...], codat: Codat) -> None:
    assert codat.run("apply", "plan.json", "--yes", *flags).status == Exit.MISUSED
    if "--plan" not in flags:
        assert codat.run("apply", "specs", "--plan", "plan.json", "--yes", *flags).status == Exit.MISUSED
    assert codat.writes() == []


@pytest.mark.usefixtures("plan")
def test_a_permission_is_misuse_with_a_saved_plan_alone(codat: Codat) -> None:
    assert codat.run("apply", "plan.json", "--yes", "--allow-deletes", "1").status == Exit.CHANGES


@pytest.fixture
def pruning(codat: Codat, specs: Path) -> Path:
    """A reviewed plan that deletes a company, by a flag that permits what the guard does not."""
    assert codat.run("apply", specs, "--yes").status == Exit.OK
    write_specs(codat.directory, [ACME])
    made = codat.run("plan", specs, "--prune", "--allow-deletes", "5", "--out", "plan.json")
    assert made.status == Exit.OK
    return codat.directory / "plan.json"


@pytest.mark.parametrize(
    ("flags", "status"), [((), Exit.REFUSED), (("--allow-deletes", "1"), Exit.OK)], ids=["without", "with"]
)
def test_a_plans_own_flags_do_not_loosen_the_guards_that_are_checked_out(
    flags: tuple[str, ...], status: Exit, codat: Codat, specs: Path, pruning: Path
) -> None:
    before = codat.writes()
    done = codat.run("apply", specs, "--plan", pruning, "--yes", *flags)
    assert done.status == status, done.err
    assert (codat.writes() == before) == (status == Exit.REFUSED)
    assert status == Exit.OK or "pass --allow-deletes 1" in done.out


def test_a_plan_alone_is_applied_with_the_flags_that_it_was_reviewed_with(
    codat: Codat, pruning: Path
) -> None:
    assert codat.run("apply", pruning, "--yes").status == Exit.OK


def test_a_plan_that_is_not_there_says_so(codat: Codat) -> None:
    done = codat.run("apply", "gone.json", "--yes")
    assert (done.status, "gone.json cannot be read" in done.err) == (Exit.ERROR, True)


def at(*path: str | int, value: object) -> Callable[[dict[str, Any]], None]:
    """A change that puts ``value`` at a path of the document."""

    def change(document: dict[str, Any]) -> None:
        holder: Any = document
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = value

    return change


BOOKS = ("desired", "companies", "acme", "connections", "books")
LIMITS = ("run", "workspace", "limits")
IMPOSSIBLE: dict[str, Callable[[dict[str, Any]], None]] = {
    "no rate": at(*LIMITS, "requestsPerMinute", value=0),
    "a negative rate": at(*LIMITS, "requestsPerMinute", value=-5),
    "a rate that is text": at(*LIMITS, "requestsPerMinute", value="600"),
    "no place at all": at(*LIMITS, "concurrency", value=0),
    "a huge number": at(*LIMITS, "concurrency", value=10**400),
    "a page of one": at(*LIMITS, "pageSize", value=1),
    "a reserve beyond all": at(*LIMITS, "reservePercent", value=-1000),
    "a batch of none": at("run", "workspace", "rollout", "batch", value=0),
    "a fraction of a failure": at("run", "workspace", "rollout", "maxFailures", value=0.5),
    "an age beyond the calendar": at(*BOOKS, "sync", "maxAgeSeconds", value=10**30),
    "a warning beyond the calendar": at("run", "workspace", "warnAfterSeconds", value=1e300),
    "no number": at("run", "workspace", "warnAfterSeconds", value=float("nan")),
    "endless": at("run", "workspace", "warnAfterSeconds", value=float("inf")),
    "a root with a NUL": at("run", "workspace", "root", value="specs\0"),
    "a reference with a NUL": at(*BOOKS, "authorization", "accessToken", value="${file:a\0b}"),
    "half a character": at("desired", "companies", "acme", "name", value="Acme \ud800"),
    "a date that is none": at(*BOOKS, "issuedAt", value="0000-99-99"),
    "a date without a zone": at(*BOOKS, "issuedAt", value="2026-11-20T09:00:00"),
    "a state that is none": at(*BOOKS, "state", value="gone"),
    "companies that are a list": at("desired", "companies", value=[]),
    "a key that is none": at("desired", "companies", "../x", value={}),
    "no run": at("run", value={}),
    "targets that are a number": at("run", "options", "targets", value=7),
    "more than can be counted": at("summary", "requests", value=10**30),
}


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The text of a saved plan, made once."""
    directory = tmp_path_factory.mktemp("reviewed")
    write_specs(directory, [ACME, BRAVO])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        assert run(["plan", "--sandbox", "-q", "--out", "plan.json"]) == Exit.OK
    return (directory / "plan.json").read_text()


@pytest.mark.parametrize("change", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_forged_plan_with_impossible_values_is_refused(
    change: Callable[[dict[str, Any]], None],
    reviewed: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(reviewed)
    forge(plan, change)
    assert run(["show", str(plan)]) == Exit.REFUSED
    err = capsys.readouterr().err
    assert "plan.json " in err
    assert "make the plan again" in err


def test_apply_refuses_a_forged_plan_as_show_does(codat: Codat, plan: Path) -> None:
    forge(plan, IMPOSSIBLE["a huge number"])
    done = codat.run("apply", plan, "--yes")
    assert (done.status, codat.writes()) == (Exit.REFUSED, [])
    assert "run.workspace.limits.concurrency breaks the rule 'maximum'" in done.err


@pytest.mark.parametrize(
    ("name", "told"), [("/dev/zero", "regular"), ("pipe", "regular"), ("huge", "larger")]
)
@pytest.mark.usefixtures("specs")
def test_a_device_a_pipe_or_an_endless_file_is_no_plan(name: str, told: str, codat: Codat) -> None:
    os.mkfifo(codat.directory / "pipe")
    with (codat.directory / "huge").open("wb") as huge:
        huge.truncate(1 << 40)
    for command in (("show",), ("apply", "specs", "--yes", "--plan")):
        done = codat.run(*command, name)
        assert (done.status, told in done.err, codat.writes()) == (Exit.ERROR, True, [])


@pytest.mark.parametrize(
    "text",
    ["[" + "{}," * 3_000_000 + "{}]", '{"a":' * 100_000, "1" * 5000],
    ids=["many values", "depth", "a long number"],
)
def test_json_that_is_made_to_use_up_memory_is_no_plan(text: str, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(text)
    assert run(["show", str(tmp_path / "plan.json")]) == Exit.REFUSED
