"""What was sent, and what Codat says is left of the day."""

from __future__ import annotations

from datetime import datetime

import httpx

from reconciler.codat import headers
from reconciler.codat.errors import QuotaExhaustedError


class Meter:
    """Counts requests as they are sent, repeats included, and notes the daily quota as answers tell it.

    The quota is ``1,000 x (1 + active connected companies)`` requests a day, reset at 00:00 UTC
    (https://docs.codat.io/using-the-api/rate-limits). Where the last answer did not speak of it, the
    one before counts.
    """

    __slots__ = ("_reserve_percent", "limit", "reads", "remaining", "reset", "writes")

    def __init__(self, reserve_percent: int = 0) -> None:
        self._reserve_percent = reserve_percent
        self.reads = 0
        self.writes = 0
        self.remaining: int | None = None
        """Requests left of the day, if an answer said so."""
        self.limit: int | None = None
        """Requests that the day has in all, if an answer said so."""
        self.reset: datetime | None = None
        """When the quota comes back, if an answer said so."""

    @property
    def reserve(self) -> int:
        """Requests of the day that are left to other users of the account."""
        return (self.limit or 0) * self._reserve_percent // 100

    def spare(self, now: datetime) -> int | None:
        """Requests that may still be sent before the reserve is reached; ``None`` where nobody knows."""
        if self.remaining is None or (self.reset is not None and now >= self.reset):
            return None
        return max(0, self.remaining - self.reserve)

    def used_up(self, request: str = "") -> QuotaExhaustedError:
        """The error that what remains of the day is for others; nothing was sent of ``request``."""
        back = f" at {self.reset:%Y-%m-%dT%H:%M:%SZ}" if self.reset else ""
        return QuotaExhaustedError(
            f"{self.remaining} requests remain of the day's quota, and limits.reserve leaves "
            f"{self.reserve} to others",
            fix=f"run the same command again when the quota comes back{back}, or lower limits.reserve",
            request=request,
        )

    def sent(self, request: httpx.Request) -> None:
        """Count a request."""
        if request.method == "GET":
            self.reads += 1
        else:
            self.writes += 1

    def answered(self, response: httpx.Response) -> None:
        """Note what an answer says of the quota."""
        remaining = headers.count(response, "X-Rate-Limit-Remaining")
        limit = headers.count(response, "X-Rate-Limit-Limit")
        reset = headers.date(response, "X-Rate-Limit-Reset")
        self.remaining = self.remaining if remaining is None else remaining
        self.limit = self.limit if limit is None else limit
        self.reset = self.reset if reset is None else reset
