"""Which files are read, and what is said of those that cannot be."""

import os
import sys

import pytest

from reconciler.loading import SpecCode, SpecError, files, secret_commands
from reconciler.loading.files import READABLE

SPEC = "version: 1\ncompanies: {a: {name: A}}\n"


NOT_READ = (
    "this file looks like a spec and is not read: its name does not end in .yaml or .yml; "
    "rename it, or move it out of the specs' directory"
)


def coded(diagnostics) -> list[tuple[SpecCode, str]]:
    return [(diagnostic.code, str(diagnostic)) for diagnostic in diagnostics]


def test_a_path_that_is_not_there(project):
    assert coded(project.errors("spex")) == [
        (SpecCode.NO_SUCH_PATH, "there is no file or directory 'spex'; name the directory of your specs")
    ]


@pytest.mark.parametrize("specs", ["specs", "specs/workspace.yaml"])
def test_no_spec_is_an_error(project, specs):
    (error,) = project.errors(specs)
    assert error.code == SpecCode.NO_SPECS
    assert str(error) == (
        f"there is no spec in {specs!r}; write a *.yaml file there; one with nothing but comments means"
        " no companies"
    )


def test_a_workspace_file_further_down_is_no_spec(project):
    """Else an empty directory would pass as an empty workspace, and everything would be an orphan."""
    project.put("specs/deep/workspace.yaml", "version: 1\n")
    assert [error.code for error in project.errors()] == [SpecCode.NO_SPECS]


def test_a_file_of_comments_is_a_spec_without_companies(project):
    project.put("specs/a.yaml", "# nothing yet\n")
    assert project.load().desired.companies == {}


def test_a_byte_order_mark_is_dropped(project):
    project.put("specs/a.yaml", b"\xef\xbb\xbf" + SPEC.encode())
    assert list(project.load().desired.companies) == ["a"]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (
            b"version: 1\n# \xc3\xa9 \xe9\n",
            "specs/a.yaml:2:5: this byte is not UTF-8; save the file as UTF-8 text",
        ),
        (SPEC.encode("utf-16"), "specs/a.yaml:1:1: this byte is not UTF-8; save the file as UTF-8 text"),
        (
            b"version: 1\n# \x07\n",
            "specs/a.yaml:2:3: YAML does not permit this control character; save the file as UTF-8 text",
        ),
    ],
)
def test_files_that_are_not_text(project, data, line):
    project.put("specs/a.yaml", data)
    assert coded(project.errors()) == [(SpecCode.NOT_UTF8, line)]


def test_files_have_a_bound(project, monkeypatch):
    monkeypatch.setattr(files, "MAX_BYTES", 1024 * 1024)
    project.put("specs/a.yaml", "#" * (1024 * 1024 + 1))
    assert coded(project.errors()) == [
        (SpecCode.FILE_TOO_LARGE, "specs/a.yaml:1:1: is larger than 1 MiB; split the file")
    ]


def test_nesting_has_a_bound_that_no_recursion_reaches_first(project):
    project.put("specs/a.yaml", "[" * 500)
    told = (
        "specs/a.yaml:1:65: mappings and lists are nested more than 64 deep; "
        "no spec is nested so deep; correct the brackets or the indentation"
    )
    assert coded(project.errors()) == [(SpecCode.TOO_DEEP, told)]


def test_nesting_beyond_the_bound_of_the_parser_itself_is_called_the_same(project):
    project.put("specs/a.yaml", "[" * 200_000)
    (error,) = project.errors()
    assert error.code == SpecCode.TOO_DEEP
    assert "nested more than 64 deep" in str(error)


def test_nesting_through_aliases_has_the_same_bound(project):
    lines = ["a0: &a0 [x]"] + [f"a{i}: &a{i} [[[*a{i - 1}]]]" for i in range(1, 40)]
    project.put("specs/a.yaml", "\n".join(lines))
    assert [error.code for error in project.errors()] == [SpecCode.TOO_DEEP]


