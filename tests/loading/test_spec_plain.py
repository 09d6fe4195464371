"""Companies in which nothing is odd are read without the rules, and mean just what the careful way says."""

import importlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.loading import SpecCode, SpecError, load, sources
from reconciler.secret_refs import SecretFile, SecretRef

LOAD = importlib.import_module("reconciler.loading.load")
HEAD = "version: 1\nworkspace: prod\n"
WORKSPACES = (
    "",
    "names: transliterate\npreconditions: {callbackUrlAdded: done}\n",
    """\
defaults: {connection: {migration: link, sync: {maxAge: 30d}}}
platforms: {plaid: {fields: {region: {secret: false}}, preconditions: {legacySyncDisabled: done}}}
""",
)
KEYS = ("books", "bank", "shop", "k" * 64)
UUIDS = [f"8a210b68-6988-11ed-a1eb-0242AC1200{number:02}" for number in range(40)]


def some(**members):
    """A mapping with some of these members, each with one of its values."""
    return st.fixed_dictionaries({}, optional={name: st.sampled_from(each) for name, each in members.items()})


def companies_of(names, rest, platforms, terms, authorizations):
    """Companies of these parts, with up to three connections."""
    connections = st.builds(
        lambda platform, terms, tokens: {"platform": platform, **terms, "authorization": tokens},
        st.sampled_from(platforms),
        terms,
        authorizations.filter(bool),
    )
    return st.builds(
        lambda name, rest, links: {"name": name, **rest, "connections": links},
        st.sampled_from(names),
        rest,
        st.dictionaries(st.sampled_from(KEYS), connections, max_size=3),
    )


SOUND_TERMS = {
    "id": UUIDS,
    "issuedAt": ["2026-11-20T09:00:00Z"],
    "sync": ["never", {"maxAge": "30d"}, {"dataTypes": ["invoices"]}],
    "preconditions": [{"legacySyncDisabled": "todo"}, {"callbackUrlAdded": "done"}],
}
SOUND_REST = {
    "tags": [{"a": "b"}, {"a": None}, {"a": "$${b}"}],
    "description": ["text", None],
    "protect": [True, False],
    "id": UUIDS,
}
TOKENS = [f"${{env:T{number}}}" for number in range(60)]
SOUND_TOKENS = {
    "accessToken": TOKENS,
    "clientSecret": ["${env:OURS}"],
    "realmId": ["462", "${table:t.csv#a.b}", "${file:x/t#/a}", "${file:../t}"],
}
PLATFORMS = ["xero", "plaid", "shopify", "stripe"]
SOUND = companies_of("ABC", some(**SOUND_REST), PLATFORMS, some(**SOUND_TERMS), some(**SOUND_TOKENS))
ANY = companies_of(
    ["A", "B", "A!", "Ä", "/", "${env:X}", "  "],
    some(
        **SOUND_REST | {"tags": [{"codatSyncX": "y"}, {"a": "${b}"}, dict.fromkeys("abcdefghi", "x")]},
        new=[True],
        state=["absent"],
        renamedFrom=["a", "z"],
        products=[["lending"]],
        syncSettings=[{"invoices": {"syncOrder": 1}}],
    ),
    [*PLATFORMS, "Xero", "sage-bank-feeds", "zzzz", "none"],
    some(
        **SOUND_TERMS | {"issuedAt": ["2999-01-01T00:00:00Z", "soon"]},
        migration=["self-service", "link", "managed"],
        state=["linked", "unlinked", "absent"],
        renamedFrom=["old", "bank"],
    ),
    some(
        **SOUND_TOKENS,
        refreshToken=["${env:CODAT_KEY}", "${file:t.json#/a}", "${env:1x}", "x${env:A}"],
        region=["uk", "$${x}", "${env:R}"],
    ),
)


def files(keys):
    """The companies of a file, of which nearly all are sound."""
    company = st.integers(0, 7).flatmap(lambda number: SOUND if number else ANY)
    return st.dictionaries(st.sampled_from(keys), company, min_size=1)


def told(specs: Path) -> object:
    """All that loading says, places too."""
    try:
        loaded = load(specs)
    except SpecError as error:
        return error.diagnostics
    return loaded.warnings, set(loaded.named), [*map(repr, loaded.desired.companies.values())]


