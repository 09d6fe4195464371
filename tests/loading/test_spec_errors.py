"""What bad specs print, to the letter: place, path, what is wrong and what to do."""

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from reconciler.loading import SpecCode

HERE = Path(__file__).parent
CANARY = "CANARY"


class Case(NamedTuple):
    """A bad file and the lines that loading it prints, each behind its code."""

    name: str
    text: str
    lines: list[str]


def cases(table: str) -> list[Case]:
    blocks = (HERE / table).read_text(encoding="utf-8").split("\n=== ")[1:]
    found = []
    for block in blocks:
        name, _, rest = block.partition("\n")
        lines = rest.split("\n")
        expected = [line.removeprefix(">>> ") for line in lines if line.startswith(">>> ")]
        text = [line for line in lines if not line.startswith(">>> ")]
        found.append(Case(name, "\n".join(text), expected))
    return found


SPECS, WORKSPACES = cases("bad_specs.txt"), cases("bad_workspaces.txt")


def named(table: list[Case]):
    return pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in table])


def coded(diagnostics) -> list[str]:
    return [f"[{diagnostic.code}] {diagnostic}" for diagnostic in diagnostics]


@named(SPECS)
def test_a_bad_spec_prints_exactly_this(project, case):
    project.put("specs/a.yaml", case.text)
    assert coded(project.errors()) == case.lines


@named(WORKSPACES)
def test_a_bad_workspace_prints_exactly_this(project, case):
    project.put("specs/a.yaml", "version: 1\ncompanies: {a: {name: A}}\n")
    project.put("specs/workspace.yaml", case.text)
    assert coded(project.errors()) == case.lines


@named([case for case in SPECS if CANARY in case.text])
def test_no_line_repeats_what_stands_in_an_authorization(project, case):
    project.put("specs/a.yaml", case.text)
    assert CANARY not in "".join(map(repr, project.errors()))


def test_all_errors_of_a_run_come_at_once(project):
    """A broken file, a broken workspace, schema errors, and rules on what is sound."""
    project.put("specs/workspace.yaml", "version: 1\nworkspace: prod\nlimit: {}\n")
    project.put("specs/a.yaml", "a: b: c\n")
    project.put(
        "specs/b.yaml",
        "version: 1\ncompanies:\n  b:\n    nmae: B\n    name: Bé\n    connections:\n"
        "      x: {platform: xerro, state: linkd}\n",
    )
    project.put("specs/c.yaml", "version: 1\ncompanies:\n  b: {name: B}\n  d: {name: D, renamedFrom: b}\n")
    found = [(error.code, str(error.span)) for error in project.errors()]
    assert found == [
        (SpecCode.YAML_SYNTAX, "specs/a.yaml:1:5"),
        (SpecCode.UNKNOWN_FIELD, "specs/b.yaml:4:5"),
        (SpecCode.NAME_CHARACTERS, "specs/b.yaml:5:11"),
        (SpecCode.UNKNOWN_PLATFORM, "specs/b.yaml:7:21"),
        (SpecCode.WRONG_VALUE, "specs/b.yaml:7:35"),
        (SpecCode.DUPLICATE_COMPANY, "specs/c.yaml:3:3"),
        (SpecCode.RENAMED_STILL_THERE, "specs/c.yaml:4:29"),
        (SpecCode.UNKNOWN_FIELD, "specs/workspace.yaml:3:1"),
    ]


def test_a_key_in_two_files_names_both_places(project):
    project.put("specs/a.yaml", "version: 1\ncompanies: {a: {name: A}}\n")
    project.put("specs/b.yaml", "version: 1\ncompanies: {a: {name: A}}\n")
    (line,) = project.lines()
    assert line == (
        "specs/b.yaml:2:13: companies.a: the key 'a' is taken; the first one stands at specs/a.yaml:2:13;"
        " give one of the two another key"
    )


def test_two_bank_feeds_are_refused_once_the_live_list_knows_them(project):
    from reconciler.model import Platform, SourceType

    project.put(
        "specs/a.yaml",
        "version: 1\ncompanies: {a: {name: A, connections: {x: {platform: feed}, y: {platform: feed},"
        " z: {platform: feed, state: unlinked}}}}\n",
    )
    feed = Platform(key="feed", name="Feed", source_type=SourceType.BANK_FEED)
    assert [(error.code, error.path) for error in project.errors(platforms=[feed])] == [
        (SpecCode.SEVERAL_BANK_FEEDS, "companies.a.connections.y")
    ]


def test_an_authorization_that_is_never_sent_is_a_warning(project):
    project.connection("platform: xero\nmigration: managed\nauthorization: {t: '${env:A}'}")
    (warning,) = project.load().warnings
    assert f"[{warning.code}] {warning}" == (
        "[authorization-unused] specs/a.yaml:9:9: companies.a.connections.x.authorization: this is never"
        " sent, because migration is managed; remove it, or set migration: self-service"
    )


