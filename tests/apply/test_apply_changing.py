"""What exists is changed only where it still is what the plan read."""

from __future__ import annotations

from dataclasses import replace

import pytest
import virtual_time
from apply_codat import Fault
from apply_scenes import BOOKS, COMPANY, Scene, ends, live_company, live_connection, ours, update

from reconciler.actions import AdoptCompany, DeleteCompany, DeleteConnection, UnlinkConnection
from reconciler.codat.errors import (
    HeldUpError,
    NoAnswerError,
    NotFoundError,
    ServerFaultError,
    StillRunningError,
    UnreachableError,
)
from reconciler.kinds import Change
from reconciler.live import Status
from reconciler.model import PROTECT_TAG, Address

FAULT = ServerFaultError("500: Codat fails", status=500)
NO_ANSWER = NoAnswerError("no answer")
HELD_UP = HeldUpError("Codat asks for a pause (429)", status=429)
OBSERVED = live_company(live_connection(Status.LINKED), tags=ours(region="uk", team="x"), description="Old")
CHANGES = (
    Change(path="description", before="Old", after=None),
    Change(path="name", before="Acme", after="Acme Stores"),
    Change(path="tags.region", before="uk", after="eu"),
    Change(path="tags.team", before="x", after=None),
)
WANTED = replace(OBSERVED, name="Acme Stores", description="", tags=ours(region="eu"))
UPDATE = update(OBSERVED, *CHANGES)
UNLINK = UnlinkConnection(
    address=Address("acme", "books"),
    reason="why",
    company_id=COMPANY,
    connection_id=BOOKS,
    platform="QuickBooks Online",
)
DELETE = DeleteCompany(
    address=Address("acme"), reason="why", company_id=COMPANY, name="Acme", pruned=True, observed=OBSERVED
)
DELETE_CONNECTION = DeleteConnection(
    address=Address("acme", "books"),
    reason="why",
    company_id=COMPANY,
    connection_id=BOOKS,
    platform="QuickBooks Online",
    status=Status.LINKED,
    pruned=False,
)
PRUNE = replace(DELETE_CONNECTION, status=Status.PENDING_AUTH, pruned=True)


def linked(status):
    return replace(OBSERVED, connections=(live_connection(status),))


@pytest.mark.parametrize(
    ("action", "live", "end", "writes"),
    [
        pytest.param(UPDATE, OBSERVED, "done", 1, id="update"),
        pytest.param(UPDATE, WANTED, "already", 0, id="updated already"),
        pytest.param(
            UPDATE,
            replace(WANTED, tags=ours(region="eu", extra="y")),
            "already",
            0,
            id="updated already, and another tag since",
        ),
        pytest.param(
            UPDATE, replace(OBSERVED, name="Other"), "failed changed-since-plan", 0, id="name changed"
        ),
        pytest.param(
            UPDATE,
            replace(OBSERVED, description="New"),
            "failed changed-since-plan",
            0,
            id="description changed",
        ),
        pytest.param(
            UPDATE,
            replace(OBSERVED, tags=ours(region="uk", team="x", more="y")),
            "failed changed-since-plan",
            0,
            id="a tag that would be lost",
        ),
        pytest.param(UPDATE, None, "failed changed-since-plan", 0, id="company gone"),
        pytest.param(UNLINK, OBSERVED, "done", 1, id="unlink"),
        pytest.param(UNLINK, linked(Status.UNLINKED), "already", 0, id="unlinked already"),
        pytest.param(
            UNLINK, linked(Status.DEAUTHORIZED), "failed changed-since-plan", 0, id="unlink deauthorized"
        ),
        pytest.param(DELETE, OBSERVED, "done", 1, id="delete"),
        pytest.param(DELETE, None, "already", 0, id="deleted already"),
        pytest.param(
            DELETE, replace(OBSERVED, tags={}), "failed changed-since-plan", 0, id="delete what is not ours"
        ),
        pytest.param(
            DELETE,
            replace(OBSERVED, tags={**OBSERVED.tags, PROTECT_TAG: "true"}),
            "failed protected",
            0,
            id="delete what is protected",
        ),
        pytest.param(
            DELETE, replace(OBSERVED, name="New"), "failed changed-since-plan", 0, id="delete renamed"
        ),
        pytest.param(
            replace(DELETE, observed=replace(OBSERVED, connections=())),
            OBSERVED,
            "failed changed-since-plan",
            0,
            id="delete what a customer has linked since",
        ),
        pytest.param(
            replace(DELETE, observed=linked(Status.PENDING_AUTH)),
            OBSERVED,
            "failed changed-since-plan",
            0,
            id="delete what has become Linked",
        ),
        pytest.param(
            DELETE,
            replace(OBSERVED, connections=()),
            "failed changed-since-plan",
            0,
            id="delete what has lost a connection",
        ),
        pytest.param(DELETE_CONNECTION, OBSERVED, "done", 1, id="delete connection"),
        pytest.param(
            DELETE_CONNECTION, replace(OBSERVED, connections=()), "already", 0, id="connection gone"
        ),
        pytest.param(PRUNE, linked(Status.PENDING_AUTH), "done", 1, id="prune"),
        pytest.param(PRUNE, OBSERVED, "failed changed-since-plan", 0, id="prune what was linked since"),
    ],
)
def test_what_is_read_right_before_decides(action, live, end, writes):
    async def scene():
        scene = Scene()
        if live:
            scene.codat.add(live)
        outcome = await scene.apply([action])
        assert ends(outcome) == [end]
        assert outcome.requests == writes

    virtual_time.run(scene())


