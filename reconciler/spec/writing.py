"""Writes specs for companies that exist already, so that planning them changes nothing but their owner."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import yaml

from reconciler.model import (
    RESERVED_TAG_PREFIX,
    LiveCompany,
    LiveConnection,
    Platform,
    SourceType,
    Status,
    slug,
)
from reconciler.spec.names import kept_name

LONGEST_KEY: Final = 64
_LINES: Final = 110


def spec_text(companies: Mapping[str, LiveCompany], platforms: Sequence[Platform], *, heading: str) -> str:
    """The YAML of companies by their keys, each pinned to its ``id``; ``heading`` becomes a comment."""
    known = {one.key: one for one in platforms}
    document = {
        "version": 1,
        "companies": {key: _company(one, known) for key, one in companies.items()},
    }
    body = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=_LINES)
    return "".join(f"# {line}\n" for line in heading.splitlines()) + body


def company_keys(companies: Iterable[LiveCompany], taken: Collection[str] = ()) -> dict[str, LiveCompany]:
    """A key for each company, made from its name and unlike all others and those that are ``taken``."""
    keyed: dict[str, LiveCompany] = {}
    for company in companies:
        stem = slug(company.name)[: LONGEST_KEY - 9].strip("-") or "company"
        keyed[_free(stem, {*taken, *keyed}, company.id)] = company
    return keyed


def is_nameable(company: LiveCompany) -> bool:
    """Whether a spec can hold the company's name: no character that Codat would remove from it."""
    return bool(company.name) and kept_name(company.name) == company.name


def _free(stem: str, taken: Collection[str], identifier: str) -> str:
    return stem if stem not in taken else f"{stem}-{re.sub('[^0-9a-f]', '', identifier.lower())[:8]}"


def _company(company: LiveCompany, platforms: Mapping[str, Platform]) -> dict[str, Any]:
    tags = {
        key: value
        for key, value in sorted(company.tags.items())
        if not key.lower().startswith(RESERVED_TAG_PREFIX.lower())
    }
    document: dict[str, Any] = {"name": company.name, "id": company.id}
    if company.description:
        document["description"] = company.description
    if tags:
        document["tags"] = tags
    if company.connections:
        document["connections"] = dict(_connections(company.connections, platforms))
    return document


def _connections(
    connections: Iterable[LiveConnection], platforms: Mapping[str, Platform]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The connections, the best of each one-at-a-time kind wanted as it is and the others left unlinked."""
    taken: set[str] = set()
    single: set[SourceType] = set()
    for one in sorted(connections, key=_linked_first):
        platform = platforms.get(one.platform_key)
        name = platform.slug if platform else one.platform_key
        key = _free(name, taken, one.id)
        taken.add(key)
        document: dict[str, Any] = {"platform": name, "id": one.id}
        is_second = one.source_type in single
        if one.status is Status.UNLINKED or is_second:
            document["state"] = "unlinked"
        elif one.source_type in (SourceType.ACCOUNTING, SourceType.BANK_FEED):
            single.add(one.source_type)
        if one.status is Status.LINKED and one.last_sync is None:
            document["sync"] = "never"
        yield key, document


def _linked_first(one: LiveConnection) -> tuple[bool, str, str]:
    return one.status is not Status.LINKED, one.platform_key, one.id
