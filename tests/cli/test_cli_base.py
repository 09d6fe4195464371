"""``plan --base``: what a change causes, told from what was due already, without touching anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from installed import company, connection, write_specs
from repository import Repository
from served import Codat

from reconciler.cli.options import Exit

ACME = company("acme", connection("books", "xero", "ACME_TOKEN"), name="Acme")
BRAVO = "  bravo: {name: Bravo}\n"


@pytest.fixture
def repository(codat: Codat) -> Repository:
    """A repository whose ``main`` wants acme, and whose working tree wants bravo too."""
    write_specs(codat.directory, [ACME])
    made = Repository.made(codat.directory)
    made.commit("acme")
    made.git("switch", "--quiet", "--create", "change")
    write_specs(codat.directory, [ACME, BRAVO])
    return made


def origins(codat: Codat, base: str | Path, *arguments: str, specs: str | Path = "specs") -> dict[str, str]:
    """Where each action comes from, by kind and address."""
    done = codat.run("plan", specs, "--base", base, "--format", "json", *arguments)
    assert done.status == Exit.OK, done.err
    actions = json.loads(done.out)["actions"]
    return {f"{action['kind']} {action['address']}": action["origin"] for action in actions}


PENDING_ACME = {
    "company.create acme": "pending",
    "connection.create acme/books": "pending",
    "connection.authorize acme/books": "pending",
    "company.sync acme": "pending",
}
EXPECTED = PENDING_ACME | {"company.create bravo": "change"}


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("base", ["main", "HEAD", "change@{0}"])
def test_a_change_is_told_from_what_was_due_already(base: str, codat: Codat) -> None:
    assert origins(codat, base) == EXPECTED


@pytest.mark.usefixtures("repository")
def test_attention_too_is_told_apart_and_the_comment_leads_with_this_change(codat: Codat) -> None:
    pinned = "id: 8a210b68-6988-11ed-a1eb-0242ac12000{}"
    before = company("acme", connection("books", "xero", "A"), name="Acme", fields=pinned.format(1))
    base = write_specs(codat.directory / "before", [before])
    write_specs(
        codat.directory,
        [before, company("bravo", connection("books", "xero", "B"), name="Bravo", fields=pinned.format(2))],
    )

    done = codat.run("plan", "specs", "--base", base, "--format", "json")

    assert done.status == Exit.OK, done.err
    notes = {note["address"]: note["origin"] for note in json.loads(done.out)["attention"]}
    assert notes == {"acme": "pending", "bravo": "change"}
    comment = codat.run("plan", "specs", "--base", base, "--format", "markdown").out
    assert "**This change: 1 needs attention (1 blocking).**" in comment
    assert "1 matter that needs attention already before this change" in comment


@pytest.mark.usefixtures("repository")
def test_a_directory_may_be_the_base(codat: Codat) -> None:
    other = write_specs(codat.directory / "before", [ACME])
    assert origins(codat, other) == EXPECTED


@pytest.mark.usefixtures("repository")
def test_the_same_address_in_another_form_is_this_change(codat: Codat) -> None:
    write_specs(codat.directory, [ACME.replace("name: Acme", "name: Acme Stores")])
    found = origins(codat, "main")
    assert found == PENDING_ACME | {"company.create acme": "change"}


def test_no_working_tree_is_touched(codat: Codat, repository: Repository) -> None:
    (codat.directory / "specs" / "new.yaml").write_text("version: 1\n")
    repository.git("add", "specs/new.yaml")
    index = codat.directory / ".git" / "index"
    head = codat.directory / ".git" / "HEAD"
    before = (repository.git("status", "--porcelain=v2"), index.read_bytes(), head.read_bytes())
    objects = sorted((codat.directory / ".git" / "objects").rglob("*"))
    origins(codat, "main")
    assert (repository.git("status", "--porcelain=v2"), index.read_bytes(), head.read_bytes()) == before
    assert sorted((codat.directory / ".git" / "objects").rglob("*")) == objects
    assert repository.git("worktree", "list").count("\n") == 0


@pytest.mark.parametrize("live", [(), ("acme",), ("acme", "bravo")], ids=["none", "some", "all"])
def test_it_costs_at_most_one_listing_more(
    live: tuple[str, ...], codat: Codat, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_TOKEN", "good")
    if live:
        targets = [part for key in live for part in ("--target", key)]
        assert codat.run("apply", "specs", "--yes", *targets).status == Exit.OK
    repository.git("rm", "--quiet", "--cached", "specs/companies.yaml")
    write_specs(codat.directory, [BRAVO])  # the base wants acme, the head does not
    codat.gate.reads.clear()
    assert codat.run("plan").status == Exit.OK
    alone, codat.gate.reads = codat.gate.reads, []
    origins(codat, "main")
    extra = list(codat.gate.reads)
    for path in alone:
        extra.remove(path)
    assert extra in ([], ["/companies"])


# --- a base that has nothing to say ------------------------------------------------------------


def test_without_specs_in_the_base_everything_is_this_change(codat: Codat) -> None:
    repository = Repository.made(codat.directory)
    repository.commit("nothing yet")
    write_specs(codat.directory, [ACME, BRAVO])
    assert origins(codat, "main") == dict.fromkeys(EXPECTED, "change")


def test_a_base_that_does_not_load_does_not_keep_its_mending_from_being_planned(
    codat: Codat, repository: Repository
) -> None:
    (codat.directory / "specs" / "companies.yaml").write_text("version: 1\ncompanies: {acme: {nmae: Acme}}\n")
    repository.commit("a slip")
    write_specs(codat.directory, [ACME, BRAVO])
    assert origins(codat, "HEAD") == dict.fromkeys(EXPECTED, "change")


def test_deletes_of_a_prune_are_this_change_where_the_base_had_no_specs(
    codat: Codat, repository: Repository
) -> None:
    assert codat.run("apply", "specs", "--target", "bravo", "--yes").status == Exit.OK
    repository.git("switch", "--quiet", "--discard-changes", "--orphan", "empty")
    repository.commit("nothing")
    write_specs(codat.directory, [ACME])
    found = origins(codat, "empty", "--prune", "--allow-deletes", "1")
    assert found["company.delete bravo"] == "change"


# --- what lies around the specs ----------------------------------------------------------------


def test_the_base_is_read_with_its_workspace_tables_and_schemas(codat: Codat) -> None:
    repository = Repository.made(codat.directory)
    specs = write_specs(
        codat.directory,
        [ACME],
        settings="platforms: {xero: {schema: xero.schema.json}}\n",
    )
    (specs / "xero.schema.json").write_text('{"required": ["accessToken"]}')
    (specs / "more").mkdir()
    (specs / "more" / "set.yaml").write_text(
        "version: 1\ncompanySets:\n  customers:\n    from: customers.csv\n    key: ${row:id}\n"
        "    company: {name: '${row:name}'}\n"
    )
    (specs / "more" / "customers.csv").write_text("id,name\nc1,One\n")
    repository.commit("a table, and a schema for its tokens")
    (specs / "more" / "customers.csv").write_text("id,name\nc1,One\nc2,Two\n")
    assert origins(codat, "HEAD") == PENDING_ACME | {
        "company.create c1": "pending",
        "company.create c2": "change",
    }


def test_specs_below_the_repository_and_its_workspace_are_found(
    codat: Codat, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = Repository.made(codat.directory)
    specs = write_specs(codat.directory / "codat", [ACME])
    (specs / "north").mkdir()
    (specs / "north" / "bravo.yaml").write_text("version: 1\ncompanies:\n" + BRAVO)
    repository.commit("both")
    monkeypatch.chdir(codat.directory / "codat")
    assert origins(codat, "HEAD", specs="specs/north") == {"company.create bravo": "pending"}
    assert origins(codat, "HEAD", specs="specs/north/bravo.yaml") == {"company.create bravo": "pending"}


def test_links_in_the_base_lead_nowhere(codat: Codat, repository: Repository) -> None:
    outside = codat.directory.parent / "outside.yaml"
    outside.write_text("version: 1\ncompanies:\n" + BRAVO)
    link = codat.directory / "specs" / "link.yaml"
    link.symlink_to(outside)
    repository.commit("a link that leads out")
    link.unlink()
    assert origins(codat, "HEAD~1")["company.create bravo"] == "change"
    assert set(origins(codat, "HEAD").values()) == {"pending"}


# --- a bad base --------------------------------------------------------------------------------


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("base", ["orgin/main", "--output=stolen", "HEAD:specs", ""])
def test_a_slip_in_the_ref_says_what_to_do(base: str, codat: Codat) -> None:
    done = codat.run("plan", f"--base={base}")
    assert done.status == Exit.ERROR
    assert f"without '{base}'" in done.err
    assert "name a ref of this repository, or a directory as a path that begins with './'" in done.err
    assert not (codat.directory / "stolen").exists()


def test_a_shallow_clone_says_what_to_fetch(
    codat: Codat,
    repository: Repository,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    repository.commit("bravo")
    clone = repository.cloned(tmp_path_factory.mktemp("ci") / "clone", "--depth=1", "--branch=change")
    monkeypatch.chdir(clone.path)
    done = codat.run("plan", "--base", "origin/main")
    assert (done.status, "fetch-depth: 0" in done.err) == (Exit.ERROR, True)
    assert codat.run("plan", "--base", "HEAD^1").status == Exit.ERROR
    clone.git("fetch", "--quiet", "--depth=2", "origin", "change")
    assert origins(codat, "HEAD^1") == EXPECTED


def test_outside_of_a_repository_it_says_so(codat: Codat) -> None:
    write_specs(codat.directory, [ACME])
    done = codat.run("plan", "--base", "main")
    assert (done.status, "specs is in no git repository" in done.err) == (1, True)


@pytest.mark.usefixtures("repository")
def test_without_git_it_says_so(codat: Codat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    done = codat.run("plan", "--base", "main")
    assert (done.status, "git is not installed" in done.err) == (Exit.ERROR, True)
