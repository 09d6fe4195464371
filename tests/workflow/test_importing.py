"""Whatever stands in an account: an import validates, adopts, changes nothing else, and is then in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.actions import AdoptCompany
from reconciler.live import Live, LiveCompany, LiveConnection, LiveSyncSettings, Status
from reconciler.loading import BUILTIN_PLATFORMS, connection_defaults, load
from reconciler.loading.adoptable import Extra, LeftOut, sieved
from reconciler.loading.writing import company_keys, spec_text
from reconciler.model import KEY_TAG, LINKS_TAG, PROTECT_TAG, WORKSPACE_TAG, Platform, SourceType
from reconciler.plan import Plan
from reconciler.planner import Policy, make_plan
from reconciler.workflow.importing import HEADING, spec_texts, warnings_of
from reconciler.workflow.reading import check_platforms

OURS = frozenset(f"tags.{tag}" for tag in (WORKSPACE_TAG, KEY_TAG, LINKS_TAG))
NOW = datetime(2026, 11, 28, tzinfo=UTC)
SYNCED = datetime(2026, 11, 1, tzinfo=UTC)
HOSTILE = [
    "1e3",
    "0o17",
    ".inf",
    "~",
    "null",
    "true",
    "0x1F",
    "+1",
    "-.5",
    "no",
    "2026-01-01",
    "<<",
    "=",
    "[]",
    "-",
    "#",
    "?",
    ":",
]


def identifier(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-{number:012x}"


def connection(number: int, platform: str = "gbol", status: Status = Status.LINKED) -> LiveConnection:
    kinds = {known_platform.key: known_platform.source_type for known_platform in BUILTIN_PLATFORMS}
    kind = kinds.get(platform, SourceType.ACCOUNTING)
    return LiveConnection(
        id=identifier(number),
        platform_key=platform,
        platform_name=platform,
        status=status,
        source_type=kind,
        created=SYNCED,
        last_sync=SYNCED,
    )


def company(number: int = 1, name: str = "Acme", **fields) -> LiveCompany:
    return LiveCompany(id=identifier(number), name=name, **fields)


@dataclass(frozen=True)
class Account:
    """What stands in Codat, and the directory of specs that it was imported into."""

    companies: tuple[LiveCompany, ...]
    platforms: tuple[Platform, ...]
    specs: Path
    text: str
    left_out: tuple[LeftOut, ...]

    def plan(self, companies: Sequence[LiveCompany]) -> Plan:
        listed = {platform.key for platform in self.platforms}
        rest = (platform for platform in BUILTIN_PLATFORMS if platform.key not in listed)
        desired = load(self.specs, platforms=[*self.platforms, *rest]).desired
        check_platforms(desired, companies, self.platforms)
        live = Live(companies=tuple(companies), platforms=self.platforms)
        return make_plan(desired, live, Policy(now=NOW), tool="test", api="test")


@contextmanager
def imported(
    companies: Sequence[LiveCompany], platforms: Sequence[Platform] = BUILTIN_PLATFORMS, lines: str = ""
) -> Iterator[Account]:
    """An account's import; ``lines`` are further ones of workspace.yaml."""
    with TemporaryDirectory() as directory:
        root = Path(directory)
        (root / "workspace.yaml").write_text(f"version: 1\nworkspace: test\n{lines}")
        out = root / "specs" / "imported.yaml"
        found = sieved(companies, platforms, frozenset(Extra), connection_defaults(out))
        texts = spec_texts(out, company_keys(found.companies), found.left_out)
        out.parent.mkdir()
        out.write_bytes(texts.get(out, "# nothing\n").encode("utf-8"))
        left_out = (*found.left_out, *(left for company in found.companies for left in company.left_out))
        text = out.read_text(encoding="utf-8")
        yield Account(tuple(companies), tuple(platforms), out.parent, text, left_out)


def check(account: Account) -> None:
    """The promise."""
    load(account.specs)
    plan = account.plan(account.companies)
    adoptions = [action for action in plan.actions if isinstance(action, AdoptCompany)]
    assert len(adoptions) == len(plan.actions)
    assert plan.blocking() == ()
    assert {change.path for adoption in adoptions for change in adoption.changes} <= OURS, account.text
    bodies = {adoption.company_id: adoption.body() for adoption in adoptions}
    assert all(body.keys() == {"tags"} for body in bodies.values())
    after = [replace(company, **bodies.get(company.id, {})) for company in account.companies]
    again = account.plan(after)
    assert (again.actions, again.blocking()) == ((), ())
    missing = {company.id for company in account.companies} - bodies.keys()
    assert all(f"company {name}" in {left.what for left in account.left_out} for name in missing)


