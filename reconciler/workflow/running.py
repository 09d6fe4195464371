"""Runs what a command does to its end, and hands over what it came to."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` returns or raises, in an event loop of its own.

    The main task of the loop ends with neither. As it gives Ctrl-C back, ``asyncio.run`` makes Python write
    that task out, its result or its error too: a whole plan, as text that nobody reads.
    """
    told: Future[T] = Future()

    async def main() -> None:
        try:
            told.set_result(await work)
        except Exception as error:  # noqa: BLE001 - it is raised again below, as it is
            told.set_exception(error)

    asyncio.run(main())  # noqa: TID251
    return told.result()
