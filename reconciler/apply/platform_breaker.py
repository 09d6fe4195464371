"""Caution with credentials, platform by platform: the first goes alone, three rejections in a row end it.

A wrong callback URL or a token exported the wrong way rejects every customer of a platform alike; so
it is better found out with one customer than with a thousand.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final

from reconciler.plan import Action, AuthorizeConnection

REJECTED_IN_A_ROW: Final = 3
"""Rejections that stop a platform."""
TOGETHER: Final = 10
"""Authorizations of one platform that start together; of more, one goes alone until one is accepted."""


class PlatformTurns:
    """One platform's authorizations in a run of ``total`` of them, however many parts it has."""

    def __init__(self, total: int) -> None:
        self._is_proved = total <= TOGETHER
        self._rejected = 0
        self._alone = asyncio.Lock()

    @property
    def is_stopped(self) -> bool:
        """Whether so many credentials in a row were rejected that no further ones are sent."""
        return self._rejected >= REJECTED_IN_A_ROW

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """A turn; as long as none was accepted in a large run, nobody else has one meanwhile."""
        if not self._is_proved:
            async with self._alone:
                if not self._is_proved:
                    yield
                    return
        yield

    def accepted(self) -> None:
        """Take note that credentials were accepted, now or earlier."""
        self._is_proved = True
        if not self.is_stopped:
            self._rejected = 0

    def rejected(self) -> None:
        """Take note that credentials were rejected."""
        self._rejected += 1


class PlatformBreaker:
    """The turns of every platform of a plan, by platform key."""

    def __init__(self, actions: Iterable[Action]) -> None:
        totals = Counter(one.platform_key for one in actions if isinstance(one, AuthorizeConnection))
        self._platforms = {key: PlatformTurns(total) for key, total in totals.items()}

    def __getitem__(self, platform_key: str) -> PlatformTurns:
        return self._platforms[platform_key]