TEXTS = st.one_of(
    st.sampled_from(
        [*HOSTILE, "${env:HOME}", "$${", "$", "a\n b\n\n c ", "\ud800", "\x85\u2028", "%a", "\0"]
    ),
    st.text(max_size=12),
    st.text("${}:# \n'\"-&*!|>%@`\\\t\ufeff\x00\x7f\x85\u2029\udc00é😀", max_size=8),
)
NAMES = st.one_of(
    st.sampled_from([*HOSTILE, "Acme", "acme", "ACME", "1,000", "Müller", " ", "", "- x", "& b", "a\n"]),
    st.text("Ae1 -',&@.?!\t\n\u2003é$", max_size=8),
    st.just("a" * 80),
)
TAGS = st.dictionaries(
    st.one_of(TEXTS, st.sampled_from([WORKSPACE_TAG, LINKS_TAG, PROTECT_TAG, "codatsyncx", "k" * 28])),
    st.one_of(TEXTS, st.just("${" * 50), st.just("v" * 101)),
    max_size=4,
)
KEYS = st.one_of(
    st.sampled_from([platform.key for platform in BUILTIN_PLATFORMS]),
    st.sampled_from(["gbol", "suuo", "vjms", "GBOL", "", "xero", "true", "null", "olpr"]),
)


@st.composite
def connections(draw, start: int) -> tuple[LiveConnection, ...]:
    found = []
    for number in range(draw(st.integers(0, 4))):
        each_connection = connection(start + number, draw(KEYS), draw(st.sampled_from(Status)))
        kind = draw(st.one_of(st.just(each_connection.source_type), st.sampled_from(SourceType)))
        synced = draw(st.sampled_from([None, SYNCED]))
        found.append(replace(each_connection, source_type=kind, last_sync=synced, platform_name=draw(TEXTS)))
    return tuple(found)


@st.composite
def accounts(draw) -> tuple[LiveCompany, ...]:
    found = []
    for number in range(draw(st.integers(1, 4))):
        window = draw(st.sampled_from([{}, {"syncFromWindow": 3}, {"odd": "x"}, {"monthsToSync": 2}]))
        own = LiveSyncSettings({"invoices": {"syncOrder": 1, **window}}, draw(st.booleans()))
        many = {f"t{tag}": "x" for tag in range(draw(st.sampled_from([0, 0, 0, 7, 8, 10])))}
        customer = company(
            number + 1,
            draw(NAMES),
            description=draw(st.none() | TEXTS),
            tags=many | draw(TAGS),
            connections=draw(connections(100 * (number + 1))),
            products=draw(st.sampled_from([(), ("lending", "bank-feeds"), ("a b",), ("x", "x")])),
            sync_settings=draw(st.sampled_from([None, own])),
        )
        owner = {WORKSPACE_TAG: "other", KEY_TAG: "acme"} if draw(st.integers(0, 9)) == 0 else {}
        found.append(replace(customer, tags=customer.tags | owner))
    return tuple(found)


@pytest.mark.promised
@given(accounts(), st.sampled_from(["", "defaults: {connection: {state: unlinked, sync: {maxAge: 1d}}}\n"]))
def test_an_import_adopts_and_changes_nothing(companies: tuple[LiveCompany, ...], lines: str) -> None:
    with imported(companies, lines=lines) as account:
        check(account)


