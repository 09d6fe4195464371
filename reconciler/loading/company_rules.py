"""Rules about companies and whole files that no schema can say.

Whoever may edit specs could otherwise have tokens printed, as names of companies. Files are told apart by
what they are on the disk, so that no link and no other spelling makes one file two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from reconciler.diagnostics import Diagnostic, Severity, Span
from reconciler.loading.connection_rules import unpinned, wrong_times
from reconciler.loading.nodes import Entry, Spot
from reconciler.loading.references import LITERAL_ADVICE
from reconciler.loading.sources import CompanySpec, Rule, RuleFinding, Specs, at_key, at_spot, at_value
from reconciler.loading.spec_codes import SpecCode
from reconciler.loading.words import (
    SENT,
    NamePolicy,
    dotted,
    kept_name,
    removed_characters,
    shown,
    transliterated,
)
from reconciler.model import (
    KEY_TAG,
    MAX_TAGS,
    RESERVED_TAG_PREFIX,
    SYNC_FROM_UTC,
    SYNC_FROM_WINDOW,
    WORKSPACE_TAG,
)
from reconciler.secret_refs import Cell, SecretFile, SecretRef, holds_reference, literal
from reconciler.wording import counted

Identity = tuple[int, int]
"""Device and number of a file."""
_FIX: Final = "keep what is shown and the secrets in two files, with the same key in each"


def of_both_kinds(
    tables: Iterable[tuple[Path, Spot]],
    companies: Iterable[CompanySpec],
    root: Path,
    references: Mapping[str, SecretRef],
) -> tuple[Diagnostic, ...]:
    """The sets whose table is a file that a reference reads secrets from, each with one such reference.

    Those of plain companies are ``references``, by the path of their file.
    """
    sets = {identity: spot for path, spot in tables if (identity := _identity(path)) is not None}
    if not sets:
        return ()
    secret = _secret_files(companies, root, references)
    return tuple(_told(spot, secret[identity]) for identity, spot in sets.items() if identity in secret)


def _secret_files(
    companies: Iterable[CompanySpec], root: Path, references: Mapping[str, SecretRef]
) -> Mapping[Identity, SecretRef]:
    first = dict(references)
    for path, ref in _references(companies):
        first.setdefault(path, ref)
    found = ((_identity(root / path), ref) for path, ref in first.items())
    return {identity: ref for identity, ref in found if identity is not None}


def _references(companies: Iterable[CompanySpec]) -> Iterator[tuple[str, SecretRef]]:
    """The references that read files below the workspace's root, each with the path of its file."""
    for company in companies:
        for connection in company.connections:
            numbers = [value for account in connection.source_accounts for value in account.numbers.values()]
            for value in (*connection.authorization.values(), *numbers):
                if isinstance(value, SecretRef) and isinstance(value.locator, SecretFile | Cell):
                    yield value.locator.path, value


def _identity(path: Path) -> Identity | None:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def _told(spot: Spot, ref: SecretRef) -> Diagnostic:
    summary = f"{ref.span} reads secrets from this table, so that no cell of it may be shown"
    return Diagnostic(SpecCode.TABLE_OF_SECRETS, summary, _FIX, spot.span, dotted(spot.path))


MANY_NAMES: Final = 20
"""Names that are each told by themselves; more are one error."""
_NAMES_SHOWN: Final = 3


def _keys_twice(specs: Specs) -> Iterator[RuleFinding]:
    first: dict[str, Span] = {}
    for key, spot in specs.keys:
        if key in first:
            fix = f"the first one stands at {first[key]}; give one of the two another key"
            yield at_spot(spot, f"the key {shown(key)!r} is taken", fix)
        first.setdefault(key, spot.span)


def _ids_twice(specs: Specs) -> Iterator[RuleFinding]:
    entries = ((company.id, company.entry) for company in specs.companies)
    return twice(entries, "id", "another company has this id", names_both=True)


def _connection_ids_twice(specs: Specs) -> Iterator[RuleFinding]:
    entries = ((connection.id, connection.entry) for connection in specs.connections)
    return twice(entries, "id", "another connection has this id", names_both=True)


