"""What was sent, and what Codat says is left of the day."""

from __future__ import annotations

import httpx

from reconciler.codat import headers


class Meter:
    """Counts requests as they are sent, repeats included, and notes the daily quota as answers tell it.

    The quota is ``1,000 x (1 + active connected companies)`` requests a day, reset at 00:00 UTC
    (https://docs.codat.io/using-the-api/rate-limits). Where the last answer did not speak of it, the
    one before counts.
    """

    __slots__ = ("limit", "reads", "remaining", "writes")

    def __init__(self) -> None:
        self.reads = 0
        self.writes = 0
        self.remaining: int | None = None
        """Requests left of the day, if an answer said so."""
        self.limit: int | None = None
        """Requests that the day has in all, if an answer said so."""

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
        self.remaining = self.remaining if remaining is None else remaining
        self.limit = self.limit if limit is None else limit
