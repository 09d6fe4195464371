"""The account's share of a plan: webhook consumers, the profile, and the profile's sync settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from reconciler.account_actions import CreateWebhook, DeleteWebhook, SetProfileSyncSettings, UpdateProfile
from reconciler.actions import Action
from reconciler.kinds import Change, Kind, digest
from reconciler.live import Live, LiveAccount, LiveCompany, LiveSyncSettings, LiveWebhook
from reconciler.model import (
    ACCOUNT,
    FETCH_ON_FIRST_LINK,
    Address,
    Desired,
    DesiredAccount,
    DesiredWebhook,
    Presence,
    ProfileValue,
    SyncSettings,
    setting_text,
)
from reconciler.plan import Attention, AttentionCode
from reconciler.planner.account_rules import (
    WEBHOOK_RULES,
    Meant,
    Ownership,
    WebhookSituation,
    marking,
    ownership,
    stray,
)
from reconciler.planner.narrowing import paths_that_narrow
from reconciler.planner.policy import Policy
from reconciler.planner.rules import Rule
from reconciler.secret_refs import SecretRef

PROFILE: Final = Address(ACCOUNT, "profile")
"""Where the profile and its sync settings stand."""


@dataclass(frozen=True, slots=True)
class WebhookDraft:
    """What is decided for one webhook consumer: a spec's, a live one, or both."""

    address: Address
    desired: DesiredWebhook | None
    live: LiveWebhook | None
    situation: WebhookSituation
    row: Rule


@dataclass(frozen=True, slots=True)
class AccountDraft:
    """What is decided for the account; nothing, where the run is not about it."""

    desired: DesiredAccount
    live: LiveAccount
    actions: tuple[Action, ...] = ()
    attention: tuple[Attention, ...] = ()
    webhooks: tuple[WebhookDraft, ...] = ()
    is_blocked: bool = False
    """Nothing is done before someone settles what was there: once it is ours, the rest would be deleted."""

    def addresses(self) -> Iterator[Address]:
        """Everything of the account that the specs or Codat name."""
        yield Address(ACCOUNT)
        yield PROFILE
        yield from (webhook.address for webhook in self.webhooks)


def webhook_address(key: str) -> Address:
    """Where the consumer of this key stands."""
    return Address(ACCOUNT, f"webhook.{key}")


def addresses_of(account: DesiredAccount) -> tuple[Address, ...]:
    """What the specs alone name of the account."""
    return (Address(ACCOUNT), PROFILE, *map(webhook_address, account.webhooks))


def concerns_account(desired: Desired, policy: Policy) -> bool:
    """Whether the run is about anything of the account that the specs want."""
    account = desired.account
    return account is not None and not account.is_empty and any(map(policy.includes, addresses_of(account)))


def account_draft(desired: Desired, live: Live, policy: Policy) -> AccountDraft | None:
    """What is decided for the account, a pure function; ``None`` where that was not read.

    Raises:
        RefusedError: the account is another workspace's.
    """
    account, found = desired.account, live.account
    if account is None or found is None:
        return None
    account = _comparable(account, found)
    owned = ownership(desired, found)
    every = tuple(_webhooks(account, found, owned))
    blocking = [draft for draft in every if draft.row.attention is AttentionCode.EXISTS]
    webhooks = tuple(draft for draft in every if draft in blocking or policy.includes(draft.address))
    attention = tuple(_attention(webhook) for webhook in webhooks if webhook.row.attention)
    if blocking:
        return AccountDraft(account, found, (), attention, webhooks, is_blocked=True)
    actions: list[Action] = [*_of_webhooks(webhooks, found), *_of_profile(account, found, policy)]
    actions += _of_settings(account, live, found, policy)
    if actions or policy.includes(Address(ACCOUNT)):
        actions = [*marking(desired, found, owned), *actions]
    return AccountDraft(account, found, tuple(actions), attention, webhooks)


def unresolved(account: DesiredAccount, live: LiveAccount) -> tuple[DesiredWebhook, ...]:
    """The webhooks whose URL is a reference without a value here, so that nothing can be compared with it."""
    return tuple(
        webhook
        for _, webhook in sorted(account.webhooks.items())
        if isinstance(webhook.url, SecretRef) and webhook.url not in live.urls
    )


def _comparable(account: DesiredAccount, live: LiveAccount) -> DesiredAccount:
    missing = {webhook.key for webhook in unresolved(account, live)}
    return replace(
        account, webhooks={key: webhook for key, webhook in account.webhooks.items() if key not in missing}
    )


# --- webhook consumers -------------------------------------------------------------------------


