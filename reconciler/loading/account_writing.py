"""Writes ``account.yaml`` for an account that exists, so that planning it changes nothing but whose it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from reconciler.loading import schema
from reconciler.loading.account_file import url_problem
from reconciler.loading.adoptable import free_key, writable_settings
from reconciler.loading.writing import SpecDumper
from reconciler.model import LiveAccount, LiveProfile, LiveWebhook, slug, written

HEADING: Final = (
    "# What the Codat account itself shall be. One workspace of an account may have this file: plan shows a\n"
    "# webhook consumer that is never sent anything, and says whose the account is.\n"
)
_LINES: Final = 110
_KEY: Final = 40


def account_text(live: LiveAccount, *, schema_path: str) -> str:
    """The YAML of the account; what cannot be written without a secret is a comment, and left as it is."""
    left_out: list[str] = []
    document: dict[str, Any] = {"version": 1}
    if profile := _profile(live):
        document["profile"] = profile
    if webhooks := dict(_webhooks(live, left_out)):
        document["webhooks"] = webhooks
    body = yaml.dump(document, Dumper=SpecDumper, sort_keys=False, allow_unicode=True, width=_LINES)
    comments = "".join(f"# {line}\n" for line in left_out)
    return f"# yaml-language-server: $schema={schema_path}\n{HEADING}{body}{comments}"


def _profile(live: LiveAccount) -> dict[str, Any]:
    members = dict(_members(live.profile)) if live.profile else {}
    settings = live.sync_settings
    if settings is not None and settings.settings.are_own:
        members["syncSettings"] = writable_settings(settings.settings.by_type)
    return members


def _members(profile: LiveProfile) -> Iterator[tuple[str, Any]]:
    for name, value in profile.fields.items():
        found: Any = [written(one) for one in value] if isinstance(value, tuple) else written(value)
        if found and schema.named("account").fits({"version": 1, "profile": {name: found}}):
            yield name, found


def _webhooks(live: LiveAccount, left_out: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    used: set[str] = set()
    for one in sorted(live.webhooks, key=lambda one: one.id):
        if one.marks_workspace is not None:
            continue
        url = one.url.reveal()
        document = _webhook(one)
        if url_problem(url) or not schema.named("account").fits({"version": 1, "webhooks": {"x": document}}):
            left_out.append(
                f"The webhook consumer {_plain(one.id)} at {_plain(one.place)} is left out: its URL may "
                f"hold a secret. Keep it where a reference points, and write url: ${{env:WEBHOOK_URL}}."
            )
            continue
        key = free_key(slug(urlsplit(url).path)[:_KEY].strip("-") or "events", used, one.id)
        used.add(key)
        yield key, document


def _webhook(one: LiveWebhook) -> dict[str, Any]:
    return {
        "url": written(one.url.reveal()),
        "eventTypes": list(one.event_types),
        **({"companyTags": [written(tag) for tag in one.company_tags]} if one.company_tags else {}),
        **({"disabled": True} if one.disabled else {}),
    }


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9:/._-]", "?", text)
