"""Tokens reach each connection once, and never one that works."""

from __future__ import annotations

import pytest
import virtual_time
from apply_codat import Fault
from apply_scenes import (
    BOOKS,
    COMPANY,
    QBO,
    SECRET_TEXT,
    XERO,
    Scene,
    authorize,
    create_connection,
    ends,
    fresh,
    live_company,
    live_connection,
    sync,
)

from reconciler.actions import SyncTarget
from reconciler.codat.errors import (
    HeldUpError,
    NoAnswerError,
    NotFoundError,
    RejectedError,
    ServerFaultError,
    StillRunningError,
    UnauthorizedError,
    UnreachableError,
)
from reconciler.diagnostics import CodatSyncError, Diagnostic
from reconciler.live import Status
from reconciler.model import Address
from reconciler.outcome import EventType
from reconciler.secret_refs import Secret

NO_ANSWER = NoAnswerError("the answer did not come in time")
FAULT = ServerFaultError("500: Codat fails", status=500, correlation_id="corr-500")
UNREACHABLE = UnreachableError("no connection could be made")
HELD_UP = HeldUpError("Codat asks for a pause (429)", status=429)


def known(observed=Status.PENDING_AUTH, **fields):
    """An authorize of a connection that the plan knew."""
    return authorize(company_id=COMPANY, connection_id=BOOKS, observed=observed, **fields)


def scene_with(status=Status.PENDING_AUTH):
    scene = Scene()
    scene.codat.add(live_company(live_connection(status)))
    return scene


@pytest.mark.parametrize(
    ("observed", "now", "end", "sent"),
    [
        (Status.PENDING_AUTH, Status.PENDING_AUTH, "done", 1),
        (Status.PENDING_AUTH, Status.LINKED, "already", 0),
        (Status.PENDING_AUTH, Status.DEAUTHORIZED, "failed changed-since-plan", 0),
        (Status.PENDING_AUTH, Status.UNLINKED, "failed changed-since-plan", 0),
        (Status.DEAUTHORIZED, Status.DEAUTHORIZED, "done", 1),
        (Status.DEAUTHORIZED, Status.LINKED, "already", 0),
        (Status.DEAUTHORIZED, Status.UNLINKED, "failed changed-since-plan", 0),
        (Status.UNLINKED, Status.UNLINKED, "done", 1),
        (Status.UNLINKED, Status.LINKED, "already", 0),
        (Status.LINKED, Status.LINKED, "done", 1),
        (Status.LINKED, Status.DEAUTHORIZED, "failed changed-since-plan", 0),
        (Status.PENDING_AUTH, Status.UNKNOWN, "failed changed-since-plan", 0),
    ],
)
def test_what_is_read_right_before_decides(observed, now, end, sent):
    async def scene():
        one = scene_with(now)
        outcome = await one.apply([known(observed)])
        assert ends(outcome) == [end]
        assert one.codat.requests == ["connection", *["authorize"] * sent]

    virtual_time.run(scene())


@pytest.mark.parametrize(
    ("faults", "end", "sent", "arrived"),
    [
        pytest.param([Fault("authorize", NO_ANSWER, after=True)], "done", 1, 1, id="no answer, arrived"),
        pytest.param([Fault("authorize", NO_ANSWER)], "done", 2, 1, id="no answer, lost"),
        pytest.param([Fault("authorize", FAULT, after=True)], "done", 1, 1, id="5xx, arrived"),
        pytest.param([Fault("authorize", FAULT)], "done", 2, 1, id="5xx, lost"),
        pytest.param([Fault("authorize", UNREACHABLE)], "done", 2, 1, id="unreachable"),
        pytest.param(
            [Fault("authorize", NO_ANSWER, times=2)], "failed authorize-unknown", 2, 0, id="lost twice"
        ),
        pytest.param(
            [Fault("authorize", UNREACHABLE, times=2)], "failed unreachable", 2, 0, id="unreachable twice"
        ),
        pytest.param(
            [Fault("authorize", NO_ANSWER), Fault("connection", NO_ANSWER, skip=1, times=9)],
            "failed authorize-unknown",
            1,
            0,
            id="nor can it be read",
        ),
        pytest.param([Fault("authorize", StillRunningError("409"))], "failed rejected", 1, 0, id="409"),
        pytest.param(
            [Fault("authorize", replaces={"status": Status.PENDING_AUTH})],
            "failed answer-differs",
            1,
            1,
            id="an answer that is not Linked",
        ),
    ],
)
def test_tokens_are_sent_again_only_where_they_did_not_arrive(faults, end, sent, arrived):
    async def scene():
        one = scene_with()
        one.codat.faults = faults
        outcome = await one.apply([known()])
        assert ends(outcome) == [end]
        assert one.codat.requests.count("authorize") == sent
        assert len(one.codat.tokens) == arrived

    virtual_time.run(scene())