def both_ways(workspace: str, *companies: dict[str, object]) -> tuple[object, object]:
    """What loading says of these files, the quick way and the careful one."""
    with TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        specs = Path(directory).resolve()
        (specs / "workspace.yaml").write_text(HEAD + workspace)
        (specs / "schema.json").write_text(json.dumps({"properties": {"realmId": {"const": "1"}}}))
        for name, found in zip("xy", companies, strict=False):
            lines = (f"  {key}: {json.dumps(company)}\n" for key, company in found.items())
            (specs / f"{name}.yaml").write_text("version: 1\ncompanies:\n" + "".join(lines))
        quickly = told(specs)
        patch.setattr(LOAD, "_read", LOAD._read_carefully)
        return quickly, told(specs)


@settings(max_examples=60)
@given(st.sampled_from(WORKSPACES), files("abc"), files("def"))
def test_plain_companies_mean_the_same_both_ways(workspace, some_companies, others):
    quickly, carefully = both_ways(workspace, some_companies, others)
    assert quickly == carefully


BANK = {"platform": "plaid", "authorization": {"accessToken": "${env:A}"}}
TOKEN = {"accessToken": "${env:A}"}


def books(**fields):
    return {"connections": {"books": {"platform": "xero", "authorization": TOKEN, **fields}}}


def two(first: str, second: str, **fields):
    links = {key: {"platform": name, "migration": "link"} for key, name in (("a", first), ("b", second))}
    return {"connections": {key: {**link, **fields} for key, link in links.items()}}


@pytest.mark.parametrize(
    "odd",
    [
        {"name": "Ä"},
        {"name": " "},
        {"name": "A ${env:X}"},
        {"description": "${env:X}"},
        {"tags": dict.fromkeys("abcdefghi", "x")},
        {"tags": dict.fromkeys("abcdefgh", "x"), "protect": True},
        {"tags": {"CODATsyncX": "x"}},
        {"tags": {"a": "${env:X}"}},
        {"tags": {"${env:X}": "a"}},
        {"tags": {"$${a}": "$${b}"}, "description": "$${c}"},
        {"id": UUIDS[0].upper(), "new": True},
        {"renamedFrom": "a"},
        {"state": "absent", "products": ["lending"], "syncSettings": {"bills": {"syncOrder": 1}}},
        two("xero", "quickbooks-online"),
        two("sage-bank-feeds", "quickbooks-online-bankfeeds"),
        {**two("plaid", "plaid"), "tags": dict.fromkeys("abcdefg", "x"), "protect": True},
        two("plaid", "truelayer", id=UUIDS[0]),
        two("plaid", "truelayer", authorization=TOKEN, migration="self-service"),
        {"connections": {letter * 30: {"platform": "plaid", "migration": "link"} for letter in "abcd"}},
        {
            "connections": {
                letter * 40: {"platform": name, "migration": "link"}
                for letter, name in zip("abc", PLATFORMS, strict=False)
            }
        },
        books(platform="zzzz"),
        books(platform="none"),
        books(issuedAt="2999-01-01T00:00:00Z"),
        books(issuedAt="soon"),
        books(migration="link"),
        books(state="unlinked"),
        books(authorization={"accessToken": "a-token"}),
        books(authorization={"accessToken": "${env:CoDaT_KEY}"}),
        books(authorization={"accessToken": "${env:1x}"}),
        books(authorization={"accessToken": "${env:A}b"}),
        books(authorization={"accessToken": "${file:../../t}"}),
        books(authorization={"accessToken": "${env:A}", "refreshToken": "${env:A}"}),
        books(authorization={"accessToken": "${env:A}", "realmId": "$${b}"}),
        books(platform="sage-bank-feeds"),
        books(sync={"maxAge": "30d", "dataTypes": ["bills"]}, preconditions={"callbackUrlAdded": "done"}),
        books(renamedFrom="ledger"),
        books(sourceAccounts={"x": {"accountName": "Current"}}),
    ],
    ids=json.dumps,
)
def test_one_odd_thing_is_told_as_ever(odd):
    """After companies with connections of the same kinds, which have nothing odd."""
    values = ({}, {"refreshToken": "${env:R}"}, {"realmId": "1"})
    sound = {
        f"s{number}": {"name": "S", **books(authorization={"accessToken": f"${{env:S{number}}}", **more})}
        for number, more in enumerate(values)
    }
    quickly, carefully = both_ways("", {**sound, "a": {"name": "A", **odd}})
    assert quickly == carefully


