"""Companies that are as they were left: the quick way.

In nearly every plan nearly every company is as its spec wants it, with each connection Linked and synced.
That can be told without weighing a record, a rule or a difference. Whatever is not of that plain form is
decided with care, with the same result where it turns out to be as specified all the same.
"""

from __future__ import annotations

from reconciler.fields import TEXTS
from reconciler.live import LiveCompany, LiveConnection, Status
from reconciler.model import (
    MAX_TAGS,
    PROTECT_TAG,
    UNSET,
    Address,
    DesiredCompany,
    DesiredConnection,
    Presence,
    Unset,
    Wanted,
)
from reconciler.planner.fields import PROTECTED
from reconciler.planner.identity import Directory
from reconciler.planner.pairing import recorded
from reconciler.planner.policy import Earlier, Policy
from reconciler.planner.sync_rules import looks_due


def may_be_settled(policy: Policy) -> bool:
    """Whether the run asks for no more of a company than its spec does."""
    return not policy.is_narrowed and not policy.reauthorize and policy.earlier == Earlier()


def is_settled(desired: DesiredCompany, directory: Directory, policy: Policy) -> bool:
    """Whether nothing has to be done or said about the company, for sure."""
    is_plain = desired.state is Presence.PRESENT and desired.id is None and desired.renamed_from is None
    if not is_plain or desired.sync_settings is not UNSET or directory.desired.renamed_from is not None:
        return False
    found = directory.by_owner.get((directory.desired.workspace, desired.key), ())
    if len(found) != 1 or not _has_fields(desired, found[0]):
        return False
    pairs = recorded(desired, found[0])
    return pairs is not None and all(
        _is_left_alone(desired.key, desired.connections[key], live, policy)
        for key, live in pairs.live.items()
    )


def _has_fields(desired: DesiredCompany, live: LiveCompany) -> bool:
    """Whether Codat's company has every managed field as the spec has it, tags of ours aside."""
    tags = live.tags
    for text in TEXTS:
        if text.wanted(desired, live) != text.live(live):
            return False
    for tag, value in desired.tags.items():
        if (tags.get(tag) or None) != (value or None):
            return False
    return (
        (desired.protect is UNSET or (tags.get(PROTECT_TAG) or None) == _protects(desired))
        and (isinstance(desired.products, Unset) or set(desired.products) == set(live.products))
        and len(tags) <= MAX_TAGS
    )


def _protects(desired: DesiredCompany) -> str | None:
    return PROTECTED if desired.protect else None


def _is_left_alone(
    company: str, desired: DesiredConnection, live: LiveConnection | None, policy: Policy
) -> bool:
    """Whether the connection works as specified, and is not due for a sync."""
    is_linked = live is not None and live.status is Status.LINKED and desired.wanted is Wanted.LINKED
    if live is None or not is_linked or desired.source_accounts:
        return False
    if live.last_sync is not None and desired.issued_at is None and desired.sync.max_age is None:
        return True
    return not looks_due(Address(company, desired.key), desired, live, policy)
