"""Company sets: what they expand to, and what is said of tables and templates that are wrong."""

import tracemalloc
from pathlib import Path
from typing import NamedTuple

import pytest

from reconciler.loading import SpecCode
from reconciler.loading.words import kept_name, transliterated
from reconciler.planner import desired_digest

HERE = Path(__file__).parent
CANARY = "CANARY"
SET = """\
version: 1
companySets:
  customers:
    from: customers.csv
    key: ${row:id}
    company:
      name: ${row:name}"""


class Case(NamedTuple):
    name: str
    spec: str
    table: bytes
    lines: list[str]


def cases() -> list[Case]:
    found = []
    for block in (HERE / "bad_sets.txt").read_text(encoding="utf-8").split("\n=== ")[1:]:
        name, _, rest = block.partition("\n")
        spec, _, after = rest.partition("\n---\n")
        lines = after.removesuffix("\n").split("\n")
        expected = [line.removeprefix(">>> ") for line in lines if line.startswith(">>> ")]
        table = "\n".join(line for line in lines if not line.startswith(">>> ")).rstrip("\n") + "\n"
        data = table.encode().replace(b"CONTROL", b"\x07").replace(b"LATIN", b"\x81")
        found.append(Case(name, SET if spec == "SET" else spec, data.lstrip(b"\n"), expected))
    return found


CASES = [pytest.param(case, id=case.name) for case in cases()]


@pytest.mark.parametrize("case", CASES)
def test_a_bad_set_prints_exactly_this(project, case):
    project.put("specs/a.yaml", case.spec)
    project.put("specs/customers.csv", case.table)
    assert [f"[{error.code}] {error}" for error in project.errors()] == case.lines
    assert CANARY not in "".join(case.lines)


EVERYTHING = """\
version: 1
companySets:
  customers:
    from: tables/customers.csv
    key: c-${row:id}
    company:
      name: ${row:name}
      description: From ${row:name}, ${row:region}
      tags: {region: "${row:region}", kind: shop, old: null}
      id: ${row:codat}
      protect: true
      state: ${row:state}
      connections:
        books:
          platform: ${row:platform}
          migration: self-service
          authorization:
            accessToken: ${table:tables/tokens.csv#${row:id}.accessToken}
            refreshToken: ${file:secrets/${row:id}.json#/refresh}
            secret: ${env:TOKEN_${row:id}}
            realmId: ${row:realm}
          issuedAt: ${row:issued}
          sync: {maxAge: "${row:age}", dataTypes: [bills, "${row:kind}"]}
          preconditions: {callbackUrlAdded: done}
        bank: {platform: truelayer, migration: link}
        feed:
          platform: sage-bank-feeds
          migration: link
          sourceAccounts:
            acc-0: {state: absent}
            acc-${row:id}:
              accountName: ${row:name}
              accountType: checking
              currency: EUR
              accountNumber: ${table:tables/numbers.csv#${row:id}.number}
            ${row:realm}: {state: absent}
"""
AS_YAML = """\
  c-{id}:
    name: {name}
    description: From {name}, {region}
    tags: {{region: {region}, kind: shop, old: null}}
    id: {codat}
    protect: true
    state: {state}
    connections:
      books:
        platform: {platform}
        migration: self-service
        authorization:
          accessToken: ${{table:tables/tokens.csv#{id}.accessToken}}
          refreshToken: ${{file:secrets/{id}.json#/refresh}}
          secret: ${{env:TOKEN_{id}}}
          realmId: "{realm}"
        issuedAt: "{issued}"
        sync: {{maxAge: {age}, dataTypes: [bills, {kind}]}}
        preconditions: {{callbackUrlAdded: done}}
      bank: {{platform: truelayer, migration: link}}
      feed:
        platform: sage-bank-feeds
        migration: link
        sourceAccounts:
          acc-0: {{state: absent}}
          acc-{id}:
            accountName: {name}
            accountType: checking
            currency: EUR
            accountNumber: ${{table:tables/numbers.csv#{id}.number}}
          "{realm}": {{state: absent}}
"""
COLUMNS = ("id", "name", "region", "codat", "state", "platform", "realm", "issued", "age", "kind")
ROWS = [
    (
        f"k{n}",
        f"Shop {n}",
        "uk",
        f"8a210b68-6988-11ed-a1eb-0242ac12000{n}",
        ("present", "absent")[n % 2],
        ("xero", "qhyg", "wave")[n % 3],
        f"46{n}",
        "2026-11-20T09:00:00+01:00",
        f"{n + 1}d",
        ("invoices", "items")[n % 2],
    )
    for n in range(9)
]


