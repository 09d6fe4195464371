"""Finding companies in a listing, and whether the filtered listing is enough."""

from __future__ import annotations

import pytest
from builders import company, plan_for, specs, wanted

from reconciler.live import LiveCompany
from reconciler.model import Desired, Presence
from reconciler.planner import Directory

OTHER = company(identifier="b0000002-0000", owner="bravo")


@pytest.mark.parametrize(
    ("desired", "listed", "expected"),
    [
        pytest.param(specs(), (), False, id="nothing-wanted"),
        pytest.param(specs(wanted()), (company(),), False, id="all-carry-our-tags"),
        pytest.param(specs(wanted()), (OTHER,), True, id="one-is-missing"),
        pytest.param(specs(wanted(), wanted(key="bravo")), (OTHER,), True, id="one-of-two-is-missing"),
        pytest.param(specs(wanted()), (company(workspace="other"),), True, id="only-in-another-workspace"),
        pytest.param(
            specs(wanted(), renamed_from="other"),
            (company(workspace="other"),),
            False,
            id="in-the-workspace-that-is-taken-over",
        ),
        pytest.param(specs(wanted(renamed_from="bravo")), (OTHER,), False, id="under-its-old-key"),
        pytest.param(specs(wanted(id=OTHER.id)), (company(),), True, id="id-not-listed"),
        pytest.param(specs(wanted(id=OTHER.id)), (OTHER,), False, id="id-listed"),
        pytest.param(specs(wanted(state=Presence.ABSENT)), (), False, id="absent-is-not-looked-for"),
        pytest.param(specs(wanted(state=Presence.ABSENT, id="x")), (), True, id="absent-by-id-is-looked-for"),
    ],
)
def test_the_unfiltered_listing_is_read_where_something_wanted_is_missing(
    desired: Desired, listed: tuple[LiveCompany, ...], expected: bool
) -> None:
    assert Directory.of(desired, listed).needs_unfiltered() is expected


@pytest.mark.parametrize(
    "listed",
    [
        pytest.param((company(), company(identifier="b")), id="duplicates"),
        pytest.param(
            (company(owner=None, name="Acme"), company(identifier="b", owner=None, name="Acme")),
            id="namesakes",
        ),
        pytest.param((company(owner="gone"), company(identifier="b", owner="gone")), id="orphans"),
    ],
)
def test_the_listings_order_is_not_in_the_plan(listed: tuple[LiveCompany, ...]) -> None:
    plans = [plan_for(wanted(), pair).document() for pair in (listed, listed[::-1])]
    assert plans[0] == plans[1]


def test_only_companies_with_both_tags_and_our_workspace_are_managed() -> None:
    listed = (company(), company(identifier="b", owner=None), company(identifier="c", workspace="other"))
    assert Directory.of(specs(), listed).managed() == 1
