"""What is created is created once, whatever happens to the requests."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import virtual_time
from apply_codat import LATENCY, Fault
from apply_scenes import (
    COMPANY,
    PLAID,
    Scene,
    authorize,
    create_company,
    create_connection,
    ends,
    fresh,
    live_company,
    live_connection,
    ours,
)

from reconciler.apply import state
from reconciler.codat.errors import (
    AccountLimitError,
    GatewayFaultError,
    HeldUpError,
    KeyReusedError,
    NoAnswerError,
    NotFoundError,
    RejectedError,
    ServerFaultError,
    StillRunningError,
    UnreachableError,
)
from reconciler.live import Status
from reconciler.model import LINKS_TAG, Mark

NO_ANSWER = NoAnswerError("the answer did not come in time")
UNREACHABLE = UnreachableError("no connection could be made")
FAULT = ServerFaultError("500: Codat fails", status=500, correlation_id="corr-500")
GATEWAY = GatewayFaultError("502: no word of Codat's", status=502)
HELD_UP = HeldUpError("429: a pause", status=429)
BUSY = StillRunningError("409: in progress", status=409)
REUSED = KeyReusedError("422: key reused", status=422)
REFUSED = RejectedError("400: refused", status=400, correlation_id="corr-400")
NO_COMPANY = NotFoundError("404: no company", status=404)
FULL = AccountLimitError("402: limit", status=402)

DONE = ["done", "done", "done", "done"]


def test_a_fresh_company_with_one_connection_takes_four_writes_and_no_read():
    async def scene():
        scene = Scene()
        outcome = await scene.apply(fresh())
        assert ends(outcome) == DONE
        assert scene.codat.requests == ["create_company", "create_connection", "authorize", "sync_all"]
        assert outcome.requests == 4
        assert scene.company.tags == ours(region="uk")

    virtual_time.run(scene())


def test_what_was_sent_for_a_company_is_remembered_for_its_requests_alone():
    async def scene():
        scene = Scene()
        await scene.apply((*fresh("acme"), *fresh("bravo")))
        assert len({id(memory) for memory in scene.codat.memories}) == 2

    virtual_time.run(scene())


@pytest.mark.parametrize("method", ["create_company", "create_connection"])
@pytest.mark.parametrize(
    ("fault", "keys_sent"),
    [
        pytest.param({"error": NO_ANSWER}, [0, 0], id="no answer, nothing done"),
        pytest.param({"error": NO_ANSWER, "after": True}, [0, 0], id="no answer, done"),
        pytest.param({"error": UNREACHABLE, "times": 3}, [0, 0, 0, 0], id="unreachable"),
        pytest.param({"error": FAULT}, [0, 1], id="5xx, nothing done"),
        pytest.param({"error": FAULT, "after": True}, [0], id="5xx, done"),
        pytest.param({"error": GATEWAY}, [0, 0], id="a gateway's 5xx, nothing done"),
        pytest.param({"error": GATEWAY, "times": 2}, [0, 0, 1], id="a gateway's 5xx twice, or kept by Codat"),
        pytest.param({"error": GATEWAY, "after": True}, [0], id="a gateway's 5xx, done"),
        pytest.param({"error": REUSED}, [0, 1], id="422, nothing there"),
        pytest.param({"error": REUSED, "after": True}, [0], id="422, someone was here"),
        pytest.param({"error": REFUSED}, [0, 1], id="a refusal that is mended"),
        pytest.param({"error": FULL}, [0, 1], id="402 that is mended"),
    ],
)
def test_a_create_is_settled_whatever_the_answer(method, fault, keys_sent):
    async def scene():
        scene = Scene()
        scene.codat.faults = [Fault(method, **fault)]
        outcome = await scene.apply(fresh())
        assert [end for end in ends(outcome) if end not in ("done", "already")] == []
        assert scene.codat.journal == [
            "create company Acme",
            "create connection qhyg",
            "authorize qhyg",
            "sync invoices",
        ]
        sent = [key for name, key in scene.codat.keys if name == method]
        made = {
            "create_company": lambda n: state.company_key("prod", "acme", n),
            "create_connection": lambda n: state.connection_key(scene.company.id, "books", n),
        }[method]
        assert sent == [made(attempt) for attempt in keys_sent]

    virtual_time.run(scene())


@pytest.mark.parametrize("method", ["create_company", "create_connection"])
@pytest.mark.parametrize(
    ("error", "code", "attempts", "says"),
    [
        (NO_ANSWER, "no-answer", 7, "run the same command again"),
        (UNREACHABLE, "unreachable", 7, "nothing was sent"),
        (FAULT, "not-created", 5, "run the same command again"),
        (GATEWAY, "not-created", 5, "run the same command again"),
        (REFUSED, "rejected", 2, "repeats a refusal for 90 minutes"),
        (FULL, "account-limit", 2, "run the same command again"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_create_that_cannot_succeed_fails_and_says_how_to_go_on(method, error, code, attempts, says):
    async def scene():
        scene = Scene()
        scene.codat.faults = [Fault(method, error, times=99)]
        outcome = await scene.apply(fresh())
        failed = next(result for result in outcome.results if result.result.value == "failed")
        assert failed.failure.code == code
        assert says in failed.failure.message
        assert failed.failure.correlation_id == (error.correlation_id if attempts in (2,) else "")
        assert scene.codat.requests.count(method) == attempts
        assert ends(outcome)[-1] == "not-started"
        assert (outcome.stopped is not None) == (error is FULL)

    virtual_time.run(scene())


def test_a_request_in_progress_is_waited_for_a_minute_and_then_looked_for():
    async def scene():
        scene = Scene()
        scene.codat.faults = [Fault("create_company", BUSY, times=7)]
        began = scene.clock.now()
        scene.codat.add(live_company(created=began))
        scene.codat.lag = timedelta(seconds=75)
        outcome = await scene.apply([create_company()])
        assert ends(outcome) == ["failed answer-differs"], "found, and it has no region"
        assert scene.codat.requests == ["create_company"] * 7 + ["companies"] * 5
        assert timedelta(seconds=60) < scene.clock.now() - began < timedelta(seconds=92)

    virtual_time.run(scene())


def test_a_lagging_index_is_looked_at_for_thirty_seconds():
    async def scene():
        scene = Scene()
        scene.codat.lag = timedelta(seconds=20)
        scene.codat.faults = [Fault("create_company", FAULT, after=True)]
        outcome = await scene.apply(fresh())
        assert ends(outcome) == ["already", "done", "done", "done"]
        assert len(scene.codat.live) == 1

    virtual_time.run(scene())


@pytest.mark.parametrize(("refused", "hidden"), [(1, 0), (1, 4), (3, 0)], ids=["once", "hidden", "often"])
def test_a_connection_waits_for_its_new_company_to_be_known_to_codat(refused, hidden):
    async def scene():
        scene = Scene()
        scene.codat.faults = [
            Fault("create_connection", NO_COMPANY, times=refused),
            *([Fault("company", NO_COMPANY, times=hidden)] if hidden else []),
        ]
        began = scene.clock.now()
        outcome = await scene.apply(fresh())
        assert ends(outcome) == DONE
        assert scene.codat.requests.count("create_connection") == 1 + refused, "each refusal is kept by Codat"
        assert scene.clock.now() - began > timedelta(seconds=2 ** max(refused, hidden) - 1)

    virtual_time.run(scene())


def test_a_new_company_that_codat_does_not_show_costs_one_attempt_and_the_next_run_goes_on():
    async def scene():
        scene = Scene()
        scene.codat.faults = [
            Fault("create_connection", NO_COMPANY),
            Fault("company", NO_COMPANY, times=6),
        ]
        began = scene.clock.now()
        assert ends(await scene.apply(fresh()))[:2] == ["done", "failed changed-since-plan"]
        assert scene.codat.requests.count("create_connection") == 1
        assert timedelta(seconds=30) < scene.clock.now() - began < timedelta(seconds=33)
        outcome = await scene.apply([create_connection(company_id=scene.company.id)])
        assert ends(outcome) == ["done"]

    virtual_time.run(scene())


def test_refusals_that_codat_repeats_of_a_company_that_is_there_by_now_are_got_over():
    async def scene():
        scene = Scene()
        scene.codat.add(live_company())
        scene.codat.faults = [Fault("create_connection", NO_COMPANY, times=4)]
        assert ends(await scene.apply([create_connection(company_id=COMPANY)])) == ["done"]

    virtual_time.run(scene())


def test_a_404_that_stays_although_the_company_is_there_is_told_in_codats_words():
    async def scene():
        scene = Scene()
        scene.codat.add(live_company())
        scene.codat.faults = [Fault("create_connection", NO_COMPANY, times=99)]
        outcome = await scene.apply([create_connection(company_id=COMPANY)])
        assert ends(outcome) == ["failed not-created"]
        assert scene.codat.requests.count("create_connection") == 5
        assert "404: no company" in outcome.results[0].failure.message
        assert "repeats a refusal for 90 minutes" in outcome.results[0].failure.message

    virtual_time.run(scene())


def test_no_second_attempt_is_made_on_a_company_that_is_gone():
    async def scene():
        scene = Scene()
        outcome = await scene.apply([create_connection(company_id=COMPANY)])
        assert ends(outcome) == ["failed changed-since-plan"]
        assert scene.codat.requests == ["create_connection", "company"]

    virtual_time.run(scene())


def test_two_companies_with_the_same_key_fail_naming_both():
    async def scene():
        scene = Scene()
        scene.codat.add(live_company(id="one"))
        scene.codat.add(live_company(id="two"))
        scene.codat.faults = [Fault("create_company", FAULT)]
        outcome = await scene.apply(fresh())
        assert ends(outcome)[0] == "failed duplicate"
        assert "one and two" in outcome.results[0].failure.message

    virtual_time.run(scene())


def test_a_replay_whose_company_is_gone_leads_to_the_next_attempt():
    async def scene():
        scene = Scene()
        await scene.apply([create_company()])
        scene.codat.live.clear()
        await scene.clock.sleep(600)
        began = scene.clock.now()
        outcome = await scene.apply([create_company()])
        assert ends(outcome) == ["done"]
        assert len(scene.codat.live) == 1
        assert scene.clock.now() - began < timedelta(seconds=1), "it is too old for a lag"

    virtual_time.run(scene())


@pytest.mark.parametrize("names", [["Acme"] * 9, [f"Acme {n}" for n in range(9)]], ids=["same", "renamed"])
def test_a_company_may_be_deleted_and_created_again_within_the_time_that_codat_keeps_keys(names):
    async def scene():
        scene = Scene()
        for name in names:
            scene.codat.live.clear()
            await scene.clock.sleep(180)
            create = create_company()
            named = replace(create, fields={**create.fields, "name": name})
            assert ends(await scene.apply([named])) == ["done"]
        assert scene.company.name == names[-1]

    virtual_time.run(scene())


def test_a_company_that_was_deleted_too_often_is_told_when_it_can_be_created_again():
    async def scene():
        scene = Scene()
        for _ in range(50):
            assert ends(await scene.apply([create_company()])) == ["done"]
            scene.codat.live.clear()
            await scene.clock.sleep(70)
        outcome = await scene.apply([create_company()])
        assert ends(outcome) == ["failed not-created"]
        assert "deleted 50 times within 90 minutes" in outcome.results[0].failure.message
        assert "in 90 minutes" in outcome.results[0].failure.message
        await scene.clock.sleep(90 * 60)
        assert ends(await scene.apply([create_company()])) == ["done"]

    virtual_time.run(scene())


def test_a_deleted_company_never_counts_as_created_where_no_answer_tells_the_time():
    async def scene():
        scene = Scene()
        scene.codat.tells_no_time = True
        assert ends(await scene.apply(fresh())) == DONE
        scene.codat.live.clear()
        outcome = await scene.apply(fresh())
        assert ends(outcome) == DONE
        assert len(scene.codat.live) == 1
        assert scene.company.connections[0].status is Status.LINKED

    virtual_time.run(scene())


def test_a_young_company_that_is_not_shown_is_waited_for_and_not_created_twice():
    async def scene():
        scene = Scene()
        await scene.apply([create_company()])
        await scene.clock.sleep(10)
        hidden = dict(scene.codat.live)
        scene.codat.live.clear()
        scene.codat.faults = [Fault("company", skip=3, then=lambda: scene.codat.live.update(hidden))]
        outcome = await scene.apply([create_company()])
        assert ends(outcome) == ["already"]
        assert scene.codat.journal == ["create company Acme"]

    virtual_time.run(scene())


@pytest.mark.parametrize("minutes", [-60, 3, 60])
def test_how_old_a_replayed_company_is_does_not_depend_on_our_clock(minutes):
    wrong = virtual_time.VirtualClock(virtual_time.START + timedelta(minutes=minutes))

    async def young():
        scene = Scene()
        await scene.apply([create_company()])
        await scene.clock.sleep(5)
        scene.codat.faults = [Fault("company", NotFoundError("404", status=404))]
        assert ends(await scene.apply([create_company()], clock=wrong)) == ["already"]
        assert scene.codat.journal == ["create company Acme"]

    async def old():
        each_scene = Scene()
        await each_scene.apply([create_company()])
        each_scene.codat.live.clear()
        await each_scene.clock.sleep(600)
        began = each_scene.clock.now()
        assert ends(await each_scene.apply([create_company()], clock=wrong)) == ["done"]
        assert each_scene.clock.now() - began < timedelta(seconds=1), "it is too old for a lag"

    virtual_time.run(young())
    virtual_time.run(old())


def test_a_description_that_codat_rewrites_is_told_and_does_not_hold_up_the_connections():
    async def scene():
        scene = Scene()
        scene.codat.faults = [Fault("create_company", replaces={"description": "Rewritten"})]
        create, *others = fresh()
        described = replace(create, fields={**create.fields, "description": "As sent"})
        outcome = await scene.apply([described, *others])
        assert ends(outcome) == ["failed normalised", "done", "done", "done"]
        assert "description as 'Rewritten'" in outcome.results[0].failure.message
        assert not outcome.is_complete

    virtual_time.run(scene())


def test_a_replayed_company_that_no_longer_carries_our_key_fails():
    async def scene():
        scene = Scene()
        await scene.apply([create_company()])
        scene.codat.add(replace(scene.company, tags={}))
        await scene.clock.sleep(10)
        outcome = await scene.apply(fresh())
        assert ends(outcome)[0] == "failed not-ours"

    virtual_time.run(scene())


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        (Fault("create_company", replaces={"name": "Acme Stripped"}), "name"),
        (Fault("create_company", replaces={"tags": ours(region="eu")}), "tags.region"),
        (Fault("create_connection", replaces={"platform_key": "zzzz"}), "platform"),
    ],
    ids=["name", "tag", "platform"],
)
def test_an_answer_that_differs_is_a_named_failure(fault, field):
    async def scene():
        scene = Scene()
        scene.codat.faults = [fault]
        outcome = await scene.apply(fresh())
        failed = next(result for result in outcome.results if result.result.value == "failed")
        assert failed.failure.code == "answer-differs"
        assert field in failed.failure.message

    virtual_time.run(scene())


def test_a_run_long_after_its_plan_looks_before_it_creates():
    """The key of the run that was first is forgotten after 90 minutes."""

    async def scene():
        scene = Scene()
        planned_at = scene.clock.now()
        await scene.apply(fresh())
        await scene.clock.sleep(100 * 60)
        outcome = await scene.apply(fresh(), planned_at=planned_at)
        assert ends(outcome)[:3] == ["already", "already", "already"]
        assert len(scene.codat.live) == 1
        assert len(scene.company.connections) == 1

    virtual_time.run(scene())


def test_what_a_late_run_finds_is_compared_with_what_was_asked():
    async def scene():
        scene = Scene()
        planned_at = scene.clock.now()
        scene.codat.add(live_company(name="Acme by hand", tags=ours(region="uk")))
        await scene.clock.sleep(100 * 60)
        outcome = await scene.apply([create_company()], planned_at=planned_at)
        assert ends(outcome) == ["failed answer-differs"]
        assert "name is 'Acme by hand'" in outcome.results[0].failure.message

    virtual_time.run(scene())


def test_a_connection_that_may_be_known_to_others_is_read_before_its_tokens_are_sent():
    async def scene():
        for fault in ({"error": NO_ANSWER}, {"error": NO_ANSWER, "after": True}, {"error": FAULT}):
            scene = Scene()
            scene.codat.faults = [Fault("create_connection", **fault)]
            await scene.apply(fresh())
            place = scene.codat.requests.index("authorize")
            assert scene.codat.requests[place - 1] == "connection", fault

    virtual_time.run(scene())


def test_a_connection_that_the_answer_to_its_create_calls_linked_is_read_and_gets_no_tokens():
    async def scene():
        scene = Scene()
        scene.codat.faults = [Fault("create_connection", replaces={"status": Status.LINKED})]
        await scene.apply(fresh())
        place = scene.codat.requests.index("create_connection")
        assert scene.codat.requests[place + 1] == "connection"

    virtual_time.run(scene())


@pytest.mark.parametrize(("seconds", "is_read"), [(1.5, False), (1.95, True)], ids=["young", "older"])
def test_an_answer_that_may_be_a_replay_needs_a_look_when_the_connection_is_two_seconds_old(seconds, is_read):
    async def scene():
        scene = Scene()
        made = scene.clock.now() + timedelta(seconds=2 * LATENCY - seconds)
        scene.codat.faults = [Fault("create_connection", replaces={"created": made})]
        await scene.apply(fresh())
        place = scene.codat.requests.index("authorize")
        assert (scene.codat.requests[place - 1] == "connection") is is_read

    virtual_time.run(scene())


def test_what_this_run_itself_asked_for_twice_is_young_whatever_the_clocks_say():
    async def scene():
        scene = Scene()
        scene.codat.faults = [
            Fault("create_company", NO_ANSWER, after=True, times=2),
            Fault("create_company", replaces={"created": scene.clock.now() - timedelta(days=1)}),
            Fault("company", NotFoundError("404", status=404), times=3),
        ]
        assert ends(await scene.apply([create_company()])) == ["done"]
        assert scene.codat.journal == ["create company Acme"]

    virtual_time.run(scene())


def test_what_a_listing_brings_is_filtered_again_on_our_side():
    async def scene():
        scene = Scene()
        scene.codat.add(live_company(key="other", id="other"))
        scene.codat.ignores_tags = True
        scene.codat.faults = [Fault("create_company", FAULT)]
        assert ends(await scene.apply([create_company()])) == ["done"]
        assert len(scene.codat.live) == 2

    virtual_time.run(scene())


# --- several connections of one platform ---------------------------------------------------------


def several():
    return (
        create_company(),
        create_connection("acme/bank1", platform_key=PLAID),
        create_connection("acme/bank2", platform_key=PLAID, links={"bank1": Mark(), "bank2": Mark()}),
        authorize("acme/bank1", platform_key=PLAID),
        authorize("acme/bank2", platform_key=PLAID),
    )


def test_the_record_of_links_is_written_once_between_creates_and_tokens():
    async def scene():
        scene = Scene()
        outcome = await scene.apply(several())
        assert ends(outcome) == ["done"] * 5
        assert scene.codat.journal == [
            "create company Acme",
            "create connection suuo",
            "create connection suuo",
            "update company ['tags']",
            "authorize suuo",
            "authorize suuo",
        ]
        ids = [outcome.results[place].connection_id for place in (1, 2)]
        assert scene.company.tags == ours(region="uk") | {LINKS_TAG: f"bank1:{ids[0][:8]},bank2:{ids[1][:8]}"}

    virtual_time.run(scene())


@pytest.mark.parametrize("after", [False, True], ids=["nothing done", "done"])
@pytest.mark.parametrize("error", [NO_ANSWER, FAULT, UNREACHABLE], ids=lambda value: value.code)
def test_the_record_of_links_survives_a_fault(error, after):
    async def scene():
        scene = Scene()
        scene.codat.faults = [Fault("update_company", error, after=after and error is not UNREACHABLE)]
        outcome = await scene.apply(several())
        assert ends(outcome) == ["done"] * 5
        assert LINKS_TAG in scene.company.tags

    virtual_time.run(scene())


@pytest.mark.parametrize("error", [NO_ANSWER, FAULT, HELD_UP], ids=lambda value: value.code)
def test_a_tag_that_comes_before_the_record_is_sent_again_is_kept(error):
    async def scene():
        scene = Scene()
        tagged = Fault(
            "update_company",
            error,
            then=lambda: scene.codat.add(replace(scene.company, tags={**scene.company.tags, "uid": "x"})),
        )
        scene.codat.faults = [tagged]
        assert ends(await scene.apply(several())) == ["done"] * 5
        assert scene.company.tags["uid"] == "x"
        assert LINKS_TAG in scene.company.tags

    virtual_time.run(scene())


def test_no_record_is_written_to_a_company_that_has_lost_our_tags():
    async def scene():
        scene = Scene()
        wiped = Fault("company", then=lambda: scene.codat.add(replace(scene.company, tags={"uid": "x"})))
        scene.codat.faults = [wiped]
        outcome = await scene.apply(several())
        assert ends(outcome)[2:] == ["failed changed-since-plan", "not-started", "not-started"]
        assert scene.company.tags == {"uid": "x"}

    virtual_time.run(scene())


def test_a_lost_create_is_never_taken_for_a_connection_that_the_plan_knew():
    """It may be pinned by id to another key of the spec, and would be sent the wrong tokens."""

    async def scene():
        scene = Scene()
        scene.codat.add(live_company(live_connection(id="pinned")))
        scene.codat.faults = [Fault("create_connection", FAULT, after=False)]
        outcome = await scene.apply(
            [create_connection(company_id=COMPANY, known=("pinned",)), authorize(company_id=COMPANY)]
        )
        assert ends(outcome) == ["done", "done"]
        assert scene.codat.connection(COMPANY, "pinned").status is Status.PENDING_AUTH

    virtual_time.run(scene())


def test_a_replayed_connection_that_the_plan_knew_is_left_and_another_created():
    async def scene():
        scene = Scene()
        scene.codat.add(live_company())
        await scene.apply([create_connection("acme/bank", COMPANY)])
        (first,) = scene.company.connections
        await scene.clock.sleep(10)
        outcome = await scene.apply([create_connection("acme/bank", COMPANY, known=(first.id,))])
        assert ends(outcome) == ["done"]
        assert len(scene.company.connections) == 2

    virtual_time.run(scene())


def test_a_replay_tells_that_a_connection_which_nobody_names_is_ours():
    """A run was killed between the create and the record: so it need not be guessed at."""

    async def scene():
        scene = Scene()
        scene.codat.add(live_company())
        await scene.apply([create_connection("acme/bank", COMPANY)])
        (first,) = scene.company.connections
        await scene.clock.sleep(10)
        again = create_connection("acme/bank", COMPANY, known=(first.id,), unnamed=(first.id,))
        outcome = await scene.apply([again])
        assert ends(outcome) == ["already"]
        assert scene.company.connections == (first,)

    virtual_time.run(scene())


def test_a_lost_create_is_never_taken_for_one_that_nobody_names():
    """A customer may have begun it; only a replay could tell that it is ours."""

    async def scene():
        scene = Scene()
        scene.codat.add(live_company(live_connection(id="his")))
        scene.codat.faults = [Fault("create_connection", FAULT, after=False)]
        create = create_connection(company_id=COMPANY, known=("his",), unnamed=("his",))
        await scene.apply([create, authorize(company_id=COMPANY)])
        assert scene.codat.connection(COMPANY, "his").status is Status.PENDING_AUTH

    virtual_time.run(scene())


def test_lost_creates_of_two_siblings_never_share_a_connection():
    async def scene():
        scene = Scene()
        scene.codat.faults = [Fault("create_connection", FAULT, after=True, times=2)]
        outcome = await scene.apply(several())
        assert set(ends(outcome)) <= {"done", "already"}
        assert len(scene.company.connections) == 2
        assert all(connection.status is Status.LINKED for connection in scene.company.connections)

    virtual_time.run(scene())


def test_among_siblings_a_connection_that_somebody_linked_is_not_guessed_at():
    async def scene():
        scene = Scene()
        scene.codat.add(live_company(live_connection(Status.LINKED, platform_key=PLAID)))
        scene.codat.faults = [Fault("create_connection", FAULT)]
        outcome = await scene.apply(
            [
                create_connection("acme/bank1", COMPANY, PLAID),
                create_connection("acme/bank2", COMPANY, PLAID, links={"bank1": Mark(), "bank2": Mark()}),
            ]
        )
        assert ends(outcome) == ["failed ambiguous", "not-started"]

    virtual_time.run(scene())


def test_alone_a_connection_that_another_run_linked_is_taken():
    async def scene():
        scene = Scene()
        scene.codat.add(live_company(live_connection(Status.LINKED)))
        scene.codat.faults = [Fault("create_connection", FAULT)]
        outcome = await scene.apply([create_connection(company_id=COMPANY), authorize(company_id=COMPANY)])
        assert ends(outcome) == ["already", "already"]
        assert scene.codat.tokens == []

    virtual_time.run(scene())


def test_keys_of_different_things_differ():
    made = [
        state.company_key("a", "b", 0),
        state.company_key("a", "b", 1),
        state.company_key('a","b', "", 0),
        state.company_key("ab", "", 0),
        state.connection_key("a", "b", 0),
        state.connection_key("a", "b0", 0),
    ]
    assert len(set(made)) == len(made)
    assert {item.version for item in made} == {5}
    assert state.company_key("prod", "acme", 0) == state.company_key("prod", "acme", 0)


@pytest.mark.parametrize("method", ["create_company", "create_connection"])
def test_a_key_that_codat_may_have_forgotten_while_the_machine_slept_is_not_sent_again(method):
    async def scene():
        scene = Scene()
        scene.codat.faults.append(Fault(method, NO_ANSWER, after=True, meanwhile=lambda: None, late=6000))
        outcome = await scene.apply(fresh())
        assert outcome.is_complete
        assert sum(entry.startswith(method.replace("_", " ")) for entry in scene.codat.journal) == 1

    virtual_time.run(scene())
