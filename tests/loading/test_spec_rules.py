"""Where the rules draw their lines: what is just permitted, and what is just too much."""

import pytest

from reconciler.loading import SpecCode, SpecError

HEAD = "version: 1\ncompanies:\n  a:\n    name: A\n"
ID = "8a210b68-6988-11ed-a1eb-0242ac12000"


def codes(project, fields: str) -> list[str]:
    """The codes of a company ``a`` with these fields, one a line."""
    project.put("specs/a.yaml", HEAD + "".join(f"    {line}\n" for line in fields.splitlines()))
    try:
        project.load()
    except SpecError as error:
        return [diagnostic.code for diagnostic in error.diagnostics]
    return []


def tags(count: int, removed: int = 0) -> str:
    entries = [f"t{n}: x" for n in range(count)] + [f"r{n}: null" for n in range(removed)]
    return "tags: {" + ", ".join(entries) + "}"


TWO_BANKS = "\nconnections: {x: {platform: plaid}, y: {platform: plaid}}"


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        (tags(8), []),
        (tags(8, removed=3), []),
        (tags(9), [SpecCode.TOO_MANY_TAGS]),
        (tags(8) + "\nprotect: false", []),
        (tags(8) + "\nprotect: true", [SpecCode.TOO_MANY_TAGS]),
        (tags(7) + "\nprotect: true", []),
        (tags(8) + TWO_BANKS, [SpecCode.TOO_MANY_TAGS]),
        (tags(7) + TWO_BANKS, []),
        (tags(7) + "\nprotect: true" + TWO_BANKS, [SpecCode.TOO_MANY_TAGS]),
    ],
)
def test_our_own_tags_count(project, fields, found):
    assert codes(project, fields) == found


def banks(*connections: str) -> str:
    names = [f"bank-account-no-{n}" for n in range(len(connections))]
    lines = (f"  {name}: {{platform: plaid{more}}}" for name, more in zip(names, connections, strict=True))
    return "connections:\n" + "\n".join(lines)


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        (banks(*[""] * 3), []),
        (banks(*[""] * 4), [SpecCode.ID_REQUIRED]),
        (banks(*[""] * 3, f", id: {ID}1"), []),
        (banks(*[""] * 3, ", state: absent"), []),
        (banks(*[""] * 3, ", state: unlinked"), [SpecCode.ID_REQUIRED]),
        (banks(*[""] * 4) + "\nstate: absent", []),
    ],
)
def test_connections_without_an_id_must_fit_into_the_record(project, fields, found):
    assert codes(project, fields) == found


@pytest.mark.parametrize(
    ("second", "found"),
    [
        ("platform: wave", [SpecCode.SEVERAL_ACCOUNTING]),
        ("platform: wave, state: unlinked", []),
        ("platform: wave, state: absent", []),
        ("platform: shopify", []),
    ],
)
def test_one_accounting_connection_may_be_linked(project, second, found):
    fields = f"connections: {{x: {{platform: xero}}, y: {{{second}}}}}"
    assert codes(project, fields) == found
    assert codes(project, fields + "\nstate: absent") == []


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ("migration: self-service", [SpecCode.AUTHORIZATION_MISSING]),
        ("migration: self-service, state: unlinked", []),
        ("migration: self-service, state: absent", []),
        ("migration: managed", []),
    ],
)
def test_self_service_needs_an_authorization_to_link(project, fields, found):
    assert codes(project, f"connections: {{x: {{platform: xero, {fields}}}}}") == found


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("2026-11-20T09:00:00Z", []),
        ("2026-11-20T09:00:00.1234567+05:30", []),
        ("2026-11-20T09:00:00", [SpecCode.WRONG_TIME]),
        ("2026-13-20T09:00:00Z", [SpecCode.WRONG_TIME]),
        ("0001-01-01T00:00:00+23:00", [SpecCode.WRONG_TIME]),
        ("yesterday", [SpecCode.WRONG_TIME]),
    ],
)
def test_issued_at_is_a_moment(project, written, found):
    assert codes(project, f"connections: {{x: {{platform: xero, issuedAt: '{written}'}}}}") == found


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        (f'id: "{ID}1\\n"', [SpecCode.WRONG_FORM]),
        ('renamedFrom: "old\\n"', [SpecCode.WRONG_FORM]),
        ('connections: {"x\\n": {platform: xero}}', [SpecCode.WRONG_KEY]),
        ('connections: {x: {platform: xero, sync: {maxAge: "30d\\n"}}}', [SpecCode.WRONG_FORM]),
    ],
)
def test_no_form_permits_a_newline_at_the_end(project, fields, found):
    assert codes(project, fields) == found


def test_tags_of_the_greatest_length_are_kept(project):
    assert codes(project, f"tags: {{{'k' * 27}: {'v' * 100}}}") == []


@pytest.mark.parametrize("tag", ["codatSync", "codatSyncKey", "CodatSyncKey"])
def test_tags_of_ours_are_ours(project, tag):
    assert codes(project, f"tags: {{{tag}: x}}") == [SpecCode.RESERVED_TAG]


def test_ids_are_compared_whatever_their_case(project):
    project.put("specs/b.yaml", f"version: 1\ncompanies: {{b: {{name: B, id: {ID.upper()}A}}}}\n")
    assert codes(project, f"id: {ID}a") == [SpecCode.DUPLICATE_COMPANY_ID]


def test_four_letters_that_may_be_a_retired_platform_are_a_warning(project):
    project.connection("platform: vjms\nmigration: link")
    (warning,) = project.load().warnings
    assert (warning.code, str(warning.span)) == (SpecCode.UNLISTED_PLATFORM, "specs/a.yaml:7:19")


def test_a_default_and_settings_of_a_retired_platform_are_warnings(project):
    project.put(
        "specs/workspace.yaml",
        "version: 1\nworkspace: prod\nplatforms: {vjms: {}}\ndefaults: {connection: {platform: vjms}}\n",
    )
    project.connection("migration: link")
    assert [warning.code for warning in project.load().warnings] == [SpecCode.UNLISTED_PLATFORM] * 2


def test_a_literal_opening_is_written_with_two_dollars_everywhere(project):
    project.put("specs/t.csv", "id,text\na,c $${x}\n")
    project.put(
        "specs/a.yaml",
        "version: 1\n"
        "companies:\n"
        '  b: {name: B, description: "$${env:X} $$${", tags: {"$${k": "v$${"}, connections: {x: '
        '{platform: xero, authorization: {tenantId: "$${env:X}"}}}}\n'
        "companySets:\n"
        '  s: {from: t.csv, key: "${row:id}", company: {name: A, description: "${row:text} $${row:id}"}}\n',
    )
    found = project.load().desired.companies
    assert (found["b"].description, found["b"].tags) == ("${env:X} $${", {"${k": "v${"})
    assert found["b"].connections["x"].authorization == {"tenantId": "${env:X}"}
    assert found["a"].description == "c ${x} ${row:id}"


@pytest.mark.parametrize(
    "fields", ['tags: {"${k": v}', 'tags: {k: "${v"}', 'description: "a ${b"', 'description: "$$${b} ${c"']
)
def test_an_opening_that_is_no_reference_and_not_escaped_is_refused(project, fields):
    project.put("specs/a.yaml", f"version: 1\ncompanies:\n  a: {{name: A, {fields}}}\n")
    (error,) = project.errors()
    assert (error.code, "a literal ${ is written $${" in error.fix) == (SpecCode.REFERENCE_MISPLACED, True)