@pytest.mark.parametrize(
    ("before", "says"),
    [
        ((), f"connection {BOOKS} (QuickBooks Online) has come up, and it is Linked"),
        (
            (live_connection(),),
            f"connection {BOOKS} (QuickBooks Online) has become Linked where PendingAuth was read",
        ),
        ((live_connection(Status.LINKED), live_connection(id="gone")), "connection gone (QuickBooks Online)"),
    ],
    ids=["come up", "linked", "gone"],
)
def test_a_delete_that_is_left_names_the_connection_that_is_in_its_way(before, says):
    async def scene():
        scene = Scene()
        scene.codat.add(OBSERVED)
        outcome = await scene.apply([replace(DELETE, observed=replace(OBSERVED, connections=before))])
        assert ends(outcome) == ["failed changed-since-plan"]
        assert says in outcome.results[0].failure.message
        assert scene.company == OBSERVED

    virtual_time.run(scene())


LOOKS = {
    "update_company": "company",
    "unlink": "connection",
    "delete_company": "company",
    "delete_connection": "connection",
}
ACTIONS = {
    "update_company": UPDATE,
    "unlink": UNLINK,
    "delete_company": DELETE,
    "delete_connection": DELETE_CONNECTION,
}


@pytest.mark.parametrize("method", ACTIONS)
def test_after_each_pause_that_codat_asks_for_it_is_read_again(method):
    async def scene():
        scene = Scene()
        scene.codat.add(OBSERVED)
        scene.codat.faults = [Fault(method, HELD_UP, times=2)]
        assert ends(await scene.apply([ACTIONS[method]])) == ["done"]
        assert scene.codat.requests == [LOOKS[method], method] * 3
        assert len({key for _, key in scene.codat.keys}) <= 1, "a 429 releases the key"

    virtual_time.run(scene())


@pytest.mark.parametrize("method", ACTIONS)
def test_what_changes_while_codat_asks_for_a_pause_is_left_alone(method):
    async def scene():
        scene = Scene()
        scene.codat.add(OBSERVED)
        meanwhile = replace(linked(Status.DEAUTHORIZED), name="New")
        scene.codat.faults = [Fault(method, HELD_UP, then=lambda: scene.codat.add(meanwhile))]
        assert ends(await scene.apply([ACTIONS[method]])) == ["failed changed-since-plan"]
        assert scene.codat.journal == []

    virtual_time.run(scene())


@pytest.mark.parametrize("method", ACTIONS)
def test_a_look_whose_answer_took_long_is_not_relied_on(method):
    async def scene():
        scene = Scene()
        scene.codat.add(OBSERVED)
        meanwhile = replace(linked(Status.DEAUTHORIZED), name="New")
        scene.codat.faults = [Fault(LOOKS[method], meanwhile=lambda: scene.codat.add(meanwhile))]
        assert ends(await scene.apply([ACTIONS[method]])) == ["failed changed-since-plan"]
        assert scene.codat.journal == []

    virtual_time.run(scene())