def _renamed_twice(specs: Specs) -> Iterator[RuleFinding]:
    entries = ((company.entry.fields.get("renamedFrom"), company.entry) for company in specs.companies)
    yield from twice(entries, "renamedFrom", "another company takes over this key")
    for company in specs.companies:
        links = ((link.entry.fields.get("renamedFrom"), link.entry) for link in company.connections)
        yield from twice(links, "renamedFrom", "another connection takes over this key")


def twice(
    entries: Iterable[tuple[str | None, Entry]], field: str, summary: str, *, names_both: bool = False
) -> Iterator[RuleFinding]:
    """A finding at the field of every entry whose value an earlier entry has, naming that one's place."""
    first: dict[str, Entry] = {}
    for value, entry in entries:
        if value is None:
            continue
        if value in first:
            place = first[value].value_span(field)
            who = f": {shown(first[value].path[-1])!r} and {shown(entry.path[-1])!r}" if names_both else ""
            fix = f"the first one stands at {place}; keep one of the two"
            yield at_value(entry, field, f"{summary}{who}", fix)
        first.setdefault(value, entry)


def _renamed_still_there(specs: Specs) -> Iterator[RuleFinding]:
    renamed = {company.key: company.entry for company in specs.companies}
    yield from _still_there(renamed, dict(reversed(specs.keys)), "company")
    for company in specs.companies:
        if not any("renamedFrom" in link.entry.fields for link in company.connections):
            continue
        links = {link.key: link.entry for link in company.connections}
        yield from _still_there(links, {key: entry.spot for key, entry in links.items()}, "connection")


def _still_there(
    renamed: Mapping[str, Entry], places: Mapping[str, Spot], noun: str
) -> Iterator[RuleFinding]:
    """Keys that are taken over and still wanted, each with the way to where the specs want to be."""
    for key, entry in renamed.items():
        old: str = entry.fields.get("renamedFrom", "")
        if old not in places:
            continue
        summary = f"the key {shown(old)!r} is still in the specs"
        place = f"it stands at {places[old].span}"
        from_where = renamed[old].fields.get("renamedFrom") if old in renamed else None
        if from_where is None or old == key:
            fix = f"{place}; remove that {noun}, or this field"
        elif from_where == key:
            fix = (
                f"{place}, and keys cannot change places in one apply: rename both to keys that are "
                f"free, apply, then rename each of those to the key that it shall have and apply again"
            )
        else:
            fix = (
                f"{place}, and is itself renamed: apply this rename alone first, with {shown(from_where)!r} "
                f"as it was, then rename that to {shown(old)!r} and apply again"
            )
        yield at_value(entry, "renamedFrom", summary, fix)


def _new_with_id(specs: Specs) -> Iterator[RuleFinding]:
    for company in specs.companies:
        if company.id is None:
            continue
        summary = "a company that is adopted by its id is not new"
        for field in ("new", "newBeside"):
            if company.entry.fields.get(field):
                yield at_value(company.entry, field, summary, f"remove either `{field}` or `id`")


def _name_characters(specs: Specs) -> Iterator[RuleFinding]:
    """Each such name by itself; where there are many, the first of them, and the line that settles all."""
    if specs.settings.names is not NamePolicy.REFUSE:
        return
    refused = [company for company in specs.companies if _is_changed(company)]
    if len(refused) <= MANY_NAMES:
        for company in refused:
            name = literal(company.entry.fields["name"])
            summary = f"Codat would silently remove {' '.join(removed_characters(name))} from this name"
            fix = f"write {transliterated(name)!r}, or set `names: transliterate` in workspace.yaml"
            yield at_value(company.entry, "name", summary, fix)
        return
    first = "; ".join(
        f"{company.entry.value_span('name')} would be {kept_name(literal(company.entry.fields['name']))!r}"
        for company in refused[:_NAMES_SHOWN]
    )
    summary = f"Codat would silently remove characters from {len(refused):,} names: {first}; and so on"
    offered = transliterated(literal(refused[0].entry.fields["name"]))
    fix = f"write `names: transliterate` in workspace.yaml, which makes {offered!r} of the first"
    yield at_value(refused[0].entry, "name", summary, fix)


def _is_changed(company: CompanySpec) -> bool:
    written = company.entry.fields.get("name", "")
    name = literal(written)
    if holds_reference(written) or not removed_characters(name):
        return False
    return bool(kept_name(name).strip() or transliterated(name))


