"""What each field of a situation says, in words: the vocabulary of an explanation, one row a field."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from reconciler.planner.account_rules import WEBHOOK_RULES, Meant, WebhookSituation
from reconciler.planner.company_rules import COMPANY_RULES, CompanySituation, Found, Want
from reconciler.planner.connection_rules import (
    CONNECTION_RULES,
    STRAY_RULES,
    ConnectionSituation,
    LiveStatus,
    Proof,
    StraySituation,
)
from reconciler.planner.rules import RuleTable
from reconciler.planner.sync_rules import SYNC_RULES, LastPull, SyncSituation

Situation = CompanySituation | ConnectionSituation | StraySituation | SyncSituation | WebhookSituation

TABLES: Final[Mapping[type[Situation], tuple[str, RuleTable[Any]]]] = {
    CompanySituation: ("company", COMPANY_RULES),
    ConnectionSituation: ("connection", CONNECTION_RULES),
    StraySituation: ("stray", STRAY_RULES),
    SyncSituation: ("sync", SYNC_RULES),
    WebhookSituation: ("webhook", WEBHOOK_RULES),
}
"""The table that decides each kind of situation, and its name."""

SAYS: Final[Mapping[type[Situation], Mapping[str, str]]] = {
    CompanySituation: {
        "want": "what is wanted of it",
        "found": "what Codat has",
        "new": "new: true in the spec speaks of the one company that was found",
        "differs": "managed fields differ",
        "over_budget": "it would have more tags than Codat keeps",
        "protected": "it carries the protect tag",
    },
    ConnectionSituation: {
        "wanted": "wanted state",
        "live": "live status",
        "migration": "how it gets linked",
        "fresh": "issuedAt is later than all that Codat recorded of it",
        "reauthorize": "--reauthorize names it, and the spec has tokens for it",
        "occupied": "another accounting connection of the company is Linked and stays so",
        "gated": "a precondition of sending tokens is still to do",
        "proof": "how sure it is that Codat's connection is the one that the spec means",
    },
    StraySituation: {
        "live": "live status",
        "prune": "--prune",
    },
    SyncSituation: {
        "authorized": "this plan authorizes it",
        "due": "a sync is due",
        "last_pull": "what Codat's history says",
        "retry": "--retry-syncs",
        "fetchable": "a sync would fetch something",
    },
    WebhookSituation: {
        "meant": "what the specs say of it",
        "live": "Codat has it",
        "crowded": "Codat has consumers of its URL that no spec means",
        "ours": "the account is this workspace's already",
    },
}

_VALUES: Final[Mapping[type[Enum], Mapping[Enum, str]]] = {
    Want: {
        Want.ABSENT: "absent, by the spec",
        Want.GONE: "nothing, it is in no spec",
        Want.PRUNED: "nothing, it is in no spec, and --prune",
    },
    Found: {
        Found.NONE: "no such company",
        Found.NAMESAKE: "a company of the same name, or of the same key in another workspace",
        Found.OURS: "the company with our tags",
        Found.UNTAGGED: "the company that id names, not managed yet",
        Found.CONFLICT: "a company that the tags or the id contradict",
        Found.MISSING: "no company of the id in the spec",
        Found.DUPLICATE: "several companies with our tags",
    },
    LiveStatus: {
        LiveStatus.NONE: "no such connection",
        LiveStatus.UNKNOWN: "one that this version does not know",
    },
    Proof: {
        Proof.CERTAIN: "certain: its id or the record of links says so",
        Proof.ALONE: "there is no other of its platform, and no record",
        Proof.GUESSED: "it is the likeliest, and may be another's",
    },
    Meant: {
        Meant.PRESENT: "it shall be there",
        Meant.ABSENT: "absent, by the spec",
        Meant.BESIDE: "nothing, and they name its URL",
        Meant.UNNAMED: "nothing, and they do not name its URL",
    },
    LastPull: {
        LastPull.SETTLED: "nothing runs, and the last pull did not fail",
        LastPull.RUNNING: "a pull is running",
        LastPull.FAILED: "the last pull failed",
    },
}
"""Values that do not speak for themselves; by class, since members of two enums may be equal as text."""


def in_words(value: object) -> str:
    """A value of a situation's field as a reader says it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return _VALUES.get(type(value), {}).get(value, str(value.value))
    return str(value)
