"""The account's own settings: webhook consumers, the profile and its sync settings.

A consumer is created under an idempotency key that follows from what it is, so that two runs at once create
one. Everything else is a request that may be sent twice: what came of it is found by reading.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from reconciler.account_actions import CreateWebhook, DeleteWebhook, SetProfileSyncSettings, UpdateProfile
from reconciler.apply import state
from reconciler.apply.companies import setting_at
from reconciler.apply.failing import changed, differs, not_done
from reconciler.apply.idempotent_create import create
from reconciler.apply.retried_write import settle
from reconciler.apply.state import WorkerState
from reconciler.codat import Answered, Client
from reconciler.codat.errors import NotFoundError
from reconciler.codat.transport import Look
from reconciler.kinds import Change
from reconciler.live import LiveProfile, LiveProfileSettings, LiveSyncSettings, LiveWebhook
from reconciler.model import ProfileValue
from reconciler.outcome import FailureCode, Result, Then
from reconciler.secret_refs import Secret, SecretRef

# --- webhook consumers -------------------------------------------------------------------------


async def create_webhook(worker: WorkerState, action: CreateWebhook) -> Result:
    """Create the consumer, or find that another run of ours did: which of the two, no answer tells."""
    if action.is_mark:
        await _check_nothing_came(worker, action)
    made = await create(worker, _Making(worker, action, await _url(worker, action)))
    if made.value.marks_workspace is not None:
        await _check_alone(worker, made.value)
    return Result.DONE


async def _url(worker: WorkerState, action: CreateWebhook) -> Secret:
    if isinstance(action.url, SecretRef):
        return await worker.secret(action.url)
    return Secret(action.url)


async def _check_nothing_came(worker: WorkerState, mark: CreateWebhook) -> None:
    """Raise NotDoneError where someone has put a consumer beside ours since the plan.

    Once the account is ours, what else stands at our URLs is deleted; so it must not become ours unseen.
    """
    live = await worker.client.webhooks()
    if any(webhook.marks_workspace is not None for webhook in live):
        return
    planned = [action for action in worker.actions if isinstance(action, CreateWebhook)]
    urls = [await _url(worker, action) for action in planned]
    urls += [webhook.url for webhook in live if webhook.id in mark.beside]
    for webhook in live:
        if webhook.id not in mark.beside and webhook.url in urls:
            raise changed(f"someone made the webhook consumer {webhook.id} at a URL that the specs may name")


async def _check_alone(worker: WorkerState, mark: LiveWebhook) -> None:
    """Raise NotDoneError where another workspace has put its mark beside ours meanwhile."""
    leaving = {action.webhook_id for action in worker.actions if isinstance(action, DeleteWebhook)}
    for other in await worker.client.webhooks():
        if other.id not in leaving and other.marks_workspace not in (None, mark.marks_workspace):
            raise not_done(
                FailureCode.NOT_OURS,
                f"the workspace '{other.marks_workspace}' took the account at the same time, by {other.id}; "
                f"ours is the webhook consumer {mark.id}",
                then=Then.DELETE_MARK,
            )


@dataclass(frozen=True, slots=True)
class _Making:
    """What the protocol of creation asks of a webhook consumer."""

    worker: WorkerState
    action: CreateWebhook
    url: Secret

    @property
    def what(self) -> str:
        """What it is, for messages."""
        return f"webhook consumer {self.action.address}"

    def key(self, attempt: int) -> UUID:
        """The idempotency key of an attempt."""
        action = self.action
        what = (action.event_types, action.company_tags, action.disabled)
        beside = () if action.is_mark else action.beside
        return state.webhook_key(self.url.reveal(), what, beside, attempt)

    async def send(self, client: Client, key: UUID) -> Answered[LiveWebhook]:
        """``POST /webhooks``."""
        body: dict[str, Any] = {
            "url": self.url,
            "eventTypes": list(self.action.event_types),
            "companyTags": list(self.action.company_tags),
            "disabled": self.action.disabled,
        }
        return await client.create_webhook(body, key)

    async def find(self) -> LiveWebhook | None:
        """The consumer that is just this; it has no name to be found by."""
        found = [
            webhook for webhook in await self.worker.client.webhooks() if not _differences(self, webhook)
        ]
        return min(found, key=lambda webhook: webhook.id, default=None)

    async def read(self, made: LiveWebhook) -> LiveWebhook:
        """The consumer as it is now, from the listing: there is no request for one alone."""
        for webhook in await self.worker.client.webhooks():
            if webhook.id == made.id:
                return webhook
        raise NotFoundError("the webhook consumer has gone", status=404)

    async def has_owner(self) -> bool:
        """Never: a consumer belongs to the account itself."""
        return False

    def is_another(self, made: LiveWebhook) -> bool:  # noqa: ARG002 - of the protocol
        """Never: a key stands for one consumer."""
        return False

    def compare(self, made: LiveWebhook) -> None:
        """All that was sent; of the URL not its text, which may be a secret."""
        for path, asked, got in _differences(self, made)[:1]:
            raise differs(path, asked, got)


def _differences(making: _Making, live: LiveWebhook) -> list[tuple[str, str, str]]:
    action = making.action
    compared = (
        ("eventTypes", ", ".join(sorted(action.event_types)), ", ".join(live.event_types)),
        ("companyTags", ", ".join(sorted(action.company_tags)), ", ".join(live.company_tags)),
        ("disabled", str(action.disabled).lower(), str(live.disabled).lower()),
    )
    url = [] if live.url == making.url else [("url", "what was sent", "another one")]
    return [*url, *(shown for shown in compared if shown[1] != shown[2])]


async def delete_webhook(worker: WorkerState, action: DeleteWebhook) -> Result:
    """Delete a consumer; nobody can have changed it, since Codat has no request for that."""
    client = worker.client

    async def find_gone() -> bool | None:
        found = [webhook for webhook in await client.webhooks() if webhook.id == action.webhook_id]
        return None if found else True

    async def send(_key: UUID) -> bool:
        with suppress(NotFoundError):
            await client.delete_webhook(action.webhook_id)
        return True

    if await find_gone():
        return Result.ALREADY
    await settle(worker, action, send, find_gone)
    return Result.DONE


# --- the profile -------------------------------------------------------------------------------


async def update_profile(worker: WorkerState, action: UpdateProfile) -> Result:
    """Send the whole profile as it is right before, with what the spec names merged in."""
    look = Look()
    client = worker.client.resting_on(look)
    live: LiveProfile | None = None

    async def find_done() -> LiveProfile | None:
        nonlocal live
        live = await worker.client.looking(look).profile()
        if not _open(action, live):
            return live
        for change in action.changes:
            now = _text(live.fields.get(change.path))
            if now not in (change.before or "", change.after or ""):
                raise changed(f"{change.path} has become '{now}' where '{change.before or ''}' was read")
        return None

    if await find_done():
        return Result.ALREADY

    async def send(_key: UUID) -> LiveProfile:
        if live is None:
            raise RuntimeError("the profile is sent before it is read")
        return await client.update_profile(live.whole, action.fields)

    answer = await settle(worker, action, send, find_done)
    for change in _open(action, answer):
        raise differs(change.path, change.after or "", _text(answer.fields.get(change.path)))
    return Result.DONE


def _open(action: UpdateProfile, live: LiveProfile) -> list[Change]:
    """The changes that the profile does not show."""
    return [
        change for change in action.changes if _text(live.fields.get(change.path)) != (change.after or "")
    ]


def _text(value: ProfileValue | None) -> str:
    return ", ".join(sorted(value)) if isinstance(value, tuple) else value or ""


async def set_profile_sync_settings(worker: WorkerState, action: SetProfileSyncSettings) -> Result:
    """Send all sync settings with what the spec names merged in, since the request replaces all."""
    look = Look()
    client = worker.client.resting_on(look)
    live = LiveProfileSettings("", LiveSyncSettings({}, are_own=False))

    async def read() -> bool | None:
        nonlocal live
        live = await worker.client.looking(look).profile_sync_settings()
        return True if _target(action, live).by_type == live.settings.by_type else None

    async def find_done() -> bool | None:
        done = await read()
        if done is None:
            _check_settings(action, live)
        return done

    if await find_done():
        return Result.ALREADY

    async def send(key: UUID) -> bool:
        await client.set_profile_sync_settings(live.client_id, _target(action, live), key)
        return True

    await settle(worker, action, send, find_done)
    if not await state.look(read, worker.pausing("Codat does not show the settings yet")):
        for change in action.changes:
            if setting_at(live.settings, change) != change.after:
                raise differs(change.path, change.after or "", setting_at(live.settings, change) or "")
    return Result.DONE


def _target(action: SetProfileSyncSettings, live: LiveProfileSettings) -> LiveSyncSettings:
    return live.settings.as_wanted(action.settings)


def _check_settings(action: SetProfileSyncSettings, live: LiveProfileSettings) -> None:
    """Raise NotDoneError where a setting is neither what the plan read nor what it shall be."""
    for change in action.changes:
        now = setting_at(live.settings, change)
        if now not in (change.before, change.after):
            raise changed(f"{change.path} has become '{now or ''}' where '{change.before or ''}' was read")