@pytest.mark.parametrize(("pauses", "end"), [(1, "done"), (4, "done"), (9, "failed held-up")])
def test_after_each_pause_that_codat_asks_for_the_connection_is_looked_at_again(pauses, end):
    async def scene():
        one = scene_with()
        one.codat.faults = [Fault("authorize", HELD_UP, times=pauses)]
        assert ends(await one.apply([known()])) == [end]
        assert one.codat.requests == ["connection", "authorize"] * min(pauses + 1, 5)

    virtual_time.run(scene())


def test_who_links_while_codat_asks_for_a_pause_gets_no_tokens():
    async def scene():
        one = scene_with()
        linked = live_connection(Status.LINKED)
        one.codat.faults = [
            Fault("authorize", HELD_UP, then=lambda: one.codat.put_connection(COMPANY, linked))
        ]
        assert ends(await one.apply([known()])) == ["already"]
        assert one.codat.tokens == []

    virtual_time.run(scene())


def test_a_new_connection_is_looked_at_too_once_codat_asked_for_a_pause():
    async def scene():
        scene = Scene()
        scene.codat.faults = [Fault("authorize", HELD_UP)]
        assert ends(await scene.apply(fresh())) == ["done"] * 4
        assert scene.codat.requests[2:5] == ["authorize", "connection", "authorize"]

    virtual_time.run(scene())


def test_a_look_that_fails_sends_nothing_and_says_so():
    async def scene():
        one = scene_with()
        one.codat.faults = [Fault("connection", NO_ANSWER)]
        assert ends(await one.apply([known()])) == ["failed no-answer"]
        assert one.codat.requests == ["connection"]

    virtual_time.run(scene())


def test_tokens_are_not_sent_on_a_look_whose_answer_took_long():
    async def scene():
        one = scene_with()
        linked = live_connection(Status.LINKED)
        one.codat.faults = [Fault("connection", meanwhile=lambda: one.codat.put_connection(COMPANY, linked))]
        assert ends(await one.apply([known()])) == ["already"]
        assert one.codat.tokens == []

    virtual_time.run(scene())


@pytest.mark.parametrize(("seconds", "looks"), [(0.1, 1), (20, 2)], ids=["at once", "slowly"])
def test_tokens_that_took_long_to_get_are_not_sent_on_an_old_look(seconds, looks):
    async def scene():
        one = scene_with()

        async def resolve(_ref):
            await one.clock.sleep(seconds)
            return Secret(SECRET_TEXT)

        assert ends(await one.apply([known()], resolve=resolve)) == ["done"]
        assert one.codat.requests == ["connection"] * looks + ["authorize"]

    virtual_time.run(scene())


def test_a_connection_that_becomes_linked_late_gets_no_tokens_again():
    async def scene():
        one = scene_with()
        linked = live_connection(Status.LINKED)
        one.codat.faults = [
            Fault("authorize", NO_ANSWER),
            Fault("connection", skip=5, then=lambda: one.codat.put_connection(COMPANY, linked)),
        ]
        outcome = await one.apply([known()])
        assert ends(outcome) == ["done"]
        assert one.codat.requests.count("authorize") == 1

    virtual_time.run(scene())


