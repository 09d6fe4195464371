"""The user's own JSON Schema of a platform's authorization.

It is checked offline, where secrets are references, so what it says of a referenced value is not
asked; what it says of the fields' names, and of values that stand in the spec, is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator, SchemaError, ValidationError
from referencing.exceptions import Unresolvable
from referencing.jsonschema import EMPTY_REGISTRY

from reconciler.spec.schema import file_text
from reconciler.spec.settings import AuthorizationCheck
from reconciler.spec.words import shown

PUBLISHED: Final = frozenset({"sage-bank-feeds"})
"""The platforms, by name, that ``schemas/platforms`` has a schema for."""


class UnusableSchemaError(Exception):
    """The file is no JSON Schema; the text says why."""


def read(path: Path) -> AuthorizationCheck:
    """The check that the schema file at ``path`` describes. Nothing is fetched from the network.

    Raises:
        UnusableSchemaError: there is no such file, or it is no JSON Schema of draft 2020-12.
    """
    try:
        return _check(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnusableSchemaError("this file cannot be read") from error


@cache
def published(slug: str) -> AuthorizationCheck | None:
    """The check for a platform whose fields a public page of Codat's states; ``None`` for most.

    Fields are never guessed: where no page states them, any map of text is taken.
    """
    return _check(file_text(f"platforms/{slug}.json")) if slug in PUBLISHED else None


def _check(text: str) -> AuthorizationCheck:
    try:
        schema = json.loads(text)
        Draft202012Validator.check_schema(schema)
    except (ValueError, RecursionError) as error:
        raise UnusableSchemaError("this file is not JSON") from error
    except SchemaError as error:
        raise UnusableSchemaError("this file is not a JSON Schema of draft 2020-12") from error
    validator = Draft202012Validator(schema, registry=EMPTY_REGISTRY)

    def check(authorization: Mapping[str, object]) -> tuple[str, ...]:
        instance = {
            name: value if isinstance(value, str) else str(value) for name, value in authorization.items()
        }
        literal = {name for name, value in authorization.items() if isinstance(value, str)}
        try:
            errors = list(validator.iter_errors(instance))
        except Unresolvable:
            return ("its schema refers to another document",)
        return tuple(_sentence(error) for error in errors if not error.path or error.path[0] in literal)

    return check


def _sentence(error: ValidationError) -> str:
    """What a keyword refuses; jsonschema's message would repeat the value."""
    argument: Any = error.validator_value
    if error.path:
        return f"{shown(str(error.path[0]))} does not fit the schema's {error.validator!r}"
    if error.validator == "required" and isinstance(error.instance, dict):
        missing = ", ".join(shown(str(name)) for name in argument if name not in error.instance)
        return f"it lacks {missing}"
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        schema: Any = error.schema
        known = ", ".join(schema.get("properties", {}))
        return f"it has fields that are none of {known}"
    return f"it does not fit the schema's {error.validator!r}"
