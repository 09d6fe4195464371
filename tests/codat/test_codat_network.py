"""Over a real loopback socket, without a fake beneath: the failures that only a network has."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from codat_wire import HEADER

from reconciler.codat import Client, connect
from reconciler.codat.errors import ApiError, NoAnswerError, UnreachableError
from reconciler.codat.transport import ATTEMPTS
from reconciler.workspace import Limits

Do = Callable[[Client], Awaitable[Any]]


class HastyClock:
    """The machine's time, and waits that take none."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds * 0)


@asynccontextmanager
async def saying(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that answers every connection with ``answer`` and hangs up; and what it was asked."""
    asked: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", asked


async def failing(url: str, do: Do) -> ApiError:
    async with connect(Client, url, HEADER, limits=Limits(), clock=HastyClock(), paced=False) as client:
        with pytest.raises(ApiError) as caught:
            await do(client)
    return caught.value


def test_a_port_where_nobody_listens_is_unreachable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        error = asyncio.run(failing(url, lambda client: client.company("1")))

    assert isinstance(error, UnreachableError)
    assert f"cannot reach {url}" in str(error)


CUT = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{"id": "x'


@pytest.mark.parametrize("answer", [b"", CUT, b"SMTP? no.\r\n\r\n"], ids=["hangs up", "cut", "not HTTP"])
@pytest.mark.parametrize(
    ("do", "times"),
    [
        (lambda client: client.company("1"), ATTEMPTS),
        (lambda client: client.create_company({"name": "A"}, uuid4()), 1),
    ],
    ids=["read", "write"],
)
def test_an_answer_that_does_not_come_whole_is_no_answer(answer: bytes, do: Do, times: int) -> None:
    async def main() -> tuple[ApiError, int]:
        async with saying(answer) as (url, asked):
            return await failing(url, do), len(asked)

    error, asked = asyncio.run(main())

    assert isinstance(error, NoAnswerError)
    assert asked == times
