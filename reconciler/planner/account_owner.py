"""Which workspace an account is of: a webhook consumer that is never sent anything says so.

An account has no tags. A consumer that is disabled, at a host that can never exist (RFC 2606), is the one
thing that it keeps for us and that harms nobody; the name of the workspace is the end of its URL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from reconciler.diagnostics import Diagnostic, RefusedError
from reconciler.model import ACCOUNT, ACCOUNT_MARK, Address, Desired, LiveAccount, LiveWebhook
from reconciler.plan import CreateWebhook, DeleteWebhook
from reconciler.planner.planner_codes import PlannerCode

MARK_EVENTS: Final = ("client.rateLimit.reset",)
"""A consumer has to be of some event."""


@dataclass(frozen=True, slots=True)
class Ownership:
    """The marks that the account carries: those of this workspace, and of the one that it takes over."""

    own: tuple[LiveWebhook, ...]
    former: tuple[LiveWebhook, ...]

    @property
    def is_ours(self) -> bool:
        """Whether the account was this workspace's before this plan."""
        return bool(self.own or self.former)


def ownership(desired: Desired, live: LiveAccount) -> Ownership:
    """Whose the account is.

    Raises:
        RefusedError: another workspace's.
    """
    marks = [(one, name) for one in live.webhooks if (name := one.marks_workspace) is not None]
    foreign = [(one, name) for one, name in marks if name not in desired.workspaces]
    if foreign:
        found, name = foreign[0]
        raise RefusedError(
            Diagnostic(
                PlannerCode.ACCOUNT_OWNED,
                f"the account's own settings are managed by the workspace '{name}'",
                fix=f"leave account.yaml out here, or take that workspace over with 'workspaceRenamedFrom: "
                f"{name}' in workspace.yaml; if nobody manages them any more, delete the webhook consumer "
                f"{found.id} at Codat",
                path=ACCOUNT,
            )
        )
    return Ownership(
        tuple(one for one, name in marks if name == desired.workspace),
        tuple(one for one, name in marks if name != desired.workspace),
    )


def marking(desired: Desired, owned: Ownership) -> tuple[CreateWebhook | DeleteWebhook, ...]:
    """What makes the account this workspace's, and that of no other."""
    address, surplus = Address(ACCOUNT), (*owned.own[1:], *owned.former)
    why = "marks the account's settings as this workspace's; it is sent nothing"
    made = CreateWebhook(address, why, ACCOUNT_MARK + desired.workspace, MARK_EVENTS, disabled=True)
    return (
        *(() if owned.own else (made,)),
        *(
            DeleteWebhook(stray(one), "a mark that is of no more use", one.id, one)
            for one in sorted(surplus, key=lambda one: one.id)
        ),
    )


def stray(webhook: LiveWebhook) -> Address:
    """The address of a consumer that no spec names."""
    return Address(ACCOUNT, f"webhook:{webhook.id[:8]}")
