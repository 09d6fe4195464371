"""``companySets``: tables to companies, each just as if it stood in YAML."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reconciler.csv_form import DELIMITER_NAMES, delimiter_of, spoiled
from reconciler.diagnostics import Diagnostic, Severity
from reconciler.loading import csv_tables, files, schema
from reconciler.loading.company_rules import COMPANY_RULES
from reconciler.loading.connection_rules import CONNECTION_RULES
from reconciler.loading.csv_tables import CsvRow, CsvTable
from reconciler.loading.nodes import MAX_SCALAR, Document, Entry, Seq, SourceFile, Spot
from reconciler.loading.references import LITERAL_ADVICE, ReferenceOrigin, is_inside
from reconciler.loading.set_templates import (
    CompanySet,
    RowEntry,
    Template,
    columns_of,
    filler,
    holds_row,
    mappings_of,
    template,
    without_rows,
)
from reconciler.loading.sources import SETS, SOURCE_ACCOUNTS, CompanySpec, Specs
from reconciler.loading.spec_codes import SpecCode
from reconciler.loading.words import did_you_mean, dotted, quoted
from reconciler.secret_refs import holds_reference
from reconciler.wording import counted

if TYPE_CHECKING:
    from jsonschema import ValidationError

_FIELDS: Final = frozenset({"from", "key", "company"})
_SAMPLE: Final = "x"
"""What stands, with its number, for every cell where the rules look at a set as such."""
_IDS_AT: Final = 3
"""How deep in a company the mapping is whose names are ids: connections, a key, sourceAccounts."""
_SLIP: Final = 2
"""By how many characters a name that is offered may be longer or shorter than what was written."""
_OF_TEMPLATE: Final = frozenset(
    {
        SpecCode.AUTHORIZATION_LITERAL,
        SpecCode.REFERENCE_PARTIAL,
        SpecCode.REFERENCE_SCHEME,
        SpecCode.REFERENCE_FORM,
        SpecCode.REFERENCE_RESERVED,
        SpecCode.REFERENCE_OUTSIDE_ROOT,
        SpecCode.REFERENCE_MISPLACED,
    }
)
"""The rules that find a fault of the set in any row, whatever the row holds."""

_GROWTH: Final = 128
"""How many bytes a byte of a table may grow to; a row of forty makes a company of four thousand."""


Make = Callable[[str, Entry], CompanySpec]
"""Makes a company of its key and its mapping."""


@dataclass(slots=True)
class Expanded:
    """The companies of sets, the keys of all rows that have one, the tables, and what is wrong."""

    companies: list[CompanySpec] = field(default_factory=list)
    tables: list[tuple[Path, Spot]] = field(default_factory=list)
    keys: list[tuple[str, Spot]] = field(default_factory=list)
    found: list[Diagnostic] = field(default_factory=list)


@dataclass(slots=True)
class Room:
    """What all sets together may grow to: a row of a few bytes can stand for a thousand connections."""

    left: int = 64 * 1024 * 1024
    """Bytes, about; tables add to it."""

    def add(self, table: CsvTable) -> None:
        """Make room for what a table may grow to."""
        self.left += _GROWTH * len(table.text)


def expand(document: Document, origin: ReferenceOrigin, make: Make, nothing: Specs, room: Room) -> Expanded:
    """The companies of a document's sets.

    A fault of the set itself is told where it stands in YAML, and the set is not expanded then.
    ``nothing`` is specs without companies, with the settings and platforms that the rules go by.
    """
    expanded = Expanded()
    holder = document.child(SETS)
    for entry in holder.children() if holder is not None else ():
        if entry.fields.keys() >= _FIELDS:
            _expand(entry, origin, make, nothing, expanded, room)
    return expanded


def _expand(
    entry: Entry, origin: ReferenceOrigin, make: Make, nothing: Specs, expanded: Expanded, room: Room
) -> None:
    company = entry.child("company")
    table = _table(entry, origin, expanded)
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
    room.add(table)
    _fill(CompanySet(entry, template(company, table.columns), table), rows, make, expanded, room)


# --- the table ---------------------------------------------------------------------------------


def _table(entry: Entry, origin: ReferenceOrigin, expanded: Expanded) -> CsvTable | None:
    found = expanded.found
    written: str = entry.fields["from"]
    spot = entry.value_spot("from")
    path = Path(os.path.normpath(origin.directory / written))
    if not written.isprintable() or not path.is_relative_to(origin.root) or not is_inside(path, origin.root):
        summary, fix = "this table is not below the workspace's root", "move it there"
        found.append(_at(SpecCode.TABLE_OUTSIDE_ROOT, spot, summary, fix))
        return None
    if not path.is_file():
        summary, fix = "there is no such file", "its path is relative to this file"
        found.append(_at(SpecCode.TABLE_MISSING, spot, summary, fix))
        return None
    expanded.tables.append((path, spot))
    file = SourceFile(path, files.source(path).shown, "CSV")
    read = files.read_table(file, entry.fields.get("encoding", ""))
    if isinstance(read, Diagnostic):
        found.append(read)
        return None
    if read.is_guessed:
        found.append(_guessed(file, spot))
    table, problems = csv_tables.read(read.text, file, _delimiter(entry))
    found.extend(problems)
    return table


def _delimiter(entry: Entry) -> str:
    names = {name: character for character, name in DELIMITER_NAMES.items()}
    written: str = entry.fields.get("delimiter", "")
    return names.get(written, written)


def _guessed(file: SourceFile, spot: Spot) -> Diagnostic:
    summary = f"{file.shown} is not UTF-8, and is read as Windows-1252"
    fix = "write `encoding: windows-1252` in the set if that is right, or save the table as UTF-8"
    told = _at(SpecCode.TABLE_ENCODING, spot, summary, fix)
    return replace(told, severity=Severity.WARNING)


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
        and (_has_ids(tuple(error.absolute_path)) if of_key else error.validator != "type")
    )


def _has_ids(path: schema.NodePath) -> bool:
    """Whether the names in the mapping at ``path`` of a company are ids of the user's, and no fields."""
    return len(path) == _IDS_AT and (path[0], path[-1]) == ("connections", SOURCE_ACCOUNTS)


