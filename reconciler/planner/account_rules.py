"""What follows for a webhook consumer of the account, one row for each situation.

A consumer has no name and cannot be changed, so it is known by its URL and by what it is sent. In an account
that is this workspace's, the specs say all about the URLs that they name: what else listens there is deleted,
after what is wanted was created, so that no event is lost between the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reconciler.plan import AttentionCode, Kind
from reconciler.planner.rules import NO, YES, Rule, RuleTable


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
