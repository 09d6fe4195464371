"""The settings of a workspace, as ``workspace.yaml`` says them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How hard Codat may be asked; ``reserve_percent`` of the daily quota is left to others."""

    requests_per_minute: int = 600
    concurrency: int = 10
    page_size: int = 1000
    reserve_percent: int = 10


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
