"""``companySets``: tables to companies, each just as if it stood in YAML."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from jsonschema import ValidationError

from reconciler.diagnostics import Diagnostic
from reconciler.model import holds_reference
from reconciler.spec import csv_tables, files, schema
from reconciler.spec.codes import Code
from reconciler.spec.company_rules import COMPANY_RULES
from reconciler.spec.connection_rules import CONNECTION_RULES
from reconciler.spec.csv_tables import Row, Table
from reconciler.spec.nodes import Document, Entry, Seq, SourceFile, Spot
from reconciler.spec.references import LITERAL_ADVICE, Origin, is_inside
from reconciler.spec.shapes import compiled
from reconciler.spec.sources import CompanySpec, Specs
from reconciler.spec.templates import (
    RowEntry,
    Template,
    columns_of,
    filler,
    holds_row,
    template,
    without_rows,
)
from reconciler.spec.words import did_you_mean, dotted, plural, quoted

SETS: Final = "companySets"
_FIELDS: Final = frozenset({"from", "key", "company"})
_SAMPLE: Final = "x"
"""What stands for every cell where the rules look at a set as such."""
_SLIP: Final = 2
"""By how many characters a name that is offered may be longer or shorter than what was written."""
_OF_TEMPLATE: Final = frozenset(
    {
        Code.AUTHORIZATION_LITERAL,
        Code.REFERENCE_PARTIAL,
        Code.REFERENCE_SCHEME,
        Code.REFERENCE_FORM,
        Code.REFERENCE_RESERVED,
        Code.REFERENCE_OUTSIDE_ROOT,
        Code.REFERENCE_MISPLACED,
    }
)
"""The rules that find a fault of the set in any row, whatever the row holds."""

Make = Callable[[str, Entry], CompanySpec]
"""Makes a company of its key and its mapping."""


@dataclass(slots=True)
class Expanded:
    """The companies of sets, the keys of all rows that have one, and what is wrong."""

    companies: list[CompanySpec] = field(default_factory=list)
    keys: list[tuple[str, Spot]] = field(default_factory=list)
    found: list[Diagnostic] = field(default_factory=list)


def expand(document: Document, origin: Origin, make: Make, nothing: Specs) -> Expanded:
    """The companies of a document's sets.

    A fault of the set itself is told where it stands in YAML, and the set is not expanded then.
    ``nothing`` is specs without companies, with the settings and platforms that the rules go by.
    """
    expanded = Expanded()
    holder = document.child(SETS)
    for entry in holder.children() if holder is not None else ():
        if entry.fields.keys() >= _FIELDS:
            _expand(entry, origin, make, nothing, expanded)
    return expanded


def _expand(entry: Entry, origin: Origin, make: Make, nothing: Specs, expanded: Expanded) -> None:
    company = entry.child("company")
    table = _table(entry, origin, expanded.found)
    if company is None or table is None:
        return
    faults = [*_misfits(company), *_texts(entry, company, table)]
    if not faults:
        faults += _ruled(company, table, make, nothing)
    expanded.found.extend(faults)
    if not table.columns:
        return
    rows = csv_tables.rows(table, expanded.found)
    if faults:
        deque(rows, maxlen=0)
        return
    _fill(_Set(entry, template(company, table.columns), table), rows, make, expanded)


# --- the table ---------------------------------------------------------------------------------


def _table(entry: Entry, origin: Origin, found: list[Diagnostic]) -> Table | None:
    written: str = entry.fields["from"]
    spot = entry.value_spot("from")
    path = Path(os.path.normpath(origin.directory / written))
    if not written.isprintable() or not path.is_relative_to(origin.root) or not is_inside(path, origin.root):
        summary, fix = "this table is not below the workspace's root", "move it there"
        found.append(_at(Code.TABLE_OUTSIDE_ROOT, spot, summary, fix))
        return None
    if not path.is_file():
        summary, fix = "there is no such file", "its path is relative to this file"
        found.append(_at(Code.TABLE_MISSING, spot, summary, fix))
        return None
    file = SourceFile(path, files.source(path).shown, "CSV")
    text = files.read_text(file)
    if isinstance(text, Diagnostic):
        found.append(text)
        return None
    table, problems = csv_tables.read(text, file)
    found.extend(problems)
    return table


# --- the set itself ----------------------------------------------------------------------------


def _misfits(company: Entry) -> Iterator[Diagnostic]:
    """What the schema refuses of the company, save texts that have their form only once they are filled."""

    def locate(path: schema.NodePath, at_key: bool) -> Spot:
        within = Document(company.file, company.fields, company.place)
        span = company.file.span(schema.place_of(within, path, key=at_key))
        return Spot(span, (*company.path, *(str(step) for step in path)))

    for problem in schema.refused(schema.of_company(), company.fields, locate, passes=_is_open):
        yield problem.diagnostic


def _is_open(error: ValidationError) -> bool:
    of_key = "propertyNames" in error.absolute_schema_path
    return (
        isinstance(error.instance, str)
        and holds_row(error.instance)
        and not (of_key or error.validator == "type")
    )


def _texts(entry: Entry, company: Entry, table: Table) -> Iterator[Diagnostic]:
    """What is wrong with the ``${row:…}`` of a set: form, place and columns."""
    if holds_row(entry.fields["from"]):
        yield _at(Code.REFERENCE_MISPLACED, entry.value_spot("from"), "a set has one table", "name it")
    yield from _wrong_rows(entry.value_spot("key"), entry.fields["key"], table)
    if not any(columns_of(entry.fields["key"])):
        fix = "write key: ${row:COLUMN}"
        summary = "every company of the set would have this key"
        yield _at(Code.TABLE_KEY, entry.value_spot("key"), summary, fix)
    for holder in _mappings(company):
        for name, value in holder.fields.items():
            if holds_row(name):
                summary = "the names of fields are not filled from a row"
                yield _at(Code.REFERENCE_MISPLACED, holder.key_spot(name), summary, "write the name itself")
            for text in value if isinstance(value, Seq) else (value,):
                if isinstance(text, str):
                    yield from _wrong_rows(holder.value_spot(name), text, table)


def _mappings(entry: Entry) -> Iterator[Entry]:
    yield entry
    for child in entry.children():
        yield from _mappings(child)


def _wrong_rows(spot: Spot, text: str, table: Table) -> Iterator[Diagnostic]:
    if holds_row(without_rows(text)):
        yield _at(Code.REFERENCE_FORM, spot, "this is not written as ${row:COLUMN}", "close the brace")
    for column in dict.fromkeys(columns_of(text)) if table.columns else ():
        if column not in table.columns:
            fix = did_you_mean(column, _names_like(column, table), _first_line(table))
            summary = f"{table.file.shown} has no column {quoted(column)}"
            yield _at(Code.TABLE_COLUMN, spot, summary, fix)


def _names_like(column: str, table: Table) -> list[str]:
    """The names that a slip of the pen makes of one another; a cell that is a token is none of them."""
    return [name for name in table.columns if abs(len(name) - len(column)) <= _SLIP]


def _first_line(table: Table) -> str:
    return f"its first line must name the columns; it has {plural(len(table.columns), 'column')}"


def _ruled(company: Entry, table: Table, make: Make, nothing: Specs) -> Iterator[Diagnostic]:
    """What rules refuse in any row; a row of the same text throughout stands for all."""
    if not table.columns:
        return
    pattern = template(company, table.columns)
    fields = pattern.filled([_SAMPLE] * len(table.columns))
    sample = make(_SAMPLE, Entry(company.file, fields, company.path, company.place))
    settled = tuple(one for one in sample.connections if not holds_row(_platform(company, one.key)))
    for rule in (*COMPANY_RULES, *CONNECTION_RULES):
        if rule.code in _OF_TEMPLATE:
            # Which fields are secret depends on the platform; where that differs, each row is looked at.
            literal = rule.code is Code.AUTHORIZATION_LITERAL
            judged = replace(sample, connections=settled) if literal else sample
            yield from rule.diagnostics(replace(nothing, companies=(judged,)))


def _platform(company: Entry, connection: str) -> str:
    written = company.fields["connections"][connection].get("platform")
    return written if isinstance(written, str) else ""


# --- its rows ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Set:
    """A set without a fault: how a row becomes a company."""

    entry: Entry
    template: Template
    table: Table

    @property
    def key_column(self) -> str:
        """The column that a company's own place is in."""
        return next(columns_of(self.entry.fields["key"]))

    def columns(self) -> tuple[str, ...]:
        """Every column that is used."""
        texts = [self.entry.fields["key"]]
        for holder in _mappings(self.template.entry):
            texts += holder.fields.values()
        return tuple(dict.fromkeys(column for text in texts for column in columns_of(text)))


