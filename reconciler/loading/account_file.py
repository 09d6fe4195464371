"""Reads ``account.yaml``: what a workspace wants of the Codat account itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from reconciler.diagnostics import Diagnostic
from reconciler.loading.connection_rules import wrong_times
from reconciler.loading.files import ACCOUNT_FILES
from reconciler.loading.nodes import Entry
from reconciler.loading.references import LITERAL_ADVICE, ReferenceFault, ReferenceOrigin
from reconciler.loading.references import read as read_reference
from reconciler.loading.spec_codes import SpecCode
from reconciler.loading.words import dotted, moment
from reconciler.loading.workspace_file import sole_entry
from reconciler.model import (
    SYNC_FROM_UTC,
    SYNC_FROM_WINDOW,
    DesiredAccount,
    DesiredWebhook,
    Presence,
    ProfileValue,
    SettingValue,
    SyncSettings,
    utc_text,
)
from reconciler.secret_refs import SCHEMES, SecretRef, holds_reference, literal
from reconciler.wording import either

"""References that a plan may follow: it has to compare, and runs no program for that."""
SETTINGS: Final = "syncSettings"


def account_path(root: Path) -> Path | None:
    """The account's file of a workspace, if it has one."""
    return next((path for name in ACCOUNT_FILES if (path := root / name).is_file()), None)


def read(root: Path) -> tuple[DesiredAccount | None, tuple[Diagnostic, ...]]:
    """What the account's file wants, as far as it is sound, and what is wrong with it."""
    path = account_path(root)
    found: list[Diagnostic] = []
    several = "the account's file holds one document"
    entry = sole_entry(path, "account", several, found) if path is not None else None
    if entry is None:
        return None, tuple(found)
    origin = ReferenceOrigin(root, root)
    profile = entry.child("profile")
    settings = profile.child(SETTINGS) if profile else None
    webhooks = _webhooks(entry, origin, found)
    if profile:
        found.extend(_misplaced(profile))
    for setting in settings.children() if settings else ():
        found.extend(_wrong_setting(setting))
    account = DesiredAccount(
        profile={
            name: _profile_value(value)
            for name, value in (profile.fields.items() if profile else ())
            if name != SETTINGS
        },
        sync_settings=_settings(settings.fields) if settings and not found else {},
        webhooks=webhooks,
        span=entry.span,
    )
    return account, tuple(found)


def _profile_value(value: str | list[str]) -> ProfileValue:
    return literal(value) if isinstance(value, str) else tuple(map(literal, value))


def _misplaced(profile: Entry) -> Iterator[Diagnostic]:
    for name, value in profile.fields.items():
        texts = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        if any(holds_reference(text) for text in texts):
            yield _at(profile, name, SpecCode.REFERENCE_MISPLACED, _UNRESOLVED)


_UNRESOLVED: Final = ("nothing resolves references here", f"write the value itself; {LITERAL_ADVICE}")


def _at(entry: Entry, name: str, code: SpecCode, words: tuple[str, str]) -> Diagnostic:
    return Diagnostic(code, *words, entry.value_span(name), dotted((*entry.path, name)))


# --- sync settings -----------------------------------------------------------------------------


def _wrong_setting(setting: Entry) -> Iterator[Diagnostic]:
    if {SYNC_FROM_UTC, SYNC_FROM_WINDOW} <= setting.fields.keys():
        told = f"{SYNC_FROM_UTC} and {SYNC_FROM_WINDOW} exclude each other", "keep one of the two"
        yield _at(setting, SYNC_FROM_WINDOW, SpecCode.SYNC_FROM_TWICE, told)
    for found in wrong_times([setting], SYNC_FROM_UTC):
        yield Diagnostic(SpecCode.WRONG_TIME, found.summary, found.fix, found.span, found.path)


def _settings(written: SyncSettings) -> SyncSettings:
    return {
        data_type: {name: _setting(name, value) for name, value in members.items()}
        for data_type, members in written.items()
    }


def _setting(name: str, value: SettingValue) -> SettingValue:
    read_as = moment(value) if name == SYNC_FROM_UTC and isinstance(value, str) else None
    return value if read_as is None else utc_text(read_as)


