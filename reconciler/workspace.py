"""The settings of a workspace, as ``workspace.yaml`` says them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from typing import Final


@dataclass(frozen=True, slots=True)
class Limit:
    """A count, or a percentage of what is managed."""

    value: int
    percent: bool = False

    def of(self, total: int) -> int:
        """How many of ``total`` the limit permits."""
        return total * self.value // 100 if self.percent else self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """How much one run may destroy without being told so on the command line."""

    max_deletes: Limit = Limit(0)
    max_unlinks: Limit = Limit(10)
    max_narrowings: Limit = Limit(0)
    max_source_account_deletes: Limit = Limit(0)


AT_FIRST: Final = 10
"""Companies that an apply works on at the same time as long as nothing calls for more."""
AT_MOST: Final = 200
"""Companies that it ever works on at the same time, unless it is told a number."""
ENOUGH: Final = 1.6
"""How many times as many companies as have a request on its way still reach the rate, nearly."""
ABUNDANCE: Final = 10
"""How many times as many companies are worked on as have a request on its way.

The others wait for their turn. They keep the rate up at the end of a run too, when no further company waits
and each that is left has the more to do the later it began.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How hard Codat may be asked; ``reserve_percent`` of the daily quota is left to others.

    ``concurrency`` is how many companies are worked on at the same time; ``None``: as many as the rate needs.
    """

    requests_per_minute: int = 600
    concurrency: int | None = None
    page_size: int = 1000
    reserve_percent: int = 10

    @property
    def at_first(self) -> int:
        """How many companies are worked on, or pages and companies are read, before anything is known."""
        return self.concurrency or AT_FIRST

    @property
    def at_most(self) -> int:
        """How many are worked on at the same time at most."""
        return self.concurrency or AT_MOST

    def at_latency(self, seconds: float) -> int:
        """How many companies use the rate up where an answer takes so long.

        By Little's law as many requests are on their way as the rate times the latency. Where the first
        companies are more than that they are enough; with more in line, looks get old and are repeated.
        """
        on_their_way = self.requests_per_minute / 60 * seconds
        if ENOUGH * on_their_way <= self.at_first:
            return self.at_first
        return min(self.at_most, ceil(ABUNDANCE * on_their_way))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """How a large apply proceeds; ``max_failures`` failed companies stop the run."""

    canary: str | None = None
    batch: int | None = None
    max_failures: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The settings of ``workspace.yaml``. ``root`` is the directory that references resolve under.

    ``renamed_from`` is the name of a workspace whose companies this one takes over.
    """

    name: str
    root: str
    account: str | None = None
    sandbox_only: bool = False
    create_with_products: bool = False
    """Whether the account refuses a company without a product, so that its create has to name them."""
    warn_after: timedelta | None = None
    """The age of tokens, by ``issuedAt``, past which a plan warns before they are sent."""
    guard: Guard = Guard()
    limits: Limits = Limits()
    rollout: Rollout = Rollout()
    platform_details: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What Codat's team shall know of a platform, by four-letter key; never a secret."""
    renamed_from: str | None = None