def _webhooks(account: DesiredAccount, live: LiveAccount, owned: Ownership) -> Iterator[WebhookDraft]:
    """Every consumer of the specs with the live one that it is, then every live one that is left.

    What an ``id`` names is taken first, then what is sent the very same, so that no key takes another's.
    """
    left = {
        webhook.id: webhook
        for webhook in sorted(live.webhooks, key=lambda webhook: webhook.id)
        if not webhook.marks_workspace
    }
    paired: dict[str, LiveWebhook] = {}
    for matches in (_is_pinned, _is_same, _is_to_go):
        for key, desired in sorted(account.webhooks.items()):
            same = [webhook for webhook in left.values() if matches(desired, webhook, live)]
            if key not in paired and same:
                paired[key] = left.pop(same[0].id)
    urls = {_url(webhook, live) for webhook in account.webhooks.values()}
    crowded = {webhook.url.reveal() for webhook in left.values()}
    for key, desired in sorted(account.webhooks.items()):
        meant = Meant.ABSENT if desired.state is Presence.ABSENT else Meant.PRESENT
        situation = WebhookSituation(
            meant, key in paired, crowded=_url(desired, live) in crowded, ours=owned.is_ours
        )
        yield _draft(webhook_address(key), desired, paired.get(key), situation)
    for webhook in left.values():
        meant = Meant.BESIDE if webhook.url.reveal() in urls else Meant.UNNAMED
        situation = WebhookSituation(meant, live=True, crowded=True, ours=owned.is_ours)
        yield _draft(stray(webhook), None, webhook, situation)


def _draft(
    address: Address, desired: DesiredWebhook | None, live: LiveWebhook | None, situation: WebhookSituation
) -> WebhookDraft:
    return WebhookDraft(address, desired, live, situation, WEBHOOK_RULES.decide(situation))


def _url(desired: DesiredWebhook, live: LiveAccount) -> str | None:
    if isinstance(desired.url, SecretRef):
        return live.urls[desired.url].reveal()
    return desired.url


def _is_pinned(desired: DesiredWebhook, webhook: LiveWebhook, _: LiveAccount) -> bool:
    """Whether ``id`` names it: to delete it, since a consumer that is wanted is known by what it is sent."""
    return desired.state is Presence.ABSENT and webhook.id == desired.id


def _is_same(desired: DesiredWebhook, webhook: LiveWebhook, live: LiveAccount) -> bool:
    return (
        desired.state is Presence.PRESENT
        and _url(desired, live) == webhook.url.reveal()
        and sorted(desired.event_types) == sorted(webhook.event_types)
        and sorted(desired.company_tags) == sorted(webhook.company_tags)
        and desired.disabled == webhook.disabled
    )


def _is_to_go(desired: DesiredWebhook, webhook: LiveWebhook, live: LiveAccount) -> bool:
    """Whether its URL, and the events if any are named, are those of a spec that wants it absent."""
    is_meant = not desired.event_types or sorted(desired.event_types) == sorted(webhook.event_types)
    is_here = desired.id is None and _url(desired, live) == webhook.url.reveal()
    return desired.state is Presence.ABSENT and is_here and is_meant


def _of_webhooks(webhooks: Sequence[WebhookDraft], found: LiveAccount) -> Iterator[Action]:
    # What the specs keep is left out of the ids beside, so that runs which see different parts of what
    # all of them create agree on the key of the rest.
    kept = {
        webhook.live.id
        for webhook in webhooks
        if webhook.live is not None and webhook.situation.meant is Meant.PRESENT
    }
    for webhook in webhooks:
        desired, live = webhook.desired, webhook.live
        if Kind.WEBHOOK_CREATE in webhook.row.actions and desired and desired.url is not None:
            yield CreateWebhook(
                address=webhook.address,
                reason=webhook.row.why,
                url=desired.url,
                event_types=tuple(sorted(desired.event_types)),
                company_tags=tuple(sorted(desired.company_tags)),
                disabled=desired.disabled,
                beside=tuple(
                    sorted(
                        old.id
                        for old in found.webhooks
                        if old.url.reveal() == _url(desired, found) and old.id not in kept
                    )
                ),
            )
        elif Kind.WEBHOOK_DELETE in webhook.row.actions and live:
            yield DeleteWebhook(
                address=webhook.address, reason=webhook.row.why, webhook_id=live.id, observed=live
            )


def _attention(draft: WebhookDraft) -> Attention:
    live, code = draft.live, draft.row.attention
    if live is None or code is None:
        raise ValueError(f"{draft.address} needs no attention")
    where, events = live.place or "an unreadable URL", ", ".join(live.event_types) or "no event"
    found = f"webhook consumer {live.id} at {where} is sent {events}"
    remove = f"webhooks: {{KEY: {{id: {live.id}, state: absent}}}}"
    if code is AttentionCode.EXISTS:
        told = (
            f"{found}, and stood there before this workspace managed the account; write it into account.yaml "
            f"with just these event types (codat-sync import --account writes all), or have it deleted: "
            f"{remove}"
        )
    else:
        told = f"{found} and is in no spec; leave it, or have it deleted by account.yaml: {remove}"
    return Attention(code=code, address=draft.address, message=told)