def _name_empty(specs: Specs) -> Iterator[RuleFinding]:
    for company in specs.companies:
        name = company.entry.fields.get("name")
        kept = SENT[_sending(specs.settings.names)](literal(name)) if name is not None else "kept"
        is_offered = specs.settings.names is NamePolicy.REFUSE and _is_changed(company)
        if not kept.strip() and not is_offered:
            fix = "use letters and digits (A to Z, 0 to 9)"
            yield at_value(company.entry, "name", "Codat would keep nothing of this name", fix)


def _sending(policy: NamePolicy) -> NamePolicy:
    """What a name becomes at Codat: where it is refused, Codat itself strips it."""
    return NamePolicy.STRIP if policy is NamePolicy.REFUSE else policy


def _names_alike(specs: Specs) -> Iterator[RuleFinding]:
    """Companies that were told apart by what a policy takes out of their names; they stay two companies."""
    first: dict[str, CompanySpec] = {}
    for company in specs.companies:
        if company.name is None:
            continue
        other = first.setdefault(company.name, company)
        written = company.entry.fields["name"]
        if other is not company and other.entry.fields["name"] != written:
            summary = f"at Codat this company and {shown(other.key)!r} both have the name {company.name!r}"
            yield at_value(
                company.entry, "name", summary, "they stay two; write another name to tell them apart"
            )


def _reserved_tags(specs: Specs) -> Iterator[RuleFinding]:
    for company in specs.companies:
        tags = company.tags
        for tag in tags.fields if tags is not None else ():
            if tags is not None and tag.lower().startswith(RESERVED_TAG_PREFIX.lower()):
                summary = f"tags that start with {RESERVED_TAG_PREFIX!r} are kept by codat-sync itself"
                yield at_key(tags, tag, summary, "give the tag another key")


def _too_many_tags(specs: Specs) -> Iterator[RuleFinding]:
    for company in specs.companies:
        tags = company.entry.fields.get("tags", {})
        wanted = sum(value is not None for value in tags.values())
        ours = _own_tags(company)
        if wanted + ours > MAX_TAGS:
            summary = (
                f"{counted(wanted, 'tag')} and {ours} of ours are more than the {MAX_TAGS} that Codat keeps"
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


def _misplaced_references(specs: Specs) -> Iterator[RuleFinding]:
    for company in specs.companies:
        tags = company.tags
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


def _sync_from_twice(specs: Specs) -> Iterator[RuleFinding]:
    for setting in _sync_settings(specs):
        if {SYNC_FROM_UTC, SYNC_FROM_WINDOW} <= setting.fields.keys():
            summary = f"{SYNC_FROM_UTC} and {SYNC_FROM_WINDOW} exclude each other"
            yield at_key(setting, SYNC_FROM_WINDOW, summary, "keep one of the two")


def _sync_from_wrong(specs: Specs) -> Iterator[RuleFinding]:
    return wrong_times(_sync_settings(specs), SYNC_FROM_UTC)


COMPANY_RULES: Final = (
    Rule(SpecCode.DUPLICATE_COMPANY, _keys_twice),
    Rule(SpecCode.DUPLICATE_COMPANY_ID, _ids_twice),
    Rule(SpecCode.DUPLICATE_CONNECTION_ID, _connection_ids_twice),
    Rule(SpecCode.RENAMED_STILL_THERE, _renamed_still_there),
    Rule(SpecCode.RENAMED_TWICE, _renamed_twice),
    Rule(SpecCode.NEW_WITH_ID, _new_with_id),
    Rule(SpecCode.NAME_CHARACTERS, _name_characters),
    Rule(SpecCode.NAME_EMPTY, _name_empty),
    Rule(SpecCode.NAMES_ALIKE, _names_alike, Severity.WARNING),
    Rule(SpecCode.RESERVED_TAG, _reserved_tags),
    Rule(SpecCode.TOO_MANY_TAGS, _too_many_tags),
    Rule(SpecCode.REFERENCE_MISPLACED, _misplaced_references),
    Rule(SpecCode.SYNC_FROM_TWICE, _sync_from_twice),
    Rule(SpecCode.WRONG_TIME, _sync_from_wrong),
)
