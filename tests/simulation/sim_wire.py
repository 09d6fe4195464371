"""The wire between a client and the sandbox: counts requests, lets faults strike, and keeps a log.

It lies beneath the client's own transport, so pacing, waits and repeats of the real code are above it.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn

import httpx
from sim_faults import KINDS, Fault
from starlette.types import Message, Receive, Scope, Send

from reconciler.codat import asgi_transport
from reconciler.sandbox.answering import ServerFault
from reconciler.sandbox.faults import FAULT

if TYPE_CHECKING:
    from sim_world import Apply, World

CONNECTION: Final = re.compile(r"/companies/(?P<company>[^/]+)(/connections/(?P<connection>[^/]+))?")
LAST_ENTRY: Final = "SELECT * FROM journal ORDER BY seq DESC LIMIT 1"


@dataclass(slots=True)
class Exchange:
    """One request of ours and what became of it; moments are the world's own, whatever clocks say.

    ``status`` is what Codat answered, ``seen`` what came back to us (``None``: nothing did).
    """

    apply: int
    number: int
    method: str
    path: str
    key: str | None
    body: dict[str, Any]
    sent: float
    fault: str = ""
    arrived: float | None = None
    answered: float | None = None
    status: int | None = None
    seen: int | None = None
    took_effect: bool = False
    replayed: bool = False
    tokens_to_linked: bool = False
    company: str = ""
    connection: str = ""
    calm: bool = False
    listening: tuple[dict[str, Any], ...] | None = None
    """The webhook consumers right after a write that concerned them."""
    at: datetime | None = None
    """When it arrived, by Codat's own clock."""

    @property
    def is_write(self) -> bool:
        """Whether it asks for a change."""
        return self.method != "GET"

    @property
    def is_authorize(self) -> bool:
        """Whether it hands over tokens."""
        return self.method == "PUT" and self.path.endswith("/authorization")

    @property
    def creates_company(self) -> bool:
        """Whether it asks for a new company."""
        return self.method == "POST" and self.path == "/companies"

    @property
    def creates_connection(self) -> bool:
        """Whether it asks for a new connection."""
        return self.method == "POST" and self.path.endswith("/connections")

    @property
    def failed(self) -> bool:
        """Whether it told us nothing new, so that one more request may follow."""
        garbled = self.fault in ("malformed", "proxy-page")
        return self.seen is None or self.seen >= 400 or self.replayed or garbled

    def __str__(self) -> str:
        path = re.sub(r"([0-9a-f]{4})[0-9a-f]{4}-[0-9a-f-]{27}", r"\1", self.path)
        return f"{self.method} {path}"


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault that struck, for the story."""

    fault: Fault
    exchange: str
    apply: int
    whom: str = ""

    def __str__(self) -> str:
        whom = f" {self.whom}" if self.whom else ""
        seconds = f" ({self.fault.seconds:g} s)" if self.fault.seconds else ""
        tells = KINDS[self.fault.kind].tells
        return f"request {self.fault.at} ({self.exchange}, apply {self.apply}) {tells}{whom}{seconds}"


class Wire(httpx.AsyncBaseTransport):
    """What one apply sends passes through here."""

    def __init__(self, world: World, apply: Apply) -> None:
        self.world = world
        self.apply = apply

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Let what is due happen, then let the request meet its fault, or Codat."""
        if self.apply.is_dead:
            raise asyncio.CancelledError
        number, due = self.world.next_request(self.apply)
        exchange = self._noted(request, number)
        await self.world.travel()
        fault = self._let_happen(exchange, due)
        if fault is None:
            response = await self.forward(exchange, request)
        else:
            exchange.fault = fault.kind
            on_wire = KINDS[fault.kind].on_wire
            assert on_wire is not None
            response = await on_wire(self, exchange, request, fault)
        await self.world.travel()
        exchange.answered, exchange.seen = self.world.time, response.status_code
        return response

    def _noted(self, request: httpx.Request, number: int) -> Exchange:
        found = CONNECTION.match(request.url.path)
        exchange = Exchange(
            self.apply.number,
            number,
            request.method,
            request.url.path,
            request.headers.get("Idempotency-Key"),
            json.loads(request.content) if request.content else {},
            self.world.time,
            company=(found and found["company"]) or "",
            connection=(found and found["connection"]) or "",
            calm=not self.apply.is_disturbed,
        )
        self.world.log.append(exchange)
        return exchange

    def _let_happen(self, exchange: Exchange, due: list[Fault]) -> Fault | None:
        """Let the world's part of the faults happen; the first that concerns the wire is returned."""
        struck = None
        for fault in due:
            kind = KINDS[fault.kind]
            whom = ""
            if kind.on_wire is not None:
                if struck is not None:
                    continue
                struck = fault
            elif kind.happens is not None:
                kind.happens(self.world, self.apply, fault)
            else:
                target = self.world.befall(fault)
                if target is None:
                    continue
                whom = f"{target.key}/{target.role or target.platform}".rstrip("/")
            self.world.strikes.append(Strike(fault, str(exchange), self.apply.number, whom))
        return struck

    async def die(self) -> NoReturn:
        """End the process here: whatever else it has in flight is answered to nobody."""
        self.apply.die()
        await asyncio.sleep(0)
        raise asyncio.CancelledError

    async def forward(
        self,
        exchange: Exchange,
        request: httpx.Request,
        struck: ServerFault | None = None,
        held: float = 0,
    ) -> httpx.Response:
        """What Codat answers; ``held`` is how long the key stays in progress after the work is done."""
        app = partial(self._app, exchange, struck, held)
        response = await asgi_transport(app).handle_async_request(request)
        await response.aread()
        return response

    async def _app(
        self,
        exchange: Exchange,
        struck: ServerFault | None,
        held: float,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        if struck is not None:
            scope[FAULT] = struck
        exchange.arrived, exchange.at = self.world.time, self.world.their_clock.now()

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._take_note(exchange, message["status"])
                if held:
                    await asyncio.sleep(held)
            await send(message)

        await self.world.sandbox(scope, receive, noting)

    def _take_note(self, exchange: Exchange, status: int) -> None:
        """What the sandbox wrote down of a write, read before anything else can be."""
        exchange.status = status
        if not exchange.is_write or status == 409:
            return
        entry = self.world.outside.last_entry()
        exchange.took_effect = bool(entry["took_effect"])
        exchange.replayed = bool(entry["replayed"])
        exchange.tokens_to_linked = bool(entry["tokens_to_linked"])
        exchange.company = entry["company"] or exchange.company
        exchange.connection = entry["connection"] or exchange.connection
        if exchange.path.startswith("/webhooks"):
            exchange.listening = tuple(self.world.outside.consumers())
        if exchange.is_authorize and exchange.took_effect:
            self.world.tokens[exchange.connection] = exchange.body["accessToken"]


def moment_of(text: str) -> datetime:
    """A moment as Codat writes it."""
    return datetime.fromisoformat(text)
