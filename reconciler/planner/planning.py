"""From desired and live state to a plan: draft, decide, guard, check, and tell origins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches

from reconciler.actions import Action, in_order
from reconciler.diagnostics import Diagnostic, MisusedError
from reconciler.kinds import Kind
from reconciler.live import Live, Status
from reconciler.model import ACCOUNT, Address, Desired, Presence, Wanted, matches
from reconciler.plan import CLASS_OF, Attention, AttentionClass, AttentionCode, Basis, Origin, Plan
from reconciler.planned import ShownAction
from reconciler.planner import decisions
from reconciler.planner.account import (
    AccountDraft,
    account_draft,
    addresses_of,
    as_it_will_be,
    live_account_digest,
    unresolved,
    webhook_address,
)
from reconciler.planner.actions import Decided, decided
from reconciler.planner.drafts import CompanyDraft, Draft
from reconciler.planner.policy import Policy, refusals
from reconciler.planner.saved_form import live_digest
from reconciler.planner.soundness import PlannerCode, check
from reconciler.planner.specs_digest import desired_digest
from reconciler.wording import listed

WAIVED_NOTE = (
    "Against the sandbox, callbackUrlAdded and legacySyncDisabled count as done; "
    "the real API will ask for them before tokens are sent."
)

OLD_TOKENS_NOTE = (
    "Older than custody.warnAfter, by their issuedAt: the tokens of {addresses}. If your application has "
    "refreshed them since, they are dead: export them again before you apply."
)
MOVED_NOTE = (
    "Tokens work once: {addresses} look like one connection that has moved, and the old one is still Linked. "
    "If the tokens are the same, they are stale: export new ones, or let the customer link."
)
DISABLED_NOTE = (
    "Not enabled in your Codat account: {platforms}. Nobody can link there before you enable it in Codat "
    "under Settings > Integrations."
)
UNRESOLVED_NOTE = (
    "Not planned, because the URL has no value where this plan is made: {addresses}. Apply needs it."
)
_NAMED = 5
"""Connections that the warning names before it counts the rest."""


def make_plan(desired: Desired, live: Live, policy: Policy, *, tool: str, api: str) -> Plan:
    """The plan that brings ``live`` to ``desired``; a pure function of its arguments.

    Raises:
        MisusedError: ``--target`` or ``--reauthorize`` names nothing.
        UnsoundPlanError: a bug of ours.

    """
    return finish(draft(desired, live, policy), desired, live, policy, tool=tool, api=api)


def draft(desired: Desired, live: Live, policy: Policy) -> Draft:
    """Decide everything but syncs, once the account's settings are as specified.

    Raises:
        RefusedError: the account's own settings are another workspace's.
    """
    account = account_draft(desired, live, policy)
    return decisions.draft(desired, as_it_will_be(account, live, policy), policy)


def finish(drafted: Draft, desired: Desired, live: Live, policy: Policy, *, tool: str, api: str) -> Plan:
    """The plan of a draft, once the histories and the profile that it asked for are in ``live``.

    Raises:
        MisusedError: ``--target`` or ``--reauthorize`` names nothing.
        RefusedError: the account's own settings are another workspace's.
        UnsoundPlanError: a bug of ours.

    """
    check_patterns(drafted, desired, policy)
    actions: list[Action] = []
    attention: list[Attention] = []
    concerned: dict[str, list[CompanyDraft]] = {}
    account = account_draft(desired, live, policy)
    if account is not None:
        actions += account.actions
        attention += account.attention
        live = as_it_will_be(account, live, policy)
    for company in drafted.open:
        found = decided(company, live, policy)
        actions += found.actions
        attention += found.attention
        if found.actions or found.attention:
            concerned.setdefault(company.address.company, []).append(company)
    ordered = in_order(actions)
    notes = tuple(sorted(attention, key=lambda noted: (noted.address, noted.code)))
    check(ordered, notes)
    basis = {
        key: live_digest(company.live for company in companies if company.live)
        for key, companies in concerned.items()
    }
    if account is not None and (account.actions or account.attention):
        basis[ACCOUNT] = live_account_digest(account.live)
    return Plan(
        tool=tool,
        workspace=desired.workspace,
        api=api,
        actions=ordered,
        attention=notes,
        unchanged=_unchanged(desired, policy, ordered, notes),
        basis=Basis(desired_digest(desired), basis),
        refusals=refusals(ordered, drafted.managed, policy),
        notes=_notes(drafted, desired, live, policy),
    )


def _unchanged(
    desired: Desired, policy: Policy, actions: tuple[Action, ...], attention: tuple[Attention, ...]
) -> int:
    """How many wanted companies and connections no action speaks of, and nothing blocks."""
    busy = {action.address for action in actions}
    blocked = {noted.address for noted in attention if CLASS_OF[noted.code] is AttentionClass.BLOCKING}
    spoken_of = {str(address) for address in busy | blocked}
    shut = {str(address) for address in blocked}
    return sum(
        address not in spoken_of and (not policy.is_narrowed or policy.includes(Address.parse(address)))
        for company in desired.companies.values()
        if company.state is Presence.PRESENT and company.key not in shut
        for address in (
            company.key,
            *(
                f"{company.key}/{connection.key}"
                for connection in company.connections.values()
                if connection.wanted is not Wanted.ABSENT
            ),
        )
    )


def _notes(drafted: Draft, desired: Desired, live: Live, policy: Policy) -> tuple[str, ...]:
    waived = policy.preconditions_waived and any(
        connection.is_authorized and connection.desired and connection.desired.open_preconditions
        for connection in drafted.connections()
    )
    return (
        *_unresolved(desired, live),
        *_old_tokens(drafted, policy),
        *_disabled_platforms(drafted, live),
        *_moved(drafted),
        *((WAIVED_NOTE,) if waived else ()),
    )


def _unresolved(desired: Desired, live: Live) -> tuple[str, ...]:
    """A warning where a webhook is not planned, because its URL is not known here."""
    if desired.account is None or live.account is None:
        return ()
    found = [
        f"{webhook_address(webhook.key)} ({webhook.url})"
        for webhook in unresolved(desired.account, live.account)
    ]
    return (UNRESOLVED_NOTE.format(addresses=listed(found, _NAMED)),) if found else ()


def _moved(drafted: Draft) -> tuple[str, ...]:
    """A warning where tokens go to a new connection, and one of its key and platform left another company."""
    left = {
        (connection.former, connection.live.platform_key): connection.address
        for connection in drafted.connections()
        if connection.former and connection.live and connection.live.status is Status.LINKED
    }
    found = [
        f"{old} and {connection.address}"
        for connection in drafted.connections()
        if connection.is_created and connection.is_authorized and connection.desired
        if (old := left.get((connection.desired.key, connection.desired.platform_key)))
        if old.company != connection.address.company
    ]
    return (MOVED_NOTE.format(addresses=listed(found, _NAMED)),) if found else ()


def _disabled_platforms(drafted: Draft, live: Live) -> tuple[str, ...]:
    """A warning where a connection is created on a platform that is switched off."""
    disabled = {platform.key: platform.name for platform in live.platforms if not platform.enabled}
    wanted = {
        connection.desired.platform_key
        for connection in drafted.connections()
        if connection.desired and connection.is_created
    }
    names = sorted(disabled[key] for key in wanted & disabled.keys())
    return (DISABLED_NOTE.format(platforms=", ".join(names)),) if names else ()


def _old_tokens(drafted: Draft, policy: Policy) -> tuple[str, ...]:
    """A warning before tokens are sent that were issued longer ago than the workspace likes."""
    if policy.warn_after is None:
        return ()
    oldest = policy.now - policy.warn_after
    found = [
        f"{connection.address} ({connection.desired.issued_at:%Y-%m-%d})"
        for connection in drafted.connections()
        if connection.is_authorized
        and connection.desired
        and connection.desired.issued_at
        and connection.desired.issued_at < oldest
    ]
    if not found:
        return ()
    return (OLD_TOKENS_NOTE.format(addresses=listed(found, _NAMED)),)


def check_companies(desired: Desired, targets: tuple[str, ...], reauthorize: tuple[str, ...]) -> None:
    """Refuse a pattern whose company no spec names; that can be told before Codat is asked.

    Raises:
        MisusedError: ``--target`` or ``--reauthorize`` names no company of the specs.
    """
    companies = [*map(Address, desired.companies), *_of_account(desired)]
    found = [
        _nothing(flag, pattern, "in the specs", [*companies, *_connections(desired)])
        for flag, patterns in (("--target", targets), ("--reauthorize", reauthorize))
        for pattern in patterns
        if not any(matches(pattern.partition("/")[0], company) for company in companies)
    ]
    if found:
        raise MisusedError(*found)


def check_patterns(drafted: Draft, desired: Desired, policy: Policy) -> None:
    """Refuse a pattern that names nothing: a typing error must not look like a clean plan."""
    if not (policy.targets or policy.reauthorize):
        return
    companies = [Address(key) for key in desired.companies]
    strays = [connection.address for connection in drafted.connections() if connection.desired is None]
    named = [*companies, *_connections(desired), *strays, *_of_account(desired)]
    tokens = [
        Address(company.key, connection.key)
        for company in desired.companies.values()
        for connection in company.connections.values()
        if connection.authorization
    ]
    found = [
        *_idle("--target", policy.targets, named, "in the specs"),
        *_idle("--reauthorize", policy.reauthorize, tokens, "with an authorization in the specs"),
    ]
    if found:
        raise MisusedError(*found)


def _of_account(desired: Desired) -> tuple[Address, ...]:
    return addresses_of(desired.account) if desired.account is not None else ()


def _connections(desired: Desired) -> list[Address]:
    return [
        Address(company.key, key) for company in desired.companies.values() for key in company.connections
    ]


def _idle(flag: str, patterns: tuple[str, ...], addresses: list[Address], where: str) -> list[Diagnostic]:
    return [
        _nothing(flag, pattern, where, addresses)
        for pattern in patterns
        if not any(matches(pattern, address) for address in addresses)
    ]


def _nothing(flag: str, pattern: str, where: str, addresses: Iterable[Address]) -> Diagnostic:
    near = get_close_matches(pattern, map(str, addresses), n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return Diagnostic(
        PlannerCode.NO_SUCH_ADDRESS,
        f"{flag} {pattern} names no address {where}",
        fix=f"{hint}an address is COMPANY or COMPANY/CONNECTION, as in the specs; globs are allowed",
    )


def with_origins(plan: Plan, base: Desired | None, live: Live, policy: Policy) -> Plan:
    """Mark each action and attention as pending where the base's specs ask for the very same, or as change.

    An action that the base asks for at the same address in another form is this change's: what
    would be applied is what the change says. Without specs in the base everything is.
    """
    due: defaultdict[tuple[Kind, Address], list[ShownAction]] = defaultdict(list)
    noted: set[tuple[AttentionCode, Address]] = set()
    account = account_draft(base, live, policy) if base is not None else None
    live = as_it_will_be(account, live, policy)
    drafted = decisions.draft(base, live, policy).open if base is not None else ()
    shares: list[AccountDraft | Decided] = [decided(draft, live, policy) for draft in drafted]
    for found in [*shares, *([account] if account else [])]:
        for action in found.actions:
            due[action.kind, action.address].append(action.shown())
        noted |= {(note.code, note.address) for note in found.attention}
    return replace(
        plan,
        origins=tuple(_origin(action.shown() in due[action.kind, action.address]) for action in plan.actions),
        attention_origins=tuple(_origin((note.code, note.address) in noted) for note in plan.attention),
    )


def _origin(is_due: bool) -> Origin:
    return Origin.PENDING if is_due else Origin.CHANGE
