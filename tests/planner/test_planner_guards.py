"""How much one run may destroy: counts, percentages, and the flags that permit more."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from builders import PLAID, actions, company, connection, plan_for, policy, specs, wanted, wanted_connection

from reconciler.live import LiveCompany, Status
from reconciler.model import DesiredCompany, Presence, Wanted
from reconciler.plan import Plan
from reconciler.planner import Policy
from reconciler.workspace import Guard, Limit


def live(owner: str, *connections: object) -> LiveCompany:
    return company(*connections, identifier=f"id-{owner}", owner=owner)  # type: ignore[arg-type]


def orphans(count: int) -> tuple[LiveCompany, ...]:
    return tuple(live(f"gone{number}") for number in range(count))


def to_unlink(count: int) -> tuple[tuple[DesiredCompany, ...], tuple[LiveCompany, ...]]:
    """Companies whose one connection is to be unlinked."""
    keys = [f"k{number}" for number in range(count)]
    return (
        tuple(wanted(wanted_connection(wanted=Wanted.UNLINKED), key=key) for key in keys),
        tuple(live(key, connection(f"c-{key}")) for key in keys),
    )


def prune(**fields: object) -> Policy:
    return policy(prune=True, **fields)


def guard(deletes: Limit | None = None, unlinks: Limit | None = None) -> Guard:
    return Guard(max_deletes=deletes or Limit(0), max_unlinks=unlinks or Limit(10))


@dataclass(frozen=True)
class Case:
    """So many companies to prune and connections to unlink, and whether the guard refuses."""

    pruned: int = 0
    unlinked: int = 0
    kept: int = 0
    run: Policy = field(default_factory=prune)
    refused: tuple[str, ...] = ()


CASES = [
    pytest.param(Case(), id="nothing"),
    pytest.param(Case(pruned=1, refused=("--allow-deletes 1",)), id="pruning-defaults-to-none"),
    pytest.param(Case(pruned=3, refused=("--allow-deletes 3",)), id="the-flag-names-the-count"),
    pytest.param(Case(pruned=2, run=prune(allow_deletes=2)), id="flag-permits"),
    pytest.param(
        Case(pruned=3, run=prune(allow_deletes=2), refused=("--allow-deletes 3",)), id="flag-permits-too-few"
    ),
    pytest.param(Case(pruned=2, run=prune(guard=guard(Limit(2)))), id="count-permits"),
    pytest.param(
        Case(pruned=3, run=prune(guard=guard(Limit(2))), refused=("--allow-deletes 3",)), id="past-the-count"
    ),
    pytest.param(
        Case(pruned=1, run=prune(guard=guard(Limit(2)), allow_deletes=0), refused=("--allow-deletes 1",)),
        id="flag-takes-the-guards-place-downwards-too",
    ),
    pytest.param(
        Case(pruned=2, kept=8, run=prune(guard=guard(Limit(20, percent=True)))), id="percentage-permits"
    ),
    pytest.param(
        Case(
            pruned=3, kept=7, run=prune(guard=guard(Limit(20, percent=True))), refused=("--allow-deletes 3",)
        ),
        id="past-the-percentage",
    ),
    pytest.param(
        Case(
            pruned=1, kept=3, run=prune(guard=guard(Limit(20, percent=True))), refused=("--allow-deletes 1",)
        ),
        id="a-percentage-is-rounded-down",
    ),
    pytest.param(Case(unlinked=10), id="ten-unlinks"),
    pytest.param(Case(unlinked=11, refused=("--allow-unlinks 11",)), id="eleven-unlinks"),
    pytest.param(Case(unlinked=11, run=policy(allow_unlinks=11)), id="unlinks-flag-permits"),
    pytest.param(
        Case(
            unlinked=1,
            kept=1,
            run=policy(guard=guard(unlinks=Limit(49, percent=True))),
            refused=("--allow-unlinks 1",),
        ),
        id="unlinks-past-the-percentage",
    ),
    pytest.param(Case(pruned=1, unlinked=11, refused=("--allow-deletes 1", "--allow-unlinks 11")), id="both"),
    pytest.param(
        Case(unlinked=11, run=prune(allow_deletes=99), refused=("--allow-unlinks 11",)), id="flags-are-apart"
    ),
]


def plan_of(case: Case) -> Plan:
    specs_unlinked, live_unlinked = to_unlink(case.unlinked)
    keys = [f"kept{number}" for number in range(case.kept)]
    return plan_for(
        (*specs_unlinked, *(wanted(key=key) for key in keys)),
        (*orphans(case.pruned), *live_unlinked, *map(live, keys)),
        case.run,
    )


@pytest.mark.parametrize("case", CASES)
def test_guard(case: Case) -> None:
    plan = plan_of(case)
    assert len(plan.refusals) == len(case.refused)
    assert all(flag in refusal.message for flag, refusal in zip(case.refused, plan.refusals, strict=True))
    assert plan.document().get("refused") == ("guard" if case.refused else None)


def test_a_refused_plan_is_whole() -> None:
    plan = plan_of(Case(pruned=2))
    assert actions(plan) == ["company.delete gone0", "company.delete gone1"]


def test_what_a_spec_deletes_counts_against_nothing() -> None:
    spec = wanted(
        wanted_connection(wanted=Wanted.ABSENT), wanted_connection("bank", PLAID, wanted=Wanted.ABSENT)
    )
    gone = wanted(key="bravo", state=Presence.ABSENT)
    found = live("acme", connection(), connection("c2", on=PLAID))
    plan = plan_for((spec, gone), (found, live("bravo")), policy(guard=guard(unlinks=Limit(0))))
    assert len(plan.actions) == 3
    assert plan.refusals == ()


def test_pruned_connections_count_as_deletes() -> None:
    found = company(connection(status=Status.PENDING_AUTH), connection("c2", Status.PENDING_AUTH))
    (refusal,) = plan_for(wanted(), found, prune()).refusals
    assert "--allow-deletes 2" in refusal.message


def test_a_percentage_is_of_the_companies_that_we_manage() -> None:
    foreign = [company(identifier=f"f{number}", owner="x", workspace="other") for number in range(100)]
    run = prune(guard=guard(Limit(50, percent=True)))
    found = (*orphans(1), live("acme"))
    assert plan_for(specs(wanted()), (*found, *foreign), run).refusals == ()
    (refusal,) = plan_for(specs(), (*found, *foreign), run).refusals
    assert "maxDeletes permits 1" in refusal.message
