"""``plan --base`` in a checkout that nobody trusts: git runs nothing of it, and a directory is no ref."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from installed import company, connection, write_specs
from repository import Repository
from served import Codat

from reconciler.cli.options import Exit

ACME = company("acme", connection("books", "xero", "ACME_TOKEN"), name="Acme")
BRAVO = "  bravo: {name: Bravo}\n"
MISSING = "0123456789" * 4


@pytest.fixture
def repository(codat: Codat) -> Repository:
    """A repository whose commit wants acme, and whose working tree wants bravo too."""
    write_specs(codat.directory, [ACME])
    made = Repository.made(codat.directory)
    made.commit("acme")
    write_specs(codat.directory, [ACME, BRAVO])
    return made


def script(directory: Path, name: str = "evil") -> Path:
    """A program that tells that it ran, and what it could read of the run that started it."""
    path = directory / name
    path.write_text(f'#!/bin/sh\ncat /proc/$PPID/environ > "{directory}/pwned"\nenv >> "{directory}/pwned"\n')
    path.chmod(0o755)
    return path


def origins(codat: Codat, base: str) -> dict[str, str]:
    done = codat.run("plan", "specs", "--base", base, "--format", "json")
    assert done.status == Exit.OK, done.err
    return {action["address"]: action["origin"] for action in json.loads(done.out)["actions"]}


# --- what a checkout can plant -----------------------------------------------------------------


def bare_repository(repository: Repository, evil: Path) -> None:
    """The specs look like a bare repository, which lacks an object and says how to fetch it."""
    specs = repository.path / "specs"
    (specs / "objects").mkdir()
    (specs / "refs" / "heads").mkdir(parents=True)
    (specs / "HEAD").write_text("ref: refs/heads/main\n")
    (specs / "refs" / "heads" / "main").write_text(MISSING + "\n")
    (specs / "config").write_text(
        "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tpartialClone = origin\n"
        f'[remote "origin"]\n\turl = {repository.path}\n\tpromisor = true\n\tuploadpack = {evil}\n'
    )


def repository_below(repository: Repository, evil: Path) -> None:
    """The specs are a repository, whose monitor of files is a program."""
    below = Repository.made(repository.path / "specs")
    below.git("config", "core.fsmonitor", str(evil))


def promised_files(repository: Repository, evil: Path) -> None:
    """The repository is a partial clone, and what it lacks would be fetched by a program."""
    repository.git("config", "extensions.partialClone", "origin")
    repository.git("config", "remote.origin.url", str(repository.path / "elsewhere"))
    repository.git("config", "remote.origin.promisor", "true")
    repository.git("config", "remote.origin.uploadpack", str(evil))
    blob = repository.git("rev-parse", "HEAD:specs/companies.yaml")
    (repository.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()


def settings_that_run_programs(repository: Repository, evil: Path) -> None:
    """The repository's own configuration, and the attributes of its files, name programs for everything."""
    (repository.path / ".gitattributes").write_text("* filter=evil diff=evil merge=evil\n")
    hooks = repository.path / "hooks"
    hooks.mkdir()
    for hook in ("post-index-change", "reference-transaction", "post-checkout"):
        shutil.copy(evil, hooks / hook)
    for name, value in {
        "core.fsmonitor": evil,
        "core.hooksPath": hooks,
        "core.pager": evil,
        "core.sshCommand": evil,
        "core.alternateRefsCommand": evil,
        "alias.rev-parse": f"!{evil}",
        "alias.cat-file": f"!{evil}",
        "filter.evil.smudge": evil,
        "filter.evil.process": evil,
        "diff.evil.textconv": evil,
        "diff.external": evil,
    }.items():
        repository.git("config", name, str(value))


ATTACKS = (bare_repository, repository_below, settings_that_run_programs)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_nothing_of_the_checkout_is_run_and_the_base_is_read(
    attack: Callable[[Repository, Path], None], codat: Codat, repository: Repository
) -> None:
    attack(repository, script(codat.directory))
    assert origins(codat, "HEAD") == {"acme": "pending", "acme/books": "pending", "bravo": "change"}
    assert not (codat.directory / "pwned").exists()


def test_what_a_partial_clone_lacks_is_not_fetched_and_it_says_what_to_do(
    codat: Codat, repository: Repository
) -> None:
    promised_files(repository, script(codat.directory))
    done = codat.run("plan", "specs", "--base", "HEAD")
    assert not (codat.directory / "pwned").exists()
    assert (done.status, "fetch it whole: a partial clone" in done.err) == (Exit.ERROR, True), done.err


def test_a_configuration_that_the_environment_names_is_not_read(
    codat: Codat, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = script(codat.directory)
    promised_files(repository, evil)
    (codat.directory / ".gitconfig").write_text(
        '[protocol]\n\tallow = always\n[protocol "file"]\n\tallow = always\n'
    )
    monkeypatch.setenv("HOME", str(codat.directory))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(codat.directory / ".gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(evil))
    assert codat.run("plan", "specs", "--base", "HEAD").status == Exit.ERROR
    assert not (codat.directory / "pwned").exists()


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("directory", ["", ".", "bin"])
def test_git_is_not_looked_for_in_the_checkout(
    directory: str, codat: Codat, monkeypatch: pytest.MonkeyPatch
) -> None:
    (codat.directory / "bin").mkdir()
    script(codat.directory, "git")
    script(codat.directory, "bin/git")
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")
    assert origins(codat, "HEAD")["bravo"] == "change"
    assert not list(codat.directory.rglob("pwned"))


@pytest.mark.usefixtures("repository")
def test_git_is_given_no_secret(codat: Codat, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = codat.directory / "programs"
    programs.mkdir()
    git = programs / "git"
    git.write_text(f'#!/bin/sh\nenv >> "{codat.directory}/seen"\nexec "{shutil.which("git")}" "$@"\n')
    git.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("ACME_TOKEN", "canary-token")
    monkeypatch.setenv("CODAT_AUTH_HEADER", "Basic Y2FuYXJ5")
    origins(codat, "HEAD")
    seen = (codat.directory / "seen").read_text()
    assert "PATH=" in seen
    assert [text for text in ("canary", "CODAT_", "Y2FuYXJ5", "HOME=") if text in seen] == []


# --- a directory called like the ref -----------------------------------------------------------


@pytest.mark.parametrize("base", ["HEAD", "HEAD^{commit}", "main"])
def test_a_directory_called_like_the_ref_does_not_replace_it(
    base: str, codat: Codat, repository: Repository
) -> None:
    shutil.copytree(repository.path / "specs", repository.path / base)
    assert origins(codat, base)["bravo"] == "change"


@pytest.mark.parametrize("base", ["HEAD^1", "origin/main"])
def test_a_directory_called_like_a_ref_that_was_not_fetched_is_not_the_base(
    base: str, codat: Codat, repository: Repository
) -> None:
    shutil.copytree(repository.path / "specs", repository.path / base)
    done = codat.run("plan", "specs", "--base", base)
    assert done.status == Exit.ERROR
    assert f"without '{base}'" in done.err
    assert f"if you mean the directory of that name, write ./{base}" in done.err
    assert origins(codat, f"./{base}")["bravo"] == "pending"


def test_outside_of_a_repository_a_name_is_a_directory(codat: Codat) -> None:
    write_specs(codat.directory / "before", [ACME])
    write_specs(codat.directory, [ACME, BRAVO])
    assert origins(codat, "before/specs")["bravo"] == "change"
    done = codat.run("plan", "specs", "--base", "./nowhere")
    assert (done.status, "there is no directory ./nowhere" in done.err) == (Exit.ERROR, True)