# --- the profile -------------------------------------------------------------------------------


def _of_profile(account: DesiredAccount, live: LiveAccount, policy: Policy) -> Iterator[Action]:
    if live.profile is None or not policy.includes(PROFILE):
        return
    now = live.profile.fields
    differing = {
        name: value for name, value in sorted(account.profile.items()) if not _is_equal(now.get(name), value)
    }
    if differing:
        changes = tuple(
            Change(path=name, before=profile_text(now.get(name)) or None, after=profile_text(value) or None)
            for name, value in differing.items()
        )
        yield UpdateProfile(address=PROFILE, reason="the profile differs", changes=changes, fields=differing)


def _is_equal(live: ProfileValue | None, wanted: ProfileValue) -> bool:
    return profile_text(live) == profile_text(wanted)


def profile_text(value: ProfileValue | None) -> str:
    """A member of the profile as a plan shows and compares it; the order of a list says nothing."""
    return ", ".join(sorted(value)) if isinstance(value, tuple) else value or ""


# --- sync settings -----------------------------------------------------------------------------


def _of_settings(account: DesiredAccount, live: Live, found: LiveAccount, policy: Policy) -> Iterator[Action]:
    if found.sync_settings is None or not policy.includes(PROFILE):
        return
    changes = settings_changes(account, found.sync_settings.settings)
    if not changes:
        return
    narrowed = sum(any(link.last_sync for link in company.connections) for company in live.companies)
    narrows = paths_that_narrow(changes) if narrowed else ()
    why = "sync settings differ"
    if narrows:
        named = ", ".join(path.partition(".")[2] for path in narrows)
        why += f"; Codat may delete or void records already synced, since less is fetched: {named}"
    yield SetProfileSyncSettings(
        address=PROFILE,
        reason=why,
        changes=changes,
        settings=account.sync_settings,
        narrows=narrows,
        narrowed=narrowed if narrows else 0,
    )


def settings_changes(account: DesiredAccount, live: LiveSyncSettings) -> tuple[Change, ...]:
    """What differs between the profile's sync settings and those that the specs want."""
    before = _texts(live.by_type)
    after = _texts(live.as_wanted(account.sync_settings).by_type)
    paths = sorted(path for path in before | after if before.get(path) != after.get(path))
    return tuple(Change(path=path, before=before.get(path), after=after.get(path)) for path in paths)


def may_narrow(account: DesiredAccount, live: LiveAccount) -> bool:
    """Whether less would be fetched, so that it matters which companies of the account have synced data."""
    settings = live.sync_settings
    return settings is not None and bool(paths_that_narrow(settings_changes(account, settings.settings)))


def _texts(settings: SyncSettings) -> dict[str, str]:
    return {
        f"syncSettings.{data_type}.{name}": setting_text(value)
        for data_type, members in settings.items()
        for name, value in members.items()
    }


def as_it_will_be(drafted: AccountDraft | None, live: Live, policy: Policy) -> Live:
    """What is live once the profile's sync settings are as specified.

    They are set before any company is worked on, so a sync of the same plan goes by them, and companies
    without settings of their own have them.
    """
    if drafted is None or drafted.is_blocked or not policy.includes(PROFILE):
        return live
    settings = drafted.live.sync_settings
    if settings is None:
        return live
    shared = settings.settings.as_wanted(drafted.desired.sync_settings)
    companies = tuple(_sharing(company, shared.by_type) for company in live.companies)
    return replace(live, companies=companies, fetched_types=marked(shared))


def _sharing(company: LiveCompany, shared: SyncSettings) -> LiveCompany:
    own = company.sync_settings
    if own is None or own.are_own:
        return company
    return replace(company, sync_settings=LiveSyncSettings(shared, are_own=False))


def marked(settings: LiveSyncSettings) -> frozenset[str]:
    """The data types that are fetched on first link."""
    return frozenset(
        data_type
        for data_type, members in settings.by_type.items()
        if members.get(FETCH_ON_FIRST_LINK) is True
    )


# --- what a plan and an explanation tell of it -------------------------------------------------


def live_account_digest(live: LiveAccount) -> str:
    """The digest of what a plan read of the account; of URLs and of the profile only what is no secret."""
    settings = live.sync_settings
    return digest(
        {
            "webhooks": [[webhook.id, *live_webhook(webhook).values()] for webhook in live.webhooks],
            "profile": {name: profile_text(value) for name, value in live.profile.fields.items()}
            if live.profile
            else None,
            "syncSettings": _texts(settings.settings.by_type) if settings else None,
        }
    )


def live_webhook(webhook: LiveWebhook) -> Mapping[str, Any]:
    """A consumer as an explanation shows it."""
    return {
        "id": webhook.id,
        "place": webhook.place,
        "eventTypes": list(webhook.event_types),
        "companyTags": list(webhook.company_tags),
        "disabled": webhook.disabled,
    }
