"""Why something of the account is planned as it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reconciler.diagnostics import Span
from reconciler.live import Live, LiveAccount
from reconciler.model import Address, Desired
from reconciler.plan import Plan
from reconciler.planner.account import (
    PROFILE,
    AccountDraft,
    account_draft,
    addresses_of,
    live_webhook,
    profile_text,
)
from reconciler.planner.explaining import Decision, Explanation, attention_at, planned_at
from reconciler.planner.policy import Policy

BLOCKED = "nothing of the account is done while a webhook consumer that was there before is not settled"
COMPARED = "what account.yaml names is compared with Codat's, and what it does not name stays as it is"
WHOSE = "an account is of one workspace, which a disabled webhook consumer names"


def explained_account(
    address: Address, desired: Desired, live: Live, policy: Policy, plan: Plan
) -> tuple[Explanation, ...]:
    """Why ``address`` is planned as it is; nothing where the specs and Codat do not have it."""
    drafted = account_draft(desired, live, policy)
    if drafted is None:
        return ()
    return tuple(_explained(address, drafted, plan))


def account_addresses(desired: Desired, live: Live, policy: Policy) -> tuple[str, ...]:
    """Every address of the account that can be explained."""
    if desired.account is None:
        return ()
    drafted = account_draft(desired, live, policy)
    found = (
        {*addresses_of(desired.account), *(webhook.address for webhook in drafted.webhooks)}
        if drafted
        else ()
    )
    return tuple(map(str, sorted(found)))


def _explained(address: Address, drafted: AccountDraft, plan: Plan) -> Iterator[Explanation]:
    note = BLOCKED if drafted.is_blocked else ""
    account = drafted.desired
    for webhook in drafted.webhooks:
        if webhook.address == address:
            span = account.webhooks[webhook.desired.key].span if webhook.desired else None
            live = dict(live_webhook(webhook.live)) if webhook.live else None
            decision = Decision(webhook.situation, webhook.row, webhook.row.why)
            yield _of(address, span, live, (decision,), plan, note)
    if address == PROFILE and (account.profile or account.sync_settings):
        yield _of(address, account.span, _live_profile(drafted.live), (), plan, note or COMPARED)
    if address == Address(address.company):
        marks = [webhook for webhook in drafted.live.webhooks if webhook.marks_workspace is not None]
        live = dict(live_webhook(marks[0])) | {"workspace": marks[0].marks_workspace} if marks else None
        yield _of(address, account.span, live, (), plan, note or WHOSE)


def _of(
    address: Address,
    span: Span | None,
    live: dict[str, Any] | None,
    decisions: tuple[Decision, ...],
    plan: Plan,
    note: str,
) -> Explanation:
    planned, attention = planned_at(address, plan), attention_at(address, plan)
    return Explanation(address, span, live, decisions, planned, attention, note)


def _live_profile(live: LiveAccount) -> dict[str, Any]:
    profile, settings = live.profile, live.sync_settings
    return {
        **({name: profile_text(value) for name, value in profile.fields.items()} if profile else {}),
        **({"syncSettings": dict(settings.settings.by_type)} if settings else {}),
    }
