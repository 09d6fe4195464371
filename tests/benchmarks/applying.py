"""An apply of new companies against the sandbox, in virtual time: which share of the allowed rate it reaches.

    python applying.py COMPANIES REQUESTS_PER_MINUTE LATENCY_SECONDS [CONCURRENCY]

Prints one line: requests, seconds of virtual time, share of the allowed rate, the busiest 60 seconds, and
what they may hold. Time jumps to the next timer, so minutes pass in seconds, whatever the machine.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from bisect import bisect_left
from pathlib import Path
from typing import Final

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from virtual_time import VirtualClock, run
from worlds import write_specs

from reconciler.apply import execute
from reconciler.codat import Client, asgi_transport, connect
from reconciler.live import Live
from reconciler.loading import load
from reconciler.outcome import Result
from reconciler.planner import Policy, make_plan
from reconciler.sandbox import Sandbox
from reconciler.secret_refs import Secret, SecretRef
from reconciler.workspace import Limits

API: Final = "http://127.0.0.1"
MINUTE: Final = 60.0


class Far(httpx.AsyncBaseTransport):
    """The sandbox, so many seconds away; notes when each request left."""

    def __init__(self, sandbox: Sandbox, latency: float) -> None:
        self._beneath = asgi_transport(sandbox)
        self._latency = latency
        self.sent: list[float] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self._latency)
        return await self._beneath.handle_async_request(request)


def resolve(_: SecretRef) -> Secret:
    """A token that the sandbox takes."""
    return Secret("good-token")


async def applied(companies: int, limits: Limits, latency: float) -> list[float]:
    """When each request of the apply left."""
    clock = VirtualClock()
    sandbox = Sandbox(now=clock.now, sleep=asyncio.sleep)
    with tempfile.TemporaryDirectory() as directory:
        desired = load(write_specs(Path(directory), companies, 100), now=clock.now()).desired
    plan = make_plan(desired, Live(companies=()), Policy(now=clock.now()), tool="bench", api=API)
    far = Far(sandbox, latency)
    settings = {"limits": limits, "clock": clock}
    async with connect(Client, API, Secret("Basic YmVuY2g="), transport=far, **settings) as client:
        run_of = {"seed": 1, "planned_at": clock.now(), "observer": lambda _: None, "stop": asyncio.Event()}
        outcome = await execute(plan, client, resolve, **run_of, **settings)
    if outcome.counts[Result.DONE] != len(plan.actions):
        first = next(action for action in outcome.results if action.result is Result.FAILED)
        raise SystemExit(f"the apply is not whole: {first}")
    return far.sent


def busiest(moments: list[float]) -> int:
    """The most requests that left within any 60 seconds."""
    return max(bisect_left(moments, start + MINUTE) - at for at, start in enumerate(moments))


def main() -> None:
    """Measure, and print what came of it."""
    companies, per_minute, latency, *told_together = (float(argument) for argument in sys.argv[1:5])
    together = int(told_together[0]) if told_together else None
    limits = Limits(requests_per_minute=int(per_minute), concurrency=together)
    sent = run(applied(int(companies), limits, latency))
    seconds = sent[-1] - sent[0]
    told = {
        "requests": len(sent),
        "seconds": round(seconds, 1),
        "share": round((len(sent) - 1) / seconds * MINUTE / per_minute, 3),
        "busiest minute": busiest(sent),
        "may hold": int(per_minute),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
