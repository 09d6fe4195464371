"""Faults by script, as an ASGI middleware around the API.

A fault is a JSON object::

    {"kind": "500", "when": "after", "times": 1,
     "match": {"method": "POST", "path": "/connections$", "nth": 2}}

``kind`` is a row of ``KINDS``. ``match`` names the requests that it waits for (``path`` is a regular
expression that is searched for; ``nth`` counts them from 1); without it, every request. ``times`` is how
often it strikes, ``null`` for ever. Faults stand in a list, and the first that is due strikes: one a
request. ``when`` is ``before`` or ``after`` the request took effect.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.sandbox.answering import ServerFault
from reconciler.sandbox.answers import Problem
from reconciler.sandbox.settings import is_count, is_seconds
from reconciler.sandbox.store import Session, Store

FAULT: Final = "sandbox.fault"
"""Where the scope holds a fault that the server itself must act out."""
HANG_UP: Final = "sandbox.hang_up"
"""The extension of a scope that closes its TCP connection; in process there is none to close."""
WHEN: Final = ("before", "after")
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of the script; ``seconds`` is how long a latency lasts."""

    kind: str
    when: str = "before"
    method: str | None = None
    path: str = ""
    nth: int = 1
    times: int | None = 1
    seconds: float = 1.0
    retry_after: int | None = 1

    @property
    def is_after(self) -> bool:
        """Whether the request takes effect first."""
        return self.when == "after"

    def matches(self, method: str, path: str) -> bool:
        """Whether it waits for such a request."""
        return self.method in (None, method) and re.search(self.path, path) is not None


# --- the script ----------------------------------------------------------------------------------


def read_fault(document: Any) -> Fault:
    """The fault that a JSON object describes.

    Raises:
        Problem: 400, naming what is wrong with it.
    """
    if not isinstance(document, dict) or not isinstance(document.get("match", {}), dict):
        raise Problem(400, "A fault is a JSON object, and so is its match.")
    match = document.get("match", {})
    fault = Fault(
        kind=str(document.get("kind")),
        when=document.get("when", "before"),
        method=match.get("method"),
        path=match.get("path", ""),
        nth=match.get("nth", 1),
        times=document.get("times", 1),
        seconds=document.get("seconds", 1.0),
        retry_after=document.get("retryAfter", 1),
    )
    wrong = _unknown(document, match) | dict.fromkeys(_unfit(fault), "cannot be this")
    if wrong:
        raise Problem(400, f"Not a fault: {', '.join(wrong)}.", invalid=wrong)
    return fault


def _unknown(document: Mapping[str, Any], match: Mapping[str, Any]) -> dict[str, str]:
    known = {"kind", "when", "match", "times", "seconds", "retryAfter"}
    names = [name for name in document if name not in known]
    names += [f"match.{name}" for name in match if name not in ("method", "path", "nth")]
    return dict.fromkeys(names, "is not known")


def _unfit(fault: Fault) -> list[str]:
    checks = {
        "kind": fault.kind in KINDS,
        "when": fault.when in WHEN,
        "match.method": fault.method is None or isinstance(fault.method, str),
        "match.path": _is_pattern(fault.path),
        "match.nth": is_count(fault.nth, 1),
        "times": fault.times is None or is_count(fault.times, 1),
        "seconds": is_seconds(fault.seconds),
        "retryAfter": fault.retry_after is None or is_count(fault.retry_after),
    }
    return [name for name, fits in checks.items() if not fits]


def _is_pattern(text: Any) -> bool:
    try:
        re.compile(text)
    except (re.error, TypeError):
        return False
    return isinstance(text, str)


def add(session: Session, document: Any) -> None:
    """Put a fault at the end of the script.

    Raises:
        Problem: 400, it is not a fault.
    """
    fault = read_fault(document)
    session.run("INSERT INTO fault (document, times_left) VALUES (?, ?)", json.dumps(document), fault.times)


def listed(session: Session) -> list[dict[str, Any]]:
    """The faults that may still strike."""
    return [
        {**json.loads(row["document"]), "seen": row["seen"], "timesLeft": row["times_left"]}
        for row in session.rows("SELECT * FROM fault ORDER BY seq")
    ]


def clear(session: Session) -> None:
    """Forget all faults."""
    session.run("DELETE FROM fault")