def _texts(entry: Entry, company: Entry, table: CsvTable) -> Iterator[Diagnostic]:
    """What is wrong with the ``${row:…}`` of a set: form, place and columns."""
    if holds_row(entry.fields["from"]):
        yield _at(SpecCode.REFERENCE_MISPLACED, entry.value_spot("from"), "a set has one table", "name it")
    yield from _wrong_rows(entry.value_spot("key"), entry.fields["key"], table)
    if not any(columns_of(entry.fields["key"])):
        fix = "write key: ${row:COLUMN}"
        summary = "every company of the set would have this key"
        yield _at(SpecCode.TABLE_KEY, entry.value_spot("key"), summary, fix)
    for holder in mappings_of(company):
        has_ids = _has_ids(holder.path[len(company.path) :])
        for name, value in holder.fields.items():
            if has_ids:
                yield from _wrong_rows(holder.key_spot(name), name, table)
            elif holds_row(name):
                summary = "the names of fields are not filled from a row"
                yield _at(
                    SpecCode.REFERENCE_MISPLACED, holder.key_spot(name), summary, "write the name itself"
                )
            for text in value if isinstance(value, Seq) else (value,):
                if isinstance(text, str):
                    yield from _wrong_rows(holder.value_spot(name), text, table)


def _wrong_rows(spot: Spot, text: str, table: CsvTable) -> Iterator[Diagnostic]:
    if holds_row(without_rows(text)):
        yield _at(SpecCode.REFERENCE_FORM, spot, "this is not written as ${row:COLUMN}", "close the brace")
    for column in dict.fromkeys(columns_of(text)) if table.columns else ():
        if column not in table.columns:
            fix = did_you_mean(column, _names_like(column, table), _first_line(table))
            summary = f"{table.file.shown} has no column {quoted(column)}"
            yield _at(SpecCode.TABLE_COLUMN, spot, summary, fix)


def _names_like(column: str, table: CsvTable) -> list[str]:
    """The names that a slip of the pen makes of one another; a cell that is a token is none of them."""
    return [name for name in table.columns if abs(len(name) - len(column)) <= _SLIP]


def _first_line(table: CsvTable) -> str:
    likely = delimiter_of(table.header)
    if likely != table.delimiter and len(table.columns) == 1:
        name = DELIMITER_NAMES[likely]
        return f"its first line is written with the {name}; write `delimiter: {name}` in the set, or none"
    return f"its first line must name the columns; it has {counted(len(table.columns), 'column')}"


def _ruled(company: Entry, table: CsvTable, make: Make, nothing: Specs) -> Iterator[Diagnostic]:
    """What rules refuse in any row; a row of the same text throughout stands for all."""
    if not table.columns:
        return
    pattern = template(company, table.columns)
    fields = pattern.filled([f"{_SAMPLE}{number}" for number in range(len(table.columns))])
    sample = make(_SAMPLE, Entry(company.file, fields, company.path, company.place))
    settled = tuple(
        connection for connection in sample.connections if not holds_row(_platform(company, connection.key))
    )
    for rule in (*COMPANY_RULES, *CONNECTION_RULES):
        if rule.code in _OF_TEMPLATE:
            # Which fields are secret depends on the platform; where that differs, each row is looked at.
            literal = rule.code is SpecCode.AUTHORIZATION_LITERAL
            judged = replace(sample, connections=settled) if literal else sample
            yield from rule.diagnostics(replace(nothing, companies=(judged,)))


def _platform(company: Entry, connection: str) -> str:
    written = company.fields["connections"][connection].get("platform")
    return written if isinstance(written, str) else ""


# --- its rows ----------------------------------------------------------------------------------


