"""How much a plan may destroy before it must be told so on the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.model import Limit
from reconciler.plan import (
    Action,
    DeleteCompany,
    DeleteConnection,
    Refusal,
    SetProfileSyncSettings,
    SetSyncSettings,
    UnlinkConnection,
)
from reconciler.planner.policy import Policy


@dataclass(frozen=True, slots=True)
class _Guard:
    """One guard: what counts, its setting and its flag, and how a refusal says what would be done."""

    counts: Callable[[Action], int]
    setting: str
    limit: Callable[[Policy], Limit]
    flag: str
    told: Callable[[Policy], int | None]
    would: str


def _narrowed(action: Action) -> int:
    """The companies of whose synced data Codat may drop some."""
    if isinstance(action, SetProfileSyncSettings):
        return action.narrowed
    return int(isinstance(action, SetSyncSettings) and bool(action.narrows))


_GUARDS: Final = (
    _Guard(
        lambda one: isinstance(one, DeleteCompany | DeleteConnection) and one.pruned,
        "maxDeletes",
        lambda policy: policy.guard.max_deletes,
        "--allow-deletes",
        lambda policy: policy.allow_deletes,
        "prune {}",
    ),
    _Guard(
        lambda one: isinstance(one, UnlinkConnection),
        "maxUnlinks",
        lambda policy: policy.guard.max_unlinks,
        "--allow-unlinks",
        lambda policy: policy.allow_unlinks,
        "unlink {}",
    ),
    _Guard(
        _narrowed,
        "maxNarrowings",
        lambda policy: policy.guard.max_narrowings,
        "--allow-narrowings",
        lambda policy: policy.allow_narrowings,
        "narrow sync settings of companies with synced data ({})",
    ),
)


def refusals(actions: Sequence[Action], managed: int, policy: Policy) -> tuple[Refusal, ...]:
    """The guards that the actions exceed; ``managed`` is the number of companies that percentages are of.

    Pruned deletes count against ``maxDeletes``, unlinks against ``maxUnlinks`` and companies whose sync
    settings narrow against ``maxNarrowings``; what a spec deletes by ``state: absent`` was reviewed there
    and counts against none.
    """
    found = []
    for guard in _GUARDS:
        count = sum(map(guard.counts, actions))
        told = guard.told(policy)
        permitted = guard.limit(policy).of(managed) if told is None else told
        if count > permitted:
            message = (
                f"the plan would {guard.would.format(count)}, and guard.{guard.setting} permits {permitted}; "
                f"if that is meant, pass {guard.flag} {count}"
            )
            found.append(Refusal(message))
    return tuple(found)
