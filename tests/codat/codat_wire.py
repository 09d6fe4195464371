"""A scripted network beneath the client, in virtual time."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import httpx
from virtual_time import START, VirtualClock, run

from reconciler.codat import Client, ReadClient, connect
from reconciler.secret_refs import Secret
from reconciler.workspace import Limits

T = TypeVar("T")

API = "https://api.codat.io"
HEADER = Secret("Basic Y2FuYXJ5LWFwaS1rZXk=")
COMPANY = "8a210b68-6988-11ed-a1eb-0242ac120002"
CONNECTION = "2e9d2c44-f675-40ba-8049-353bfcb5e171"


def company(**members: Any) -> dict[str, Any]:
    return {"id": COMPANY, "name": "Acme", "redirect": "https://link.codat.io/company/x", **members}


def connection(**members: Any) -> dict[str, Any]:
    return {
        "id": CONNECTION,
        "integrationId": "fd321cb6-7963-4506-b873-e99593a45e30",
        "integrationKey": "qhyg",
        "sourceId": "8a156a5a-39cb-4f9d-856e-76ef9b9a9607",
        "sourceType": "Accounting",
        "platformName": "QuickBooks Online",
        "linkUrl": "https://link-api.codat.io/companies/x/connections/y/start?otp=123456",
        "status": "PendingAuth",
        "created": "2026-11-24T09:00:00Z",
        **members,
    }


def listing(*rows: Any, total: int | None = None, following: str = "", **members: Any) -> dict[str, Any]:
    links = {"self": {"href": "/x"}, "current": {"href": "/x"}}
    return {
        "results": list(rows),
        "pageNumber": 1,
        "pageSize": 100,
        "totalResults": len(rows) if total is None else total,
        "_links": links | ({"next": {"href": following}} if following else {}),
        **members,
    }


def answer(body: Any = None, status: int = 200, **headers: str) -> httpx.Response:
    """An answer with a JSON body; header names with underscores for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, json=body) if body is not None else blank(status, **named)


def blank(status: int = 204, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers=headers)


Step = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


@dataclass(repr=False)
class Wire(httpx.AsyncBaseTransport):
    """Answers requests by a script, one step each, the last step for all that follow."""

    steps: list[Step]
    seconds: float = 0.0
    """How long each answer takes."""
    requests: list[httpx.Request] = field(default_factory=list)
    moments: list[datetime] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.moments.append(VirtualClock().now())
        step = self.steps[min(len(self.requests), len(self.steps)) - 1]
        await asyncio.sleep(self.seconds)
        if isinstance(step, Exception):
            raise step
        if isinstance(step, httpx.Response):
            return httpx.Response(step.status_code, headers=step.headers, content=step.content)
        return step(request)

    @property
    def sent(self) -> list[str]:
        """Method, path and query of each request."""
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]

    @property
    def seconds_sent(self) -> list[float]:
        """When each request was sent, in seconds from the start."""
        return [(moment - START).total_seconds() for moment in self.moments]

    def body(self, index: int = -1) -> Any:
        return json.loads(self.requests[index].content)


def wire(*steps: Step, seconds: float = 0.0) -> Wire:
    return Wire(list(steps), seconds)


def talk(
    transport: httpx.AsyncBaseTransport,
    do: Callable[[Client], Awaitable[T]],
    *,
    cls: type[ReadClient] = Client,
    api: str = API,
    limits: Limits | None = None,
    **settings: Any,
) -> T:
    """What ``do`` returns when it talks through ``transport``, in virtual time."""

    async def main() -> T:
        limits_or_default = limits or Limits()
        settings.setdefault("rng", random.Random(0))
        async with connect(
            cls, api, HEADER, limits=limits_or_default, clock=VirtualClock(), transport=transport, **settings
        ) as client:
            return await do(client)  # type: ignore[arg-type]

    return run(main())


async def at_once(calls: Iterable[Awaitable[T]]) -> list[T]:
    return list(await asyncio.gather(*calls))
