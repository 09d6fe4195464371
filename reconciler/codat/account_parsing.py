"""The account's own objects as nouns of ours: profile, its sync settings, webhook consumers."""

from __future__ import annotations

import json
from typing import Final

from reconciler.codat import parsing
from reconciler.codat.reading import Node
from reconciler.model import LiveProfile, LiveProfileSettings, LiveWebhook, ProfileValue, Secret

PROFILE_TEXTS: Final = ("logoUrl", "iconUrl", "redirectUrl")
PROFILE_LISTS: Final = ("whiteListUrls",)


def profile(node: Node) -> LiveProfile:
    """The profile; whatever else stands in it is kept for whoever writes it whole, and shown to nobody."""
    fields: dict[str, ProfileValue] = {
        name: node.get(name).optional_text() or "" for name in PROFILE_TEXTS
    } | {name: tuple(one.text() for one in node.get(name).items()) for name in PROFILE_LISTS}
    return LiveProfile(node.get("name").text(), fields, Secret(json.dumps(node.value)))


def profile_sync_settings(node: Node) -> LiveProfileSettings:
    """The profile's sync settings."""
    return LiveProfileSettings(node.get("clientId").optional_text() or "", parsing.sync_settings(node))


def webhooks(node: Node) -> tuple[LiveWebhook, ...]:
    """Every webhook consumer; the answer has no pages."""
    return tuple(webhook(one) for one in node.get("results").items())


def webhook(node: Node) -> LiveWebhook:
    """A webhook consumer."""
    return LiveWebhook(
        id=node.get("id").identifier(),
        url=Secret(node.get("url").text()),
        event_types=tuple(sorted(one.text() for one in node.get("eventTypes").items())),
        company_tags=tuple(sorted(one.text() for one in node.get("companyTags").items())),
        disabled=node.get("disabled").flag(default=False),
    )
