"""Writes specs: those of companies that exist already."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from textwrap import indent
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from reconciler.live import LiveAccount, LiveProfile, LiveWebhook
from reconciler.loading import schema
from reconciler.loading.account_file import url_problem
from reconciler.loading.adoptable import LONGEST_KEY, Adoptable, LeftOut, free_key, writable_settings
from reconciler.loading.nodes import plain
from reconciler.loading.words import escape
from reconciler.model import slug
from reconciler.secret_refs import written

_LINES: Final = 110
_LONGEST_STEM: Final = LONGEST_KEY - 9


class SpecDumper(yaml.SafeDumper):
    """PyYAML's, save that it quotes what YAML 1.2 would take for something else than text.

    PyYAML's own rules are those of YAML 1.1: they quote ``no``, and leave ``1e3`` and ``0o17`` bare. What
    either version would mistake is quoted, since other tools that read specs may go by the older one.
    """


def _text(dumper: SpecDumper, text: str) -> yaml.ScalarNode:
    style = None if isinstance(plain(text), str) else "'"
    if not text.isprintable():
        style = '"'  # line breaks and their like are escaped, where they cannot be taken for layout
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


SpecDumper.add_representer(str, _text)


def spec_text(
    companies: Mapping[str, Adoptable], left_out: Sequence[LeftOut] = (), *, schema: str, heading: str
) -> str:
    """The YAML of companies by their keys, each pinned to its ``id``.

    ``schema`` is where editors find ours, ``heading`` becomes a comment, and so does all that is left out,
    each with its reason: beside its company, or at the end.
    """
    lines = [f"# yaml-language-server: $schema={schema}", *_comments(heading.splitlines())]
    body = "".join(f"{line}\n" for line in lines)
    if companies:
        body += "version: 1\ncompanies:\n" + "".join(
            indent(_company(key, company), "  ") for key, company in companies.items()
        )
    return visible(body + "".join(f"{comment}\n" for comment in _comments(map(str, left_out))))


def visible(text: str) -> str:
    """YAML in which nothing hides: what does not print, such as marks that turn the reading, is escaped.

    In what ``SpecDumper`` writes, such characters stand between double quotes alone, or in comments.
    """
    return "".join(letter if letter == "\n" or letter.isprintable() else escape(letter) for letter in text)


def _company(key: str, company: Adoptable) -> str:
    comments = "".join(f"{comment}\n" for comment in _comments(map(str, company.left_out)))
    return comments + yaml.dump(
        {key: dict(company.document)}, Dumper=SpecDumper, sort_keys=False, allow_unicode=True, width=_LINES
    )


def _comments(lines: Iterable[str]) -> list[str]:
    return [f"# {line}" for line in lines]


def company_keys(companies: Iterable[Adoptable], taken: Collection[str] = ()) -> dict[str, Adoptable]:
    """A key for each company, made from its name and unlike all others and those that are ``taken``."""
    keyed: dict[str, Adoptable] = {}
    used = set(taken)
    for company in companies:
        stem = slug(company.company.name)[:_LONGEST_STEM].strip("-") or "company"
        key = free_key(stem, used, company.company.id)
        used.add(key)
        keyed[key] = company
    return keyed


HEADING: Final = (
    "# What the Codat account itself shall be. One workspace of an account may have this file: plan shows a\n"
    "# webhook consumer that is never sent anything, and says whose the account is.\n"
)

_KEY: Final = 40


def account_text(live: LiveAccount, *, schema_path: str) -> str:
    """The YAML of the account; what cannot be written without a secret is a comment, and left as it is."""
    left_out: list[str] = []
    document: dict[str, Any] = {"version": 1}
    if profile := _profile(live):
        document["profile"] = profile
    if webhooks := dict(_written_webhooks(live, left_out)):
        document["webhooks"] = webhooks
    body = yaml.dump(document, Dumper=SpecDumper, sort_keys=False, allow_unicode=True, width=_LINES)
    comments = "".join(f"# {line}\n" for line in left_out)
    return visible(f"# yaml-language-server: $schema={schema_path}\n{HEADING}{body}{comments}")


def _profile(live: LiveAccount) -> dict[str, Any]:
    members = dict(_members(live.profile)) if live.profile else {}
    settings = live.sync_settings
    if settings is not None and settings.settings.are_own:
        members["syncSettings"] = writable_settings(settings.settings.by_type)
    return members


def _members(profile: LiveProfile) -> Iterator[tuple[str, Any]]:
    for name, value in profile.fields.items():
        found: Any = [written(member) for member in value] if isinstance(value, tuple) else written(value)
        if found and schema.named("account").fits({"version": 1, "profile": {name: found}}):
            yield name, found


def _written_webhooks(live: LiveAccount, left_out: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    used: set[str] = set()
    for hook in sorted(live.webhooks, key=lambda hook: hook.id):
        if hook.marks_workspace is not None:
            continue
        url = hook.url.reveal()
        document = _written_webhook(hook)
        if url_problem(url) or not schema.named("account").fits({"version": 1, "webhooks": {"x": document}}):
            left_out.append(
                f"The webhook consumer {_plain(hook.id)} at {_plain(hook.place)} is left out: its URL may "
                f"hold a secret. Keep it where a reference points, and write url: ${{env:WEBHOOK_URL}}."
            )
            continue
        key = free_key(slug(urlsplit(url).path)[:_KEY].strip("-") or "events", used, hook.id)
        used.add(key)
        yield key, document


def _written_webhook(webhook: LiveWebhook) -> dict[str, Any]:
    return {
        "url": written(webhook.url.reveal()),
        "eventTypes": list(webhook.event_types),
        **({"companyTags": [written(tag) for tag in webhook.company_tags]} if webhook.company_tags else {}),
        **({"disabled": True} if webhook.disabled else {}),
    }


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9:/._-]", "?", text)
