"""The rule of presence: what is absent is not managed, null clears, equal never differs."""

from __future__ import annotations

from typing import Any

import pytest
from builders import actions, company, plan_for, wanted

from reconciler.actions import CreateCompany
from reconciler.kinds import Change
from reconciler.live import LiveCompany
from reconciler.model import KEY_TAG, PROTECT_TAG, UNSET, WORKSPACE_TAG
from reconciler.planner import fields
from reconciler.planner.fields import Ours, changes, wanted_fields

OURS = {WORKSPACE_TAG: "prod", KEY_TAG: "acme"}


def differing(spec: dict[str, Any], live: LiveCompany) -> list[Change]:
    plan = plan_for(wanted(**spec), live)
    return [change for action in plan.actions for change in action.changes]  # type: ignore[union-attr]


def body(spec: dict[str, Any], live: LiveCompany) -> dict[str, Any]:
    (action,) = plan_for(wanted(**spec), live).actions
    return action.body()  # type: ignore[union-attr,no-any-return]


@pytest.mark.parametrize(
    ("desired", "live", "sent"),
    [
        pytest.param(UNSET, None, None, id="absent-none"),
        pytest.param(UNSET, "Old", None, id="absent-some"),
        pytest.param(None, None, None, id="null-none"),
        pytest.param(None, "", None, id="null-empty"),
        pytest.param(None, "Old", "", id="null-some"),
        pytest.param("", None, None, id="empty-none"),
        pytest.param("", "", None, id="empty-empty"),
        pytest.param("", "Old", "", id="empty-some"),
        pytest.param("Old", "Old", None, id="equal"),
        pytest.param("New", "Old", "New", id="different"),
        pytest.param("New", None, "New", id="new"),
        pytest.param("New", "", "New", id="new-for-empty"),
    ],
)
def test_description(desired: Any, live: str | None, sent: str | None) -> None:
    found = company(description=live)
    spec = {} if desired is UNSET else {"description": desired}
    if sent is None:
        assert differing(spec, found) == []
    else:
        assert differing(spec, found) == [Change(path="description", before=live or None, after=sent or None)]
        assert body(spec, found) == {"description": sent}


@pytest.mark.parametrize(
    ("desired", "live", "changed"),
    [
        pytest.param({}, {}, [], id="absent-none"),
        pytest.param({}, {"region": "uk"}, [], id="absent-some"),
        pytest.param({"region": None}, {}, [], id="null-none"),
        pytest.param({"region": None}, {"region": "uk"}, [("uk", None)], id="null-some"),
        pytest.param({"region": "uk"}, {"region": "uk"}, [], id="equal"),
        pytest.param({"region": "eu"}, {"region": "uk"}, [("uk", "eu")], id="different"),
        pytest.param({"region": "eu"}, {}, [(None, "eu")], id="new"),
        pytest.param({"region": "uk"}, {"Region": "uk"}, [(None, "uk")], id="case-counts"),
    ],
)
@pytest.mark.parametrize(
    "more", [pytest.param({}, id="alone"), pytest.param({"team": "x"}, id="beside-another")]
)
def test_tags(
    desired: dict[str, str | None],
    live: dict[str, str],
    changed: list[tuple[str | None, str | None]],
    more: dict[str, str],
) -> None:
    found = company(tags=live | more)
    assert differing({"tags": desired}, found) == [
        Change(path="tags.region", before=before, after=after) for before, after in changed
    ]
    if changed:
        merged = {**live, **more, **desired, **OURS}
        sent = {key: value for key, value in merged.items() if value is not None}
        assert body({"tags": desired}, found) == {"tags": sent}


@pytest.mark.parametrize(
    ("desired", "live", "changed"),
    [
        pytest.param(UNSET, None, [], id="absent-none"),
        pytest.param(UNSET, "true", [], id="absent-protected"),
        pytest.param(True, None, [(None, "true")], id="true-none"),
        pytest.param(True, "true", [], id="true-protected"),
        pytest.param(True, "yes", [("yes", "true")], id="true-otherwise"),
        pytest.param(False, None, [], id="false-none"),
        pytest.param(False, "true", [("true", None)], id="false-protected"),
    ],
)
def test_protect(desired: Any, live: str | None, changed: list[tuple[str | None, str | None]]) -> None:
    found = company(tags={PROTECT_TAG: live} if live else {})
    spec = {} if desired is UNSET else {"protect": desired}
    assert differing(spec, found) == [
        Change(path=f"tags.{PROTECT_TAG}", before=before, after=after) for before, after in changed
    ]


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        pytest.param(None, False, id="no-tag"),
        pytest.param("false", False, id="false"),
        pytest.param("true", True, id="true"),
        pytest.param("", True, id="anything-else"),
    ],
)
def test_is_protected(tag: str | None, expected: bool) -> None:
    assert company(tags={} if tag is None else {PROTECT_TAG: tag}).is_protected is expected


@pytest.mark.parametrize(
    "key",
    [pytest.param("a.b", id="dot"), pytest.param("it's", id="quote"), pytest.param('["x"]', id="brackets")],
)
def test_a_tag_may_be_called_anything(key: str) -> None:
    assert differing({"tags": {key: "2"}}, company(tags={key: "1"})) == [
        Change(path=f"tags.{key}", before="1", after="2")
    ]
    assert body({"tags": {key: "2"}}, company(tags={key: "1"})) == {"tags": {key: "2", **OURS}}


@pytest.mark.parametrize("count", range(9))
def test_tags_are_compared_one_by_one_however_little_is_in_common(count: int) -> None:
    live = company(owner=None, tags={f"t{number}": "x" for number in range(count)})
    wanted_tags = wanted_fields(wanted(tags={"new": "x"}), None, Ours("prod"))
    assert {change.path for change in changes(live, wanted_tags)} == {
        *(f"tags.t{number}" for number in range(count)),
        "tags.new",
        f"tags.{WORKSPACE_TAG}",
        f"tags.{KEY_TAG}",
    }


def test_every_field_at_once() -> None:
    found = company(name="Old", description="Old", tags={"a": "1"})
    spec = {"name": "New", "description": None, "tags": {"a": None, "b": "2"}, "protect": True}
    assert [change.path for change in differing(spec, found)] == [
        "description",
        "name",
        "tags.a",
        "tags.b",
        f"tags.{PROTECT_TAG}",
    ]


@pytest.mark.parametrize(
    ("description", "sent"),
    [
        pytest.param(UNSET, None, id="absent"),
        pytest.param(None, None, id="null"),
        pytest.param("", None, id="empty"),
        pytest.param("New", "New", id="given"),
    ],
)
def test_a_create_sends_a_description_only_where_there_is_one(description: Any, sent: str | None) -> None:
    action = plan_for(wanted(description=description)).actions[0]
    assert isinstance(action, CreateCompany)
    assert action.fields.get("description") == sent
    assert ("description" in action.document()["after"]) == (sent is not None)


def test_equal_companies_are_never_given_to_deepdiff(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("DeepDiff on an equal pair")

    monkeypatch.setattr(fields, "DeepDiff", refuse)
    live = company(description="Same", tags={"team": "x"})
    assert actions(plan_for(wanted(description="Same", tags={"team": "x"}), live)) == []
    with pytest.raises(AssertionError, match="DeepDiff"):
        plan_for(wanted(description="Other"), live)
