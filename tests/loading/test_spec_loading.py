"""What good specs mean."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.diagnostics import Span
from reconciler.loading import BUILTIN_PLATFORMS, load
from reconciler.model import (
    UNSET,
    Desired,
    DesiredCompany,
    DesiredConnection,
    Migration,
    Platform,
    Precondition,
    PreconditionState,
    Presence,
    SourceType,
    SyncPolicy,
    Wanted,
)
from reconciler.secret_refs import SecretFile, SecretRef, Variable
from reconciler.workspace import Guard, Limit, Limits, Rollout

WHOLE = """\
# yaml-language-server: $schema=../schemas/spec.schema.json
version: 1
companies:
  acme:
    name: Acme Stores
    description: Moved from the in-house QuickBooks app
    tags: {region: uk, uid: cust_1MtJ, old: null}
    id: 8A210B68-6988-11ed-a1eb-0242ac120002
    renamedFrom: acme-old
    protect: true
    connections:
      books:
        platform: quickbooks-online
        migration: self-service
        authorization:
          accessToken: ${env:ACME_QBO_ACCESS_TOKEN}
          refreshToken: ${file:secrets/acme.json#/refreshToken}
          realmId: "4620816365"
        issuedAt: "2026-11-20T09:00:00+02:00"
        state: linked
        sync: {maxAge: 30d, dataTypes: [invoices, bills]}
        preconditions: {legacySyncDisabled: done}
      bank:
        platform: suuo
        id: 11111111-2222-3333-4444-55555555555F
        state: unlinked
        sync: never
"""


def test_every_field_of_a_spec_reaches_the_desired_state(project):
    project.write(specs__deep__acme_yaml=WHOLE)
    desired = project.load().desired
    file = "specs/deep/acme.yaml"
    books = DesiredConnection(
        key="books",
        platform="quickbooks-online",
        platform_key="qhyg",
        source_type=SourceType.ACCOUNTING,
        migration=Migration.SELF_SERVICE,
        authorization={
            "accessToken": SecretRef(Variable("ACME_QBO_ACCESS_TOKEN")),
            "refreshToken": SecretRef(SecretFile("deep/secrets/acme.json", "/refreshToken")),
            "realmId": "4620816365",
        },
        issued_at=datetime(2026, 11, 20, 7, tzinfo=UTC),
        sync=SyncPolicy(max_age=timedelta(days=30), data_types=("invoices", "bills")),
        preconditions={Precondition.LEGACY_SYNC_DISABLED: PreconditionState.DONE},
    )
    bank = DesiredConnection(
        key="bank",
        platform="suuo",
        platform_key="suuo",
        source_type=SourceType.BANKING,
        migration=Migration.LINK,
        wanted=Wanted.UNLINKED,
        id="11111111-2222-3333-4444-55555555555f",
        sync=SyncPolicy(never=True),
    )
    acme = DesiredCompany(
        key="acme",
        name="Acme Stores",
        description="Moved from the in-house QuickBooks app",
        tags={"region": "uk", "uid": "cust_1MtJ", "old": None},
        id="8a210b68-6988-11ed-a1eb-0242ac120002",
        renamed_from="acme-old",
        protect=True,
        connections={"books": books, "bank": bank},
    )
    assert desired == Desired(workspace="prod", companies={"acme": acme})
    found = desired.companies["acme"]
    assert found.span == Span(file, 4, 3)
    assert found.connections["books"].span == Span(file, 12, 7)
    token = found.connections["books"].authorization["accessToken"]
    assert isinstance(token, SecretRef)
    assert token.span == Span(file, 16, 24)


def test_absent_is_not_managed_and_null_clears(project):
    project.write(
        specs__a_yaml="version: 1\ncompanies:\n  a: {name: A}\n  b: {name: B, description: null, new: true}\n"
        "  c: {name: C, protect: false, state: absent}\n"
    )
    a, b, c = project.load().desired.companies.values()
    assert (a.description, a.protect, dict(a.tags), a.new) == (UNSET, UNSET, {}, False)
    assert (b.description, b.new) == (None, True)
    assert (c.protect, c.state) == (False, Presence.ABSENT)


def test_companies_come_by_key_from_all_documents_of_all_files(project):
    project.write(
        specs__b_yaml="version: 1\ncompanies: {z: {name: Z}}\n---\n"
        "version: 1\ncompanies: {a: {name: A}}\n---\n",
        specs__a__a_yaml="version: 1\ncompanies: {m: {name: M}}\n",
    )
    project.put("specs/c.yml", "# nothing yet\n")
    project.put("specs/d.yml", "version: 1\ncompanies:\n#  a: {}\n")
    project.put("specs/.hidden.yaml", "{")
    project.put("specs/.hidden/a.yaml", "{")
    project.put("specs/notes.txt", "{")
    loaded = project.load()
    assert list(loaded.desired.companies) == ["a", "m", "z"]
    assert loaded.files == ("specs/a/a.yaml", "specs/b.yaml", "specs/c.yml", "specs/d.yml")
    assert loaded.warnings == ()


@pytest.mark.parametrize("written", ["quickbooks-online", "qhyg", "QHYG", "QuickBooks Online"])
def test_a_platform_is_found_by_name_and_by_key_and_kept_as_written(project, written):
    project.connection(f"platform: {written}")
    connection = project.load().desired.companies["a"].connections["x"]
    assert (connection.platform, connection.platform_key) == (written, "qhyg")


def test_a_live_platform_is_known_when_it_is_given(project):
    project.connection("platform: newbank")
    assert [error.code for error in project.errors()] == ["unknown-platform"]
    live = Platform(key="wxyz", name="NewBank", source_type=SourceType.BANK_FEED)
    connection = project.load(platforms=[*BUILTIN_PLATFORMS, live]).desired.companies["a"].connections["x"]
    assert (connection.platform_key, connection.source_type) == ("wxyz", SourceType.BANK_FEED)


@pytest.mark.parametrize(
    ("fields", "migration"),
    [
        ("platform: xero", Migration.LINK),
        ("platform: xero\nauthorization: {accessToken: '${env:A}'}", Migration.SELF_SERVICE),
        ("platform: xero\nmigration: managed", Migration.MANAGED),
    ],
)
def test_the_migration_follows_from_the_authorization_unless_it_is_said(project, fields, migration):
    project.connection(fields)
    assert project.load().desired.companies["a"].connections["x"].migration is migration


DEFAULTS = """
version: 1
workspace: prod
defaults:
  connection:
    migration: managed
    platform: xero
    sync: {maxAge: 30d}
    preconditions: {callbackUrlAdded: done}
preconditions: {legacySyncDisabled: todo, callbackUrlAdded: todo}
platforms:
  gbol:
    preconditions: {legacySyncDisabled: not-applicable, callbackUrlAdded: not-applicable}
"""


def test_defaults_lie_under_a_connection_and_settings_under_those(project):
    project.put("specs/workspace.yaml", DEFAULTS)
    project.write(
        specs__a_yaml="version: 1\ncompanies: {a: {name: A, connections: {b: {sync: {dataTypes: [bills]}},"
        " c: {platform: wave, sync: never, state: absent, migration: link,"
        " preconditions: {legacySyncDisabled: done}}}}}\n"
    )
    b, c = project.load().desired.companies["a"].connections.values()
    assert (b.platform_key, b.migration) == ("gbol", Migration.MANAGED)
    assert b.sync == SyncPolicy(max_age=timedelta(days=30), data_types=("bills",))
    assert b.preconditions == {
        Precondition.CALLBACK_URL_ADDED: PreconditionState.DONE,
        Precondition.LEGACY_SYNC_DISABLED: PreconditionState.NOT_APPLICABLE,
    }
    assert (c.platform_key, c.migration, c.sync) == ("pbtz", Migration.LINK, SyncPolicy(never=True))
    assert c.preconditions[Precondition.LEGACY_SYNC_DISABLED] is PreconditionState.DONE


SETTINGS = """
version: 1
workspace: prod
workspaceRenamedFrom: staging
account: Example Lending Ltd
names: strip
rollout: {canary: acme, batch: 50, maxFailures: 3}
limits: {requestsPerMinute: 100000, concurrency: 4, pageSize: 5000, reserve: 25%}
guard: {maxDeletes: 3, maxUnlinks: 10%}
sandboxOnly: true
"""


def test_every_setting_reaches_the_workspace(project):
    project.put("specs/workspace.yaml", SETTINGS)
    project.write(specs__a_yaml="version: 1\ncompanies: {a: {name: Café (UK)}}\n")
    loaded = project.load()
    workspace = loaded.workspace
    assert (workspace.name, workspace.account, workspace.sandbox_only) == (
        "prod",
        "Example Lending Ltd",
        True,
    )
    assert workspace.rollout == Rollout(canary="acme", batch=50, max_failures=3)
    assert workspace.limits == Limits(
        requests_per_minute=100000, concurrency=4, page_size=5000, reserve_percent=25
    )
    assert workspace.guard == Guard(max_deletes=Limit(3), max_unlinks=Limit(10, percent=True))
    assert workspace.root == str(project.root / "specs")
    assert loaded.desired.companies["a"].name == "Caf UK"
    assert loaded.desired.workspaces == ("prod", "staging")


def test_companies_that_are_known_to_be_others_are_named_as_codat_writes_ids(project):
    ids = "[8A210B68-6988-11ED-a1eb-0242ac120009, 11111111-2222-3333-4444-55555555555f]"
    project.write(specs__a_yaml=f"version: 1\ncompanies: {{a: {{name: A, newBeside: {ids}}}}}\n")
    assert project.load().desired.companies["a"].new_beside == (
        "11111111-2222-3333-4444-55555555555f",
        "8a210b68-6988-11ed-a1eb-0242ac120009",
    )


def test_names_are_left_alone_where_codat_keeps_them(project):
    name = "A-b 'c' & D@e.f, g? h!"
    project.write(specs__a_yaml=f'version: 1\ncompanies: {{a: {{name: "{name}"}}}}\n')
    assert project.load().desired.companies["a"].name == name


class TestWorkspace:
    SPEC = "version: 1\ncompanies: {a: {name: A}}\n"

    def test_it_is_found_upwards_as_far_as_the_repository_s_root(self, project):
        (project.root / "specs/workspace.yaml").unlink()
        project.put("workspace.yml", "version: 1\nworkspace: above\n")
        project.put("specs/a.yaml", self.SPEC)
        loaded = project.load()
        assert (loaded.workspace.name, loaded.workspace.root) == ("above", str(project.root))
        (project.root / "specs/.git").mkdir()
        assert project.load(sandbox=True).workspace.name == "sandbox"

    def test_it_needs_a_name_save_in_the_sandbox(self, project):
        project.put("specs/workspace.yaml", "version: 1\n")
        project.put("specs/a.yaml", self.SPEC)
        (error,) = project.errors()
        assert f"[{error.code}] {error}" == (
            "[workspace-unnamed] specs/workspace.yaml:1:1: the workspace has no name; write these two lines"
            " to specs/workspace.yaml: `version: 1` and `workspace: specs`"
        )
        loaded = project.load(sandbox=True)
        assert (loaded.workspace.name, loaded.desired.workspace) == ("sandbox", "sandbox")

    def test_the_two_lines_that_the_error_prints_mend_it(self, project):
        (project.root / "specs/workspace.yaml").unlink()
        project.put("specs/a.yaml", self.SPEC)
        (line,) = project.lines()
        assert line.startswith("the workspace has no name; write these two lines to specs/workspace.yaml:")
        project.put("specs/workspace.yaml", "\n".join(re.findall("`([^`]+)`", line)))
        assert project.load().workspace.name == "specs"

    def test_one_that_lies_deeper_is_not_read_and_a_warning_says_so(self, project):
        project.write(specs__a_yaml=self.SPEC, specs__b__workspace_yaml="{")
        (warning,) = project.load().warnings
        assert str(warning) == (
            "specs/b/workspace.yaml:1:1: this workspace file is not read, because it lies below the specs'"
            " directory; move it up, or remove it"
        )


class TestNarrowed:
    SPEC = "version: 1\ncompanies: {a: {name: A}}\n"

    def narrowed(self, project, specs: str) -> bool:
        return project.load(specs, sandbox=True).desired.narrowed

    def test_the_root_is_the_whole(self, project):
        project.write(specs__a_yaml=self.SPEC, other_yaml=self.SPEC)
        assert not self.narrowed(project, "specs")

    def test_a_file_is_a_part(self, project):
        project.write(specs__a_yaml=self.SPEC)
        assert self.narrowed(project, "specs/a.yaml")
        project.put("specs/a.yaml", "# nothing yet\n")
        assert self.narrowed(project, "specs/a.yaml")

    def test_a_directory_is_a_part_while_other_specs_lie_beside_it(self, project):
        project.write(specs__a__a_yaml=self.SPEC, specs__b__b_yaml=self.SPEC)
        assert self.narrowed(project, "specs/a")
        (project.root / "specs/b/b.yaml").write_text("jobs:\n  companies: none\n")
        assert not self.narrowed(project, "specs/a")

    def test_hidden_files_beside_it_do_not_count(self, project):
        project.write(specs__a__a_yaml=self.SPEC)
        project.put("specs/.github/b.yaml", self.SPEC)
        assert not self.narrowed(project, "specs/a")


def test_files_outside_of_the_current_directory_are_shown_whole(project, tmp_path_factory, monkeypatch):
    project.write(specs__a_yaml=TestWorkspace.SPEC)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert load(project.root / "specs").files == ((project.root / "specs/a.yaml").as_posix(),)


def test_our_own_examples_load():
    specs = Path(__file__).parents[2] / "specs"
    if not any(specs.glob("*.yaml")):
        pytest.skip("specs/ holds no example yet")
    loaded = load(specs, sandbox=True)
    assert loaded.desired.companies
    assert loaded.warnings == ()


def test_an_empty_mapping_says_nothing_as_when_it_is_absent(project):
    project.put(
        "specs/workspace.yaml",
        "version: 1\nworkspace: prod\npreconditions: {}\ndefaults: {connection: {}}\nplatforms: {}\n",
    )
    project.put(
        "specs/a.yaml",
        "version: 1\ncompanies:\n"
        "  a: {name: A, tags: {}, connections: {}, syncSettings: {}}\n"
        "  b: {name: B, connections: {c: {platform: xero, preconditions: {}, sync: {}}}}\n",
    )
    written = project.load().desired
    project.put(
        "specs/a.yaml",
        "version: 1\ncompanies: {a: {name: A}, b: {name: B, connections: {c: {platform: xero}}}}\n",
    )
    absent = project.load().desired
    assert written.companies["a"].sync_settings is UNSET
    assert [replace(company, span=None, connections={}) for company in written.companies.values()] == [
        replace(company, span=None, connections={}) for company in absent.companies.values()
    ]
    both = (desired.companies["b"].connections["c"] for desired in (written, absent))
    assert len({repr(replace(connection, span=None)) for connection in both}) == 1