def test_a_schema_of_the_user_s_looks_at_each_authorization():
    values = [{"accessToken": f"${{env:T{number}}}", "realmId": number} for number in "12"]
    companies = {f"c{at}": {"name": "A", **books(authorization=each)} for at, each in enumerate(values)}
    quickly, carefully = both_ways("platforms: {xero: {schema: schema.json}}\n", companies)
    assert quickly == carefully


def test_a_table_that_a_plain_company_has_its_secrets_in_is_no_table_of_a_set(project):
    plain = {"name": "A", **books(authorization={"accessToken": "${table:t.csv#a.token}"})}
    rows = {"from": "t.csv", "key": "${row:id}", "company": {"name": "${row:token}"}}
    project.put("specs/t.csv", "id,token\na,x\n")
    project.put(
        "specs/a.yaml", json.dumps({"version": 1, "companies": {"p": plain}, "companySets": {"s": rows}})
    )
    assert [error.code for error in project.errors()] == [SpecCode.TABLE_OF_SECRETS]


def test_what_holds_of_one_kind_of_connection_holds_of_no_other():
    terms = [{}, {"sync": "never"}, {"sync": {"maxAge": "1d"}}, {"state": "unlinked"}]
    terms += [{"migration": "managed"}, {"migration": "link"}]
    terms += [{"preconditions": {"callbackUrlAdded": state}} for state in ("done", "todo")]
    terms += [{"authorization": {"accessToken": "${env:B}", **more}} for more in ({}, {"realmId": "1"})]
    companies = {
        f"c{number}": {"name": "A", "connections": {"x": {"platform": "xero", **each}}}
        for number, each in enumerate(terms)
    }
    companies["c9"]["connections"]["x"]["authorization"]["accessToken"] = "${env:C}"
    quickly, carefully = both_ways("", companies)
    assert quickly == carefully


PINNED = {"id": UUIDS[0], "connections": {"x": {"platform": "xero", "id": UUIDS[0], "migration": "link"}}}


@pytest.mark.parametrize(
    "second",
    [
        pytest.param({"a": {"name": "C"}}, id="key"),
        pytest.param({"b": {"name": "C", "id": UUIDS[0]}}, id="id"),
        pytest.param({"b": {"name": "C", **PINNED}}, id="connection-id"),
        pytest.param({"b": {"name": "C", "renamedFrom": "a"}}, id="renamed"),
        pytest.param({"b": {"name": "C", "connections": {"x": BANK}}}, id="reference"),
        pytest.param({"b": {"name": "A+"}}, id="name"),
    ],
)
def test_companies_in_each_other_s_way_are_told_as_ever(second):
    first = {"name": "A", **PINNED}
    first = {**first, "connections": {**first["connections"], "y": BANK}}
    quickly, carefully = both_ways("names: strip\n", {"a": first}, second)
    assert quickly == carefully
    assert quickly[0], "nothing is said"


def test_only_what_is_odd_goes_the_careful_way(project, monkeypatch):
    make, careful = sources.company, []

    def made(key, *rest, **more):
        careful.append(key)
        return make(key, *rest, **more)

    monkeypatch.setattr(sources, "company", made)
    tokens = {"accessToken": "${file:t.json#/a}", "refreshToken": "${table:t.csv#a.b}"}
    bank = {**BANK, "authorization": tokens, "issuedAt": "2026-11-20T09:00:00Z"}
    links = {"bank": bank, "books": {"platform": "xero", "migration": "link", "id": UUIDS[0]}}
    plain = {"name": "B", "tags": {"a": "b"}, "description": "d", "protect": True, "connections": links}
    companies = {"a": plain, "b": {"name": "B", "new": True}}
    project.put("specs/a.yaml", json.dumps({"version": 1, "companies": companies}))
    assert [*project.load().desired.companies] == ["a", "b"]
    assert careful == ["b"]


@pytest.mark.parametrize("directory", ["a{b}", "a#1"])
def test_a_reference_stays_one_below_a_directory_of_an_odd_name(project, directory):
    link = {"platform": "plaid", "authorization": {"accessToken": "${file:t#/a}"}}
    company = {"name": "A", "connections": {"x": link}}
    project.put(f"specs/{directory}/c.yaml", json.dumps({"version": 1, "companies": {"a": company}}))
    found = project.load().desired.companies["a"].connections["x"].authorization["accessToken"]
    assert found == SecretRef(SecretFile(f"{directory}/t", "/a"))
