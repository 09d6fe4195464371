"""An answer read whole, and no further than is sensible: its size once unpacked, and its time in all.

httpx unpacks each piece as it comes, and a kilobyte on the wire may stand for a megabyte, so the packed
bytes are taken here and unpacked in steps. Its timeouts are for one piece each, which a server that drips
keeps to for ever.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from typing import Final, cast

import httpx

LARGEST: Final = 16 * 1024 * 1024
"""Bytes of an answer, unpacked: 5,000 companies, the most that a page has, of three kilobytes each."""
LONGEST: Final = 180.0
"""Seconds from the request to the end of its answer."""
ENCODINGS: Final = "gzip"
"""What we ask for; deflate is understood too."""
_AS_IT_IS: Final = frozenset({"", "identity"})
_PACKED: Final = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP_OR_ZLIB: Final = zlib.MAX_WBITS | 32
_OF_THE_WIRE: Final = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})


class TooLargeError(httpx.DecodingError):
    """The answer is larger than anything that Codat sends."""


class TooSlowError(httpx.ReadTimeout):
    """The answer came on and on, and not to its end."""


async def whole(
    send: Callable[[httpx.Request], Awaitable[httpx.Response]], request: httpx.Request
) -> httpx.Response:
    """The answer that ``send`` gets to ``request``, with its content unpacked.

    Raises:
        TooLargeError: it is more than ``LARGEST`` bytes.
        TooSlowError: it was not there within ``LONGEST`` seconds.
        httpx.DecodingError: it is packed in a way that we did not ask for, or not whole.
    """
    try:
        async with asyncio.timeout(LONGEST):
            response = await send(request)
            try:
                content = await _content(response)
            finally:
                await response.aclose()
    except TimeoutError:
        raise TooSlowError("no whole answer came in time", request=request) from None
    kept = [(name, value) for name, value in response.headers.raw if name.lower() not in _OF_THE_WIRE]
    return httpx.Response(
        response.status_code, headers=kept, content=content, request=request, extensions=response.extensions
    )


async def _content(response: httpx.Response) -> bytes:
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in _AS_IT_IS | _PACKED:
        raise httpx.DecodingError("the answer is packed in a way that we did not ask for")
    packing = zlib.decompressobj(_GZIP_OR_ZLIB) if encoding in _PACKED else None
    content, is_empty = bytearray(), True
    async for piece in cast("httpx.AsyncByteStream", response.stream):
        is_empty = is_empty and not piece
        try:
            content += packing.decompress(piece, LARGEST + 1 - len(content)) if packing else piece
        except zlib.error:
            raise httpx.DecodingError("the answer cannot be unpacked") from None
        if len(content) > LARGEST:
            raise TooLargeError("the answer is too large")
    if packing and not (packing.eof or is_empty):
        raise httpx.DecodingError("the packed answer is cut")
    return bytes(content)
