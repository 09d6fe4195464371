"""Requests go out at a pace, wait when Codat says so, and are repeated only where that is safe."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import httpx
import pytest
from codat_wire import HEADER, answer, at_once, blank, company, connection, listing, talk, wire
from virtual_time import START, VirtualClock, run

from reconciler.codat import Client, ReadClient, connect
from reconciler.codat.errors import (
    ApiError,
    HeldUpError,
    NoAnswerError,
    QuotaExhaustedError,
    ServerFaultError,
    UnreachableError,
)
from reconciler.codat.pacing import QUIET, SLOWER
from reconciler.codat.transport import ATTEMPTS, Look, StoppedError
from reconciler.diagnostics import RefusedError
from reconciler.secret_refs import Secret
from reconciler.workspace import Limits

Do = Callable[[Client], Awaitable[Any]]

GET: Do = lambda client: client.company("1")  # noqa: E731
WRITES: dict[str, Do] = {
    "POST": lambda client: client.create_company({"name": "A"}, uuid4()),
    "PATCH": lambda client: client.update_company("1", {"name": "A"}, uuid4()),
    "PUT": lambda client: client.authorize("1", "2", {"token": Secret("t")}),
    "DELETE": lambda client: client.delete_company("1"),
}
BUSY = answer({"error": "slow down"}, 429, Retry_After="7", X_Rate_Limit_Remaining="900")


# --- pace --------------------------------------------------------------------------------------


def test_requests_are_spread_evenly_over_the_minute() -> None:
    network = wire(answer(company()))

    talk(
        network, lambda c: at_once(c.company("1") for _ in range(50)), limits=Limits(requests_per_minute=600)
    )

    gaps = [late - early for early, late in pairwise(network.seconds_sent)]
    assert min(gaps) == pytest.approx(0.1, abs=0.005)
    assert max(gaps) == pytest.approx(0.1, abs=0.005)


@pytest.mark.parametrize(("api", "gap"), [("https://api.codat.io", 0.06), ("http://127.0.0.1:8000", 0.006)])
def test_no_more_than_a_thousand_a_minute_go_to_the_real_api(api: str, gap: float) -> None:
    network = wire(answer(company()))

    talk(
        network,
        lambda c: at_once(c.company("1") for _ in range(11)),
        api=api,
        limits=Limits(requests_per_minute=10_000),
    )

    assert network.seconds_sent[-1] == pytest.approx(10 * gap, rel=0.05)


async def follows(client: Client) -> None:
    """A write that waits for the answer to its look."""
    look = Look()
    await client.looking(look).company("1")
    await client.resting_on(look).update_company("1", {"name": "A"}, uuid4())


async def gives_back(client: Client) -> None:
    """A create that tells that it is too old for the write which was to rest on it."""
    look = Look()
    await client.looking(look).company("1")
    now = VirtualClock().now()
    look.count_from(now - timedelta(seconds=3), now)


def test_a_turn_that_was_kept_in_vain_is_the_next_ones() -> None:
    network = wire(answer(company()), seconds=1.5)

    talk(network, lambda client: at_once(gives_back(client) for _ in range(100)))

    assert network.seconds_sent[-1] == pytest.approx(10 + 1.5, rel=0.05)


@pytest.mark.parametrize("change", [follows, gives_back])
def test_no_minute_holds_more_than_the_rate_however_late_kept_turns_are_used(
    change: Callable[[Client], Awaitable[None]],
) -> None:
    def answered(_: httpx.Request) -> httpx.Response:
        if len(network.requests) > 100:
            network.seconds = 0.0
        return answer(company())

    network = wire(answered, seconds=1.9)

    talk(
        network,
        lambda client: at_once(change(client) for _ in range(400)),
        limits=Limits(requests_per_minute=600),
    )

    moments = network.seconds_sent
    assert max(sum(start <= moment < start + 60 for moment in moments) for start in moments) <= 600


def test_the_embedded_sandbox_is_not_paced() -> None:
    network = wire(answer(company()))

    talk(network, lambda c: at_once(c.company("1") for _ in range(100)), paced=False)

    assert network.seconds_sent[-1] < 0.1


# --- 429 ---------------------------------------------------------------------------------------


def test_a_429_on_a_create_is_waited_out_and_the_same_request_sent_again() -> None:
    network = wire(BUSY, BUSY, answer(company()))

    talk(network, WRITES["POST"])

    assert len(network.requests) == 3
    assert network.seconds_sent[2] == pytest.approx(14, abs=0.5)
    assert (
        len({(request.headers.get("Idempotency-Key"), request.content) for request in network.requests}) == 1
    )


@pytest.mark.parametrize("write", ["PATCH", "PUT", "DELETE"])
def test_a_write_that_rests_on_a_look_is_handed_back_and_the_next_look_waits(write: str) -> None:
    network = wire(answer(company()), BUSY, answer(company()), answer(company(status="Linked")))

    async def do(client: Client) -> None:
        look = Look()
        resting = client.resting_on(look)
        await client.looking(look).company("1")
        for _ in range(2):
            with pytest.raises(HeldUpError, match="429"):
                await WRITES[write](resting)
        await client.looking(look).company("1")
        await WRITES[write](resting)

    talk(network, do)

    assert [request.method for request in network.requests] == ["GET", write, "GET", write]
    assert network.seconds_sent[2] == pytest.approx(7.2, abs=0.5)


def test_a_429_stops_everyone_and_afterwards_the_pace_is_kept() -> None:
    told: list[tuple[float, str]] = []
    network = wire(answer(company()), BUSY, BUSY, answer(company()), seconds=0.2)

    talk(
        network, lambda c: at_once(c.company("1") for _ in range(20)), on_wait=lambda *wait: told.append(wait)
    )

    held = [moment for moment in network.seconds_sent if moment > 1]
    assert len(network.requests) - len(held) == 3, "in flight when the first 429 came"
    assert min(held) >= 7
    assert all(late - early > 0.09 for early, late in pairwise(held))
    assert told == [(7.0, "Codat asks for a pause (429)")]


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    network = wire(
        answer({}, 429, Retry_After="30"), answer({}, 429, Retry_After="2"), answer(company()), seconds=0.5
    )

    talk(network, lambda c: at_once(c.company("1") for _ in range(2)))

    assert [moment > 30 for moment in network.seconds_sent] == [False, False, True, True]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "30"}, 30),
        ({"Retry_After": "Tue, 24 Nov 2026 09:02:00 GMT"}, 120),
        ({"Retry_After": "Tue, 24 Nov 2026 12:00:10 GMT", "Date": "Tue, 24 Nov 2026 12:00:00 GMT"}, 10),
        ({"Retry_After": "Tue, 24 Nov 2026 08:00:00 GMT"}, 1),
        ({"Retry_After": "0"}, 1),
        ({"Retry_After": "soon"}, 5),
        ({}, 5),
    ],
    ids=["seconds", "date", "date by the server's clock", "date gone by", "zero", "nonsense", "nothing"],
)
def test_how_long_a_429_asks_for(headers: dict[str, str], seconds: float) -> None:
    network = wire(answer({}, 429, **headers), answer(company()))

    talk(network, GET)

    assert network.seconds_sent[1] == pytest.approx(seconds, abs=0.2)


@pytest.mark.parametrize(
    "headers",
    [{"Retry_After": "601"}, {"Retry_After": "5", "X_Rate_Limit_Remaining": "0"}],
    ids=["more than ten minutes", "nothing remains"],
)
def test_an_exhausted_quota_is_not_waited_for(headers: dict[str, str]) -> None:
    network = wire(answer({}, 429, X_Rate_Limit_Reset="Wed, 25 Nov 2026 00:00:00 GMT", **headers))

    with pytest.raises(QuotaExhaustedError, match="comes back at 2026-11-25T00:00:00Z"):
        talk(network, WRITES["POST"])

    assert len(network.requests) == 1


def test_ten_minutes_of_refusals_are_an_exhausted_quota() -> None:
    network = wire(answer({}, 429, Retry_After="100"))

    with pytest.raises(QuotaExhaustedError):
        talk(network, GET)

    assert network.seconds_sent[-1] == pytest.approx(600, abs=2)


# --- looks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("per_minute", [600, 60, 20])
def test_a_write_follows_its_look_at_once_however_many_others_wait_for_a_turn(per_minute: int) -> None:
    network = wire(answer(company()), seconds=0.2)

    async def change(client: Client) -> None:
        look = Look()
        await client.looking(look).company("1")
        await client.resting_on(look).update_company("1", {"name": "A"}, uuid4())

    talk(
        network,
        lambda client: at_once(change(client) for _ in range(10)),
        limits=Limits(requests_per_minute=per_minute),
    )

    looks, writes = (
        [
            at
            for at, request in zip(network.seconds_sent, network.requests, strict=True)
            if request.method == method
        ]
        for method in ("GET", "PATCH")
    )
    assert [late - early for early, late in zip(looks, writes, strict=True)] == pytest.approx(
        [0.2] * 10, abs=0.05
    )
    assert min(late - early for early, late in pairwise(looks)) >= 2 * 60 / per_minute - 0.005


@pytest.mark.parametrize("seconds", [1.9, 2.1])
def test_a_write_is_not_sent_on_a_look_that_is_older_than_two_seconds(seconds: float) -> None:
    network = wire(answer(company()), seconds=seconds)

    async def do(client: Client) -> None:
        look = Look()
        await client.looking(look).company("1")
        await client.resting_on(look).delete_company("1")

    if seconds < 2:
        talk(network, do)
    else:
        with pytest.raises(HeldUpError, match="too old"):
            talk(network, do)
    assert [request.method for request in network.requests] == ["GET", "DELETE"][: 1 + (seconds < 2)]


def test_a_look_counts_from_its_last_attempt_and_not_from_the_wait_before() -> None:
    network = wire(BUSY, blank(500), answer(company()))

    async def do(client: Client) -> None:
        look = Look()
        await client.looking(look).company("1")
        await client.resting_on(look).delete_company("1")

    talk(network, do)

    assert [request.method for request in network.requests] == ["GET"] * 3 + ["DELETE"]


def test_a_look_carries_one_write() -> None:
    network = wire(answer(company()))

    async def do(client: Client) -> None:
        look = Look()
        await client.looking(look).company("1")
        await client.resting_on(look).delete_company("1")
        with pytest.raises(HeldUpError):
            await client.resting_on(look).delete_company("1")

    talk(network, do)

    assert len(network.requests) == 2


@pytest.mark.parametrize(("in_line", "sent"), [(5, True), (30, False)])
def test_a_write_for_which_no_turn_was_kept_waits_for_one_only_if_it_comes_in_time(
    in_line: int, sent: bool
) -> None:
    network = wire(answer(company()))

    async def do(client: Client) -> float:
        clock = VirtualClock()
        waiting = [asyncio.ensure_future(client.company("1")) for _ in range(in_line)]
        await clock.sleep(0.01)
        write = client.resting_on(Look(taken_at=clock.now())).delete_company("1")
        if sent:
            await write
        else:
            with pytest.raises(HeldUpError):
                await write
        ended = (clock.now() - START).total_seconds()
        await asyncio.gather(*waiting)
        return ended

    ended = talk(network, do)

    assert [request.method for request in network.requests].count("DELETE") == sent
    assert ended == pytest.approx(0.5 if sent else 0.01, abs=0.02)


# --- the pace after refusals -------------------------------------------------------------------


def pace(moments: list[float]) -> float:
    return 60 * (len(moments) - 1) / (moments[-1] - moments[0])


async def burst(client: Client, requests: int = 11) -> None:
    await at_once(client.company("1") for _ in range(requests))


def test_requests_that_are_refused_together_slow_the_pace_down_once() -> None:
    network = wire(*[answer({}, 429, Retry_After="1")] * 10, answer(company()), seconds=1.2)

    talk(network, lambda client: burst(client, 40))

    assert pace(network.seconds_sent[-20:]) == pytest.approx(600 / SLOWER, rel=0.02)


def test_the_pace_recovers_step_by_step_in_quiet_times() -> None:
    network = wire(answer({}, 429, Retry_After="1"), answer({}, 429, Retry_After="1"), answer(company()))
    paces: list[float] = []

    async def do(client: Client) -> None:
        await client.company("1")
        for _ in range(4):
            before = len(network.requests)
            await burst(client)
            paces.append(pace(network.seconds_sent[before + 1 :]))
            await VirtualClock().sleep(QUIET)

    talk(network, do)

    assert paces == pytest.approx([600 / SLOWER**2, 600 / SLOWER, 600, 600], rel=0.02)


def test_a_long_pause_is_no_quiet_time() -> None:
    network = wire(answer({}, 429, Retry_After="590"), answer(company()))

    talk(network, burst)

    assert pace(network.seconds_sent[-10:]) == pytest.approx(600 / SLOWER, rel=0.02)


@pytest.mark.slow
def test_the_pace_settles_below_a_limit_that_is_lower_than_configured() -> None:
    limit = 300

    def refuse_beyond(_request: httpx.Request) -> httpx.Response:
        now = network.seconds_sent[-1]
        lately = [at for at in network.seconds_sent if now - at < 60]
        return answer({}, 429, Retry_After="10") if len(lately) > limit else answer(company())

    network = wire(refuse_beyond, seconds=0.1)
    refused: list[float] = []

    talk(
        network,
        lambda client: burst(client, 3000),
        on_wait=lambda *_: refused.append(network.seconds_sent[-1]),
    )

    settled = 180
    later = [at for at in refused if at > settled]
    assert len(later) <= (network.seconds_sent[-1] - settled) / QUIET + 1
    assert 0.75 * limit < pace(network.seconds_sent[-1500:]) <= limit


# --- 503 ---------------------------------------------------------------------------------------


def test_the_pause_that_a_503_asks_for_is_kept_by_everyone() -> None:
    network = wire(answer({}, 503, Retry_After="30"), answer(company()))

    async def do(client: Client) -> None:
        reading = asyncio.ensure_future(client.company("1"))
        await VirtualClock().sleep(1)
        await client.create_company({"name": "A"}, uuid4())
        await reading

    talk(network, do)

    assert [moment >= 30 for moment in network.seconds_sent] == [False, True, True]


@pytest.mark.parametrize("write", WRITES)
def test_a_write_that_is_answered_503_is_handed_on_and_what_follows_waits(write: str) -> None:
    network = wire(answer({}, 503, Retry_After="30"), answer(company()))

    async def do(client: Client) -> None:
        with pytest.raises(ServerFaultError):
            await WRITES[write](client)
        await client.company("1")

    talk(network, do)

    assert network.seconds_sent == pytest.approx([0, 30], abs=0.1)


def test_a_503_is_waited_out_for_ten_minutes_at_most() -> None:
    network = wire(answer({}, 503, Retry_After="86400"))

    with pytest.raises(ServerFaultError):
        talk(network, GET)

    assert len(network.requests) == ATTEMPTS
    assert network.seconds_sent[-1] == pytest.approx(600, abs=2)


# --- the end of the run ------------------------------------------------------------------------


PAUSE = answer({}, 429, Retry_After="590")


async def twice(ask: Do, client: Client) -> None:
    await ask(client)
    await ask(client)


@pytest.mark.parametrize(
    ("ask", "first", "per_minute"),
    [
        pytest.param(GET, PAUSE, 600, id="a read in a pause"),
        pytest.param(WRITES["POST"], PAUSE, 600, id="a create in a pause"),
        pytest.param(GET, answer({}, 503, Retry_After="100"), 600, id="a read while Codat is unavailable"),
        pytest.param(GET, blank(500), 600, id="a read before it is repeated"),
        pytest.param(GET, answer(company()), 2, id="a read in line"),
        pytest.param(WRITES["POST"], answer(company()), 2, id="a create in line"),
    ],
)
def test_what_waits_when_the_run_ends_is_not_sent(ask: Do, first: httpx.Response, per_minute: int) -> None:
    network = wire(first, answer(company()))

    async def do(client: Client) -> float:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(0.2, stop.set)
        heeding = client.heeding(stop)
        with pytest.raises(StoppedError):
            await twice(ask, heeding)
        return (VirtualClock().now() - START).total_seconds()

    assert talk(network, do, limits=Limits(requests_per_minute=per_minute)) == pytest.approx(0.2, abs=0.01)
    assert len(network.requests) == 1


@pytest.mark.parametrize(("late", "sent"), [(False, 2), (True, 1)])
def test_what_must_leave_by_a_moment_is_not_sent_after_it(late: bool, sent: int) -> None:
    network = wire(answer(company()))

    async def do(client: Client) -> None:
        await WRITES["POST"](client)
        bound = client.within(timedelta(seconds=10 if late else 60))
        with pytest.raises(HeldUpError, match="may have forgotten") if late else nullcontext():
            await WRITES["POST"](bound)

    talk(network, do, limits=Limits(requests_per_minute=2))
    assert len(network.requests) == sent


def test_what_is_in_flight_when_the_run_ends_is_answered() -> None:
    network = wire(answer(company()), seconds=5)

    async def do(client: Client) -> str:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(1, stop.set)
        return (await client.heeding(stop).company("1")).id

    assert talk(network, do)


# --- reads again, writes not -------------------------------------------------------------------


@pytest.mark.parametrize(
    "failure",
    [
        blank(500),
        blank(503),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.ReadError("reset"),
    ],
    ids=["500", "503", "unreachable", "timeout", "reset"],
)
def test_a_read_that_failed_in_passing_is_sent_again(failure: httpx.Response | Exception) -> None:
    told: list[tuple[float, str]] = []
    network = wire(failure, failure, failure, answer(company()))

    talk(network, GET, on_wait=lambda *wait: told.append(wait))

    moments = network.seconds_sent
    waits = [late - early for early, late in pairwise(moments)]
    assert len(network.requests) == ATTEMPTS
    assert all(low <= wait <= 2 * low + 0.2 for wait, low in zip(waits, (0.5, 1, 2), strict=True)), waits
    assert len(told) == sum(wait > 1 for wait in waits)


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (blank(500), ServerFaultError),
        (httpx.ConnectError("x"), UnreachableError),
        (httpx.ReadError("x"), NoAnswerError),
    ],
)
def test_a_read_that_keeps_failing_fails(failure: httpx.Response | Exception, error: type[ApiError]) -> None:
    network = wire(failure)

    with pytest.raises(error):
        talk(network, GET)

    assert len(network.requests) == ATTEMPTS


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 422, 302])
def test_a_read_that_was_refused_is_not_sent_again(status: int) -> None:
    network = wire(blank(status))

    with pytest.raises(ApiError):
        talk(network, GET)

    assert len(network.requests) == 1


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (blank(500), ServerFaultError),
        (httpx.ConnectTimeout("x"), UnreachableError),
        (httpx.ReadError("x"), NoAnswerError),
        (ConnectionResetError("x"), NoAnswerError),
    ],
    ids=["500", "unreachable", "reset", "reset of the system"],
)
def test_a_write_is_sent_once_and_the_executor_decides(
    write: str, failure: httpx.Response | Exception, error: type[ApiError]
) -> None:
    network = wire(failure, answer(company()))

    with pytest.raises(error):
        talk(network, WRITES[write])

    assert len(network.requests) == 1


class _Broken(httpx.AsyncByteStream):
    async def __aiter__(self) -> Any:
        yield b'{"id": '
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


def _cut(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, stream=_Broken(), request=request)


def test_an_answer_that_breaks_off_is_no_answer_and_a_read_is_sent_again() -> None:
    assert talk(wire(_cut, answer(company())), GET).id

    with pytest.raises(NoAnswerError):
        talk(wire(_cut), WRITES["POST"])


# --- reading only, counting, replays -----------------------------------------------------------


def test_a_read_client_has_no_way_to_write() -> None:
    writing = {name for name, member in vars(Client).items() if callable(member)}

    assert len(writing) == 21
    assert not [name for name in writing if hasattr(ReadClient, name)]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_the_transport_of_a_read_client_lets_nothing_but_reads_through(method: str) -> None:
    network = wire(blank())

    async def main() -> None:
        async with connect(
            ReadClient,
            "https://api.codat.io",
            HEADER,
            limits=Limits(),
            clock=VirtualClock(),
            transport=network,
        ) as client:
            exchange = client._exchange
            await exchange(method, exchange.origin.join("/companies"))

    with pytest.raises(RefusedError, match=f"may only read; {method} was not sent"):
        run(main())
    assert network.requests == []


def test_the_meter_counts_every_request_and_knows_what_remains() -> None:
    network = wire(
        blank(503),
        answer(company(), X_Rate_Limit_Remaining="410", X_Rate_Limit_Limit="1000"),
        BUSY,
        answer(company()),
    )

    async def do(client: Client) -> tuple[int, int, int | None, int | None]:
        assert client.meter.remaining is None
        await client.company("1")
        await client.create_company({}, uuid4())
        return client.meter.reads, client.meter.writes, client.meter.remaining, client.meter.limit

    assert talk(network, do) == (2, 2, 900, 1000)


def test_no_write_is_sent_once_only_the_reserve_is_left() -> None:
    told = {"X_Rate_Limit_Remaining": "100", "X_Rate_Limit_Limit": "1000"}
    network = wire(answer(company(), **told), answer(company(), **told))

    async def do(client: Client) -> int:
        await client.company("1")
        with pytest.raises(QuotaExhaustedError, match=r"limits\.reserve leaves 100 to others"):
            await client.update_company("1", {}, uuid4())
        await client.company("1")
        return client.meter.writes

    assert talk(network, do) == 0


def test_a_client_that_only_reads_stops_reading_at_the_reserve_and_says_so() -> None:
    told = {"X_Rate_Limit_Remaining": "100", "X_Rate_Limit_Limit": "1000"}
    pages = [
        answer(listing(company(id=str(number)), total=3, following=f"/companies?page={number + 1}"), **told)
        for number in (1, 2, 3)
    ]
    network = wire(*pages)

    with pytest.raises(QuotaExhaustedError, match=r"limits\.reserve leaves 100 to others"):
        talk(network, lambda c: c.companies(), cls=ReadClient)

    assert len(network.requests) == 1


@pytest.mark.parametrize(
    ("date", "created", "replayed"),
    [
        ("Tue, 24 Nov 2026 15:00:10 GMT", "2026-11-24T15:00:08Z", False),
        ("Tue, 24 Nov 2026 15:00:10 GMT", "2026-11-24T15:00:03Z", False),
        ("Tue, 24 Nov 2026 15:00:10 GMT", "2026-11-24T15:00:02Z", True),
        ("Tue, 24 Nov 2026 15:00:10 GMT", None, True),
        (None, "2026-11-24T09:00:00Z", False),
        (None, "2026-11-24T08:59:57Z", True),
    ],
    ids=["while it ran", "just before", "long before", "not said", "no Date, now", "no Date, before"],
)
def test_a_create_whose_object_is_older_than_the_request_is_a_replay(
    date: str | None, created: str | None, replayed: bool
) -> None:
    headers = {"Date": date} if date else {}
    network = wire(answer(connection(created=created), **headers), seconds=5)

    got = talk(network, lambda client: client.create_connection("1", "qhyg", uuid4()))

    assert got.replayed is replayed


@pytest.mark.parametrize(
    ("date", "created", "seconds"),
    [
        ("Tue, 24 Nov 2026 15:00:10 GMT", "2026-11-24T15:00:08.5Z", 1.5 + 1 + 5),
        ("Tue, 24 Nov 2026 15:00:10 GMT", "2026-11-24T15:00:10.9Z", 0.1 + 5),
        ("Tue, 24 Nov 2026 15:00:10 GMT", "2026-11-24T15:00:12Z", None),
        ("Tue, 24 Nov 2026 15:00:10 GMT", None, None),
        (None, "2026-11-24T09:00:00Z", None),
    ],
    ids=["a while ago", "in the second of Date", "after Date", "not said", "no Date"],
)
def test_how_long_ago_an_object_was_made_is_never_told_too_short(
    date: str | None, created: str | None, seconds: float | None
) -> None:
    headers = {"Date": date} if date else {}
    network = wire(answer(connection(created=created), **headers), seconds=5)

    got = talk(network, lambda client: client.create_connection("1", "qhyg", uuid4()))

    told = None if got.made_ago is None else got.made_ago.total_seconds()
    assert told == (seconds if seconds is None else pytest.approx(seconds))


def test_a_replay_is_told_by_the_last_attempt_and_not_by_the_wait_before_it() -> None:
    late = answer(company(created="2026-11-24T09:00:00Z"), Date="Tue, 24 Nov 2026 09:00:07 GMT")

    assert talk(wire(BUSY, late), WRITES["POST"]).replayed is True


def test_a_listing_counts_as_reads() -> None:
    network = wire(answer(listing(company())))

    async def do(client: Client) -> tuple[int, int]:
        await client.companies()
        return client.meter.reads, client.meter.writes

    assert talk(network, do, cls=ReadClient) == (1, 0)
