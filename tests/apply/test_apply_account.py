"""The account's own settings against the sandbox: killed at each write, doubled, raced by another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import httpx
import pytest
from virtual_time import VirtualClock, run

from reconciler.apply import execute
from reconciler.codat import Client, asgi_transport, connect
from reconciler.codat.errors import ApiError
from reconciler.live import Live, LiveAccount
from reconciler.model import Desired, DesiredAccount, DesiredCompany, DesiredWebhook
from reconciler.outcome import Outcome
from reconciler.plan import Plan
from reconciler.planner import Policy, make_plan
from reconciler.sandbox import Sandbox
from reconciler.sandbox.control import PREFIX
from reconciler.secret_refs import Secret, SecretRef, Variable
from reconciler.workspace import Limits

API: Final = "http://127.0.0.1"
HOOK: Final = SecretRef(Variable("HOOK"))
URL: Final = Secret("https://lender.example/hook?key=must-never-be-shown")
OLD: Final = {"url": URL.reveal(), "eventTypes": ["company.created"]}
LIMITS: Final = Limits()
WANTED: Final = DesiredAccount(
    profile={
        "redirectUrl": "https://lender.example/done",
        "whiteListUrls": ("https://b.example", "https://a.example"),
    },
    sync_settings={"invoices": {"fetchOnFirstLink": False, "syncSchedule": 12}},
    webhooks={
        "reads": DesiredWebhook(
            key="reads", url=HOOK, event_types=("read.completed",), company_tags=("region:uk",)
        ),
        "links": DesiredWebhook(
            key="links", url="https://lender.example/links", event_types=("connection.connected",)
        ),
    },
)
MARK: Final = {
    "url": "https://codat-sync.invalid/workspace/prod",
    "disabled": True,
    "eventTypes": ["client.rateLimit.reset"],
}
WRITES: Final = 2 + 1 + 2
"""Two consumers, the old one's delete, profile and sync settings."""


class Killed(BaseException):
    """The process was killed here."""


class Wire(httpx.AsyncBaseTransport):
    """Kills the run at its ``nth`` write, before that arrives or after it took effect."""

    def __init__(self, sandbox: Sandbox, nth: int = 0, when: str = "before") -> None:
        self._beneath = asgi_transport(sandbox)
        self._nth, self._when = nth, when
        self.writes = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.1)
        self.writes += request.method != "GET"
        is_last = self.writes == self._nth and request.method != "GET"
        if is_last and self._when == "before":
            raise Killed
        answer = await self._beneath.handle_async_request(request)
        if is_last:
            raise Killed
        return answer


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox(seed=5)
    yield made
    made.close()


def desired(account: DesiredAccount = WANTED, workspace: str = "prod") -> Desired:
    return Desired(workspace=workspace, companies={}, account=account)


async def planned(client: Client, wanted: Desired) -> Plan:
    live = LiveAccount(
        webhooks=await client.webhooks(),
        profile=await client.profile(),
        sync_settings=await client.profile_sync_settings(),
        urls={HOOK: URL},
    )
    return make_plan(
        wanted,
        Live(companies=(), account=live),
        Policy(VirtualClock().now()),
        tool="codat-sync",
        api="https://api",
    )


async def applied(
    sandbox: Sandbox,
    wire: Wire | None = None,
    wanted: Desired | None = None,
    *,
    between: Sequence[dict[str, Any]] = (),
) -> Outcome:
    """Plan and apply, as one run does; ``between`` are consumers that someone makes between the two."""
    clock = VirtualClock()
    async with connect(
        Client, API, Secret("Basic eA=="), limits=LIMITS, clock=clock, transport=wire or Wire(sandbox)
    ) as client:
        plan = await planned(client, wanted or desired())
        await given(sandbox, *between)
        return await execute(
            plan,
            client,
            lambda _: URL,
            clock=clock,
            limits=LIMITS,
            observer=lambda _: None,
            seed=id(wire),
            stop=asyncio.Event(),
        )


async def given(sandbox: Sandbox, *webhooks: dict[str, Any]) -> None:
    async with httpx.AsyncClient(transport=asgi_transport(sandbox), base_url=API) as client:
        for webhook in webhooks:
            answer = await client.post("/webhooks", json=webhook, headers={"Authorization": "Basic eA=="})
            assert answer.status_code == 201


async def deleted(sandbox: Sandbox, path: str) -> None:
    async with httpx.AsyncClient(transport=asgi_transport(sandbox), base_url=API) as client:
        answer = await client.delete(path, headers={"Authorization": "Basic eA=="})
        assert answer.is_success


def consumers(sandbox: Sandbox) -> list[tuple[str, list[str]]]:
    return sorted((webhook["url"], webhook["eventTypes"]) for webhook in sandbox.state()["webhooks"])


