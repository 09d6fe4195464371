"""docs/design.md draws the house as it is: what it names is there, and every room is in it."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")


def test_every_path_that_it_names_is_there() -> None:
    named = set(re.findall(r"`((?:reconciler|schemas|tests|docs)/[^`]*)`", PAGE))
    assert named
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_every_module_that_it_names_is_in_some_room() -> None:
    modules = {path.name for path in (ROOT / "reconciler").rglob("*.*")}
    named = set(re.findall(r"`([a-z_]+\.py)`", PAGE))
    assert named - modules == set()


def test_every_room_is_in_it() -> None:
    rooms = {path.name for path in (ROOT / "reconciler").iterdir() if (path / "__init__.py").is_file()}
    assert {room for room in rooms if f"`reconciler/{room}/`" not in PAGE} == set()


NOUNS = (
    "secret_refs",
    "workspace",
    "model",
    "live",
    "kinds",
    "account_actions",
    "actions",
    "plan",
    "outcome",
    "migration",
)


def test_a_noun_of_three_fields_or_more_is_keyword_only() -> None:
    modules = [import_module(f"reconciler.{name}") for name in NOUNS]
    nouns = [
        noun
        for module in modules
        for noun in vars(module).values()
        if isinstance(noun, type) and is_dataclass(noun) and noun.__module__ == module.__name__
    ]
    long = [noun for noun in nouns if sum(field.init for field in fields(noun)) > 2]
    assert long
    assert [noun for noun in long if any(field.init and not field.kw_only for field in fields(noun))] == []
