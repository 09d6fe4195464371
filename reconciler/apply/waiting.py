"""Waits that grow: looking again, and asking again under the same key.

All waiting here goes through a ``Pause``, which Ctrl-C cuts short; so it does what a client waits for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from typing import Any, Final, TypeVar, cast

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    retry_if_result,
    stop_after_attempt,
    wait_chain,
    wait_fixed,
)
from tenacity.retry import retry_base

from reconciler.codat.errors import (
    ApiError,
    NoAnswerError,
    ServerFaultError,
    StillRunningError,
    UnexpectedAnswerError,
    UnreachableError,
)

T = TypeVar("T")
Pause = Callable[[float], Awaitable[None]]
"""Returns after so many seconds, or raises ``StoppedError``."""

GROWING: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds between looks: 30 in all, since Codat's index may lag."""
SAME_KEY: Final = (*GROWING, 30.0)
"""Seconds between requests under the same key: 60 in all."""

PASSING: Final = (NoAnswerError, UnreachableError, ServerFaultError, UnexpectedAnswerError, StillRunningError)
"""What a look that failed may get over; it says nothing of what it looked for."""
SAME_KEY_ERRORS: Final = (NoAnswerError, UnreachableError, StillRunningError)
"""After these the same idempotency key gives the answer, as soon as there is one."""
UNSETTLED: Final[tuple[type[ApiError], ...]] = (*SAME_KEY_ERRORS, ServerFaultError)
"""After these a write may or may not have taken effect."""


async def look(find: Callable[[], Awaitable[T | None]], pause: Pause) -> T | None:
    """What ``find`` finds, looking again with growing waits for 30 seconds; ``None`` if it is not there.

    Raises:
        ApiError: the last look failed.
    """
    again = retry_if_result(_is_nothing) | retry_if_exception_type(PASSING)
    return await _again(find, again, GROWING, pause)


async def under_same_key(send: Callable[[], Awaitable[T]], pause: Pause) -> T:
    """What ``send`` returns, asked again after no answer and while it is in progress, for 60 seconds.

    Raises:
        ApiError: the last answer, or none.
    """
    return await _again(send, retry_if_exception_type(SAME_KEY_ERRORS), SAME_KEY, pause)


async def _again(
    ask: Callable[[], Awaitable[T]], again: retry_base, waits: Sequence[float], pause: Pause
) -> T:
    retrying = AsyncRetrying(
        retry=again,
        wait=wait_chain(*(wait_fixed(seconds) for seconds in waits)),
        stop=stop_after_attempt(len(waits) + 1),
        sleep=pause,
        retry_error_callback=_last,
    )

    async def once() -> T:
        return await ask()

    answer: T = await retrying(once)
    return answer


def _last(state: RetryCallState) -> Any:
    """The last result, or the last error raised anew; an attempt was made, so there is one."""
    return cast("Future[Any]", state.outcome).result()


def _is_nothing(found: object) -> bool:
    return found is None