WHOLE: Final = [
    ("https://codat-sync.invalid/workspace/prod", ["client.rateLimit.reset"]),
    (URL.reveal(), ["read.completed"]),
    ("https://lender.example/links", ["connection.connected"]),
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", range(1, WRITES + 1))
def test_a_killed_run_is_completed_by_the_next_and_nothing_is_there_twice(
    nth: int, when: str, sandbox: Sandbox
) -> None:
    async def play() -> None:
        await given(sandbox, MARK, OLD)
        with pytest.raises(Killed):
            await applied(sandbox, Wire(sandbox, nth, when))
        assert (await applied(sandbox)).is_complete
        assert not (await applied(sandbox)).results

    run(play())
    assert consumers(sandbox) == WHOLE


def test_no_moment_is_without_a_consumer_of_the_url_that_is_replaced(sandbox: Sandbox) -> None:
    run(given(sandbox, MARK, OLD))
    run(applied(sandbox))
    made = [document["method"] for document in sandbox.journal() if document["path"].startswith("/webhooks")]
    assert made == ["POST", "POST", "POST", "POST", "DELETE"]


def test_two_runs_at_once_create_every_consumer_once(sandbox: Sandbox) -> None:
    async def play() -> list[Outcome]:
        return await asyncio.gather(applied(sandbox, Wire(sandbox)), applied(sandbox, Wire(sandbox)))

    assert all(outcome.is_complete for outcome in run(play()))
    assert consumers(sandbox) == WHOLE


def test_two_workspaces_at_once_never_both_go_on(sandbox: Sandbox) -> None:
    async def play() -> list[Outcome]:
        return await asyncio.gather(
            applied(sandbox, Wire(sandbox)),
            applied(sandbox, Wire(sandbox), desired(WANTED, "staging")),
        )

    failures = [result.failure for outcome in run(play()) for result in outcome.results if result.failure]
    assert {failure.code for failure in failures} == {"not-ours"}
    assert len(consumers(sandbox)) == 2, "the marks alone"

    other = next(hook["id"] for hook in sandbox.state()["webhooks"] if hook["url"].endswith("/staging"))
    run(deleted(sandbox, f"/webhooks/{other}"))
    assert run(applied(sandbox)).is_complete, "its advice leads on"


def test_what_someone_puts_beside_ours_before_the_account_is_ours_is_left_to_be_settled(
    sandbox: Sandbox,
) -> None:
    (failed,) = [result.failure for result in run(applied(sandbox, between=[OLD])).results if result.failure]
    assert failed.code == "changed-since-plan"
    assert consumers(sandbox) == [(OLD["url"], OLD["eventTypes"])]

    again = run(applied(sandbox))
    assert (again.results, [noted.code for noted in again.attention]) == ((), ["exists"])
    assert consumers(sandbox) == [(OLD["url"], OLD["eventTypes"])]


def test_what_someone_puts_elsewhere_meanwhile_stops_nothing(sandbox: Sandbox) -> None:
    elsewhere = {"url": "https://others.example/hook", "eventTypes": ["company.created"]}
    assert run(applied(sandbox, between=[elsewhere])).is_complete


def test_what_others_set_meanwhile_in_the_profile_is_kept(sandbox: Sandbox) -> None:
    run(applied(sandbox))
    logo = replace(WANTED, profile={"logoUrl": "https://lender.example/logo.png"})
    assert run(applied(sandbox, None, desired(logo))).is_complete

    async def profile() -> dict[str, Any]:
        async with httpx.AsyncClient(transport=asgi_transport(sandbox), base_url=API) as client:
            found = await client.get("/profile", headers={"Authorization": "Basic eA=="})
            return dict(found.json())

    found = run(profile())
    assert found["redirectUrl"] == "https://lender.example/done"
    assert found["logoUrl"] == "https://lender.example/logo.png"


def test_an_account_that_fails_holds_back_the_companies(sandbox: Sandbox) -> None:
    sandbox.fault("500", match={"method": "PUT", "path": "/profile"}, times=99)
    both = replace(desired(), companies={"acme": DesiredCompany(key="acme", name="Acme")})
    outcome = run(applied(sandbox, None, both))
    assert outcome.stopped is not None
    assert outcome.stopped.code == "account-failed"
    assert sandbox.state()["companies"] == []

    run(deleted(sandbox, f"{PREFIX}/faults"))
    assert run(applied(sandbox, None, both)).is_complete, "its advice leads on"
    assert [company["name"] for company in sandbox.state()["companies"]] == ["Acme"]


def test_a_url_that_is_a_secret_is_in_no_plan_and_in_no_error(sandbox: Sandbox) -> None:
    async def play() -> tuple[Plan, str]:
        await given(sandbox, MARK, OLD)
        async with connect(
            Client, API, Secret("Basic eA=="), limits=LIMITS, transport=asgi_transport(sandbox)
        ) as client:
            plan = await planned(client, desired())
            with pytest.raises(ApiError) as caught:
                await client.create_webhook(
                    {"url": URL, "eventTypes": [1], "note": URL.reveal()}, UUID(int=7)
                )
            return plan, str(caught.value)

    plan, error = run(play())
    assert "must-never-be-shown" not in f"{plan} {plan.document()} {error}"
