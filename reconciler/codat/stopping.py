"""The end of a run, which nothing waits beyond: whatever has not been sent when it comes never is."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class StoppedError(Exception):
    """The run ends, so nothing further is sent; whatever was sent before stands."""


async def unless_stopped(waiting: Coroutine[Any, Any, T], stop: asyncio.Event | None) -> T:
    """What ``waiting`` comes to.

    Raises:
        StoppedError: ``stop`` was set before, or meanwhile, which ends ``waiting``.
    """
    if stop is None:
        return await waiting
    if stop.is_set():
        waiting.close()
        raise StoppedError
    going, stopping = asyncio.ensure_future(waiting), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((going, stopping), return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            raise StoppedError
        return going.result()
    finally:
        going.cancel()
        stopping.cancel()
