"""How much a plan may destroy before it must be told so on the command line (DESIGN sections 2 and 5)."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.plan import Action, DeleteCompany, DeleteConnection, Refusal, UnlinkConnection
from reconciler.planner.policy import Policy


def refusals(actions: Sequence[Action], managed: int, policy: Policy) -> tuple[Refusal, ...]:
    """The guards that the actions exceed; ``managed`` is the number of companies that percentages are of.

    Pruned deletes count against ``maxDeletes`` and unlinks against ``maxUnlinks``; what a spec deletes
    by ``state: absent`` was reviewed there and counts against neither.
    """
    deletes = sum(isinstance(one, DeleteCompany | DeleteConnection) and one.pruned for one in actions)
    unlinks = sum(isinstance(one, UnlinkConnection) for one in actions)
    checks = (
        (
            "deletes",
            "prune",
            deletes,
            policy.allow_deletes,
            policy.guard.max_deletes.of(managed),
            "maxDeletes",
        ),
        (
            "unlinks",
            "unlink",
            unlinks,
            policy.allow_unlinks,
            policy.guard.max_unlinks.of(managed),
            "maxUnlinks",
        ),
    )
    return tuple(
        Refusal(
            f"the plan would {verb} {count}, and guard.{setting} permits {permitted}; "
            f"if that is meant, pass --allow-{flag} {count}"
        )
        for flag, verb, count, told, limit, setting in checks
        if count > (permitted := limit if told is None else told)
    )