def table(rows, newline="\n", mark="") -> bytes:
    lines = [",".join(f'"{cell}"' for cell in row) for row in (COLUMNS, *rows)]
    return (mark + newline.join(lines) + newline).encode()


@pytest.mark.parametrize(("newline", "mark"), [("\n", ""), ("\r\n", "\ufeff")])
def test_a_set_is_the_same_as_its_companies_in_yaml(project, newline, mark):
    yaml = "".join(AS_YAML.format(**dict(zip(COLUMNS, row, strict=True))) for row in ROWS)
    project.put("specs/all.yaml", "version: 1\ncompanies:\n" + yaml)
    written = project.load().desired
    project.put("specs/all.yaml", EVERYTHING)
    project.put("specs/tables/customers.csv", table(ROWS, newline, mark))
    expanded = project.load().desired
    assert len(expanded.companies) == len(ROWS)
    assert expanded == written
    assert desired_digest(expanded) == desired_digest(written)


def test_a_company_and_its_secrets_know_the_row_they_come_from(project):
    project.put("specs/all.yaml", EVERYTHING)
    project.put("specs/tables/customers.csv", table(ROWS))
    company = project.load().desired.companies["c-k1"]
    assert str(company.span) == "specs/tables/customers.csv:3:1"
    books = company.connections["books"]
    assert str(books.span) == "specs/tables/customers.csv:3:68"
    assert str(books.authorization["accessToken"].span) == "specs/tables/customers.csv:3:1"
    assert str(company.connections["bank"].span) == "specs/all.yaml:25:9"
    number = company.connections["feed"].source_accounts["acc-k1"].numbers["accountNumber"]
    assert str(number.span) == "specs/tables/customers.csv:3:1"


def test_a_table_is_relative_to_the_spec_that_names_it(project):
    project.put("specs/uk/a.yaml", SET.replace("customers.csv", "../tables/uk.csv"))
    project.put("specs/tables/uk.csv", "id,name\na,A\n")
    assert list(project.load().desired.companies) == ["a"]


def test_a_link_to_a_table_outside_the_root_is_refused(project):
    (project.root / "elsewhere.csv").write_text("id,name\na,A\n")
    project.put("specs/a.yaml", SET)
    (project.root / "specs/customers.csv").symlink_to(project.root / "elsewhere.csv")
    assert [error.code for error in project.errors()] == [SpecCode.TABLE_OUTSIDE_ROOT]


def test_a_table_without_rows_is_no_companies(project):
    project.put("specs/a.yaml", SET)
    project.put("specs/customers.csv", "id,name\n")
    assert project.load().desired.companies == {}


def test_a_set_elsewhere_in_the_workspace_makes_the_run_a_part(project):
    project.put("workspace.yaml", "version: 1\nworkspace: prod\n")
    (project.root / "specs/workspace.yaml").unlink()
    project.put("specs/a.yaml", "version: 1\n")
    assert not project.load().desired.narrowed
    project.put("other/a.yaml", SET)
    assert project.load().desired.narrowed


def test_companies_of_a_set_share_what_does_not_differ(project):
    """What ten thousand rows cost is measured in what they differ in."""
    project.put("specs/a.yaml", SET + "\n      connections: {x: {platform: xero, migration: link}}\n")

    def peak(rows: int) -> int:
        lines = "".join(f"c{n},Company {n}\n" for n in range(rows))
        project.put("specs/customers.csv", "id,name\n" + lines)
        tracemalloc.start()
        try:
            assert len(project.load().desired.companies) == rows
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)
    small, large = peak(100), peak(600)
    assert (large - small) / 500 < 6_000


# --- what a set's table may be, and how far it may grow ----------------------------------------

TOKEN_SET = """\
version: 1
companySets:
  leak: {from: %s, key: "${row:id}", company: {name: "${row:accessToken}"}}
"""
TOKENS = f"id,accessToken\nacme,{CANARY}\n"


@pytest.mark.parametrize(
    "name", ["tokens.csv", "./tokens.csv", "../specs/tokens.csv", "link.csv", "hard.csv"]
)
@pytest.mark.parametrize("reference", ["${table:tokens.csv#acme.accessToken}", "${file:tokens.csv}"])
def test_a_file_of_secrets_is_no_table_of_companies_by_whatever_name(project, name, reference):
    project.put("specs/tokens.csv", TOKENS)
    (project.root / "specs/link.csv").symlink_to("tokens.csv")
    (project.root / "specs/hard.csv").hardlink_to(project.root / "specs/tokens.csv")
    project.connection(f'platform: xero\nauthorization: {{accessToken: "{reference}"}}')
    project.put("specs/z.yaml", TOKEN_SET % name)

    (error,) = project.errors()

    assert error.code == SpecCode.TABLE_OF_SECRETS
    assert str(error.span) == "specs/z.yaml:3:16"
    assert "reads secrets from this table" in error.summary
    assert CANARY not in str(error)