def test_an_alias_bomb_is_defused(project):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 20)]
    project.put("specs/a.yaml", "\n".join(lines))
    (error,) = project.errors()
    assert error.code == SpecCode.ALIAS_BOMB
    assert "more than 1,000,000 values; write the values out" in str(error)


def test_aliases_are_fine(project):
    project.put(
        "specs/a.yaml",
        "version: 1\ncompanies:\n  a: {name: &n A, connections: &c {x: {platform: xero, sync: never}}}\n"
        "  b: {name: *n, connections: *c}\n",
    )
    a, b = project.load().desired.companies.values()
    assert (a.name, dict(a.connections)) == (b.name, dict(b.connections))


def test_a_link_out_of_the_root_is_refused(project, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "x.yaml").write_text(SPEC)
    project.put("specs/a.yaml", SPEC)
    (project.root / "specs/b").symlink_to(outside)
    (project.root / "specs/c.yaml").symlink_to(outside / "x.yaml")
    (project.root / "specs/notes.txt").symlink_to(outside / "x.yaml")
    fix = "this link leads out of the workspace's root; copy what it leads to"
    assert coded(project.errors()) == [
        (SpecCode.SYMLINK_OUTSIDE_ROOT, f"specs/b:1:1: {fix}"),
        (SpecCode.SYMLINK_OUTSIDE_ROOT, f"specs/c.yaml:1:1: {fix}"),
    ]


def test_a_link_to_what_holds_it_is_refused(project):
    project.put("specs/deep/a.yaml", SPEC)
    (project.root / "specs/deep/up").symlink_to(project.root / "specs")
    assert coded(project.errors()) == [
        (
            SpecCode.SYMLINK_LOOP,
            "specs/deep/up:1:1: this link leads back to a directory that it lies in; remove it",
        )
    ]


def test_what_links_lead_to_twice_is_read_once(project):
    project.put("specs/a/a.yaml", SPEC)
    (project.root / "specs/b").symlink_to(project.root / "specs/a")
    (project.root / "specs/c.yaml").symlink_to(project.root / "specs/a/a.yaml")
    assert project.load().files == ("specs/a/a.yaml",)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in directories")
def test_a_pipe_is_not_waited_for(project):
    os.mkfifo(project.root / "specs/a.yaml")
    assert coded(project.errors()) == [
        (SpecCode.UNREADABLE_FILE, f"specs/a.yaml:1:1: is no regular file; {READABLE}")
    ]


def test_a_link_to_nothing_is_unreadable(project):
    (project.root / "specs/a.yaml").symlink_to("nothing.yaml")
    assert coded(project.errors()) == [
        (SpecCode.UNREADABLE_FILE, f"specs/a.yaml:1:1: cannot be read: no such file or directory; {READABLE}")
    ]


def test_two_workspace_files_in_one_directory_are_refused(project):
    project.put("specs/a.yaml", SPEC)
    project.put("specs/workspace.yml", "version: 1\nworkspace: other\n")
    assert coded(project.errors()) == [
        (
            SpecCode.WORKSPACE_TWICE,
            "specs/workspace.yml:1:1: workspace.yaml stands in the same directory; keep one of the two",
        )
    ]


def test_an_ignored_workspace_file_is_a_warning(project):
    project.put("specs/a.yaml", SPEC)
    project.put("specs/deep/workspace.yml", "")
    assert [warning.code for warning in project.load().warnings] == [SpecCode.WORKSPACE_IGNORED]


@pytest.mark.parametrize(
    "name",
    [
        "b.YAML",
        "b.Yml",
        "b.yaml.bak",
        "b.yml.orig",
        "b.yaml~",
        "b.yaml.j2",
        "deep/b.yaml-old",
        "Workspace.YML",
    ],
)
def test_a_file_that_looks_like_a_spec_and_is_not_read_is_named(project, name):
    project.put("specs/a.yaml", SPEC)
    project.put(f"specs/{name}", SPEC.replace("a:", "b:"))
    loaded = project.load()
    assert (set(loaded.desired.companies), loaded.files) == ({"a"}, ("specs/a.yaml",))
    assert coded(loaded.warnings) == [
        (
            SpecCode.LOOKS_LIKE_SPEC,
            f"specs/{name}:1:1: {NOT_READ}",
        )
    ]


