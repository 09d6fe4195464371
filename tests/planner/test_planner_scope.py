"""What a run concerns itself with: targets, globs, narrowed specs, and --reauthorize."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import (
    PLAID,
    XERO,
    actions,
    attention,
    company,
    connection,
    plan_for,
    policy,
    specs,
    wanted,
    wanted_connection,
)
from counting import calls

from reconciler.actions import AdoptCompany
from reconciler.diagnostics import MisusedError
from reconciler.live import LiveCompany, Status
from reconciler.model import Address, Desired, Migration, Presence
from reconciler.planner import Policy

TWO = specs(
    wanted(wanted_connection(migration=Migration.LINK), wanted_connection("bank", PLAID, Migration.LINK)),
    wanted(wanted_connection(migration=Migration.LINK), key="bravo"),
)
ALL = [
    "company.create acme",
    "connection.create acme/bank",
    "connection.create acme/books",
    "company.create bravo",
    "connection.create bravo/books",
]


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        pytest.param((), ALL, id="none-is-everything"),
        pytest.param(("acme",), ALL[:3], id="a-company-and-its-connections"),
        pytest.param(("acme/books",), [ALL[0], ALL[2]], id="a-connection-and-its-companys-create"),
        pytest.param(("*",), ALL, id="every-company"),
        pytest.param(("b*",), ALL[3:], id="companies-by-glob"),
        pytest.param(("*/books",), [ALL[0], *ALL[2:]], id="connections-by-glob"),
        pytest.param(("acme/b*k",), ALL[:2], id="connections-of-one-by-glob"),
        pytest.param(("acme/bank", "bravo"), [*ALL[:2], *ALL[3:]], id="several"),
        pytest.param(("[ab]*/b?nk",), ALL[:2], id="character-classes"),
    ],
)
def test_targets(targets: tuple[str, ...], expected: list[str]) -> None:
    plan = plan_for(TWO, (), policy(targets=targets))
    assert actions(plan) == expected


@pytest.mark.parametrize(
    ("run", "named"),
    [
        pytest.param(policy(targets=("acne",)), "--target acne", id="target-of-nothing"),
        pytest.param(policy(targets=("acme", "bravo/bank")), "--target bravo/bank", id="one-of-several"),
        pytest.param(policy(targets=("ACME",)), "--target ACME", id="case-counts"),
        pytest.param(policy(reauthorize=("acme/nope",)), "--reauthorize acme/nope", id="reauthorize-nothing"),
        pytest.param(
            policy(reauthorize=("acme/books",)), "--reauthorize acme/books", id="reauthorize-without-tokens"
        ),
    ],
)
def test_a_pattern_that_names_nothing_is_misused(run: Policy, named: str) -> None:
    with pytest.raises(MisusedError) as caught:
        plan_for(TWO, (), run)
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == ["no-such-address"]
    assert named in str(caught.value)
    assert caught.value.exit_code == 2


def test_every_idle_pattern_is_told_of_at_once() -> None:
    with pytest.raises(MisusedError) as caught:
        plan_for(TWO, (), policy(targets=("x", "y"), reauthorize=("z",)))
    assert len(caught.value.diagnostics) == 3


def test_a_target_leaves_the_companys_own_fields_alone() -> None:
    spec = wanted(wanted_connection(migration=Migration.LINK), name="Other name", tags={"region": "eu"})
    plan = plan_for(spec, company(), policy(targets=("acme/books",)))
    assert actions(plan) == ["connection.create acme/books"]


def test_a_target_below_a_company_deletes_it_not() -> None:
    spec = wanted(wanted_connection(), state=Presence.ABSENT)
    assert actions(plan_for(spec, company(), policy(targets=("acme/books",)))) == []
    assert actions(plan_for(spec, company(), policy(targets=("acme",)))) == ["company.delete acme"]


def test_a_targeted_connection_of_a_company_to_adopt_writes_our_marks_alone() -> None:
    live = company(owner=None, tags={"team": "x"})
    spec = wanted(
        wanted_connection(migration=Migration.LINK), id=live.id, name="Other", tags={"region": "eu"}
    )
    plan = plan_for(spec, live, policy(targets=("acme/books",)))
    assert actions(plan) == ["company.adopt acme", "connection.create acme/books"]
    adopt = plan.actions[0]
    assert isinstance(adopt, AdoptCompany)
    assert [change.path for change in adopt.changes] == ["tags.codatSyncKey", "tags.codatSyncWorkspace"]


def test_a_target_speaks_of_no_stray_but_those_it_names() -> None:
    live = company(connection(on=XERO))
    spec = wanted(wanted_connection(migration=Migration.LINK), wanted_connection("bank", PLAID))
    assert attention(plan_for(spec, live, policy(targets=("acme/bank",)))) == []
    assert "info unmanaged acme/xero:c0000001" in attention(plan_for(spec, live, policy(targets=("acme",))))


ORPHAN = company(owner="gone")


@pytest.mark.parametrize(
    ("desired", "run", "expected"),
    [
        pytest.param(specs(wanted()), policy(), ["info orphan gone"], id="whole"),
        pytest.param(specs(), policy(), ["info orphan gone"], id="whole-and-empty"),
        pytest.param(specs(wanted(), narrowed=True), policy(), [], id="narrowed"),
        pytest.param(specs(wanted()), policy(targets=("acme",)), [], id="targeted"),
    ],
)
def test_nothing_is_an_orphan_when_only_a_part_is_seen(
    desired: Desired, run: Policy, expected: list[str]
) -> None:
    assert attention(plan_for(desired, ORPHAN, run)) == expected


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(policy(prune=True), id="narrowed"),
        pytest.param(policy(prune=True, targets=("acme",)), id="both"),
    ],
)
def test_prune_never_deletes_a_company_that_narrowed_specs_do_not_name(run: Policy) -> None:
    plan = plan_for(specs(wanted(), narrowed=True), ORPHAN, run)
    assert actions(plan) == ["company.create acme"]


NAMESAKE = company(owner="acme-old", name="Acme")


@pytest.mark.parametrize(
    ("desired", "run"),
    [
        pytest.param(specs(wanted()), policy(), id="whole"),
        pytest.param(specs(wanted(), narrowed=True), policy(), id="narrowed-by-path"),
        pytest.param(specs(wanted()), policy(targets=("acme",)), id="by-target"),
        pytest.param(specs(wanted()), policy(targets=("acme/books",)), id="by-a-connection"),
        pytest.param(specs(wanted()), policy(companies=frozenset({"acme"})), id="by-a-stage-of-the-rollout"),
    ],
)
def test_narrowing_never_weakens_the_check_for_namesakes(desired: Desired, run: Policy) -> None:
    spec = replace(wanted(wanted_connection()), key="acme")
    plan = plan_for(replace(desired, companies={"acme": spec}), NAMESAKE, run)
    assert actions(plan) == []
    assert "blocking exists acme" in attention(plan)


# --- reauthorize -------------------------------------------------------------------------------

TOKENS = specs(
    wanted(wanted_connection(), wanted_connection("bank", PLAID)), wanted(wanted_connection(), key="bravo")
)
LINKED: tuple[LiveCompany, ...] = (
    company(connection(), connection("c0000002", on=PLAID)),
    company(connection("c0000003"), identifier="b0000001", owner="bravo"),
)


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        pytest.param((), [], id="none"),
        pytest.param(("acme/bank",), ["acme/bank"], id="one"),
        pytest.param(("acme",), ["acme/bank", "acme/books"], id="a-companys"),
        pytest.param(("*/books",), ["acme/books", "bravo/books"], id="by-glob"),
    ],
)
def test_reauthorize_sends_to_those_it_names_alone(patterns: tuple[str, ...], expected: list[str]) -> None:
    plan = plan_for(TOKENS, LINKED, policy(reauthorize=patterns))
    sent = [str(action.address) for action in plan.actions if action.kind == "connection.authorize"]
    assert sent == expected


def test_reauthorize_by_glob_passes_over_those_without_tokens() -> None:
    spec = wanted(wanted_connection(), wanted_connection("bank", PLAID, Migration.LINK))
    live = company(connection(), connection("c0000002", Status.UNLINKED, PLAID))
    plan = plan_for(spec, live, policy(reauthorize=("*",)))
    assert actions(plan) == ["connection.authorize acme/books", "company.sync acme"]
    assert attention(plan) == ["waiting unlinked acme/bank"]


def test_a_run_narrowed_to_companies_sees_these_alone_and_calls_no_other_an_orphan() -> None:
    live = company(owner="charlie", identifier="c3")

    plan = plan_for(TWO, live, policy(companies=frozenset({"bravo"})))

    assert actions(plan) == ALL[3:]
    assert attention(plan) == ["waiting link bravo/books"]


def test_the_work_for_an_address_does_not_grow_with_the_companies_that_a_run_is_narrowed_to() -> None:
    few, many = (policy(companies=frozenset(f"c{number}" for number in range(size))) for size in (10, 10_000))

    assert calls(lambda: many.includes(Address("c7", "books"))) == calls(
        lambda: few.includes(Address("c7", "books"))
    )
