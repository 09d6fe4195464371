"""An answer that is too large, too slow or packed oddly costs neither memory nor the evening."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import httpx
import pytest
from codat_wire import answer, company, talk, wire

from reconciler.codat import Client
from reconciler.codat.errors import NoAnswerError, UnexpectedAnswerError
from reconciler.codat.faults import LARGEST, LONGEST
from reconciler.codat.reading import MOST_VALUES

MEMORY = 120 * 1024 * 1024
"""Bytes that an answer may take while it is read, beside what the program takes itself."""
BODY = b'{"id": "1", "name": "Acme", "redirect": "https://link.codat.io/company/x"}'


class Pieces(httpx.AsyncByteStream):
    def __init__(self, pieces: Callable[[], AsyncIterator[bytes]]) -> None:
        self._pieces = pieces

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._pieces()


def packed(body: bytes, encoding: str) -> Callable[[httpx.Request], httpx.Response]:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65536):
            yield body[start : start + 65536]

    return lambda _: httpx.Response(200, headers={"Content-Encoding": encoding}, stream=Pieces(pieces))


async def ask(client: Client) -> object:
    return await client.company("1")


def peak(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def spaces() -> bytes:
    """A few hundred kilobytes that stand for ten times what an answer may have."""
    packer = zlib.compressobj(1, wbits=zlib.MAX_WBITS | 16)
    million = b" " * 2**20
    return b"".join(packer.compress(million) for _ in range(10 * LARGEST // 2**20)) + packer.flush()


def test_an_answer_that_unpacks_to_far_more_is_given_up_at_the_limit() -> None:
    network = wire(packed(spaces(), "gzip"))

    def work() -> None:
        with pytest.raises(NoAnswerError, match=r"larger than 16 MiB.*limits\.pageSize"):
            talk(network, ask)

    assert peak(work) < MEMORY
    assert len(network.requests) == 1, "it would be as large again"


async def _drip() -> AsyncIterator[bytes]:
    while True:
        await asyncio.sleep(50)
        yield b" "


def test_an_answer_that_drips_is_given_up_and_not_asked_for_again() -> None:
    network = wire(lambda _: httpx.Response(200, stream=Pieces(_drip)))

    async def do(client: Client) -> float:
        with pytest.raises(NoAnswerError, match="not come whole after 180 seconds"):
            await client.company("1")
        return asyncio.get_running_loop().time()

    assert talk(network, do) == pytest.approx(LONGEST, abs=1)
    assert len(network.requests) == 1


def test_a_write_whose_answer_is_given_up_may_have_taken_effect() -> None:
    network = wire(lambda _: httpx.Response(200, stream=Pieces(_drip)))

    with pytest.raises(NoAnswerError):
        talk(network, lambda client: client.create_company({"name": "A"}, uuid4()))


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(gzip.compress(BODY), "gzip"), (zlib.compress(BODY), "deflate"), (BODY, "identity"), (BODY, "")],
    ids=["gzip", "deflate", "identity", "plain"],
)
def test_an_answer_is_unpacked(body: bytes, encoding: str) -> None:
    network = wire(packed(body, encoding))

    assert talk(network, ask) == talk(wire(answer(company(id="1"))), ask)
    assert network.requests[0].headers["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(gzip.compress(BODY)[:-9], "gzip"), (BODY, "gzip"), (gzip.compress(BODY), "br"), (BODY, "gzip, gzip")],
    ids=["cut", "not packed", "another way", "twice"],
)
def test_what_cannot_be_unpacked_is_no_answer(body: bytes, encoding: str) -> None:
    with pytest.raises(NoAnswerError, match="could not be unpacked"):
        talk(wire(packed(body, encoding)), ask)


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"{}," * MOST_VALUES + b"{}]",
        b'{"results": [' + b'{"":0},' * MOST_VALUES + b"0]}",
        b"[" + b'{"":0},' * (MOST_VALUES // 2 - 1) + b"0]",
        b"[" * 100_000,
        b'{"totalResults": ' + b"9" * 100_000 + b"}",
        b'"' + "\U0001f370".encode() * (LARGEST // 4 - 1) + b'"',
    ],
    ids=["empty objects", "small objects", "as many as are read", "depth", "a long number", "one text"],
)
def test_json_that_is_larger_in_memory_than_on_the_wire_stays_in_bounds(body: bytes) -> None:
    def work() -> None:
        with pytest.raises(UnexpectedAnswerError):
            talk(wire(httpx.Response(200, content=body)), ask)

    assert peak(work) < MEMORY