@pytest.mark.parametrize("method", ACTIONS)
@pytest.mark.parametrize(
    ("error", "after", "sent"),
    [
        (NO_ANSWER, False, 2),
        (NO_ANSWER, True, 1),
        (FAULT, False, 2),
        (FAULT, True, 1),
        (UnreachableError("no"), False, 2),
        (StillRunningError("409", status=409), False, 2),
    ],
    ids=["lost", "answer lost", "5xx before", "5xx after", "unreachable", "409"],
)
def test_a_change_is_sent_again_only_where_it_is_not_done(method, error, after, sent):
    async def scene():
        scene = Scene()
        scene.codat.add(OBSERVED)
        scene.codat.faults = [Fault(method, error, after=after)]
        outcome = await scene.apply([ACTIONS[method]])
        assert ends(outcome) == ["done"]
        assert scene.codat.requests.count(method) == sent
        assert len(scene.codat.journal) == 1

    virtual_time.run(scene())


@pytest.mark.parametrize("method", ACTIONS)
def test_a_change_that_fails_twice_is_a_failure(method):
    async def scene():
        scene = Scene()
        scene.codat.add(OBSERVED)
        scene.codat.faults = [Fault(method, FAULT, times=9)]
        outcome = await scene.apply([ACTIONS[method]])
        assert ends(outcome) == ["failed server-fault"]
        assert scene.codat.requests.count(method) == 2

    virtual_time.run(scene())


@pytest.mark.parametrize("method", ["update_company", "unlink"])
def test_no_answer_is_asked_again_under_the_same_key_and_a_fault_under_a_new_one(method):
    async def scene():
        for error, distinct in ((NO_ANSWER, 1), (FAULT, 2)):
            scene = Scene()
            scene.codat.add(OBSERVED)
            scene.codat.faults = [Fault(method, error)]
            await scene.apply([ACTIONS[method]])
            assert len({key for _, key in scene.codat.keys}) == distinct, error.code

    virtual_time.run(scene())


def test_a_later_run_never_replays_a_change():
    async def scene():
        scene = Scene()
        scene.codat.add(OBSERVED)
        await scene.apply([UPDATE])
        scene.codat.add(OBSERVED)
        assert ends(await scene.apply([UPDATE])) == ["done"]
        assert scene.company.name == "Acme Stores"

    virtual_time.run(scene())


@pytest.mark.parametrize("method", ["delete_company", "delete_connection"])
def test_a_delete_answered_404_is_done(method):
    async def scene():
        scene = Scene()
        scene.codat.add(OBSERVED)
        scene.codat.faults = [Fault(method, NotFoundError("404", status=404))]
        assert ends(await scene.apply([ACTIONS[method]])) == ["done"]

    virtual_time.run(scene())


@pytest.mark.parametrize(
    ("method", "answer", "field"),
    [
        ("update_company", {"name": "Acme"}, "name"),
        ("update_company", {"tags": OBSERVED.tags}, "tags.region"),
        ("unlink", {"status": Status.LINKED}, "status"),
    ],
)
def test_an_answer_that_differs_is_a_named_failure(method, answer, field):
    async def scene():
        scene = Scene()
        scene.codat.add(OBSERVED)
        scene.codat.faults = [Fault(method, replaces=answer)]
        outcome = await scene.apply([ACTIONS[method]])
        assert ends(outcome) == ["failed answer-differs"]
        assert field in outcome.results[0].failure.message

    virtual_time.run(scene())


def test_adopting_keeps_every_tag_that_was_there():
    async def scene():
        scene = Scene()
        foreign = live_company(tags={"uid": "cust_1"})
        scene.codat.add(foreign)
        marks = tuple(Change(path=f"tags.{tag}", before=None, after=value) for tag, value in ours().items())
        outcome = await scene.apply(
            [
                AdoptCompany(
                    address=Address("acme"),
                    reason="by id",
                    company_id=COMPANY,
                    changes=marks,
                    observed=foreign,
                )
            ]
        )
        assert ends(outcome) == ["done"]
        assert scene.company.tags == ours(uid="cust_1")

    virtual_time.run(scene())
