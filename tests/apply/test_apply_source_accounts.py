"""Source accounts against the sandbox: killed at each write, doubled, raced, and answered wrongly."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import pytest
from virtual_time import VirtualClock, run

from reconciler.apply import execute
from reconciler.codat import Client, asgi_transport, connect
from reconciler.live import Live
from reconciler.model import (
    Desired,
    DesiredCompany,
    DesiredConnection,
    DesiredSourceAccount,
    Migration,
    Presence,
    SourceType,
)
from reconciler.outcome import Outcome
from reconciler.planner import Policy, draft, finish
from reconciler.sandbox import Sandbox
from reconciler.secret_refs import Secret, SecretRef, Variable
from reconciler.workflow.reading import answer
from reconciler.workspace import Limits

API: Final = "http://127.0.0.1"
HEADERS: Final = {"Authorization": "Basic eA=="}
LIMITS: Final = Limits()
NUMBERS: Final = {name: SecretRef(Variable("4002")) for name in ("accountNumber", "balance")}


def account(identifier: str, name: str = "Current", **fields: Any) -> DesiredSourceAccount:
    return DesiredSourceAccount(
        key=identifier, name=name, type="checking", currency="EUR", numbers=NUMBERS, **fields
    )


def feed(*accounts: DesiredSourceAccount) -> Desired:
    """A company whose customer links a bank feed of these accounts."""
    connection = DesiredConnection(
        key="feed",
        platform="sage-bank-feeds",
        platform_key="olpr",
        source_type=SourceType.BANK_FEED,
        migration=Migration.LINK,
        source_accounts={account.id: account for account in accounts},
    )
    company = DesiredCompany(key="acme", name="Acme", connections={"feed": connection})
    return Desired(workspace="prod", companies={"acme": company})


BEFORE: Final = feed(account("a"), account("b"))
AFTER: Final = feed(
    account("a", "Renamed"), DesiredSourceAccount(key="b", state=Presence.ABSENT), account("c"), account("d")
)
WRITES: Final = 1 + 1 + 2
"""A rename, a delete, two creates."""
WHOLE: Final = [("a", "Renamed", 4002), ("c", "Current", 4002), ("d", "Current", 4002)]


class Killed(BaseException):
    """The process was killed here."""


@dataclass
class Wire(httpx.AsyncBaseTransport):
    """Kills the run at its ``nth`` write, before it arrives or after; ``alter`` changes what is answered."""

    sandbox: Sandbox
    nth: int = 0
    when: str = "before"
    alter: dict[str, Any] = field(default_factory=dict)
    writes: int = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.1)
        self.writes += request.method != "GET"
        is_last = self.writes == self.nth and request.method != "GET"
        if is_last and self.when == "before":
            raise Killed
        answered = await asgi_transport(self.sandbox).handle_async_request(request)
        if is_last:
            raise Killed
        if self.alter and request.method == "POST":
            changed = json.loads(await answered.aread()) | self.alter
            return httpx.Response(200, json=changed, headers={"Date": answered.headers["Date"]})
        return answered


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox(seed=5)
    yield made
    made.close()


async def applied(wanted: Desired, wire: Wire, *meddle: tuple[str, str, dict[str, Any]]) -> Outcome:
    """Plan and apply, as one run does; ``meddle`` are requests that someone sends between the two."""
    clock = VirtualClock()
    policy = Policy(now=clock.now(), preconditions_waived=True, allow_source_account_deletes=9)
    async with connect(
        Client, API, Secret("Basic eA=="), limits=LIMITS, clock=clock, transport=wire
    ) as client:
        live = Live(companies=await client.companies())
        drafted = draft(wanted, live, policy)
        live = await answer(client, live, drafted, LIMITS)
        plan = finish(drafted, wanted, live, policy, tool="codat-sync", api="https://api")
        for request in meddle:
            await asked(wire.sandbox, *request)
        return await execute(
            plan,
            client,
            lambda ref: Secret(str(ref.locator)),
            clock=clock,
            limits=LIMITS,
            observer=lambda _: None,
            seed=id(wire),
            stop=asyncio.Event(),
        )


async def asked(sandbox: Sandbox, method: str, account: str, body: dict[str, Any]) -> None:
    (company,) = sandbox.state()["companies"]
    path = f"/companies/{company['id']}/connections/{company['dataConnections'][0]['id']}"
    async with httpx.AsyncClient(transport=asgi_transport(sandbox), base_url=API, headers=HEADERS) as client:
        url = f"{path}/connectionInfo/bankFeedAccounts{account}"
        answered = await client.request(method, url, json=body)
        assert answered.is_success


def accounts(sandbox: Sandbox) -> list[tuple[str, str, float]]:
    return sorted(
        (found["id"], found["accountName"], found["balance"]) for found in sandbox.state()["sourceAccounts"]
    )


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", range(1, WRITES + 1))
def test_a_killed_run_is_completed_by_the_next_and_nothing_is_done_twice(
    nth: int, when: str, sandbox: Sandbox
) -> None:
    async def play() -> None:
        assert (await applied(BEFORE, Wire(sandbox))).is_complete
        with pytest.raises(BaseExceptionGroup):
            await applied(AFTER, Wire(sandbox, nth, when))
        assert (await applied(AFTER, Wire(sandbox))).is_complete
        assert not (await applied(AFTER, Wire(sandbox))).results

    run(play())
    assert accounts(sandbox) == WHOLE


def test_two_runs_at_once_create_every_account_once(sandbox: Sandbox) -> None:
    async def play() -> list[Outcome]:
        await applied(BEFORE, Wire(sandbox))
        return await asyncio.gather(applied(AFTER, Wire(sandbox)), applied(AFTER, Wire(sandbox)))

    assert all(outcome.is_complete for outcome in run(play()))
    assert accounts(sandbox) == WHOLE


def test_what_changed_since_the_plan_is_not_deleted(sandbox: Sandbox) -> None:
    async def play() -> Outcome:
        await applied(BEFORE, Wire(sandbox))
        return await applied(AFTER, Wire(sandbox), ("PATCH", "/b", {"accountName": "Theirs"}))

    (failed,) = [result.failure for result in run(play()).results if result.failure]
    assert failed.code == "changed-since-plan"
    assert ("b", "Theirs", 4002) in accounts(sandbox)


def test_what_someone_else_made_under_the_id_since_the_plan_is_not_taken_over(sandbox: Sandbox) -> None:
    theirs = {
        "id": "c",
        "accountName": "Theirs",
        "accountType": "checking",
        "accountNumber": "1",
        "currency": "EUR",
        "balance": 1,
    }

    async def play() -> Outcome:
        await applied(BEFORE, Wire(sandbox))
        return await applied(AFTER, Wire(sandbox), ("POST", "", theirs))

    (failed,) = [result.failure for result in run(play()).results if result.failure]
    assert failed.code == "changed-since-plan"
    assert ("c", "Theirs", 1) in accounts(sandbox)


def test_an_answer_with_another_id_is_no_success(sandbox: Sandbox) -> None:
    async def play() -> Outcome:
        await applied(feed(account("a")), Wire(sandbox))
        return await applied(BEFORE, Wire(sandbox, alter={"id": "another"}))

    (failed,) = [result.failure for result in run(play()).results if result.failure]
    assert failed.code == "answer-differs"