def test_a_file_of_secrets_that_a_row_names_is_found_too(project):
    project.put("specs/tokens.csv", TOKENS.replace("acme", "bad key"))
    project.put("specs/names.csv", "id,file\nacme,tokens.csv\n")
    project.put("specs/a.yaml", TOKEN_SET % "tokens.csv")
    reference = "${table:${row:file}#${row:id}.accessToken}"
    connection = f'{{platform: xero, authorization: {{accessToken: "{reference}"}}}}'
    company = f"{{name: A, connections: {{books: {connection}}}}}"
    project.put(
        "specs/b.yaml",
        f'version: 1\ncompanySets:\n  s: {{from: names.csv, key: "${{row:id}}", company: {company}}}\n',
    )

    assert [error.code for error in project.errors()] == [SpecCode.TABLE_OF_SECRETS]


def grown(company: str, rows: int) -> tuple[str, str]:
    spec = f'version: 1\ncompanySets:\n  s: {{from: c.csv, key: "${{row:id}}", company: {company}}}\n'
    return spec, "id\n" + "".join(f"c{number:050}\n" for number in range(rows))


CONNECTIONS = ", ".join(f"k{number}: {{platform: xero, state: unlinked}}" for number in range(100))


@pytest.mark.parametrize(
    ("company", "rows", "code"),
    [
        pytest.param(
            "{name: A, description: '" + "x" * 20_000 + "${row:id}'}",
            10_000,
            SpecCode.SET_TOO_LARGE,
            id="text",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            f"{{name: '${{row:id}}', connections: {{{CONNECTIONS}}}}}",
            10_000,
            SpecCode.SET_TOO_LARGE,
            id="connections",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "{name: A, description: '" + "${row:id}-" * 5_000 + "'}",
            10_000,
            SpecCode.WRONG_LENGTH,
            id="one company",
        ),
    ],
)
def test_a_small_set_does_not_grow_without_bounds(project, company, rows, code):
    spec, table = grown(company, rows)
    project.put("specs/s.yaml", spec)
    project.put("specs/c.csv", table)

    (found,) = [error for error in project.errors() if error.code == code]

    assert found.fix
    assert str(found.span) in ("specs/s.yaml:3:13", "specs/c.csv:2:1")


# --- tables as spreadsheets write them ---------------------------------------------------------

SHEET = [("id", "name"), ("a1", "Acme, Stores"), ("b2", "Bravo")]


def written(delimiter: str, *, end: str = "\r\n", tail: str = "") -> str:
    lines = [delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in row) for row in SHEET]
    return end.join([*lines, tail]) if tail else end.join(lines) + end


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "pipe"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    "tail", ["", ";;", "  ", "\r\n\r\n"], ids=["no-tail", "empty-cells", "blanks", "lines"]
)
def test_a_table_is_read_as_spreadsheets_write_it(project, delimiter, encoding, tail):
    text = written(delimiter, tail=tail.replace(";", delimiter))
    project.put("specs/a.yaml", SET)
    (project.root / "specs" / "customers.csv").write_bytes(text.encode(encoding))
    loaded = project.load()
    assert {key: company.name for key, company in loaded.desired.companies.items()} == {
        "a1": "Acme, Stores",
        "b2": "Bravo",
    }
    assert loaded.warnings == ()


def test_a_delimiter_can_be_said_where_the_header_misleads(project):
    project.put(
        "specs/a.yaml", SET.replace("key:", "delimiter: semicolon\n    key:").replace("row:id", "row:a,b,c")
    )
    project.put("specs/customers.csv", "a,b,c;name\nx;Acme\n")
    assert [company.name for company in project.load().desired.companies.values()] == ["Acme"]