def take(session: Session, method: str, path: str) -> Fault | None:
    """The fault that strikes this request, used up once more; all that match have seen it."""
    due: tuple[Fault, int] | None = None
    for row in session.rows("SELECT * FROM fault ORDER BY seq"):
        fault = read_fault(json.loads(row["document"]))
        if not fault.matches(method, path):
            continue
        session.run("UPDATE fault SET seen = seen + 1 WHERE seq = ?", row["seq"])
        if due is None and row["seen"] + 1 >= fault.nth:
            due = (fault, row["seq"])
    if due is None:
        return None
    fault, seq = due
    session.run("UPDATE fault SET times_left = times_left - 1 WHERE seq = ?", seq)
    session.run("DELETE FROM fault WHERE times_left = 0")
    return fault


# --- what a fault does ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request on its way, and the app that would answer it."""

    app: ASGIApp
    scope: Scope
    receive: Receive
    send: Send
    sleep: Sleep

    async def answer(self) -> None:
        """Let the app answer."""
        await self.app(self.scope, self.receive, self.send)

    async def held(self) -> list[Message]:
        """Let the app do its work, and keep its answer from going out."""
        messages: list[Message] = []

        async def hold(message: Message) -> None:
            messages.append(message)

        await self.app(self.scope, self.receive, hold)
        return messages

    async def hear(self) -> None:
        """Take the whole request, so that closing is a plain end and not, at times, a reset."""
        while (await self.receive()).get("more_body"):
            pass

    async def hang_up(self) -> None:
        """Close the connection: the TCP connection itself, or in process what stands for it.

        Raises:
            ConnectionResetError: in process.
        """
        extension = self.scope.get("extensions", {}).get(HANG_UP)
        if extension is None:
            raise ConnectionResetError("the sandbox was told to drop this connection")
        extension["close"]()
        # The server forgives an unanswered request once it has noticed that the client is gone.
        while (await self.receive())["type"] != "http.disconnect":
            pass


async def _delay(exchange: Exchange, fault: Fault) -> None:
    if not fault.is_after:
        await exchange.sleep(fault.seconds)
        await exchange.answer()
        return
    messages = await exchange.held()
    await exchange.sleep(fault.seconds)
    for message in messages:
        await exchange.send(message)


async def _drop(exchange: Exchange, fault: Fault) -> None:
    await (exchange.held() if fault.is_after else exchange.hear())
    await exchange.hang_up()


async def _truncate(exchange: Exchange, _fault: Fault) -> None:
    """Promise the whole body, send half of it, hang up."""
    start, body = await _whole(exchange)
    await exchange.send(start)
    await exchange.send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    await exchange.hang_up()


async def _malform(exchange: Exchange, _fault: Fault) -> None:
    """Half of the body, as if it were all of it."""
    start, body = await _whole(exchange)
    half = body[: len(body) // 2]
    others = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
    headers = [*others, (b"content-length", str(len(half)).encode())]
    await exchange.send({**start, "headers": headers})
    await exchange.send({"type": "http.response.body", "body": half})


async def _whole(exchange: Exchange) -> tuple[Message, bytes]:
    start, *rest = await exchange.held()
    return start, b"".join(message.get("body", b"") for message in rest)


def _status(status: int) -> Enact:
    async def fail(exchange: Exchange, fault: Fault) -> None:
        """Leave it to the server, which keeps the answer under the request's key."""
        exchange.scope[FAULT] = ServerFault(
            fault.kind,
            status,
            is_after=fault.is_after and status >= 500,
            retry_after=fault.retry_after if status in (429, 503) else None,
        )
        await exchange.answer()

    return fail


Enact = Callable[[Exchange, Fault], Awaitable[None]]
KINDS: Final[Mapping[str, Enact]] = {
    "latency": _delay,
    "429": _status(429),
    "500": _status(500),
    "502": _status(502),
    "503": _status(503),
    "504": _status(504),
    "drop": _drop,
    "truncate": _truncate,
    "malformed": _malform,
}
"""Every kind of fault. A 429 never takes effect; truncate and malformed always do."""


class Faults:
    """The middleware: takes the fault that a request meets, if any, and acts it out."""

    def __init__(self, app: ASGIApp, store: Store, sleep: Sleep = asyncio.sleep) -> None:
        self._app = app
        self._store = store
        self._sleep = sleep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        with self._store.transaction() as session:
            fault = take(session, scope["method"], scope["path"])
        exchange = Exchange(self._app, scope, receive, send, self._sleep)
        if fault is None:
            await exchange.answer()
        else:
            await KINDS[fault.kind](exchange, fault)
