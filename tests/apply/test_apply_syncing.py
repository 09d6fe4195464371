"""A sync is started once a company, and what Codat says is in progress is believed only when seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import virtual_time
from apply_codat import Fault
from apply_scenes import BOOKS, COMPANY, Scene, authorize, ends, live_company, live_connection, sync

from reconciler.actions import SyncTarget
from reconciler.codat.errors import (
    AlreadyQueuedError,
    NoAnswerError,
    RejectedError,
    ServerFaultError,
    StillRunningError,
    UnreachableError,
)
from reconciler.live import Pull, PullState, Status
from reconciler.model import Address

SHOP = "50000000-0000-4000-8000-000000000000"
TARGET = SyncTarget(address=Address("acme", "books"), connection_id=BOOKS)
OTHER = SyncTarget(address=Address("acme", "shop"), connection_id=SHOP)
UNREACHABLE = UnreachableError("no connection could be made")
QUEUED = AlreadyQueuedError("400: DatasetAlreadyInProgressException", status=400)


def scene_of():
    scene = Scene()
    scene.codat.add(
        live_company(
            live_connection(Status.LINKED), live_connection(Status.LINKED, id=SHOP, platform_key="fztf")
        )
    )
    return scene


def pull(one, connection_id=BOOKS, state=PullState.RUNNING, age=5.0, data_type="invoices"):
    requested = one.clock.now() - timedelta(seconds=age)
    return Pull(
        id=f"pull-{connection_id}-{age}",
        connection_id=connection_id,
        data_type=data_type,
        status="x",
        state=state,
        requested=requested,
    )


def test_all_connections_of_a_company_take_one_request():
    async def scene():
        one = scene_of()
        assert ends(await one.apply([sync(TARGET, OTHER, company_id=COMPANY)])) == ["done"]
        assert one.codat.requests == ["sync_all"]

    virtual_time.run(scene())


def test_named_data_types_take_one_request_each_under_keys_of_their_own():
    async def scene():
        one = scene_of()
        named = replace(TARGET, data_types=("invoices", "bills"))
        other = replace(OTHER, data_types=("orders",))
        assert ends(await one.apply([sync(named, other, company_id=COMPANY)])) == ["done"]
        assert one.codat.requests == ["queue"] * 3
        assert len(set(one.codat.keys)) == 3

    virtual_time.run(scene())


@pytest.mark.parametrize(
    ("pulls", "end"),
    [
        pytest.param([{}, {"connection_id": SHOP}], "already", id="both run"),
        pytest.param([{}], "incomplete sync-not-seen", id="one has none"),
        pytest.param(
            [{}, {"connection_id": SHOP, "state": PullState.DONE, "age": 60}],
            "incomplete sync-not-seen",
            id="one ended before this run",
        ),
        pytest.param(
            [{}, {"connection_id": SHOP, "state": PullState.FAILED, "age": -1}],
            "already",
            id="one began in this run",
        ),
    ],
)
def test_what_is_in_progress_is_done_where_the_history_shows_it(pulls, end):
    async def scene():
        one = scene_of()
        one.codat.sync_seconds = 1000
        one.codat.pulls[COMPANY] = [pull(one, **given) for given in pulls]
        one.codat.faults = [Fault("sync_all", QUEUED)]
        assert ends(await one.apply([sync(TARGET, OTHER, company_id=COMPANY)])) == [end]

    virtual_time.run(scene())


def test_a_pull_that_is_older_than_the_tokens_does_not_serve():
    """Nor where it began in this run: the tokens went out after it."""

    async def scene():
        scene = Scene()
        scene.codat.add(live_company(live_connection()))
        actions = [
            authorize("acme/books", COMPANY, BOOKS, Status.PENDING_AUTH),
            sync(TARGET, company_id=COMPANY),
        ]
        scene.codat.pulls[COMPANY] = [pull(scene, state=PullState.DONE, age=-5)]
        scene.codat.faults = [Fault("authorize", UNREACHABLE), Fault("sync_all", QUEUED)]
        assert ends(await scene.apply(actions)) == ["done", "incomplete sync-not-seen"]

    virtual_time.run(scene())


def test_a_data_type_counts_only_for_itself():
    async def scene():
        one = scene_of()
        one.codat.sync_seconds = 1000
        one.codat.pulls[COMPANY] = [pull(one, data_type="bills")]
        one.codat.faults = [Fault("queue", QUEUED)]
        named = replace(TARGET, data_types=("invoices",))
        assert ends(await one.apply([sync(named, company_id=COMPANY)])) == ["incomplete sync-not-seen"]

    virtual_time.run(scene())


def test_one_data_type_in_progress_does_not_keep_the_others_from_being_queued():
    async def scene():
        one = scene_of()
        one.codat.faults = [Fault("queue", QUEUED)]
        named = replace(TARGET, data_types=("invoices", "bills"))
        assert ends(await one.apply([sync(named, company_id=COMPANY)])) == ["incomplete sync-not-seen"]
        assert one.codat.journal == ["sync bills"]

    virtual_time.run(scene())


@pytest.mark.parametrize(
    ("fault", "sent", "keys"),
    [
        pytest.param({"error": NoAnswerError("no")}, 2, 1, id="lost"),
        pytest.param({"error": NoAnswerError("no"), "after": True}, 2, 1, id="answer lost"),
        pytest.param({"error": StillRunningError("409", status=409), "times": 2}, 3, 1, id="in progress"),
        pytest.param({"error": StillRunningError("409", status=409), "times": 7}, 8, 2, id="not ready"),
        pytest.param({"error": ServerFaultError("500", status=500)}, 2, 2, id="5xx before"),
        pytest.param({"error": ServerFaultError("500", status=500), "after": True}, 1, 1, id="5xx after"),
    ],
)
def test_a_sync_is_started_once_whatever_the_answer(fault, sent, keys):
    async def scene():
        one = scene_of()
        one.codat.faults = [Fault("sync_all", **fault)]
        assert ends(await one.apply([sync(TARGET, OTHER, company_id=COMPANY)])) == ["done"]
        assert one.codat.journal == ["sync invoices"] * 2
        assert len(one.codat.keys) == sent
        assert len(set(one.codat.keys)) == keys

    virtual_time.run(scene())


def test_a_sync_that_faults_twice_or_is_refused_fails():
    async def scene():
        one = scene_of()
        one.codat.faults = [Fault("sync_all", ServerFaultError("500", status=500), times=9)]
        assert ends(await one.apply([sync(TARGET, company_id=COMPANY)])) == ["failed server-fault"]
        assert one.codat.requests.count("sync_all") == 2
        one.codat.faults = [Fault("sync_all", RejectedError("400: no", status=400))]
        assert ends(await one.apply([sync(TARGET, company_id=COMPANY)])) == ["failed rejected"]

    virtual_time.run(scene())
