"""The same specs and live state give the same bytes, whatever order they come in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from builders import PLAID, XERO, company, connection, plan_for, policy, wanted, wanted_connection
from hypothesis import given
from hypothesis import strategies as st
from planner_states import Scenario, scenarios, searched
from planner_world import World

from reconciler.live import LiveCompany, Status
from reconciler.model import Desired, DesiredCompany

K = TypeVar("K")
V = TypeVar("V")


def shuffled(draw: st.DrawFn, mapping: dict[K, V]) -> dict[K, V]:
    return dict(draw(st.permutations(list(mapping.items()))))


@st.composite
def _reordered(draw: st.DrawFn, scenario: Scenario) -> Scenario:
    """The same scenario with every listing and every mapping in another order."""

    def company_of(company: DesiredCompany) -> DesiredCompany:
        connections = shuffled(draw, dict(company.connections))
        return replace(company, connections=connections, tags=shuffled(draw, dict(company.tags)))

    def live_of(company: LiveCompany) -> LiveCompany:
        links = tuple(draw(st.permutations(company.connections)))
        return replace(company, connections=links, tags=shuffled(draw, dict(company.tags)))

    desired, world = scenario.desired, scenario.world
    companies = {key: company_of(company) for key, company in shuffled(draw, dict(desired.companies)).items()}
    live = {key: live_of(company) for key, company in shuffled(draw, world.companies).items()}
    pulls = {key: draw(st.permutations(own)) for key, own in shuffled(draw, world.pulls).items()}
    return replace(
        scenario,
        desired=replace(desired, companies=companies),
        world=replace(world, companies=live, pulls=pulls),
    )


@searched
@given(scenarios().flatmap(lambda scenario: st.tuples(st.just(scenario), _reordered(scenario))))
def test_order_means_nothing(two: tuple[Scenario, Scenario]) -> None:
    first, second = (json.dumps(_document(scenario.desired, scenario.world, scenario)) for scenario in two)
    assert first == second


def _document(desired: Desired, world: World, scenario: Scenario) -> object:
    plan = world.plan(desired, scenario.run)
    return [plan.document(), [refusal.message for refusal in plan.refusals], plan.notes]


def scenario_document() -> str:
    """The document of one plan with something of everything; run in processes of their own below."""
    spec = (
        wanted(
            wanted_connection(),
            wanted_connection("p1", PLAID),
            wanted_connection("p2", PLAID),
            tags={f"t{number}": str(number) for number in range(5)},
        ),
        wanted(wanted_connection("books", XERO), key="bravo", name="Other", tags={"a": "1", "b": "2"}),
    )
    live = (
        company(
            connection(status=Status.UNLINKED),
            connection("s1"),
            identifier="b1",
            owner="bravo",
            tags={"b": "x"},
        ),
        *(company(identifier=f"o{number}", owner=f"gone{number}") for number in range(5)),
    )
    return json.dumps(plan_for(spec, live, policy(prune=True)).document())


def test_the_seed_of_hashes_means_nothing() -> None:
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parents[1])])
    program = "import test_planner_determinism as t; print(t.scenario_document())"
    seen = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONPATH": path, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in range(2)
    }
    assert seen == {scenario_document() + "\n"}
