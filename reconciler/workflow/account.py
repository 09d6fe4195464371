"""What a plan reads of the account: one request for each thing that the specs want of it, and no other."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

from reconciler.codat import ReadClient, key_forms
from reconciler.diagnostics import CodatSyncError, Diagnostic
from reconciler.live import Live, LiveAccount, LiveProfile, origin_of
from reconciler.loading import SpecCode
from reconciler.model import Desired, DesiredAccount, DesiredWebhook, Presence
from reconciler.planner import unresolved, webhook_address
from reconciler.secret_refs import Secret, SecretRef
from reconciler.secrets import MadeUp, Resolver, SecretCode, SecretError
from reconciler.workflow.endpoint import Endpoint
from reconciler.workspace import Workspace

T = TypeVar("T")
Resolve = Callable[[SecretRef], Secret]

SANDBOX_HOST: Final = "https://sandbox.invalid/"
"""Where a reference without a value leads in the sandbox: a URL, since nothing else is one."""


async def read_account(
    client: ReadClient,
    account: DesiredAccount,
    resolve: Resolve,
    profile: LiveProfile | None = None,
) -> LiveAccount:
    """What is live of what the specs want; ``profile`` is it where that was read already.

    ``resolve`` gives the URLs that the specs keep elsewhere.

    The webhook consumers are always read: one of them says whose the account is.

    Raises:
        SecretError: what a webhook's URL resolves to is none.
        CodatSyncError: Codat cannot be read.
    """
    urls = _urls(account, resolve)
    webhooks, read_profile, settings = await asyncio.gather(
        client.webhooks(),
        _if(bool(account.profile) and profile is None, client.profile),
        _if(bool(account.sync_settings), client.profile_sync_settings),
    )
    return LiveAccount(webhooks=webhooks, profile=read_profile or profile, sync_settings=settings, urls=urls)


async def _if(is_asked: bool, read: Callable[[], Awaitable[T]]) -> T | None:
    return await read() if is_asked else None


def url_resolver(workspace: Workspace, endpoint: Endpoint) -> Resolve:
    """What resolves the URLs of webhook consumers: it runs no program for a plan."""
    root = Path(workspace.root)
    if endpoint.is_sandbox:
        return sandbox_urls(MadeUp(Resolver(root, endpoint.environ, providers=False)))
    return Resolver(root, endpoint.environ, providers=False, withheld=key_forms(endpoint.environ))


def sandbox_urls(resolve: MadeUp) -> Resolve:
    """As ``resolve``, but where it makes a value up that is the path of a URL."""

    def resolved(ref: SecretRef) -> Secret:
        secret = resolve(ref)
        return Secret(SANDBOX_HOST + secret.reveal()) if str(ref) in resolve.made_up else secret

    return resolved


def _urls(account: DesiredAccount, resolve: Resolve) -> dict[SecretRef, Secret]:
    found: dict[SecretRef, Secret] = {}
    problems: list[Diagnostic] = []
    for ref in dict.fromkeys(account.references):
        try:
            found[ref] = resolve(ref)
        except SecretError:
            continue  # a plan for review is made without secrets; apply is told of it
        if problem := _no_url(ref, found[ref]):
            problems.append(problem)
    if problems:
        raise SecretError(*problems)
    _check_each_once(account, found)
    return found


def _no_url(ref: SecretRef, secret: Secret) -> Diagnostic | None:
    """What is to say of a value that is no URL; the value is not."""
    if origin_of(secret.reveal()).startswith("https://"):
        return None
    told = f"{ref}: the value is no https URL, which a webhook consumer needs"
    return Diagnostic(SecretCode.NOT_URL, told, "put https://HOST/PATH there", ref.span)


def _check_each_once(account: DesiredAccount, urls: Mapping[SecretRef, Secret]) -> None:
    """Refuse two webhooks that are one: every event would be sent twice."""
    known = [
        webhook
        for webhook in account.webhooks.values()
        if webhook.state is Presence.PRESENT and _url(webhook, urls)
    ]
    wanted = Counter((_url(webhook, urls), tuple(sorted(webhook.event_types))) for webhook in known)
    for webhook in known:
        if wanted[_url(webhook, urls), tuple(sorted(webhook.event_types))] > 1:
            told = f"the webhook consumer {webhook.key!r} and another one have the same URL and event types"
            raise CodatSyncError(
                Diagnostic(SpecCode.WEBHOOK_TWICE, told, "keep one of the two", webhook.span)
            )


def _url(webhook: DesiredWebhook, urls: Mapping[SecretRef, Secret]) -> str | None:
    if not isinstance(webhook.url, SecretRef):
        return webhook.url
    found = urls.get(webhook.url)
    return found.reveal() if found else None


def check_urls(desired: Desired, live: Live, resolve: Resolver | MadeUp) -> None:
    """Refuse to apply where a webhook's URL cannot be resolved: it would be left out without a word.

    Raises:
        SecretError: naming every such reference.
    """
    if desired.account is None or live.account is None:
        return
    missing = unresolved(desired.account, live.account)
    uses = [
        (webhook.url, f"{webhook_address(webhook.key)} url")
        for webhook in missing
        if isinstance(webhook.url, SecretRef)
    ]
    if problems := resolve.check(uses):
        raise SecretError(*problems)
