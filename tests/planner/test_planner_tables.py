"""The rule tables are total: every situation has exactly one row, and every row can be reached."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from enum import Enum
from itertools import product
from typing import Any, get_type_hints

import pytest

from reconciler.planner.account_rules import WEBHOOK_RULES
from reconciler.planner.company_rules import COMPANY_RULES
from reconciler.planner.connection_rules import CONNECTION_RULES, STRAY_RULES
from reconciler.planner.rules import Rule, RuleTable
from reconciler.planner.source_accounts import SOURCE_ACCOUNT_RULES
from reconciler.planner.sync_rules import SYNC_RULES

TABLES = (WEBHOOK_RULES, COMPANY_RULES, CONNECTION_RULES, STRAY_RULES, SYNC_RULES, SOURCE_ACCOUNT_RULES)
each_table = pytest.mark.parametrize(
    "table", [pytest.param(table, id=table.situation.__name__) for table in TABLES]
)
each_row = pytest.mark.parametrize(
    ("table", "row"),
    [pytest.param(table, row, id=row.name) for table in TABLES for row in table.rows],
)


def domains(table: RuleTable[Any]) -> dict[str, tuple[object, ...]]:
    """Every field of the table's situations and all the values that it can have."""
    hints = get_type_hints(table.situation)
    found = {}
    for field in fields(table.situation):
        kind = hints[field.name]
        assert kind is bool or issubclass(kind, Enum)
        found[field.name] = (False, True) if kind is bool else tuple(kind)
    return found


def situations(table: RuleTable[Any]) -> list[Any]:
    return [table.situation(*values) for values in product(*domains(table).values())]


@each_table
def test_every_situation_has_exactly_one_row(table: RuleTable[Any]) -> None:
    wrong = {
        situation: [row.name for row in found]
        for situation in situations(table)
        if len(found := table.rows_for(situation)) != 1
    }
    assert wrong == {}


@each_table
def test_decide_gives_the_row_that_holds(table: RuleTable[Any]) -> None:
    assert all((table.decide(situation),) == table.rows_for(situation) for situation in situations(table))


@each_row
def test_every_row_is_reached(table: RuleTable[Any], row: Rule) -> None:
    assert any(row.holds(situation) for situation in situations(table))


@each_row
def test_a_row_names_real_fields_and_real_values(table: RuleTable[Any], row: Rule) -> None:
    known = domains(table)
    for name, values in row.when.items():
        assert values, f"{name} is for no value"
        assert all(any(item is value for item in known[name]) for value in values), (name, values)


def test_a_rows_name_is_its_own_over_all_tables() -> None:
    """``explain`` tells of a rule by its name alone."""
    names = Counter(name for table in TABLES for name in table.names)
    assert [name for name, count in names.items() if count > 1] == []


@each_row
def test_a_row_says_why(table: RuleTable[Any], row: Rule) -> None:  # noqa: ARG001 part of the row's id
    assert row.why