def _fill(
    company_set: CompanySet,
    rows: Iterator[tuple[CsvRow, list[str]]],
    make: Make,
    expanded: Expanded,
    room: Room,
) -> None:
    company, parts = schema.of_company(), schema.named("spec").document["$defs"]
    is_key = schema.compiled(parts["key"], parts)
    key_of = filler(company_set.entry.fields["key"], company_set.table.columns)
    used = [(name, company_set.table.columns[name]) for name in company_set.columns()]
    anchor, place = company_set.key_column, company_set.template.entry.place
    size = company_set.size()
    for row, cells in rows:
        text = size.text(cells)
        room.left -= text + size.values
        if text > MAX_SCALAR or room.left < 0:
            expanded.found.append(_too_large(company_set, row, is_row=text > MAX_SCALAR))
            break
        if spoiled := [*_spoiled(company_set, row, cells), *_misnamed(company_set.template, row, cells)]:
            expanded.found.extend(spoiled)
            continue
        key = key_of(cells)
        if not is_key(key):
            expanded.found.append(_wrong_key(company_set, row, key, parts["key"]["patternErrorMessage"]))
            continue
        path = (*company_set.entry.path, key)
        expanded.keys.append((key, Spot(row.span(anchor), path)))
        references = [name for name, number in used if holds_reference(cells[number])]
        if references:
            expanded.found.extend(_reference(row, name, path) for name in references)
            continue
        fields = company_set.template.filled(cells)
        made = RowEntry(company_set.table.file, fields, path, place, company_set.template, row, anchor)
        if not company.fits(fields):
            refused = schema.refused(company, fields, partial(_locate, made))
            expanded.found.extend(problem.diagnostic for problem in refused)
            schema.leave_aside(fields, refused)
        expanded.companies.append(make(key, made))


def _spoiled(company_set: CompanySet, row: CsvRow, cells: Sequence[str]) -> Iterator[Diagnostic]:
    """The cells of keys and ids that a spreadsheet wrote as numbers, or that carry white space along."""
    for name in company_set.identifying():
        cell = cells[company_set.table.columns[name]]
        spot = Spot(row.span(name), company_set.entry.path)
        if how := spoiled(cell):
            summary = f"a spreadsheet wrote this {quoted(name)} {how}"
            fix = "format the column as text, and put the whole value there again"
            yield _at(SpecCode.TABLE_NUMBER, spot, summary, fix)
        elif cell != cell.strip():
            summary = f"this {quoted(name)} has white space around it, or a line break"
            yield _at(SpecCode.TABLE_SPACE, spot, summary, "take it out of the cell")


def _misnamed(template: Template, row: CsvRow, cells: Sequence[str]) -> Iterator[Diagnostic]:
    """The ids of source accounts that a row leaves empty, or makes the same."""
    for holder in template.naming():
        taken = set(holder.entry.fields.keys() - holder.names.keys())
        for name in holder.names.values():
            filled = name.fill(cells)
            spot = Spot(row.span(name.column), holder.entry.path)
            if not filled:
                summary = "this row has no id for a source account"
                fix = "write one, or have a set without it for the companies that have no such account"
                yield _at(SpecCode.TABLE_KEY, spot, summary, fix)
            elif filled in taken:
                summary = "two source accounts of this row's company have the same id"
                yield _at(SpecCode.TABLE_KEY, spot, summary, "give each an id of its own")
            taken.add(filled)


def _locate(entry: Entry, path: schema.NodePath, at_key: bool) -> Spot:
    """Where a row's value stands; of a list, the list."""
    names = [step for step in path if isinstance(step, str)]
    holder: Entry = entry
    for name in names[:-1]:
        holder = holder.child(name) or holder
    if not names:
        return entry.spot
    return holder.key_spot(names[-1]) if at_key else holder.value_spot(names[-1])


def _too_large(company_set: CompanySet, row: CsvRow, *, is_row: bool) -> Diagnostic:
    if is_row:
        spot = Spot(row.span(company_set.key_column), company_set.entry.path)
        summary = "the company of this row is of more text than any one value may be"
        return _at(SpecCode.WRONG_LENGTH, spot, summary, f"no company of a set has more than {MAX_SCALAR:,}")
    summary = (
        f"its companies take too much memory, from line {row.line:,} of {company_set.table.file.shown} on"
    )
    fix = "let a row stand for less, or split the table over several workspaces"
    return _at(SpecCode.SET_TOO_LARGE, company_set.entry.value_spot("from"), summary, fix)


def _wrong_key(company_set: CompanySet, row: CsvRow, key: Any, form: str) -> Diagnostic:
    spot = Spot(row.span(company_set.key_column), (*company_set.entry.path, "key"))
    if not key:
        return _at(SpecCode.TABLE_KEY, spot, "this row has no key", "write one that stays the same for ever")
    return _at(SpecCode.TABLE_KEY, spot, "the key of this row does not have the form of one", form)


def _reference(row: CsvRow, column: str, path: tuple[str, ...]) -> Diagnostic:
    summary = "a cell must not hold '${'"
    fix = (
        "write references in the set's company; ${table:FILE#KEY.COLUMN} looks a token up by key; "
        + LITERAL_ADVICE
    )
    return _at(SpecCode.TABLE_REFERENCE, Spot(row.span(column), path), summary, fix)


def _at(code: SpecCode, spot: Spot, summary: str, fix: str) -> Diagnostic:
    return Diagnostic(code, summary, fix, spot.span, dotted(spot.path, with_fields=True))