def test_reauthorizing_a_linked_connection_is_never_sent_twice():
    async def scene():
        one = scene_with(Status.LINKED)
        one.codat.faults = [Fault("authorize", NO_ANSWER)]
        outcome = await one.apply([known(Status.LINKED)])
        assert ends(outcome) == ["failed authorize-unknown"]
        assert one.codat.requests.count("authorize") == 1

    virtual_time.run(scene())


def test_a_rejection_stops_its_company_and_says_what_to_do():
    async def scene():
        one = scene_with()
        one.secrets["TOKEN"] = "bad-token"
        outcome = await one.apply(
            [
                known(),
                sync(SyncTarget(address=Address("acme", "books"), connection_id=BOOKS), company_id=COMPANY),
            ]
        )
        assert ends(outcome) == ["failed rejected", "not-started"]
        failure = outcome.results[0].failure
        assert "invalid_grant" in failure.message
        assert "run the same command again" in failure.message
        assert failure.correlation_id == "corr-400"

    virtual_time.run(scene())


def test_a_connection_that_has_gone_is_a_change_since_the_plan():
    async def scene():
        scene = Scene()
        scene.codat.add(live_company())
        assert ends(await scene.apply([known()])) == ["failed changed-since-plan"]

    virtual_time.run(scene())


def test_a_connection_found_created_is_read_before_its_tokens_are_sent():
    async def scene():
        scene = Scene()
        scene.codat.add(live_company())
        actions = [create_connection(company_id=COMPANY), authorize(company_id=COMPANY)]
        await scene.apply(actions)
        await scene.clock.sleep(10)
        assert ends(await scene.apply(actions)) == ["already", "already"]
        assert len(scene.codat.tokens) == 1

    virtual_time.run(scene())


def test_a_connection_that_codat_does_not_show_yet_is_waited_for():
    async def scene():
        scene = Scene()
        scene.codat.add(live_company())
        scene.codat.faults = [
            Fault("create_connection", NO_ANSWER),
            Fault("connection", NotFoundError("404", status=404), times=3),
        ]
        actions = [create_connection(company_id=COMPANY), authorize(company_id=COMPANY)]
        assert ends(await scene.apply(actions)) == ["done", "done"]

    virtual_time.run(scene())


def test_a_secret_that_is_missing_fails_its_company_alone():
    class MissingError(CodatSyncError):
        pass

    def resolve(ref):
        raise MissingError(Diagnostic("secret-missing", f"{ref} is not set", fix="set it"))

    async def scene():
        one = scene_with()
        outcome = await one.apply([known()], resolve=resolve)
        assert ends(outcome) == ["failed secret-missing"]
        assert "${env:TOKEN} is not set" in outcome.results[0].failure.message
        assert one.codat.requests == ["connection"]
        assert outcome.stopped is None

    virtual_time.run(scene())


def test_no_secret_and_no_link_url_is_told():
    async def scene():
        scene = Scene()
        scene.codat.add(live_company())
        scene.codat.faults = [Fault("authorize", NO_ANSWER), Fault("sync_all", FAULT)]
        actions = [
            create_connection(company_id=COMPANY),
            authorize(company_id=COMPANY),
            sync(company_id=COMPANY),
        ]
        outcome = await scene.apply(actions)
        told = (
            repr(outcome) + str(outcome.document()) + "".join(str(event.document()) for event in scene.events)
        )
        assert "link.example" not in told
        assert SECRET_TEXT not in told
        assert "4620816365" not in told

    virtual_time.run(scene())


# --- platforms -----------------------------------------------------------------------------------


