"""What follows for the account from what is wanted, and which workspace it is of.

A consumer has no name and cannot be changed, so it is known by its URL and by what it is sent. In an account
that is this workspace's, the specs say all about the URLs that they name: what else listens there is deleted,
after what is wanted was created, so that no event is lost between the two.

An account has no tags. A consumer that is disabled, at a host that can never exist (RFC 2606), is the one
thing that it keeps for us and that harms nobody; the name of the workspace is the end of its URL.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reconciler.account_actions import CreateWebhook, DeleteWebhook
from reconciler.diagnostics import Diagnostic, RefusedError
from reconciler.kinds import Kind
from reconciler.live import LiveAccount, LiveWebhook
from reconciler.model import (
    ACCOUNT,
    ACCOUNT_MARK,
    Address,
    Desired,
)
from reconciler.plan import AttentionCode
from reconciler.planner.rules import NO, YES, Rule, RuleTable
from reconciler.planner.soundness import PlannerCode


class Meant(StrEnum):
    """What the specs say of a consumer."""

    PRESENT = "present"
    ABSENT = "absent"
    BESIDE = "beside"
    """Nothing, and they name its URL."""
    UNNAMED = "unnamed"
    """Nothing, nor do they name its URL."""


@dataclass(frozen=True, slots=True)
class WebhookSituation:
    """Everything that the rules for a webhook consumer may look at.

    ``crowded``: Codat has consumers of the same URL that no spec means. ``ours``: the account's mark names
    this workspace.
    """

    meant: Meant
    live: bool
    crowded: bool
    ours: bool


_PRESENT, _ABSENT = (Meant.PRESENT,), (Meant.ABSENT,)
_STRAY = (Meant.BESIDE, Meant.UNNAMED)

WEBHOOK_RULES: Final = RuleTable(
    WebhookSituation,
    (
        Rule("webhook-as-specified", {"meant": _PRESENT, "live": YES}, "as specified"),
        Rule(
            "webhook-new",
            {"meant": _PRESENT, "live": NO, "crowded": NO},
            "not in Codat",
            (Kind.WEBHOOK_CREATE,),
        ),
        Rule(
            "webhook-replaced",
            {"meant": _PRESENT, "live": NO, "crowded": YES, "ours": YES},
            "what it shall be sent differs; the old one is deleted afterwards",
            (Kind.WEBHOOK_CREATE,),
        ),
        Rule(
            "webhook-waits",
            {"meant": _PRESENT, "live": NO, "crowded": YES, "ours": NO},
            "another consumer of its URL has to be settled first",
        ),
        Rule(
            "webhook-absent",
            {"meant": _ABSENT, "live": YES},
            "absent, by the spec",
            (Kind.WEBHOOK_DELETE,),
        ),
        Rule("webhook-gone", {"meant": _ABSENT, "live": NO}, "absent, and not in Codat"),
        Rule("webhook-none", {"meant": _STRAY, "live": NO}, "in no spec, and not in Codat"),
        Rule(
            "webhook-left-over",
            {"meant": (Meant.BESIDE,), "live": YES, "ours": YES},
            "the specs name its URL, and no consumer that is sent this",
            (Kind.WEBHOOK_DELETE,),
        ),
        Rule(
            "webhook-exists",
            {"meant": (Meant.BESIDE,), "live": YES, "ours": NO},
            "it was there before this workspace had the account, and the specs name its URL",
            attention=AttentionCode.EXISTS,
        ),
        Rule(
            "webhook-unmanaged",
            {"meant": (Meant.UNNAMED,), "live": YES},
            "in no spec",
            attention=AttentionCode.UNMANAGED,
        ),
    ),
)


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
    marks = [(webhook, name) for webhook in live.webhooks if (name := webhook.marks_workspace) is not None]
    foreign = [(mark, name) for mark, name in marks if name not in desired.workspaces]
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
        tuple(mark for mark, name in marks if name == desired.workspace),
        tuple(mark for mark, name in marks if name != desired.workspace),
    )


def marking(
    desired: Desired, live: LiveAccount, owned: Ownership
) -> tuple[CreateWebhook | DeleteWebhook, ...]:
    """What makes the account this workspace's, and that of no other."""
    address, surplus = Address(ACCOUNT), (*owned.own[1:], *owned.former)
    why = "marks the account's settings as this workspace's; it is sent nothing"
    made = CreateWebhook(
        address=address,
        reason=why,
        url=ACCOUNT_MARK + desired.workspace,
        event_types=MARK_EVENTS,
        disabled=True,
        beside=tuple(sorted(webhook.id for webhook in live.webhooks)),
    )
    return (
        *(() if owned.own else (made,)),
        *(
            DeleteWebhook(
                address=stray(webhook),
                reason="a mark that is of no more use",
                webhook_id=webhook.id,
                observed=webhook,
            )
            for webhook in sorted(surplus, key=lambda webhook: webhook.id)
        ),
    )


def stray(webhook: LiveWebhook) -> Address:
    """The address of a consumer that no spec names."""
    return Address(ACCOUNT, f"webhook:{webhook.id[:8]}")
