"""Rules about companies that no schema can say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from reconciler.diagnostics import Span
from reconciler.model import (
    KEY_TAG,
    MAX_TAGS,
    RESERVED_TAG_PREFIX,
    SYNC_FROM_UTC,
    SYNC_FROM_WINDOW,
    WORKSPACE_TAG,
    holds_reference,
    literal,
)
from reconciler.spec.codes import Code
from reconciler.spec.connection_rules import unpinned, wrong_times
from reconciler.spec.names import kept_name, removed_characters
from reconciler.spec.nodes import Entry
from reconciler.spec.references import LITERAL_ADVICE
from reconciler.spec.rule import Finding, Rule, at_key, at_spot, at_value
from reconciler.spec.sources import CompanySpec, Specs
from reconciler.spec.words import plural, shown


def _keys_twice(specs: Specs) -> Iterator[Finding]:
    first: dict[str, Span] = {}
    for key, spot in specs.keys:
        if key in first:
            fix = f"the first one stands at {first[key]}; give one of the two another key"
            yield at_spot(spot, f"the key {shown(key)!r} is taken", fix)
        first.setdefault(key, spot.span)


def _ids_twice(specs: Specs) -> Iterator[Finding]:
    entries = ((company.id, company.entry) for company in specs.companies)
    return twice(entries, "id", "another company has this id")


def _connection_ids_twice(specs: Specs) -> Iterator[Finding]:
    entries = ((one.id, one.entry) for one in specs.connections())
    return twice(entries, "id", "another connection has this id")


def _renamed_twice(specs: Specs) -> Iterator[Finding]:
    entries = ((one.entry.fields.get("renamedFrom"), one.entry) for one in specs.companies)
    return twice(entries, "renamedFrom", "another company takes over this key")


def twice(entries: Iterable[tuple[str | None, Entry]], field: str, summary: str) -> Iterator[Finding]:
    """A finding at the field of every entry whose value an earlier entry has, naming that one's place."""
    first: dict[str, Entry] = {}
    for value, entry in entries:
        if value is None:
            continue
        if value in first:
            place = first[value].value_span(field)
            yield at_value(entry, field, summary, f"the first one stands at {place}; keep one of the two")
        first.setdefault(value, entry)


def _renamed_still_there(specs: Specs) -> Iterator[Finding]:
    places = dict(reversed(specs.keys))
    for company in specs.companies:
        old = company.entry.fields.get("renamedFrom")
        if old in places:
            summary = f"the key {shown(old)!r} is still in the specs"
            fix = f"it stands at {places[old].span}; remove that company, or this field"
            yield at_value(company.entry, "renamedFrom", summary, fix)


def _new_with_id(specs: Specs) -> Iterator[Finding]:
    for company in specs.companies:
        if company.entry.fields.get("new") is True and company.id is not None:
            summary = "a company that is adopted by its id is not new"
            yield at_value(company.entry, "new", summary, "remove either `new` or `id`")


def _name_characters(specs: Specs) -> Iterator[Finding]:
    if specs.settings.strips_names:
        return
    for company in specs.companies:
        name = company.entry.fields.get("name", "")
        removed = () if holds_reference(name) else removed_characters(literal(name))
        kept = kept_name(literal(name))
        if removed and kept.strip():
            summary = f"Codat would silently remove {' '.join(removed)} from this name"
            fix = f"write {kept!r}, or set `names: strip` in workspace.yaml"
            yield at_value(company.entry, "name", summary, fix)


def _name_empty(specs: Specs) -> Iterator[Finding]:
    for company in specs.companies:
        name = company.entry.fields.get("name")
        if name is not None and not kept_name(literal(name)).strip():
            fix = "use letters and digits (A to Z, 0 to 9)"
            yield at_value(company.entry, "name", "Codat would keep nothing of this name", fix)


def _reserved_tags(specs: Specs) -> Iterator[Finding]:
    for company in specs.companies:
        tags = company.entry.child("tags")
        for tag in tags.fields if tags is not None else ():
            if tags is not None and tag.lower().startswith(RESERVED_TAG_PREFIX.lower()):
                summary = f"tags that start with {RESERVED_TAG_PREFIX!r} are kept by codat-sync itself"
                yield at_key(tags, tag, summary, "give the tag another key")


def _too_many_tags(specs: Specs) -> Iterator[Finding]:
    for company in specs.companies:
        tags = company.entry.fields.get("tags", {})
        wanted = sum(value is not None for value in tags.values())
        ours = _own_tags(company)
        if wanted + ours > MAX_TAGS:
            summary = (
                f"{plural(wanted, 'tag')} and {ours} of ours are more than the {MAX_TAGS} that Codat keeps"
            )
            fix = f"remove {wanted + ours - MAX_TAGS}"
            yield at_key(company.entry, "tags", summary, fix)


def _own_tags(company: CompanySpec) -> int:
    """How many tags we shall keep on the company."""
    always = len((WORKSPACE_TAG, KEY_TAG))
    protects = company.entry.fields.get("protect") is True
    return always + protects + bool(unpinned(company))


_MISPLACED: Final = (
    "references are resolved in `authorization` only",
    f"write the value itself; {LITERAL_ADVICE}",
)


def _misplaced_references(specs: Specs) -> Iterator[Finding]:
    for company in specs.companies:
        tags = company.entry.child("tags")
        for entry in (company.entry, *((tags,) if tags is not None else ())):
            for field, value in entry.fields.items():
                if isinstance(value, str) and holds_reference(value):
                    yield at_value(entry, field, *_MISPLACED)
        for tag in tags.fields if tags is not None else ():
            if tags is not None and holds_reference(tag):
                yield at_key(tags, tag, *_MISPLACED)


def _sync_settings(specs: Specs) -> Iterator[Entry]:
    for company in specs.companies:
        settings = company.entry.child("syncSettings")
        yield from settings.children() if settings is not None else ()


def _sync_from_twice(specs: Specs) -> Iterator[Finding]:
    for setting in _sync_settings(specs):
        if {SYNC_FROM_UTC, SYNC_FROM_WINDOW} <= setting.fields.keys():
            summary = f"{SYNC_FROM_UTC} and {SYNC_FROM_WINDOW} exclude each other"
            yield at_key(setting, SYNC_FROM_WINDOW, summary, "keep one of the two")


def _sync_from_wrong(specs: Specs) -> Iterator[Finding]:
    return wrong_times(_sync_settings(specs), SYNC_FROM_UTC)


COMPANY_RULES: Final = (
    Rule(Code.DUPLICATE_COMPANY, _keys_twice),
    Rule(Code.DUPLICATE_COMPANY_ID, _ids_twice),
    Rule(Code.DUPLICATE_CONNECTION_ID, _connection_ids_twice),
    Rule(Code.RENAMED_STILL_THERE, _renamed_still_there),
    Rule(Code.RENAMED_TWICE, _renamed_twice),
    Rule(Code.NEW_WITH_ID, _new_with_id),
    Rule(Code.NAME_CHARACTERS, _name_characters),
    Rule(Code.NAME_EMPTY, _name_empty),
    Rule(Code.RESERVED_TAG, _reserved_tags),
    Rule(Code.TOO_MANY_TAGS, _too_many_tags),
    Rule(Code.REFERENCE_MISPLACED, _misplaced_references),
    Rule(Code.SYNC_FROM_TWICE, _sync_from_twice),
    Rule(Code.WRONG_TIME, _sync_from_wrong),
)
