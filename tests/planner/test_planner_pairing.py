"""Which live connection is meant: by id, by the record, by platform with the best status first."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import permutations

import pytest
from builders import (
    PLAID,
    QBO,
    TRUELAYER,
    XERO,
    actions,
    ago,
    attention,
    company,
    connection,
    message,
    plan_for,
    wanted,
    wanted_connection,
)
from hypothesis import given
from hypothesis import strategies as st

from reconciler.live import LiveConnection, Status
from reconciler.model import LINKS_TAG, DesiredConnection, Wanted
from reconciler.plan import AttentionCode
from reconciler.planner.marking import record
from reconciler.planner.pairing import pair, pair_carefully, recorded

LINKED, PENDING, EXPIRED, SEVERED, UNKNOWN = (
    Status.LINKED,
    Status.PENDING_AUTH,
    Status.DEAUTHORIZED,
    Status.UNLINKED,
    Status.UNKNOWN,
)
A, B, C = "aaaaaaaa-1", "bbbbbbbb-2", "cccccccc-3"


def bank(key: str, **fields: object) -> DesiredConnection:
    return wanted_connection(key, TRUELAYER, **fields)  # type: ignore[arg-type]


def absent(key: str, **fields: object) -> DesiredConnection:
    return bank(key, wanted=Wanted.ABSENT, **fields)


def link(identifier: str, status: Status = LINKED, days: float = 60) -> LiveConnection:
    return connection(identifier, status, TRUELAYER, created=ago(days))


@dataclass(frozen=True)
class Case:
    """Wanted and live connections of one company, and how they must be paired."""

    wanted: tuple[DesiredConnection, ...]
    live: tuple[LiveConnection, ...]
    pairs: dict[str, str | None]
    trouble: dict[str, tuple[AttentionCode, tuple[str, ...]]] = field(default_factory=dict)
    strays: tuple[str, ...] = ()
    record: str = ""


def case(name: str, *rest: object, **more: object) -> object:
    return pytest.param(Case(*rest, **more), id=name)  # type: ignore[arg-type]


AMBIGUOUS, MISSING, CONFLICT = AttentionCode.AMBIGUOUS, AttentionCode.MISSING, AttentionCode.CONFLICT

CASES = [
    case("nothing", (), (), {}),
    case("none-live", (bank("x"),), (), {"x": None}),
    case("another-platform", (bank("x"),), (connection(A, on=PLAID),), {"x": None}, strays=(A,)),
    # by id
    case("id", (bank("x", id=B),), (link(A), link(B)), {"x": B}, strays=(A,)),
    case("id-beats-best-status", (bank("x", id=B),), (link(A), link(B, SEVERED)), {"x": B}, strays=(A,)),
    case(
        "id-beats-record",
        (bank("x", id=B), bank("y")),
        (link(A), link(B)),
        {"x": B, "y": A},
        record=f"x:{A[:8]},y:{B[:8]}",
    ),
    case(
        "id-of-none",
        (bank("x", id="nowhere"),),
        (link(A),),
        {},
        {"x": (MISSING, ())},
        strays=(A,),
    ),
    case(
        "id-on-the-wrong-platform",
        (bank("x", id=A),),
        (connection(A, on=PLAID),),
        {},
        {"x": (CONFLICT, (A,))},
    ),
    case("id-of-none-absent", (absent("x", id="nowhere"),), (link(A),), {"x": None}, strays=(A,)),
    case("id-absent", (absent("x", id=A),), (link(A), link(B)), {"x": A}, strays=(B,)),
    case(
        "id-absent-on-the-wrong-platform",
        (absent("x", id=A),),
        (connection(A, on=PLAID),),
        {},
        {"x": (CONFLICT, (A,))},
    ),
    case("ids-leave-one-for-the-rest", (bank("x", id=B), bank("y")), (link(A), link(B)), {"x": B, "y": A}),
    # by the record
    case(
        "record", (bank("x"), bank("y")), (link(A), link(B)), {"x": B, "y": A}, record="x:bbbbbbbb,y:aaaaaaaa"
    ),
    case("record-for-one", (bank("x"),), (link(A), link(B)), {"x": B}, strays=(A,), record="x:bbbbbbbb"),
    case(
        "record-leaves-one-for-the-rest",
        (bank("x"), bank("y")),
        (link(A), link(B)),
        {"x": B, "y": A},
        record="x:bbbbbbbb",
    ),
    case(
        "record-beats-best-status",
        (bank("x"),),
        (link(A), link(B, EXPIRED)),
        {"x": B},
        strays=(A,),
        record="x:bbbbbbbb",
    ),
    case(
        "record-of-one-that-is-gone",
        (bank("x"), bank("y")),
        (link(B),),
        {"x": None, "y": B},
        record="x:aaaaaaaa,y:bbbbbbbb",
    ),
    case(
        "record-on-the-wrong-platform",
        (bank("x"),),
        (connection(A, on=PLAID),),
        {"x": None},
        strays=(A,),
        record="x:aaaaaaaa",
    ),
    case(
        "record-of-two-alike-ids",
        (bank("x"),),
        (link("aaaaaaaa-1"), link("aaaaaaaa-2")),
        {},
        {"x": (AMBIGUOUS, ("aaaaaaaa-1", "aaaaaaaa-2"))},
        record="x:aaaaaaaa",
    ),
    case("record-garbled", (bank("x"),), (link(A),), {"x": A}, record=",x,:,x:,:y,"),
    case(
        "record-absent",
        (absent("x"), bank("y")),
        (link(A), link(B)),
        {"x": B, "y": A},
        record="x:bbbbbbbb,y:aaaaaaaa",
    ),
    case(
        "record-of-one-that-was-deleted-spares-what-is-left",
        (absent("x"),),
        (link(B),),
        {"x": None},
        strays=(B,),
        record="x:aaaaaaaa",
    ),
    case(
        "record-without-one-that-was-deleted-spares-what-is-left",
        (absent("x"), bank("y")),
        (link(B), link(C)),
        {"x": None, "y": B},
        strays=(C,),
        record="y:bbbbbbbb",
    ),
    case(
        "record-of-another-platform-spares-nothing",
        (absent("x"), wanted_connection("y", PLAID)),
        (link(A), connection(B, on=PLAID)),
        {"x": A, "y": B},
        record="y:bbbbbbbb",
    ),
    # by platform, the best status first
    *(
        case(
            f"best-{better}-before-{worse}",
            (bank("x"),),
            (link(A, worse), link(B, better)),
            {"x": B},
            strays=(A,),
        )
        for better, worse in (
            (LINKED, EXPIRED),
            (LINKED, SEVERED),
            (LINKED, PENDING),
            (LINKED, UNKNOWN),
            (EXPIRED, SEVERED),
            (EXPIRED, PENDING),
            (SEVERED, PENDING),
            (UNKNOWN, PENDING),
        )
    ),
    *(
        case(
            f"two-{status}", (bank("x"),), (link(A, status), link(B, status)), {}, {"x": (AMBIGUOUS, (A, B))}
        )
        for status in (LINKED, EXPIRED, SEVERED, UNKNOWN)
    ),
    case(
        "two-best-name-the-best-alone",
        (bank("x"),),
        (link(A), link(B), link(C, PENDING)),
        {},
        {"x": (AMBIGUOUS, (A, B))},
        strays=(C,),
    ),
    case(
        "two-worse-do-not-matter",
        (bank("x"),),
        (link(A, SEVERED), link(B, SEVERED), link(C)),
        {"x": C},
        strays=(A, B),
    ),
    case(
        "two-PendingAuth-oldest-first",
        (bank("x"),),
        (link(A, PENDING, 1), link(B, PENDING, 2)),
        {"x": B},
        strays=(A,),
    ),
    case(
        "PendingAuth-are-interchangeable",
        (bank("x"), bank("y")),
        (link(A, PENDING, 1), link(B, PENDING, 2)),
        {"x": B, "y": A},
    ),
    case("PendingAuth-fewer-than-wanted", (bank("x"), bank("y")), (link(A, PENDING),), {"x": A, "y": None}),
    case(
        "PendingAuth-first-to-those-that-shall-be-linked",
        (bank("x", wanted=Wanted.UNLINKED), bank("y")),
        (link(A, PENDING),),
        {"x": None, "y": A},
    ),
    case(
        "one-better-for-two-is-never-guessed",
        (bank("x"), bank("y")),
        (link(A), link(B, PENDING)),
        {},
        {"x": (AMBIGUOUS, (A, B)), "y": (AMBIGUOUS, (A, B))},
    ),
    case(
        "as-many-better-as-wanted-is-never-guessed",
        (bank("x"), bank("y")),
        (link(A), link(B)),
        {},
        {"x": (AMBIGUOUS, (A, B)), "y": (AMBIGUOUS, (A, B))},
    ),
    case(
        "platforms-do-not-meet",
        (bank("x"), wanted_connection("y", PLAID)),
        (link(A), connection(B, on=PLAID)),
        {"x": A, "y": B},
    ),
    # what shall be deleted
    case("absent-none", (absent("x"),), (), {"x": None}),
    case("absent-one", (absent("x"),), (link(A),), {"x": A}),
    case("absent-two", (absent("x"),), (link(A), link(B, PENDING)), {}, {"x": (AMBIGUOUS, (A, B))}),
    case(
        "absent-two-PendingAuth",
        (absent("x"),),
        (link(A, PENDING), link(B, PENDING)),
        {},
        {"x": (AMBIGUOUS, (A, B))},
    ),
    case(
        "absent-takes-what-is-left", (bank("x"), absent("y")), (link(A), link(B, PENDING)), {"x": A, "y": B}
    ),
    case(
        "absent-leaves-the-only-one-to-the-wanted", (absent("x"), bank("y")), (link(A),), {"x": None, "y": A}
    ),
    case(
        "absent-never-from-an-ambiguity",
        (bank("x"), absent("y")),
        (link(A), link(B)),
        {},
        {"x": (AMBIGUOUS, (A, B)), "y": (AMBIGUOUS, (A, B))},
    ),
    case(
        "absent-never-the-one-that-others-contest",
        (bank("x"), bank("y"), absent("z")),
        (link(A),),
        {},
        dict.fromkeys("xyz", (AMBIGUOUS, (A,))),
    ),
    case(
        "two-absent-two-live-are-both-deleted-only-when-told-apart",
        (absent("x"), absent("y")),
        (link(A), link(B)),
        {},
        {"x": (AMBIGUOUS, (A, B)), "y": (AMBIGUOUS, (A, B))},
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_pairing(case: Case) -> None:
    live = company(*case.live, tags={LINKS_TAG: case.record} if case.record else {})
    pairs = pair(wanted(*case.wanted), live)

    assert {key: found and found.id for key, found in pairs.live.items()} == case.pairs
    trouble = {
        key: (each_trouble.code, tuple(found.id for found in each_trouble.candidates))
        for key, each_trouble in pairs.trouble.items()
    }
    assert trouble == case.trouble
    assert tuple(stray.id for stray in pairs.strays) == case.strays


@pytest.mark.parametrize("case", CASES)
def test_the_order_of_the_listing_and_of_the_spec_mean_nothing(case: Case) -> None:
    tags = {LINKS_TAG: case.record} if case.record else {}
    first = pair(wanted(*case.wanted), company(*case.live, tags=tags))
    assert all(
        pair(wanted(*spec), company(*live, tags=tags)) == first
        for spec in permutations(case.wanted)
        for live in permutations(case.live)
    )


def test_a_company_that_does_not_exist_has_no_connections() -> None:
    pairs = pair(wanted(bank("x")), None)
    assert (pairs.live, pairs.trouble, pairs.strays) == ({"x": None}, {}, ())


# --- through the plan --------------------------------------------------------------------------


def test_an_ambiguity_names_the_ids_to_pin_and_stops_its_connections_alone() -> None:
    plan = plan_for(wanted(bank("x"), wanted_connection("books", QBO)), company(link(A), link(B)))
    assert attention(plan) == ["blocking ambiguous acme/x"]
    assert A in message(plan)
    assert B in message(plan)
    assert "'id'" in message(plan)
    assert "connection.authorize acme/books" in actions(plan)


def test_contested_connections_are_not_strays_too() -> None:
    assert attention(plan_for(wanted(bank("x")), company(link(A), link(B)))) == ["blocking ambiguous acme/x"]


def test_a_pin_on_the_wrong_platform_says_both_platforms() -> None:
    plan = plan_for(wanted(bank("x", id=A)), company(connection(A, on=PLAID)))
    assert attention(plan) == ["blocking conflict acme/x"]
    assert "Plaid" in message(plan)
    assert "truelayer" in message(plan)


def test_a_pin_on_nothing_names_the_id() -> None:
    plan = plan_for(wanted(bank("x", id="nowhere")), company())
    assert (actions(plan), attention(plan)) == ([], ["blocking missing acme/x"])
    assert "connection with the id nowhere" in message(plan)


def test_an_ambiguous_delete_deletes_nothing() -> None:
    plan = plan_for(wanted(absent("x")), company(link(A), link(B)))
    assert (actions(plan), attention(plan)) == ([], ["blocking ambiguous acme/x"])


def test_a_strays_address_is_its_platform_and_the_start_of_its_id() -> None:
    plan = plan_for(wanted(), company(connection("2e9d2c44-6988-11ed", on=PLAID)))
    assert attention(plan) == ["info unmanaged acme/plaid:2e9d2c44"]


def test_a_better_stray_of_another_platform_changes_nothing() -> None:
    plan = plan_for(wanted(bank("x")), company(link(A), connection(B, SEVERED, XERO)))
    assert (actions(plan), attention(plan)) == ([], ["info unmanaged acme/xero:bbbbbbbb"])


KEYS, IDS = ["books", "bank", "more"], [A, B, C]
LEFT = "bank@suuo,books:aaaaaaaa"
MARKS = ["", "@gbol", "@suuo", "@truelayer", "@upvr", ":aaaaaaaa", ":bbbbbbbb", ":cccccccc"]


@given(
    st.lists(st.sampled_from([XERO, PLAID, TRUELAYER]), max_size=3),
    st.lists(st.tuples(st.sampled_from([XERO, PLAID, TRUELAYER]), st.sampled_from([60, 70])), max_size=3),
    st.lists(st.sampled_from(MARKS), min_size=3, max_size=3),
    st.sampled_from([Wanted.LINKED, Wanted.UNLINKED, Wanted.ABSENT]),
    st.sampled_from([60, 70, None]),
)
def test_what_is_as_it_was_left_is_paired_the_same_both_ways(
    asked: list[object], there: list[tuple[object, int]], marks: list[str], state: Wanted, made: int | None
) -> None:
    spec = wanted(*(wanted_connection(key, on, wanted=state) for key, on in zip(KEYS, asked, strict=False)))
    links = (
        connection(each, LINKED, on, created=ago(days)) for each, (on, days) in zip(IDS, there, strict=False)
    )
    tag = ",".join(key + mark for key, mark in zip(KEYS, marks, strict=False) if mark)
    live = replace(company(*links, tags={LINKS_TAG: tag}), created=ago(made) if made else None)
    plainly = recorded(spec, live)
    if plainly is not None:
        assert plainly == pair_carefully(spec, live)
        assert record(spec, live, plainly, ()) == {}


def test_a_company_that_is_as_it_was_left_is_paired_the_quick_way() -> None:
    spec = wanted(wanted_connection("books", XERO), wanted_connection("bank", PLAID))
    live = company(
        connection(A, LINKED, XERO),
        connection(B, LINKED, PLAID),
        tags={LINKS_TAG: "bank@suuo,books:aaaaaaaa"},
    )
    assert recorded(spec, replace(live, created=ago(60))) is not None