CASES = {
    "ten tags": ([company(tags={f"t{n}": "x" for n in range(10)})], ["10 tags and 2 of ours"]),
    "eight tags": ([company(tags={f"t{n}": "x" for n in range(8)})], []),
    "half a character in a tag": ([company(tags={"a": "\ud800"})], ["would not take back"]),
    "half a character": ([company(description="\udc00")], ["its description", "half a character"]),
    "a name that Codat would not keep": ([company(name="Müller")], ["characters that Codat would remove"]),
    "two Linked accounting connections": (
        [company(connections=(connection(7), connection(8, "qhyg")))],
        [f"connection {identifier(8)}", f"at most one accounting connection, and connection {identifier(7)}"],
    ),
    "an accounting connection that waits beside a Linked one": (
        [company(connections=(connection(7, "qhyg"), connection(8, status=Status.PENDING_AUTH)))],
        [f"connection {identifier(8)} (gbol, PendingAuth)"],
    ),
    "a retired platform": ([company(connections=(connection(7, "vjms"),))], []),
    "no platform at all": ([company(connections=(connection(7, ""),))], ["no spec can name its platform"]),
    "a status that nobody knows": (
        [company(connections=(connection(7, "suuo", Status.UNKNOWN),))],
        ["a status that this version does not know"],
    ),
    "more than a hundred connections": (
        [company(connections=tuple(connection(n, "suuo") for n in range(10, 140)))],
        [],
    ),
    "names that come to one key": (
        [company(n, name) for n, name in enumerate(("A b", "a-B", "A-b 00000002", "a b"), 1)],
        [],
    ),
    "ids that begin alike": (
        [LiveCompany(id=f"00000001-0000-4000-8000-{n:012x}", name="Acme") for n in range(4)],
        [],
    ),
}


@pytest.mark.parametrize(("companies", "told"), CASES.values(), ids=CASES)
def test_what_cannot_be_adopted_cleanly_is_a_comment_with_its_reason(
    companies: list[LiveCompany], told: list[str]
) -> None:
    with imported(companies) as account:
        check(account)
        comments = [line for line in account.text.splitlines() if "is left out:" in line]
        assert all(line.strip().startswith("# ") for line in comments)
        assert len(comments) == len(account.left_out) == (1 if told else 0)
        assert all(part in comments[0] for part in told)


def test_every_company_has_a_key_of_its_own() -> None:
    found = sieved([company(n, "Acme") for n in range(1, 30)], BUILTIN_PLATFORMS)
    assert len(company_keys(found.companies, {"acme", "acme-00000002"})) == 29


@pytest.mark.parametrize("text", [word for word in HOSTILE if word not in (":", "?")])
def test_what_yaml_would_take_for_something_else_is_quoted(text: str) -> None:
    found = sieved([company(description=text)], BUILTIN_PLATFORMS)
    written = spec_text(company_keys(found.companies), schema="s.json", heading=HEADING)
    assert f"description: '{text}'" in written


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u200b", "\u00ad", "\U000e0041", "\x85", "\u2028"])
def test_what_a_reviewer_would_not_see_is_written_as_its_escape(mark: str) -> None:
    said = f"up to{mark} 日本 \U0001f600"
    with imported([company(description=said, tags={"a": mark + "b"})]) as account:
        assert mark not in account.text
        found = load(account.specs).desired.companies["acme"]
        assert (found.description, found.tags) == (said, {"a": mark + "b"})


def test_a_spec_names_its_schema_first_and_a_literal_opening_is_escaped() -> None:
    with imported([company(description="${env:HOME}", tags={"a": "$${x"})]) as account:
        assert account.text.startswith("# yaml-language-server: $schema=.schemas/spec.schema.json\n")
        assert "description: $${env:HOME}" in account.text
        found = load(account.specs).desired.companies["acme"]
        assert (found.description, found.tags) == ("${env:HOME}", {"a": "$${x"})


def test_what_is_left_out_is_told_with_a_count_and_the_first_names() -> None:
    found = sieved([company(n, "é") for n in range(1, 6)], BUILTIN_PLATFORMS)
    (warning,) = warnings_of(found.left_out)
    assert warning.summary.startswith("5 left out: company 00000001-")
    assert warning.summary.endswith("; and 2 more")


def test_a_reason_can_never_leave_its_comment() -> None:
    hostile = replace(connection(7, "x\ny"), platform_name="a\nversion: 2\u2028#")
    with imported([company(connections=(hostile,))]) as account:
        check(account)
        assert "version: 2" not in [line.strip() for line in account.text.splitlines()]


def test_the_names_of_our_table_hold_whatever_codat_calls_a_platform_today() -> None:
    renamed = [
        replace(platform, name="Xero Ltd") if platform.key == "gbol" else platform
        for platform in BUILTIN_PLATFORMS
    ]
    with imported([company(connections=(connection(7),))], renamed) as account:
        check(account)
        assert "platform: xero" in account.text