# --- webhook consumers -------------------------------------------------------------------------


def _webhooks(entry: Entry, origin: ReferenceOrigin, found: list[Diagnostic]) -> dict[str, DesiredWebhook]:
    holder = entry.child("webhooks")
    webhooks: dict[str, DesiredWebhook] = {}
    seen: dict[tuple[object, ...], str] = {}
    for child in holder.children() if holder else ():
        webhook = _webhook(child, origin, found)
        if webhook is None:
            continue
        identity = (webhook.id, webhook.url, tuple(sorted(webhook.event_types)), webhook.state)
        if identity in seen:
            told = f"{seen[identity]!r} is the same consumer", "keep one of the two"
            found.append(Diagnostic(SpecCode.WEBHOOK_TWICE, *told, child.span, dotted(child.path)))
        seen.setdefault(identity, webhook.key)
        webhooks[webhook.key] = webhook
    return webhooks


def _webhook(entry: Entry, origin: ReferenceOrigin, found: list[Diagnostic]) -> DesiredWebhook | None:
    fields = entry.fields
    state = Presence(fields.get("state", Presence.PRESENT))
    if missing := _missing(entry, state):
        found.append(Diagnostic(SpecCode.MISSING_FIELD, *missing, span=entry.span, path=dotted(entry.path)))
        return None
    if state is Presence.PRESENT and not {"url", "eventTypes"} <= fields.keys():
        return None
    url = read_reference(fields["url"], origin, entry.value_span("url")) if "url" in fields else None
    if fault := _url_fault(url):
        found.append(_at(entry, "url", *fault))
        return None
    return DesiredWebhook(
        key=entry.path[-1],
        url=None if isinstance(url, ReferenceFault) else url,
        event_types=tuple(sorted(fields.get("eventTypes", ()))),
        company_tags=tuple(sorted(map(literal, fields.get("companyTags", ())))),
        disabled=fields.get("disabled", False),
        id=fields["id"].lower() if "id" in fields else None,
        state=state,
        span=entry.span,
    )


def _missing(entry: Entry, state: Presence) -> tuple[str, str] | None:
    """What a consumer lacks, or names too much of; a field that the schema refused is told already."""
    if state is Presence.PRESENT:
        lacking = [name for name in ("url", "eventTypes") if not entry.wrote(name)]
        if lacking:
            return f"a webhook consumer needs {' and '.join(lacking)}", "write where events go, and which"
        if entry.wrote("id"):
            return "id goes with 'state: absent' alone", "leave it out: url and eventTypes say which it is"
        return None
    if not (entry.wrote("id") or entry.wrote("url")):
        return "nothing says which consumer shall go", "write its id, or its url"
    return None


_QUICK: Final = either(f"${{{scheme}:…}}" for scheme in SCHEMES)
"""How references are written that need no program."""


def _url_fault(url: str | SecretRef | ReferenceFault | None) -> tuple[SpecCode, tuple[str, str]] | None:
    if isinstance(url, ReferenceFault):
        return url.code, (url.summary, url.fix)
    if isinstance(url, SecretRef):
        if url.scheme in SCHEMES:
            return None
        told = "a plan has to know this URL, and runs no program for that"
        return SpecCode.REFERENCE_SCHEME, (told, f"keep it in {_QUICK}")
    return (SpecCode.WEBHOOK_URL, fault) if url is not None and (fault := url_problem(url)) else None


def url_problem(url: str) -> tuple[str, str] | None:
    """What is wrong with the text of a URL, which is not repeated: it may hold a secret."""
    try:
        parts = urlsplit(url)
        is_bare = not (parts.username or parts.password or parts.query or parts.fragment)
        is_https = parts.scheme == "https" and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_https, is_bare = False, True
    if not is_https or not url.isprintable() or " " in url:
        return "this is no https URL", "write https://HOST/PATH, or a reference to it"
    if not is_bare:
        return (
            "a user, a query or a fragment stands in this URL, and such may be a secret",
            "leave it out, or keep the whole URL where a reference points: ${env:WEBHOOK_URL}",
        )
    return None
