"""What follows for the account from what is wanted, and which workspace it is of.

A consumer has no name and cannot be changed, so it is known by its URL and by what it is sent. In an account
that is this workspace's, the specs say all about the URLs that they name: what else listens there is deleted,
after what is wanted was created, so that no event is lost between the two.

An account has no tags. A consumer that is disabled, at a host that can never exist (RFC 2606), is the one
thing that it keeps for us and that harms nobody; the name of the workspace is the end of its URL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from reconciler.actions import CreateWebhook, DeleteWebhook, Kind
from reconciler.diagnostics import Diagnostic, RefusedError
from reconciler.live import LiveAccount, LiveWebhook
from reconciler.model import (
    ACCOUNT,
    ACCOUNT_MARK,
    Address,
    Desired,
    DesiredAccount,
    DesiredWebhook,
    Presence,
    SecretRef,
    literal,
    written,
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
    seen = tuple(sorted(webhook.id for webhook in live.webhooks))
    url = ACCOUNT_MARK + desired.workspace
    made = CreateWebhook(address, why, url, MARK_EVENTS, disabled=True, beside=seen)
    return (
        *(() if owned.own else (made,)),
        *(
            DeleteWebhook(stray(webhook), "a mark that is of no more use", webhook.id, webhook)
            for webhook in sorted(surplus, key=lambda webhook: webhook.id)
        ),
    )


def stray(webhook: LiveWebhook) -> Address:
    """The address of a consumer that no spec names."""
    return Address(ACCOUNT, f"webhook:{webhook.id[:8]}")


def to_document(account: DesiredAccount) -> dict[str, Any]:
    """The JSON form."""
    return {
        "profile": {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in sorted(account.profile.items())
        },
        "syncSettings": {name: dict(members) for name, members in sorted(account.sync_settings.items())},
        "webhooks": {key: _webhook(webhook) for key, webhook in sorted(account.webhooks.items())},
    }


def _webhook(webhook: DesiredWebhook) -> dict[str, Any]:
    document: dict[str, Any] = {
        "eventTypes": sorted(webhook.event_types),
        "companyTags": sorted(webhook.company_tags),
        "disabled": webhook.disabled,
        "state": webhook.state.value,
    }
    if webhook.url is not None:
        document["url"] = str(webhook.url) if isinstance(webhook.url, SecretRef) else written(webhook.url)
    if webhook.id is not None:
        document["id"] = webhook.id
    return document


def from_document(document: Mapping[str, Any]) -> DesiredAccount:
    """What ``to_document`` wrote; the document is one that passed the saved plan's schema."""
    return DesiredAccount(
        {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in document["profile"].items()
        },
        document["syncSettings"],
        {key: _read_webhook(key, webhook) for key, webhook in document["webhooks"].items()},
    )


def _read_webhook(key: str, document: Mapping[str, Any]) -> DesiredWebhook:
    url = document.get("url")
    return DesiredWebhook(
        key,
        _url(url) if url is not None else None,
        tuple(document["eventTypes"]),
        tuple(document["companyTags"]),
        document["disabled"],
        document.get("id"),
        Presence(document["state"]),
    )


def _url(text: str) -> str | SecretRef:
    """A URL; only a whole value is ever a reference, as in the specs."""
    return SecretRef.parse(text) or literal(text)
