"""The check of every plan catches each fault that it names; one case each."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import TOKENS, company, plan_for, wanted, wanted_connection

from reconciler.actions import (
    Action,
    AdoptCompany,
    AuthorizeConnection,
    CreateCompany,
    CreateConnection,
    DeleteCompany,
    DeleteConnection,
    SyncCompany,
    SyncTarget,
    UnlinkConnection,
    UpdateCompany,
)
from reconciler.fields import by_path
from reconciler.kinds import Change
from reconciler.live import Status
from reconciler.model import KEY_TAG, WORKSPACE_TAG, Address
from reconciler.plan import Attention, AttentionCode
from reconciler.planner import UnsoundPlanError, planning
from reconciler.planner.soundness import check

ACME, BOOKS = Address("acme"), Address("acme", "books")
MARKS = {WORKSPACE_TAG: "prod", KEY_TAG: "acme"}
LIVE = company()


def _create(tags: dict[str, str]) -> CreateCompany:
    return CreateCompany(address=ACME, reason="", fields=by_path({"name": "Acme"}, tags))


CREATE = _create(MARKS)
UPDATE = UpdateCompany(
    address=ACME,
    reason="",
    company_id=LIVE.id,
    changes=(Change(path="name", before="Acme", after="Other"),),
    observed=LIVE,
)
ADOPTED = company(owner=None)
MARKED = tuple(Change(path=f"tags.{tag}", before=None, after=value) for tag, value in MARKS.items())
ADOPT = AdoptCompany(address=ACME, reason="", company_id=LIVE.id, changes=MARKED, observed=ADOPTED)
DELETE = DeleteCompany(address=ACME, reason="", company_id=LIVE.id, name="Acme", pruned=False, observed=LIVE)
UNLINK = UnlinkConnection(address=BOOKS, reason="", company_id=LIVE.id, connection_id="c", platform="xero")
REMOVE = DeleteConnection(
    address=BOOKS,
    reason="",
    company_id=LIVE.id,
    connection_id="c",
    platform="xero",
    status=Status.LINKED,
    pruned=False,
)
CONNECT = CreateConnection(address=BOOKS, reason="", company_id=LIVE.id, platform="xero", platform_key="gbol")
SEND = AuthorizeConnection(
    address=BOOKS,
    reason="",
    company_id=LIVE.id,
    connection_id="c",
    platform="xero",
    platform_key="gbol",
    observed=Status.PENDING_AUTH,
    authorization=TOKENS,
)
SYNC = SyncCompany(
    address=ACME, reason="", company_id=LIVE.id, targets=(SyncTarget(address=BOOKS, connection_id="c"),)
)
NEW_SEND = replace(SEND, connection_id=None, observed=None)
FULL = {f"t{number}": "x" for number in range(9)}


@pytest.mark.parametrize(
    "actions",
    [
        pytest.param((), id="nothing"),
        pytest.param(
            (
                CREATE,
                replace(CONNECT, company_id=None),
                replace(NEW_SEND, company_id=None),
                replace(SYNC, company_id=None),
            ),
            id="fresh",
        ),
        pytest.param((UPDATE, CONNECT, NEW_SEND, SYNC), id="update-and-create"),
        pytest.param((ADOPT,), id="adopt"),
        pytest.param((DELETE,), id="delete"),
        pytest.param((DELETE, replace(DELETE, company_id="another")), id="two-orphans-of-one-key"),
        pytest.param((REMOVE,), id="remove"),
        pytest.param((replace(SEND, observed=Status.LINKED, reauthorized=True),), id="reauthorize"),
    ],
)
def test_a_sound_plan_passes(actions: tuple[Action, ...]) -> None:
    check(actions, ())


@pytest.mark.parametrize(
    ("actions", "attention", "fault"),
    [
        pytest.param((SYNC, CONNECT), (), "out of order", id="out-of-order"),
        pytest.param((SYNC, SYNC), (), "stands in it 2 times", id="repeated"),
        pytest.param((DELETE, DELETE), (), "stands in it 2 times", id="repeated-delete"),
        pytest.param(
            (CONNECT,),
            (Attention(code=AttentionCode.EXISTS, address=ACME, message=""),),
            "although its company is blocked",
            id="blocked",
        ),
        pytest.param((REMOVE, SEND), (), "although it is removed", id="authorize-and-delete"),
        pytest.param((UNLINK, SEND), (), "although it is removed", id="authorize-and-unlink"),
        pytest.param((REMOVE, CONNECT), (), "although it is removed", id="create-and-delete"),
        pytest.param((UPDATE, DELETE), (), "although its company is deleted", id="update-and-delete"),
        pytest.param((DELETE, SYNC), (), "although its company is deleted", id="sync-and-delete"),
        pytest.param(
            (replace(CONNECT, company_id=None),), (), "without its company", id="connection-of-no-company"
        ),
        pytest.param((replace(SYNC, company_id=None),), (), "without its company", id="sync-of-no-company"),
        pytest.param(
            (CREATE, CONNECT), (), "without its company", id="connection-of-another-company-than-the-created"
        ),
        pytest.param((NEW_SEND,), (), "without its connection", id="authorize-of-no-connection"),
        pytest.param(
            (CONNECT, SEND), (), "without its connection", id="authorize-of-another-than-the-created"
        ),
        pytest.param(
            (replace(SEND, observed=Status.LINKED),),
            (),
            "to a Linked connection",
            id="authorize-what-is-Linked",
        ),
        pytest.param(
            (replace(SEND, reauthorized=True),),
            (),
            "to a Linked connection",
            id="reauthorize-what-is-not-Linked",
        ),
        pytest.param((_create(MARKS | FULL),), (), "with 11 tags", id="create-with-too-many-tags"),
        pytest.param(
            (replace(ADOPT, observed=company(owner=None, tags=FULL)),),
            (),
            "with 11 tags",
            id="adopt-with-too-many-tags",
        ),
        pytest.param((_create({}),), (), "without our marks", id="create-unmarked"),
        pytest.param((_create({WORKSPACE_TAG: "prod"}),), (), "without our marks", id="create-half-marked"),
        pytest.param((replace(ADOPT, changes=MARKED[:1]),), (), "without our marks", id="adopt-half-marked"),
        pytest.param(
            (replace(UPDATE, changes=(Change(path=f"tags.{KEY_TAG}", before="acme", after=None),)),),
            (),
            "without our marks",
            id="update-that-drops-a-mark",
        ),
    ],
)
def test_a_fault_is_caught(actions: tuple[Action, ...], attention: tuple[Attention, ...], fault: str) -> None:
    with pytest.raises(UnsoundPlanError) as caught:
        check(actions, attention)
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == ["unsound-plan"]
    assert fault in str(caught.value)
    assert "nothing was done" in str(caught.value)


@pytest.mark.parametrize(
    "attention",
    [
        pytest.param(
            Attention(code=AttentionCode.GATE, address=BOOKS, message=""), id="blocking-on-a-connection"
        ),
        pytest.param(
            Attention(code=AttentionCode.ORPHAN, address=ACME, message=""), id="info-on-the-company"
        ),
        pytest.param(
            Attention(code=AttentionCode.EXISTS, address=Address("bravo"), message=""),
            id="blocking-on-another-company",
        ),
    ],
)
def test_other_attention_blocks_nothing(attention: Attention) -> None:
    check((CONNECT,), (attention,))


def test_every_plan_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "in_order", lambda found: tuple(found)[::-1])
    with pytest.raises(UnsoundPlanError, match="out of order"):
        plan_for(wanted(wanted_connection()))


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(UnsoundPlanError) as caught:
        check((SEND, _create({})), ())
    assert len(caught.value.diagnostics) == 3