@pytest.mark.parametrize(
    "name",
    ["notes.txt", "yaml", "customers.csv", "schema.json", "b.yamlish", ".b.yaml.swp", ".old/b.yaml.bak"],
)
def test_a_file_that_nobody_takes_for_a_spec_is_passed_over_in_silence(project, name):
    project.put("specs/a.yaml", SPEC)
    project.put(f"specs/{name}", SPEC)
    assert project.load().warnings == ()


def test_a_workspace_file_that_is_put_before_another_is_told(project):
    """Who may add files among the specs could otherwise loosen the guards without a word."""
    project.put("specs/a.yaml", SPEC)
    project.put("workspace.yaml", "version: 1\nworkspace: outer\n")
    summary = "workspace.yaml stands further up, and is not read because this file is here"
    fix = "remove this file, or keep it if it is a workspace of its own"
    assert coded(project.load().warnings) == [
        (SpecCode.WORKSPACE_HIDDEN, f"specs/workspace.yaml:1:1: {summary}; {fix}")
    ]


def test_a_workspace_file_that_is_put_before_another_runs_no_program(project):
    project.put("specs/a.yaml", SPEC)
    project.put("workspace.yaml", "version: 1\nworkspace: outer\n")
    commands = "secrets: {commands: {sh: [sh, -c, '{ref}']}}\n"
    project.put("specs/workspace.yaml", f"version: 1\nworkspace: inner\n{commands}")
    told = "no program is run for a file that hides workspace.yaml"
    refused = [error for error in project.errors() if error.code is SpecCode.COMMAND_FORM]
    fix = "keep one of the two, and write the command there"
    assert [str(item) for item in refused] == [
        f"specs/workspace.yaml:3:22: secrets.commands.sh: {told}; {fix}"
    ]
    with pytest.raises(SpecError, match=told):
        secret_commands(project.root / "specs")


def test_a_neighbour_that_is_too_large_to_be_read_counts_as_a_spec(project, monkeypatch):
    """Then nothing is an orphan; the other way round, companies of that file would be pruned."""
    project.put("specs/a.yaml", SPEC)
    project.put("workspace.yaml", "version: 1\nworkspace: outer\n")
    (project.root / "specs/workspace.yaml").unlink()
    project.put("other/b.yaml", "# " + "x" * 1000 + "\n")
    assert not project.load().desired.narrowed
    monkeypatch.setattr(files, "MAX_BYTES", 1000)
    assert project.load().desired.narrowed


def test_references_to_files_count_from_the_file_they_stand_in(project, tmp_path_factory):
    spec = "version: 1\ncompanies:\n  a:\n    name: A\n    connections:\n      x:\n        platform: xero\n"
    spec += "        authorization: {{t: '${{file:{}}}'}}\n"
    project.put("specs/deep/a.yaml", spec.format("../secrets/t.json#/a~1b"))
    token = project.load().desired.companies["a"].connections["x"].authorization["t"]
    assert str(token) == "${file:secrets/t.json#/a~1b}"
    (project.root / "specs/link").symlink_to(tmp_path_factory.mktemp("outside"))
    project.put("specs/notes.txt", "")
    (project.root / "specs/token").symlink_to(tmp_path_factory.mktemp("elsewhere") / "token")
    for path in ("../../t", "../link/t", "../token", "/etc/hostname", "deep/../../../t"):
        project.put("specs/deep/a.yaml", spec.format(path))
        assert SpecCode.REFERENCE_OUTSIDE_ROOT in [error.code for error in project.errors()], path
