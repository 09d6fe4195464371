"""The company table of DESIGN section 5: one row, one case."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from builders import (
    PLAID,
    XERO,
    actions,
    attention,
    company,
    connection,
    message,
    plan_for,
    policy,
    specs,
    wanted,
    wanted_connection,
)

from reconciler.model import (
    KEY_TAG,
    PROTECT_TAG,
    WORKSPACE_TAG,
    DesiredCompany,
    LiveCompany,
    Presence,
    Status,
)
from reconciler.plan import AdoptCompany, Change, CreateCompany, DeleteCompany, UpdateCompany
from reconciler.planner import Policy

OURS = company()
OTHER_ID = "b0000002-0000"
FULL = {f"tag{number}": "x" for number in range(8)}


@dataclass(frozen=True)
class Case:
    """What goes in, and what must come out."""

    spec: DesiredCompany
    live: tuple[LiveCompany, ...] = ()
    actions: tuple[str, ...] = ()
    attention: tuple[str, ...] = ()
    reason: str = ""
    run: Policy = field(default_factory=policy)


def case(name: str, spec: DesiredCompany, *live: LiveCompany, **expected: object) -> object:
    return pytest.param(Case(spec, live, **expected), id=name)  # type: ignore[arg-type]


CASES = [
    case("none", wanted(), actions=("company.create acme",), reason="not in Codat"),
    case(
        "none-but-another-company",
        wanted(),
        company(owner="bravo", workspace="other"),
        actions=("company.create acme",),
        reason="not in Codat",
    ),
    case(
        "same-name-untagged", wanted(), company(owner=None, name="Acme"), attention=("blocking exists acme",)
    ),
    case(
        "same-name-half-tagged-workspace",
        wanted(),
        company(owner=None, name="Acme", tags={WORKSPACE_TAG: "prod"}),
        attention=("blocking exists acme",),
    ),
    case(
        "same-name-half-tagged-key",
        wanted(),
        company(owner=None, name="Acme", tags={KEY_TAG: "acme"}),
        attention=("blocking exists acme",),
    ),
    case(
        "same-name-orphan-of-ours",
        wanted(),
        company(owner="gone", name="Acme"),
        attention=("blocking exists acme", "info orphan gone"),
    ),
    case(
        "same-name-of-another-workspace",
        wanted(),
        company(owner="acme", workspace="other"),
        actions=("company.create acme",),
    ),
    case(
        "same-name-but-new",
        wanted(new=True),
        company(owner=None, name="Acme"),
        actions=("company.create acme",),
        reason="not in Codat; the spec says that the company of the same name is another",
    ),
    case(
        "id-untagged",
        wanted(id=OURS.id),
        company(owner=None),
        actions=("company.adopt acme",),
        reason="named by id, not managed yet",
    ),
    case(
        "id-half-tagged",
        wanted(id=OURS.id),
        company(owner=None, tags={WORKSPACE_TAG: "other"}),
        actions=("company.adopt acme",),
    ),
    case(
        "id-of-another-workspace",
        wanted(id=OURS.id),
        company(workspace="other"),
        attention=("blocking conflict acme",),
    ),
    case(
        "id-of-another-key", wanted(id=OURS.id), company(owner="bravo"), attention=("blocking conflict acme",)
    ),
    case(
        "id-untagged-and-tags-elsewhere",
        wanted(id=OTHER_ID),
        OURS,
        company(owner=None, identifier=OTHER_ID),
        attention=("blocking conflict acme",),
    ),
    case("id-of-no-company", wanted(id="nowhere"), attention=("blocking missing acme",)),
    case(
        "id-of-no-company-and-tags-elsewhere",
        wanted(id="nowhere"),
        OURS,
        attention=("blocking missing acme",),
    ),
    case("match-equal", wanted(), OURS),
    case("match-equal-by-id", wanted(id=OURS.id), OURS),
    case(
        "match-differs",
        wanted(name="Acme Stores"),
        OURS,
        actions=("company.update acme",),
        reason="managed fields differ",
    ),
    case(
        "renamed",
        wanted(renamed_from="acme-old"),
        company(owner="acme-old", name="Acme"),
        actions=("company.update acme",),
        reason="managed fields differ",
    ),
    case("renamed-already", wanted(renamed_from="acme-old"), OURS),
    case(
        "two-matches",
        wanted(),
        OURS,
        company(identifier=OTHER_ID),
        attention=("blocking duplicate acme",),
    ),
    case(
        "two-matches-by-rename",
        wanted(renamed_from="acme-old"),
        OURS,
        company(identifier=OTHER_ID, owner="acme-old"),
        attention=("blocking duplicate acme",),
    ),
    case("two-matches-one-by-id", wanted(id=OTHER_ID), OURS, company(identifier=OTHER_ID)),
    case(
        "tags-over-budget",
        wanted(tags={"one-more": "x"}),
        company(tags=FULL),
        attention=("blocking tag-budget acme",),
    ),
    case("tags-at-budget", wanted(tags={"tag0": "y"}), company(tags=FULL), actions=("company.update acme",)),
    case(
        "tags-swapped-at-budget",
        wanted(tags={"tag0": None, "one-more": "x"}),
        company(tags=FULL),
        actions=("company.update acme",),
    ),
    case(
        "tags-over-budget-by-protect",
        wanted(protect=True),
        company(tags=FULL),
        attention=("blocking tag-budget acme",),
    ),
    case(
        "tags-over-budget-by-adopting",
        wanted(id=OURS.id),
        company(owner=None, tags=FULL | {"ninth": "x"}),
        attention=("blocking tag-budget acme",),
    ),
    case(
        "tags-over-budget-before-creating",
        wanted(tags=FULL | {"ninth": "x"}),
        attention=("blocking tag-budget acme",),
    ),
    case(
        "tags-over-budget-before-creating-another",
        wanted(tags=FULL | {"ninth": "x"}, new=True),
        company(owner=None, name="Acme"),
        attention=("blocking tag-budget acme",),
    ),
    case(
        "tags-over-budget-by-links",
        wanted(wanted_connection("b1", PLAID), wanted_connection("b2", PLAID)),
        company(tags=FULL),
        attention=("blocking tag-budget acme",),
    ),
    case(
        "absent",
        wanted(state=Presence.ABSENT),
        OURS,
        actions=("company.delete acme",),
        reason="the spec says state: absent",
    ),
    case(
        "absent-by-id-untagged",
        wanted(state=Presence.ABSENT, id=OURS.id),
        company(owner=None),
        actions=("company.delete acme",),
    ),
    case(
        "absent-protected",
        wanted(state=Presence.ABSENT),
        company(tags={PROTECT_TAG: "true"}),
        attention=("blocking protected acme",),
    ),
    case(
        "absent-protected-although-the-spec-says-no-more",
        wanted(state=Presence.ABSENT, protect=False),
        company(tags={PROTECT_TAG: "true"}),
        attention=("blocking protected acme",),
    ),
    case(
        "absent-protect-tag-says-false",
        wanted(state=Presence.ABSENT),
        company(tags={PROTECT_TAG: "false"}),
        actions=("company.delete acme",),
    ),
    case("absent-gone", wanted(state=Presence.ABSENT)),
    case("absent-gone-namesake-left-alone", wanted(state=Presence.ABSENT), company(owner=None, name="Acme")),
    case("absent-gone-by-id", wanted(state=Presence.ABSENT, id="nowhere")),
    case(
        "absent-by-a-wrong-id",
        wanted(state=Presence.ABSENT, id="nowhere"),
        OURS,
        attention=("blocking conflict acme",),
    ),
    case("an-empty-tag-that-is-not-there", wanted(tags={"region": ""}), OURS),
    case("an-empty-tag-that-is-there", wanted(tags={"region": None}), company(tags={"region": ""})),
    case(
        "an-empty-tag-that-has-a-value",
        wanted(tags={"region": ""}),
        company(tags={"region": "uk"}),
        actions=("company.update acme",),
        reason="managed fields differ",
    ),
    case(
        "absent-two-matches",
        wanted(state=Presence.ABSENT),
        OURS,
        company(identifier=OTHER_ID),
        attention=("blocking duplicate acme",),
    ),
    case(
        "absent-id-of-another-workspace",
        wanted(state=Presence.ABSENT, id=OURS.id),
        company(workspace="other"),
        attention=("blocking conflict acme",),
    ),
    case(
        "orphan", wanted(), OURS, company(identifier=OTHER_ID, owner="gone"), attention=("info orphan gone",)
    ),
    case(
        "orphan-pruned",
        wanted(),
        OURS,
        company(identifier=OTHER_ID, owner="gone"),
        run=policy(prune=True),
        actions=("company.delete gone",),
        reason="in no spec any more, and --prune",
    ),
    case(
        "orphan-protected-not-pruned",
        wanted(),
        OURS,
        company(identifier=OTHER_ID, owner="gone", tags={PROTECT_TAG: "true"}),
        run=policy(prune=True),
        attention=("blocking protected gone",),
    ),
    case(
        "orphan-of-another-workspace-is-none",
        wanted(),
        OURS,
        company(identifier=OTHER_ID, owner="gone", workspace="other"),
        run=policy(prune=True),
    ),
    case(
        "half-tagged-is-no-orphan",
        wanted(),
        OURS,
        company(identifier=OTHER_ID, owner=None, name="Gone", tags={WORKSPACE_TAG: "prod"}),
        run=policy(prune=True),
    ),
    case(
        "two-orphans-of-one-key-both-pruned",
        wanted(),
        OURS,
        company(identifier=OTHER_ID, owner="gone"),
        company(identifier="b0000003-0000", owner="gone"),
        run=policy(prune=True),
        actions=("company.delete gone", "company.delete gone"),
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_company(case: Case) -> None:
    plan = plan_for(case.spec, case.live, case.run)

    assert tuple(actions(plan)) == case.actions
    assert tuple(attention(plan)) == case.attention
    if case.reason:
        assert {one.reason for one in plan.actions} == {case.reason}


BLOCKED = [
    one
    for one in CASES
    if any("blocking" in text for text in one.values[0].attention)  # type: ignore[attr-defined]
]


@pytest.mark.parametrize("case", BLOCKED)
def test_blocking_attention_stops_everything_for_the_company(case: Case) -> None:
    extra = {one.key: one for one in (wanted_connection(), wanted_connection("bank", PLAID))}
    spec = replace(case.spec, connections={**extra, **case.spec.connections})
    plan = plan_for(spec, case.live, case.run)
    blocked = {text.split()[-1] for text in case.attention if text.startswith("blocking")}
    assert [one for one in plan.actions if one.address.company in blocked] == []
    assert tuple(attention(plan)) == case.attention


def test_a_namesake_that_another_spec_adopts_is_no_namesake() -> None:
    live = company(owner=None, name="Acme")
    plan = plan_for((wanted(), wanted(key="bravo", name="Acme", id=live.id)), live)
    assert actions(plan) == ["company.create acme", "company.adopt bravo"]


# --- what the actions say ----------------------------------------------------------------------


def test_a_create_carries_our_tags_in_the_same_request() -> None:
    (action,) = plan_for(wanted(tags={"region": "uk", "old": None}, description="Moved")).actions
    assert isinstance(action, CreateCompany)
    assert (action.name, action.description) == ("Acme", "Moved")
    assert action.tags == {"region": "uk", WORKSPACE_TAG: "prod", KEY_TAG: "acme"}


@pytest.mark.parametrize(
    "held",
    [
        pytest.param({}, id="no-tags"),
        pytest.param({"team": "x"}, id="one-tag"),
        pytest.param({f"t{number}": "x" for number in range(8)}, id="many-tags"),
    ],
)
def test_an_adopt_merges_tags_whatever_the_company_carries(held: dict[str, str]) -> None:
    spec = wanted(id=OURS.id, name="Acme Stores")
    (action,) = plan_for(spec, company(owner=None, tags=held)).actions
    assert isinstance(action, AdoptCompany)
    assert action.body() == {
        "name": "Acme Stores",
        "tags": {**held, WORKSPACE_TAG: "prod", KEY_TAG: "acme"},
    }


def test_an_update_sends_what_differs_and_tags_as_the_full_merged_map() -> None:
    live = company(tags={"region": "uk", "team": "x", "old": "1"}, description="Old")
    (action,) = plan_for(wanted(tags={"region": "eu", "old": None}), live).actions
    assert isinstance(action, UpdateCompany)
    assert action.changes == (Change("tags.old", "1", None), Change("tags.region", "uk", "eu"))
    assert action.body() == {"tags": {"region": "eu", "team": "x", WORKSPACE_TAG: "prod", KEY_TAG: "acme"}}


def test_taking_over_a_key_changes_our_key_tag() -> None:
    (action,) = plan_for(wanted(renamed_from="old"), company(owner="old", name="Acme")).actions
    assert isinstance(action, UpdateCompany)
    assert action.changes == (Change(f"tags.{KEY_TAG}", "old", "acme"),)


@pytest.mark.parametrize("is_pruned", [pytest.param(True, id="pruned"), pytest.param(False, id="absent")])
def test_a_delete_knows_whether_it_is_pruned_and_what_the_plan_read(is_pruned: bool) -> None:
    spec = specs() if is_pruned else specs(wanted(state=Presence.ABSENT))
    (action,) = plan_for(spec, OURS, policy(prune=is_pruned)).actions
    assert isinstance(action, DeleteCompany)
    assert (action.pruned, action.observed, action.company_id) == (is_pruned, OURS, OURS.id)


def test_an_orphans_connections_are_not_spoken_of() -> None:
    orphan = company(connection(), connection("c2", Status.PENDING_AUTH, XERO), owner="gone")
    assert attention(plan_for(specs(), orphan)) == ["info orphan gone"]


# --- messages ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "live", "parts"),
    [
        pytest.param(
            wanted(),
            (company(owner=None, name="Acme"),),
            (OURS.id, f"id: {OURS.id}", "new: true"),
            id="exists-names-the-live-id",
        ),
        pytest.param(
            wanted(id=OURS.id),
            (company(workspace="other"),),
            (OURS.id, "acme", "other"),
            id="conflict-names-the-owner",
        ),
        pytest.param(
            wanted(id=OTHER_ID),
            (OURS, company(owner=None, identifier=OTHER_ID)),
            (OURS.id, OTHER_ID),
            id="conflict-names-both",
        ),
        pytest.param(wanted(id="nowhere"), (), ("nowhere",), id="missing-names-the-id"),
        pytest.param(
            wanted(), (OURS, company(identifier=OTHER_ID)), (OURS.id, OTHER_ID), id="duplicate-names-both"
        ),
        pytest.param(
            wanted(state=Presence.ABSENT),
            (company(tags={PROTECT_TAG: "true"}),),
            (PROTECT_TAG, "protect: false"),
            id="protected-says-how-to-lift-it",
        ),
        pytest.param(
            wanted(state=Presence.ABSENT, key="bravo"),
            (company(),),
            (OURS.id, "Acme", "renamedFrom: acme", "--prune"),
            id="orphan-says-all-three-ways",
        ),
    ],
)
def test_the_message_names(
    spec: DesiredCompany, live: tuple[LiveCompany, ...], parts: tuple[str, ...]
) -> None:
    told = message(plan_for(spec, live))
    assert [part for part in parts if part not in told] == []


def test_exists_offers_to_take_an_orphan_over() -> None:
    plan = plan_for(wanted(), company(owner="gone", name="Acme"))
    (exists,) = plan.blocking()
    assert "renamedFrom: gone" in exists.message


def test_a_company_that_may_be_the_wanted_one_is_not_pruned() -> None:
    orphan = company(owner="old", name="Acme")
    plan = plan_for(wanted(), orphan, policy(prune=True, allow_deletes=9))
    assert actions(plan) == []
    assert attention(plan) == ["blocking exists acme", "info orphan old"]


def test_the_id_of_an_orphan_of_ours_is_told_how_to_be_taken_over() -> None:
    plan = plan_for(wanted(id=OURS.id), company(owner="old"))
    told = {str(one.address): one.message for one in plan.attention}
    assert "say 'renamedFrom: old'" in told["acme"]