@pytest.mark.parametrize(
    ("issued", "is_warned_of"), [("2026-11-21T11:00:00Z", False), ("2026-11-21T13:00:00Z", True)]
)
def test_tokens_that_cannot_have_been_issued_yet_are_warned_of(project, issued, is_warned_of):
    project.connection(f"platform: xero\nissuedAt: '{issued}'\nauthorization: {{t: '${{env:A}}'}}")
    warnings = project.load(now=datetime(2026, 11, 20, 12, tzinfo=UTC)).warnings
    assert [warning.code for warning in warnings] == [SpecCode.ISSUED_IN_FUTURE] * is_warned_of
    assert all("write when they were issued" in str(warning) for warning in warnings)


@pytest.mark.parametrize(
    ("field", "setting", "accepted"),
    [
        ("realmId", "{}", True),
        ("shop", "{}", False),
        ("shop", "{fields: {shop: {secret: false}}}", True),
        ("realmId", "{fields: {realmId: {secret: true}}}", False),
    ],
)
def test_text_may_stand_where_the_field_is_no_secret(project, field, setting, accepted):
    project.put("specs/workspace.yaml", f"version: 1\nworkspace: prod\nplatforms: {{xero: {setting}}}\n")
    project.connection(f"platform: gbol\nauthorization: {{{field}: text}}")
    if accepted:
        authorization = project.load().desired.companies["a"].connections["x"].authorization
        assert authorization == {field: "text"}
    else:
        assert [error.code for error in project.errors()] == [SpecCode.AUTHORIZATION_LITERAL]


PLATFORM_SCHEMA = """
{"type": "object", "required": ["accessToken"], "additionalProperties": false,
 "properties": {"accessToken": {"pattern": "^never checked$"}, "realmId": {"pattern": "^[0-9]+$"}}}
"""


@pytest.mark.parametrize(
    ("authorization", "sentence"),
    [
        ("accessToken: '${env:A}', realmId: '46'", None),
        ("realmId: '46'", "it lacks accessToken"),
        ("accessToken: '${env:A}', realmId: CANARY", "realmId does not fit the schema's 'pattern'"),
        ("accessToken: '${env:A}', otherId: '1'", "it has fields that are none of accessToken, realmId"),
    ],
)
def test_an_authorization_must_fit_the_schema_that_the_workspace_names(project, authorization, sentence):
    project.put("specs/xero.json", PLATFORM_SCHEMA)
    project.put(
        "specs/workspace.yaml", "version: 1\nworkspace: prod\nplatforms: {xero: {schema: xero.json}}\n"
    )
    project.connection(f"platform: xero\nauthorization: {{{authorization}}}")
    if sentence is None:
        project.load()
        return
    (error,) = project.errors()
    assert (error.code, error.fix) == (SpecCode.AUTHORIZATION_SCHEMA, sentence)
    assert CANARY not in repr(error)


def test_a_schema_is_never_fetched_from_the_network(project):
    project.put("specs/xero.json", '{"$ref": "https://example.invalid/schema.json"}')
    project.put(
        "specs/workspace.yaml", "version: 1\nworkspace: prod\nplatforms: {xero: {schema: xero.json}}\n"
    )
    project.connection("platform: xero\nauthorization: {aId: x}")
    assert [error.fix for error in project.errors()] == ["its schema refers to another document"]


def test_every_code_has_a_case():
    tests = "".join(path.read_text() for path in (*HERE.glob("test_*.py"), HERE / "bad_sets.txt"))
    tables = "".join(line for case in SPECS + WORKSPACES for line in case.lines)
    assert [
        code for code in SpecCode if f"[{code}]" not in tables + tests and f"Code.{code.name}" not in tests
    ] == []


def sharing(other: str) -> str:
    """The specs of two connections, each with a token and with what belongs to the application."""
    tokens = (f"{{accessToken: '${{env:{name}}}', clientSecret: '${{env:APP}}'}}" for name in ("T", other))
    links = (f"{{platform: xero, authorization: {token}}}" for token in tokens)
    companies = (
        f"  {key}: {{name: {key.upper()}, connections: {{{name}: {link}}}}}\n"
        for key, name, link in zip("ab", "xy", links, strict=True)
    )
    return f"version: 1\ncompanies:\n{''.join(companies)}"


def test_one_token_in_two_connections_is_warned_of_with_both_addresses(project):
    project.put("specs/a.yaml", sharing("T"))
    (warning,) = project.load().warnings
    assert warning.code is SpecCode.REFERENCE_SHARED
    assert "b/y and a/x send the same secret" in str(warning)
    assert "specs/a.yaml:3:30" in str(warning)


def test_what_belongs_to_the_application_may_be_shared(project):
    project.put("specs/a.yaml", sharing("OTHER"))
    assert project.load().warnings == ()
