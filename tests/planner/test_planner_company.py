"""The company table: one row, one case."""

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

from reconciler.actions import AdoptCompany, CreateCompany, DeleteCompany, UpdateCompany
from reconciler.kinds import Change
from reconciler.live import LiveCompany, Status
from reconciler.model import KEY_TAG, PROTECT_TAG, WORKSPACE_TAG, Desired, DesiredCompany, Migration, Presence
from reconciler.planner import Policy

OURS = company()
OTHER_ID = "b0000002-0000"
FULL = {f"tag{number}": "x" for number in range(8)}


@dataclass(frozen=True)
class Case:
    """What goes in, and what must come out."""

    spec: DesiredCompany | Desired
    live: tuple[LiveCompany, ...] = ()
    actions: tuple[str, ...] = ()
    attention: tuple[str, ...] = ()
    reason: str = ""
    run: Policy = field(default_factory=policy)


def case(name: str, spec: DesiredCompany | Desired, *live: LiveCompany, **expected: object) -> object:
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
        company(owner="bravo", name="Acme", workspace="other"),
        attention=("blocking exists acme",),
    ),
    case(
        "same-key-of-another-workspace",
        wanted(),
        company(owner="acme", name="Bravo", workspace="other"),
        attention=("blocking exists acme",),
    ),
    case(
        "old-key-of-another-workspace",
        wanted(renamed_from="acme-old"),
        company(owner="acme-old", name="Bravo", workspace="other"),
        attention=("blocking exists acme",),
    ),
    case(
        "same-name-as-people-read-it",
        wanted(name="Acme Stores 1"),
        company(owner=None, name="  ACME\u00a0 stores \uff11"),
        attention=("blocking exists acme",),
    ),
    case(
        "same-name-of-a-key-that-the-specs-name",
        specs(wanted(), wanted(key="bravo", name="Acme")),
        company(owner="bravo", name="Acme"),
        actions=("company.create acme",),
    ),
    case(
        "same-name-of-a-key-that-narrowed-specs-do-not-name",
        specs(wanted(), narrowed=True),
        company(owner="gone", name="Acme"),
        attention=("blocking exists acme",),
    ),
    case(
        "same-name-of-a-key-that-narrowed-specs-name",
        specs(wanted(), wanted(key="bravo", name="Acme"), narrowed=True),
        company(owner="bravo", name="Acme"),
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
        "new-beside-one-of-another-workspace",
        wanted(new=True),
        company(workspace="other"),
        actions=("company.create acme",),
    ),
    case(
        "new-does-not-tell-two-apart",
        wanted(new=True),
        company(owner=None, name="Acme"),
        company(owner=None, name="Acme", identifier=OTHER_ID),
        attention=("blocking exists acme",),
    ),
    case(
        "new-does-not-tell-what-has-the-connections-of-the-spec",
        wanted(wanted_connection(), new=True),
        company(connection(), owner=None, name="Acme"),
        attention=("blocking exists acme",),
    ),
    case(
        "new-tells-what-has-other-connections",
        wanted(wanted_connection("bank", PLAID, Migration.LINK), new=True),
        company(connection(), owner=None, name="Acme"),
        actions=("company.create acme", "connection.create acme/bank"),
        attention=("waiting link acme/bank",),
    ),
    case(
        "new-beside-those-that-are-named",
        wanted(new_beside=(OURS.id, OTHER_ID)),
        company(connection(), owner=None, name="Acme"),
        company(owner="acme", workspace="other", identifier=OTHER_ID),
        actions=("company.create acme",),
        reason="not in Codat",
    ),
    case(
        "new-beside-one-but-not-the-other",
        wanted(new_beside=(OURS.id,)),
        company(owner=None, name="Acme"),
        company(owner=None, name="Acme", identifier=OTHER_ID),
        attention=("blocking exists acme",),
    ),
    case(
        "new-beside-one-and-created-already",
        wanted(new_beside=(OTHER_ID,), new=True),
        OURS,
        company(owner=None, name="Acme", identifier=OTHER_ID),
    ),
    case(
        "of-the-workspace-that-is-taken-over",
        specs(wanted(), renamed_from="other"),
        company(workspace="other"),
        actions=("company.update acme",),
    ),
    case(
        "of-the-workspace-that-is-taken-over-under-its-old-key",
        specs(wanted(renamed_from="acme-old"), renamed_from="other"),
        company(owner="acme-old", workspace="other"),
        actions=("company.update acme",),
    ),
    case(
        "of-the-workspace-that-is-taken-over-by-id",
        specs(wanted(id=OURS.id), renamed_from="other"),
        company(workspace="other"),
        actions=("company.update acme",),
    ),
    case(
        "of-the-workspace-that-is-taken-over-and-absent",
        specs(wanted(state=Presence.ABSENT), renamed_from="other"),
        company(workspace="other"),
        actions=("company.delete acme",),
    ),
    case("taken-over-already", specs(wanted(), renamed_from="other"), OURS),
    case(
        "taken-over-already-and-still-in-the-old-workspace-too",
        specs(wanted(), renamed_from="other"),
        OURS,
        company(workspace="other", identifier=OTHER_ID),
        attention=("blocking duplicate acme",),
    ),
    case(
        "same-name-in-the-workspace-that-is-taken-over",
        specs(wanted(), renamed_from="other"),
        company(owner="gone", name="Acme", workspace="other"),
        attention=("blocking exists acme", "info orphan gone"),
    ),
    case(
        "orphan-of-the-workspace-that-is-taken-over-is-never-pruned",
        specs(wanted(), renamed_from="other"),
        OURS,
        company(owner="gone", workspace="other", identifier=OTHER_ID),
        run=policy(prune=True),
        attention=("info orphan gone",),
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
    case(
        "two-matches-one-by-id",
        wanted(id=OTHER_ID),
        OURS,
        company(identifier=OTHER_ID),
        attention=("info tags-copied acme",),
    ),
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
        "absent-by-id-and-tags-copied",
        wanted(state=Presence.ABSENT, id=OTHER_ID),
        OURS,
        company(identifier=OTHER_ID),
        actions=("company.delete acme",),
        attention=("info tags-copied acme",),
    ),
    case(
        "absent-gone-by-id-and-tags-copied",
        wanted(state=Presence.ABSENT, id=OTHER_ID),
        OURS,
        attention=("info tags-copied acme",),
    ),
    case(
        "absent-gone-by-id-and-an-old-key-copied",
        wanted(state=Presence.ABSENT, id=OTHER_ID, renamed_from="acme-old"),
        company(owner="acme-old"),
        attention=("info tags-copied acme",),
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
        assert {action.reason for action in plan.actions} == {case.reason}


BLOCKED = [
    case
    for case in CASES
    if any("blocking" in text for text in case.values[0].attention)  # type: ignore[attr-defined]
]


@pytest.mark.parametrize("case", BLOCKED)
def test_blocking_attention_stops_everything_for_the_company(case: Case) -> None:
    extra = {
        connection.key: connection for connection in (wanted_connection(), wanted_connection("bank", PLAID))
    }
    given = case.spec if isinstance(case.spec, Desired) else specs(case.spec)
    first = given.companies["acme"]
    first = replace(first, connections={**extra, **first.connections})
    spec = replace(given, companies={**given.companies, "acme": first})
    plan = plan_for(spec, case.live, case.run)
    blocked = {text.split()[-1] for text in case.attention if text.startswith("blocking")}
    assert [action for action in plan.actions if action.address.company in blocked] == []
    assert tuple(attention(plan)) == case.attention


def test_what_new_created_is_not_created_again_after_its_tags_were_wiped() -> None:
    spec = wanted(wanted_connection(), new=True)
    other = company(owner=None, name="Acme")
    wiped = company(connection(), owner=None, name="Acme", identifier=OTHER_ID)

    assert actions(plan_for(spec, other))[0] == "company.create acme"
    for left in ((other, wiped), (wiped,)):
        plan = plan_for(spec, left)
        assert (actions(plan), attention(plan)) == ([], ["blocking exists acme"])


def test_taking_a_workspace_over_changes_our_workspace_tag() -> None:
    (action,) = plan_for(specs(wanted(), renamed_from="other"), company(workspace="other")).actions
    assert isinstance(action, UpdateCompany)
    assert action.changes == (Change(path=f"tags.{WORKSPACE_TAG}", before="other", after="prod"),)


def test_a_namesake_that_another_spec_adopts_is_no_namesake() -> None:
    live = company(owner=None, name="Acme")
    plan = plan_for((wanted(), wanted(key="bravo", name="Acme", id=live.id)), live)
    assert actions(plan) == ["company.create acme", "company.adopt bravo"]


# --- what the actions say ----------------------------------------------------------------------


def test_a_create_carries_our_tags_in_the_same_request() -> None:
    (action,) = plan_for(wanted(tags={"region": "uk", "old": None}, description="Moved")).actions
    assert isinstance(action, CreateCompany)
    assert (action.fields["name"], action.fields["description"]) == ("Acme", "Moved")
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
    assert action.changes == (
        Change(path="tags.old", before="1", after=None),
        Change(path="tags.region", before="uk", after="eu"),
    )
    assert action.body() == {"tags": {"region": "eu", "team": "x", WORKSPACE_TAG: "prod", KEY_TAG: "acme"}}


def test_taking_over_a_key_changes_our_key_tag() -> None:
    (action,) = plan_for(wanted(renamed_from="old"), company(owner="old", name="Acme")).actions
    assert isinstance(action, UpdateCompany)
    assert action.changes == (Change(path=f"tags.{KEY_TAG}", before="old", after="acme"),)


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
            wanted(),
            (company(workspace="other"),),
            (OURS.id, "workspace other under the key acme", "workspaceRenamedFrom: other", "newBeside"),
            id="exists-names-the-other-workspace-and-how-to-take-it-over",
        ),
        pytest.param(
            wanted(),
            (company(owner="acme-old", name="Acme", workspace="other"),),
            ("workspaceRenamedFrom: other", "renamedFrom: acme-old"),
            id="exists-names-both-renames",
        ),
        pytest.param(
            specs(wanted(), narrowed=True),
            (company(owner="acme-old", name="Acme"),),
            (OURS.id, "renamedFrom: acme-old", "this run sees", "run on the whole workspace"),
            id="exists-says-that-a-narrowed-run-may-not-see-the-spec",
        ),
        pytest.param(
            wanted(new=True),
            (company(owner=None, name="Acme"), company(owner=None, name="Acme", identifier=OTHER_ID)),
            (f"newBeside: [{OURS.id}, {OTHER_ID}]", "'new: true' does not tell"),
            id="exists-says-why-new-does-not-count",
        ),
        pytest.param(
            wanted(id=OTHER_ID),
            (OURS, company(identifier=OTHER_ID)),
            (OURS.id, OTHER_ID),
            id="copied-tags-name-both",
        ),
        pytest.param(
            wanted(id=OTHER_ID, state=Presence.ABSENT),
            (OURS,),
            (OURS.id, OTHER_ID),
            id="copied-tags-of-a-company-that-is-deleted-name-both",
        ),
        pytest.param(
            specs(renamed_from="other"),
            (company(workspace="other"),),
            ("the workspace other", "renamedFrom: acme", "--prune deletes nothing"),
            id="orphan-of-a-workspace-that-is-taken-over",
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
    told = {str(attention.address): attention.message for attention in plan.attention}
    assert "say 'renamedFrom: old'" in told["acme"]