def _fill(one: _Set, rows: Iterator[tuple[Row, list[str]]], make: Make, expanded: Expanded) -> None:
    company, parts = schema.of_company(), schema.named("spec").document["$defs"]
    is_key = compiled(parts["key"], {"$defs": parts})
    key_of = filler(one.entry.fields["key"], one.table.columns)
    used = [(name, one.table.columns[name]) for name in one.columns()]
    anchor, place = one.key_column, one.template.entry.place
    for row, cells in rows:
        key = key_of(cells)
        if not is_key(key):
            expanded.found.append(_wrong_key(one, row, key, parts["key"]["patternErrorMessage"]))
            continue
        path = (*one.entry.path, key)
        expanded.keys.append((key, Spot(row.span(anchor), path)))
        references = [name for name, number in used if holds_reference(cells[number])]
        if references:
            expanded.found.extend(_reference(row, name, path) for name in references)
            continue
        fields = one.template.filled(cells)
        made = RowEntry(one.table.file, fields, path, place, one.template, row, anchor)
        if not company.fits(fields):
            refused = schema.refused(company, fields, partial(_locate, made))
            expanded.found.extend(problem.diagnostic for problem in refused)
            schema.leave_aside(fields, refused)
        expanded.companies.append(make(key, made))


def _locate(entry: Entry, path: schema.NodePath, at_key: bool) -> Spot:
    """Where a row's value stands; of a list, the list."""
    names = [step for step in path if isinstance(step, str)]
    holder: Entry = entry
    for name in names[:-1]:
        holder = holder.child(name) or holder
    if not names:
        return entry.spot
    return holder.key_spot(names[-1]) if at_key else holder.value_spot(names[-1])


def _wrong_key(one: _Set, row: Row, key: Any, form: str) -> Diagnostic:
    spot = Spot(row.span(one.key_column), (*one.entry.path, "key"))
    if not key:
        return _at(Code.TABLE_KEY, spot, "this row has no key", "write one that stays the same for ever")
    return _at(Code.TABLE_KEY, spot, "the key of this row does not have the form of one", form)


def _reference(row: Row, column: str, path: tuple[str, ...]) -> Diagnostic:
    summary = "a cell must not hold '${'"
    fix = (
        "write references in the set's company; ${table:FILE#KEY.COLUMN} looks a token up by key; "
        + LITERAL_ADVICE
    )
    return _at(Code.TABLE_REFERENCE, Spot(row.span(column), path), summary, fix)


def _at(code: Code, spot: Spot, summary: str, fix: str) -> Diagnostic:
    return Diagnostic(code, summary, fix, spot.span, dotted(spot.path, with_fields=True))
