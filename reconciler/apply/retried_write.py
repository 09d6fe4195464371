"""Writes that may be sent twice: after no answer or a fault, look what came of it, and send once more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar
from uuid import UUID

from reconciler.apply.state import WorkerState
from reconciler.apply.waiting import UNSETTLED
from reconciler.codat.errors import HeldUpError, ServerFaultError, StillRunningError
from reconciler.plan import Action

T = TypeVar("T")

KEPT: Final = (ServerFaultError, StillRunningError)
"""Answers that Codat may repeat under the same key."""
HELD_UP: Final = 5
"""How often a write may be held up right after the look that it rests on, until that is a failure."""
BEFORE_LOOKING: Final = 2.0
"""Seconds to give a write that was not answered."""


async def settle(
    worker: WorkerState,
    action: Action,
    send: Callable[[UUID], Awaitable[T]],
    find_done: Callable[[], Awaitable[T | None]],
) -> T:
    """What ``send`` answers, or what ``find_done`` finds where it left that open.

    A ``send`` that rests on a look rests on what ``find_done`` saw last.
    ``send`` is given an idempotency key: the same one again after no answer, which Codat replays; a
    new one after a fault, which Codat would replay too.

    Raises:
        ApiError: it was sent twice, and is not done.
    """
    key = worker.next_key(action)
    try:
        return await _promptly(worker, send, key, find_done)
    except UNSETTLED as error:
        done = await _looked(worker, action, find_done)
        if done is not None:
            return done
        if isinstance(error, KEPT):
            key = worker.next_key(action)
    try:
        return await _promptly(worker, send, key, find_done)
    except UNSETTLED:
        done = await _looked(worker, action, find_done)
        if done is None:
            raise
        return done


async def _promptly(
    worker: WorkerState,
    send: Callable[[UUID], Awaitable[T]],
    key: UUID,
    find_done: Callable[[], Awaitable[T | None]],
) -> T:
    """What ``send`` answers right after a look, or what a further look finds done where that was too old."""
    for _ in range(HELD_UP):
        try:
            return await worker.write(send, key)
        except HeldUpError:
            done = await find_done()
            if done is not None:
                return done
    return await worker.write(send, key)


async def _looked(
    worker: WorkerState, action: Action, find_done: Callable[[], Awaitable[T | None]]
) -> T | None:
    await worker.pausing(f"looking what came of {action.kind} {action.address}")(BEFORE_LOOKING)
    return await find_done()
