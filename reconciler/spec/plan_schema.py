"""Checks a saved plan's document against its published schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator

from reconciler.spec.schema import file_text
from reconciler.spec.words import dotted


def plan_complaints(document: Mapping[str, Any]) -> str:
    """Where the document is not of the form of a plan; empty where it is. Repeats no value."""
    schema = json.loads(file_text("plan.schema.json"))
    error = next(Draft202012Validator(schema).iter_errors(document), None)
    if error is None:
        return ""
    return f"{dotted(tuple(error.absolute_path)) or 'the document'} breaks the rule '{error.validator}'"