def many(count, bad=(), platform_key=QBO):
    """A Codat with ``count`` companies of one connection each, and the authorizes of all."""
    scene = Scene(concurrency=5, max_failures=99)
    actions = []
    for number in range(count):
        company_id, connection_id = f"company-{number:03}", f"connection-{number:03}"
        scene.codat.add(live_company(live_connection(id=connection_id), key=f"k{number:03}", id=company_id))
        token = "bad-token" if number in bad else "good"
        actions.append(
            authorize(
                f"k{number:03}/books",
                company_id,
                connection_id,
                Status.PENDING_AUTH,
                platform_key,
                {"accessToken": token},
            )
        )
    return scene, actions


def test_of_many_authorizations_of_a_platform_the_first_goes_alone():
    async def scene():
        one, actions = many(12)
        outcome = await one.apply(actions)
        assert set(ends(outcome)) == {"done"}
        first_end = one.codat.requests.index("authorize")
        assert one.codat.requests[:first_end] == ["connection"]
        assert one.codat.requests[first_end + 1 : first_end + 5] == ["connection"] * 4

    virtual_time.run(scene())


def test_ten_authorizations_go_together():
    async def scene():
        one, actions = many(10)
        await one.apply(actions)
        assert one.codat.requests[:5] == ["connection"] * 5

    virtual_time.run(scene())


def test_three_rejections_in_a_row_stop_the_platform_and_no_other():
    async def scene():
        one, actions = many(20, bad=range(20))
        other_id = "other"
        one.codat.add(live_company(live_connection(id="shop", platform_key=XERO), key="zulu", id=other_id))
        actions.append(authorize("zulu/shop", other_id, "shop", Status.PENDING_AUTH, XERO))
        outcome = await one.apply(actions)
        assert ends(outcome).count("failed rejected") == 3
        assert ends(outcome).count("not-started platform-stopped") == 17
        assert ends(outcome)[-1] == "done"
        assert one.codat.requests.count("authorize") == 4
        assert outcome.stopped is None

    virtual_time.run(scene())


def test_rejections_that_are_not_in_a_row_do_not_stop_a_platform():
    async def scene():
        one, actions = many(9)
        one.concurrency = 1
        rejected = RejectedError("400: invalid_grant", status=400)
        one.codat.faults = [
            fault for _ in range(3) for fault in (Fault("authorize", rejected, times=2), Fault("authorize"))
        ]
        outcome = await one.apply(actions)
        assert ends(outcome).count("failed rejected") == 6
        assert ends(outcome).count("done") == 3

    virtual_time.run(scene())


def test_whoever_waits_for_the_first_sends_nothing_when_the_run_stops():
    async def scene():
        one, actions = many(12)
        one.codat.faults = [Fault("authorize", UnauthorizedError("401", status=401))]
        outcome = await one.apply(actions)
        assert one.codat.requests == ["connection", "authorize"]
        assert sorted(ends(outcome)) == ["failed unauthorized"] + ["not-started"] * 11

    virtual_time.run(scene())


def test_ctrl_c_between_reading_and_sending_sends_nothing():
    async def scene():
        one = scene_with()
        one.codat.faults = [Fault("connection", then=one.stop.set)]
        assert ends(await one.apply([known()])) == ["not-started"]
        assert one.codat.requests == ["connection"]

    virtual_time.run(scene())


def test_waits_are_told_with_their_length_and_reason():
    async def scene():
        one = scene_with()
        one.codat.faults = [Fault("authorize", NO_ANSWER)]
        await one.apply([known()])
        waits = [event for event in one.events if event.type is EventType.WAITING]
        assert [event.data["seconds"] for event in waits] == [1, 2, 4, 8, 15]
        assert "looking whether the connection is Linked" in waits[0].message

    virtual_time.run(scene())


def test_an_unmended_refusal_of_the_connection_itself_does_not_count_against_the_platform():
    async def scene():
        one, actions = many(20)
        one.codat.faults = [Fault("authorize", NotFoundError("404", status=404), times=5)]
        outcome = await one.apply(actions)
        assert ends(outcome).count("failed rejected") == 5
        assert ends(outcome).count("done") == 15

    virtual_time.run(scene())
