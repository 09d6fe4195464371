"""Apply at the pace and in the pauses that Codat asks for: the real client, and the sandbox beneath it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
import virtual_time
from apply_scenes import XERO, authorize, fresh, plan_of
from virtual_time import START, VirtualClock

from reconciler.actions import Action
from reconciler.apply import execute
from reconciler.codat import Client, asgi_transport, connect
from reconciler.live import Status
from reconciler.outcome import Outcome, Result
from reconciler.sandbox import Sandbox
from reconciler.secret_refs import Secret
from reconciler.workspace import Limits

LATENCY = 0.1
HEADER = Secret("Basic eHg6eA==")
API = "http://127.0.0.1"


class Line(httpx.AsyncBaseTransport):
    """The way to the sandbox: notes what was sent and when, and says of each answer that it is on its way."""

    def __init__(
        self,
        sandbox: Sandbox,
        answered: Callable[[httpx.Request], None] = lambda _: None,
        *,
        latency: float = LATENCY,
    ) -> None:
        self._beneath = asgi_transport(sandbox)
        self._answered = answered
        self._latency = latency
        self.sent: list[tuple[float, str, str]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append((seconds(), request.method, request.url.path))
        await asyncio.sleep(self._latency)
        response = await self._beneath.handle_async_request(request)
        await response.aread()
        self._answered(request)
        return response


def seconds() -> float:
    return (VirtualClock().now() - START).total_seconds()


async def carried_out(
    line: Line,
    actions: Iterator[Action] | tuple[Action, ...],
    per_minute: int,
    stop: asyncio.Event,
    concurrency: int | None = None,
) -> Outcome:
    clock = VirtualClock()
    limits = Limits(requests_per_minute=per_minute, concurrency=concurrency)
    async with connect(Client, API, HEADER, limits=limits, clock=clock, transport=line) as client:
        return await execute(
            plan_of(*actions),
            client,
            lambda _: Secret("token"),
            clock=clock,
            limits=limits,
            observer=lambda _: None,
            seed=3,
            stop=stop,
        )


async def waiting_connections(sandbox: Sandbox, number: int) -> list[tuple[str, str]]:
    """Companies with a connection that waits to be authorized, made long ago; the ids of both."""
    transport = asgi_transport(sandbox)
    async with connect(
        Client, API, HEADER, limits=Limits(), clock=VirtualClock(), transport=transport, paced=False
    ) as client:
        found = []
        for each_number in range(number):
            company = (await client.create_company({"name": f"Firm {each_number}"}, uuid4())).value
            connection = (await client.create_connection(company.id, XERO, uuid4())).value
            found.append((company.id, connection.id))
    await asyncio.sleep(100)
    return found


@pytest.mark.parametrize("per_minute", [600, 100, 60, 20])
def test_who_links_while_tokens_wait_for_their_turn_gets_none(per_minute: int) -> None:
    async def scene() -> tuple[Outcome, list[dict[str, Any]]]:
        sandbox = Sandbox(now=VirtualClock().now, seed=1)
        ids = await waiting_connections(sandbox, 10)

        def links_soon(request: httpx.Request) -> None:
            if request.method == "GET":
                connection_id = request.url.path.rpartition("/")[2]
                asyncio.get_running_loop().call_later(2.5, link, connection_id)

        def link(connection_id: str) -> None:
            statuses = {
                connection["id"]: connection["status"]
                for company in sandbox.state()["companies"]
                for connection in company["dataConnections"]
            }
            if statuses[connection_id] == "PendingAuth":
                sandbox.happen(connection_id, "link")

        actions = (
            authorize(f"k{number}/books", company_id, connection_id, Status.PENDING_AUTH, XERO)
            for number, (company_id, connection_id) in enumerate(ids)
        )
        outcome = await carried_out(Line(sandbox, links_soon), actions, per_minute, asyncio.Event())
        return outcome, sandbox.journal()

    outcome, journal = virtual_time.run(scene())

    assert outcome.counts[Result.DONE] == 10, "it makes progress at any pace"
    assert not [document for document in journal if document["tokensToLinked"]]


@pytest.mark.parametrize("per_minute", [600, 60])
def test_a_new_company_with_one_connection_takes_four_requests_at_any_pace(per_minute: int) -> None:
    async def scene() -> list[tuple[float, str, str]]:
        line = Line(Sandbox(now=VirtualClock().now, seed=1))
        actions = tuple(action for number in range(10) for action in fresh(f"f{number}"))
        outcome = await carried_out(line, actions, per_minute, asyncio.Event())
        assert outcome.counts[Result.DONE] == 40
        return line.sent

    sent = virtual_time.run(scene())

    assert len(sent) <= 44
    assert sent[-1][0] <= 50 * 60 / per_minute


def test_ctrl_c_in_a_pause_ends_the_run_and_sends_nothing_more() -> None:
    async def scene() -> tuple[Outcome, Line, float]:
        sandbox = Sandbox(now=VirtualClock().now, seed=1)
        sandbox.fault("429", retryAfter=590, match={"method": "POST", "path": "/companies$"})
        line, stop = Line(sandbox), asyncio.Event()
        asyncio.get_running_loop().call_later(5, stop.set)
        actions = tuple(action for number in range(12) for action in fresh(f"f{number}"))
        return await carried_out(line, actions, 600, stop), line, seconds()

    outcome, line, ended = virtual_time.run(scene())

    assert ended == pytest.approx(5, abs=0.1)
    assert max(at for at, _, _ in line.sent) < 5
    assert outcome.interrupted
    assert not [result for result in outcome.results if result.result is Result.FAILED]


class Refusing(Line):
    """Refuses every request of a method, whose path ends so, with the same answer."""

    def __init__(
        self, sandbox: Sandbox, method: str, status: int, *, path: str = "", latency: float = LATENCY
    ) -> None:
        super().__init__(sandbox, latency=latency)
        self._method = method
        self._path = path
        self._status = status

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != self._method or not request.url.path.endswith(self._path):
            return await super().handle_async_request(request)
        self.sent.append((seconds(), request.method, request.url.path))
        await asyncio.sleep(self._latency)
        return httpx.Response(self._status, json={"error": "Refused", "statusCode": self._status})


def test_what_waits_for_its_turn_when_the_run_must_stop_is_not_sent() -> None:
    async def scene() -> tuple[Outcome, Line]:
        line = Refusing(Sandbox(now=VirtualClock().now, seed=1), "POST", 401)
        actions = tuple(action for number in range(20) for action in fresh(f"k{number}"))
        return await carried_out(line, actions, 60, asyncio.Event()), line

    outcome, line = virtual_time.run(scene())

    assert len(line.sent) == 1, "the others were in line, a second apart"
    assert outcome.counts[Result.FAILED] == 1
    assert outcome.counts[Result.NOT_STARTED] == 79
    assert not outcome.interrupted


def test_three_rejections_keep_back_the_tokens_that_are_in_line() -> None:
    async def scene() -> tuple[Outcome, Line]:
        sandbox = Sandbox(now=VirtualClock().now, seed=1)
        ids = await waiting_connections(sandbox, 8)
        line = Refusing(sandbox, "PUT", 400)
        actions = tuple(
            authorize(f"k{number}/books", company_id, connection_id, Status.PENDING_AUTH, XERO)
            for number, (company_id, connection_id) in enumerate(ids)
        )
        return await carried_out(line, actions, 60, asyncio.Event()), line

    outcome, line = virtual_time.run(scene())

    assert sum(method == "PUT" for _, method, _ in line.sent) == 3
    assert outcome.counts[Result.FAILED] == 3
    assert outcome.counts[Result.NOT_STARTED] == 5


# --- as many companies at once as the rate needs -------------------------------------------------


@pytest.mark.parametrize(
    ("latency", "told", "at_once"),
    [
        pytest.param(0.0, None, 10, id="before any answer"),
        pytest.param(0.05, None, 10, id="near"),
        pytest.param(0.6, None, 10, id="ten are more than is on its way"),
        pytest.param(0.7, None, 70, id="far"),
        pytest.param(1.9, None, 190, id="as far as tokens can be sent"),
        pytest.param(30.0, None, 200, id="never more"),
        pytest.param(1.9, 3, 3, id="told few"),
        pytest.param(0.05, 30, 30, id="told many"),
    ],
)
def test_companies_at_once_by_latency(latency: float, told: int | None, at_once: int) -> None:
    assert Limits(requests_per_minute=600, concurrency=told).at_latency(latency) == at_once


def rate_reached(line: Line) -> float:
    first, last = line.sent[0][0], line.sent[-1][0]
    return (len(line.sent) - 1) / (last - first) * 60


@pytest.mark.parametrize(("concurrency", "reaches"), [(None, True), (3, False)])
def test_the_rate_is_reached_from_far_away_unless_a_number_of_companies_is_told(
    concurrency: int | None, reaches: bool
) -> None:
    async def scene() -> Line:
        line = Line(Sandbox(now=VirtualClock().now, seed=1), latency=1.5)
        actions = tuple(action for number in range(50) for action in fresh(f"f{number}"))
        outcome = await carried_out(line, actions, 300, asyncio.Event(), concurrency)
        assert outcome.counts[Result.DONE] == len(actions)
        return line

    assert (rate_reached(virtual_time.run(scene())) >= 0.9 * 300) is reaches


def test_failures_far_away_reach_no_more_companies_than_have_a_request_on_its_way() -> None:
    async def scene() -> Outcome:
        line = Refusing(Sandbox(now=VirtualClock().now, seed=1), "POST", 400, path="/data/all", latency=1.5)
        actions = tuple(action for number in range(40) for action in fresh(f"f{number}"))
        return await carried_out(line, actions, 300, asyncio.Event())

    outcome = virtual_time.run(scene())

    on_their_way = 1.5 * 300 / 60
    assert 10 <= outcome.counts[Result.FAILED] <= 10 + on_their_way
    assert outcome.stopped is not None
