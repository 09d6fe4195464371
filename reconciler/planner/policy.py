"""What a run asks of the planner beyond the specs: the clock and the flags, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.model import Address, Guard, matches


@dataclass(frozen=True, slots=True)
class Policy:
    """The planner's inputs besides desired and live state.

    ``now`` is read by ``sync.maxAge`` and ``custody.warnAfter`` alone. ``targets`` and ``reauthorize`` are
    address patterns.
    ``allow_deletes`` and ``allow_unlinks`` take the place of the guard's limits where given.
    ``preconditions_waived`` is set for the sandbox, where no application of the user's refreshes tokens.
    """

    now: datetime
    targets: tuple[str, ...] = ()
    reauthorize: tuple[str, ...] = ()
    retry_syncs: bool = False
    prune: bool = False
    guard: Guard = field(default_factory=Guard)
    allow_deletes: int | None = None
    allow_unlinks: int | None = None
    preconditions_waived: bool = False
    warn_after: timedelta | None = None
    """The age of tokens past which the plan warns before they are sent."""

    def includes(self, address: Address) -> bool:
        """Whether this run concerns itself with ``address``."""
        return not self.targets or any(matches(pattern, address) for pattern in self.targets)

    def reauthorizes(self, address: Address) -> bool:
        """Whether ``--reauthorize`` names ``address``."""
        return any(matches(pattern, address) for pattern in self.reauthorize)