def test_windows_1252_is_read_and_said(project):
    project.put("specs/a.yaml", SET)
    project.put("specs/workspace.yaml", "version: 1\nworkspace: prod\nnames: transliterate\n")
    (project.root / "specs" / "customers.csv").write_bytes("id;name\na;Müller\n".encode("cp1252"))
    loaded = project.load()
    assert loaded.desired.companies["a"].name == "Muller"
    assert [(warning.code, warning.fix.partition(" if ")[0]) for warning in loaded.warnings] == [
        (SpecCode.TABLE_ENCODING, "write `encoding: windows-1252` in the set")
    ]
    project.put("specs/a.yaml", SET.replace("key:", "encoding: windows-1252\n    key:"))
    assert project.load().warnings == ()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_the_line_in_which_excel_says_its_delimiter_is_no_header(project, encoding):
    project.put("specs/a.yaml", SET)
    table = project.root / "specs" / "customers.csv"
    table.write_bytes("sep=;\r\nid;name\r\na;Acme\r\nb;Bravo/\r\n".encode(encoding))
    (error,) = project.errors()
    assert (error.code, str(error.span)) == (SpecCode.NAME_CHARACTERS, "specs/customers.csv:4:3")
    table.write_bytes("sep=;\r\nid;name\r\na;Acme, Stores\r\n".encode(encoding))
    assert project.load().desired.companies["a"].name == "Acme, Stores"


@pytest.mark.parametrize("data", [b"PK\x03\x04\x14\x00\x06", b"\xd0\xcf\x11\xe0\xa1"], ids=["xlsx", "xls"])
def test_a_workbook_that_is_called_a_table_is_named(project, data):
    project.put("specs/a.yaml", SET)
    (project.root / "specs" / "customers.csv").write_bytes(data)
    (error,) = project.errors()
    assert (error.summary, error.fix) == (
        "is a workbook, and no table",
        "save it in the spreadsheet as CSV UTF-8",
    )


def test_a_delimiter_that_the_header_is_not_written_with_is_named(project):
    project.put("specs/a.yaml", SET.replace("key:", "delimiter: comma\n    key:"))
    project.put("specs/customers.csv", "id;name\na;Acme\n")
    fixes = {error.fix for error in project.errors()}
    assert fixes == {
        "its first line is written with the semicolon; write `delimiter: semicolon` in the set, or none"
    }


def test_what_is_not_in_the_encoding_that_is_said_is_an_error(project):
    project.put("specs/a.yaml", SET.replace("key:", "encoding: utf-8\n    key:"))
    (project.root / "specs" / "customers.csv").write_bytes(b"id,name\na,M\xfcller\n")
    assert [error.code for error in project.errors()] == [SpecCode.NOT_UTF8]


def test_five_thousand_rows_of_a_european_spreadsheet_need_one_line(project):
    names = [f"Müller & Söhne {n} (GmbH)" if n % 16 == 0 else f"Customer {n}" for n in range(5000)]
    lines = ["id;name", *(f"k{n};{name}" for n, name in enumerate(names)), ";", ";"]
    project.put("specs/a.yaml", SET)
    (project.root / "specs" / "customers.csv").write_bytes("\r\n".join(lines).encode("utf-8-sig"))
    (error,) = project.errors()
    assert error.code == SpecCode.NAME_CHARACTERS
    assert error.summary.startswith(
        "Codat would silently remove characters from 313 names: specs/customers.csv:2:4"
    )
    assert error.fix == (
        "write `names: transliterate` in workspace.yaml, which makes 'Muller & Sohne 0 GmbH' of the first"
    )
    project.put("specs/workspace.yaml", "version: 1\nworkspace: prod\nnames: transliterate\n")
    companies = project.load().desired.companies
    assert len(companies) == 5000
    assert companies["k16"].name == "Muller & Sohne 16 GmbH"


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("Müller GmbH", "Muller GmbH"),
        ("A/B + C", "A B C"),
        ("Łódź Straße", "Lodz Strasse"),
        ("Acme (UK)", "Acme UK"),
        ('The "Best", Ltd.', "The Best, Ltd."),
        ("O\u2019Brien \u2013 Sons", "O'Brien - Sons"),
        ("Plain  Name", "Plain  Name"),
    ],
)
def test_a_name_is_written_in_letters_that_codat_keeps(written, sent):
    assert transliterated(written) == sent
    assert kept_name(sent) == sent


def test_two_names_that_become_the_same_stay_two_companies_and_are_named(project):
    project.put("specs/workspace.yaml", "version: 1\nworkspace: prod\nnames: transliterate\n")
    project.put("specs/a.yaml", "version: 1\ncompanies: {a: {name: Müller}, b: {name: Muller}}\n")
    loaded = project.load()
    assert sorted(loaded.desired.companies) == ["a", "b"]
    assert [warning.code for warning in loaded.warnings] == [SpecCode.NAMES_ALIKE]
