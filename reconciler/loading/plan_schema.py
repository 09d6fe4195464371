"""Checks a saved plan's document against its published schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator

from reconciler.loading.schema import compiled, file_text
from reconciler.loading.words import dotted

SCHEMAS: Final = ("plan", "saved-plan")
"""What a plan is, and what a saved one must have beside it."""


def plan_complaints(document: Mapping[str, Any]) -> str:
    """Where the document is not of the form of a saved plan; empty where it is. Repeats no value."""
    return next(filter(None, (_complaint(name, document) for name in SCHEMAS)), "")


def _complaint(name: str, document: Mapping[str, Any]) -> str:
    schema = json.loads(file_text(f"{name}.schema.json"))
    if compiled(schema, schema.get("$defs", {}))(document):
        return ""
    error = next(Draft202012Validator(schema).iter_errors(document), None)
    if error is None:
        return ""
    return f"{dotted(tuple(error.absolute_path)) or 'the document'} breaks the rule '{error.validator}'"
