"""The account's wanted state as JSON, for saved plans; references stay references."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model import DesiredAccount, DesiredWebhook, Presence, SecretRef, literal, written


def to_document(account: DesiredAccount) -> dict[str, Any]:
    """The JSON form."""
    return {
        "profile": {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in sorted(account.profile.items())
        },
        "syncSettings": {name: dict(members) for name, members in sorted(account.sync_settings.items())},
        "webhooks": {key: _webhook(one) for key, one in sorted(account.webhooks.items())},
    }


def _webhook(one: DesiredWebhook) -> dict[str, Any]:
    document: dict[str, Any] = {
        "eventTypes": sorted(one.event_types),
        "companyTags": sorted(one.company_tags),
        "disabled": one.disabled,
        "state": one.state.value,
    }
    if one.url is not None:
        document["url"] = str(one.url) if isinstance(one.url, SecretRef) else written(one.url)
    if one.id is not None:
        document["id"] = one.id
    return document


def from_document(document: Mapping[str, Any]) -> DesiredAccount:
    """What ``to_document`` wrote; the document is one that passed the saved plan's schema."""
    return DesiredAccount(
        {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in document["profile"].items()
        },
        document["syncSettings"],
        {key: _read_webhook(key, one) for key, one in document["webhooks"].items()},
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
