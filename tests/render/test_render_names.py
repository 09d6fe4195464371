"""What the room gives out by name is there, and typed as it is."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from reconciler import render

STUB = ast.parse(Path(render.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
NAMED = {
    alias.name: node.module for node in STUB.body if isinstance(node, ast.ImportFrom) for alias in node.names
}


@pytest.mark.parametrize("name", sorted(NAMED))
def test_a_name_is_that_of_the_module_which_its_type_is_taken_from(name: str) -> None:
    assert getattr(render, name).__module__ == NAMED[name]


def test_no_name_is_without_a_type() -> None:
    assert set(render._HOMES) == set(NAMED)


def test_another_name_is_none() -> None:
    with pytest.raises(AttributeError, match="no attribute 'plan_pdf'"):
        _ = render.plan_pdf  # type: ignore[attr-defined]
