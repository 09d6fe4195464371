"""The user's own JSON Schema of a platform's authorization.

It is checked offline, where secrets are references, so what it says of a referenced value is not
asked; what it says of the fields' names, and of values that stand in the spec, is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Final

from jsonschema import ValidationError

from reconciler.loading.bounded_schema import (
    BoundedSchema,
    EndlessSchemaError,
    Unresolvable,
    UnusableSchemaError,
)
from reconciler.loading.files import REFUSED_FILE, read_regular
from reconciler.loading.schema import file_text
from reconciler.loading.settings import AuthorizationCheck
from reconciler.loading.words import shown

LARGEST: Final = 256 * 1024
"""Bytes of a schema; an authorization has a handful of fields."""
MOST_NAMED: Final = 12
"""Fields that a sentence names."""
PUBLISHED: Final = frozenset({"sage-bank-feeds"})
"""The platforms, by name, that ``schemas/platforms`` has a schema for."""


def read(path: Path) -> AuthorizationCheck:
    """The check that the schema file at ``path`` describes. Nothing is fetched from the network.

    Raises:
        UnusableSchemaError: there is no such file, or it is no JSON Schema of draft 2020-12.
    """
    try:
        return _check(read_regular(path, LARGEST).decode())
    except OSError as error:
        why = f": {error.strerror}" if error.errno in REFUSED_FILE else ""
        raise UnusableSchemaError(f"this file cannot be read{why}") from None
    except UnicodeDecodeError:
        raise UnusableSchemaError("this file is not UTF-8 text") from None


@cache
def published(slug: str) -> AuthorizationCheck | None:
    """The check for a platform whose fields a public page of Codat's states; ``None`` for most.

    Fields are never guessed: where no page states them, any map of text is taken.
    """
    return _check(file_text(f"platforms/{slug}.json")) if slug in PUBLISHED else None


def _check(text: str) -> AuthorizationCheck:
    try:
        schema = BoundedSchema(json.loads(text))
    except (ValueError, RecursionError):
        raise UnusableSchemaError("this file is not JSON") from None

    def check(authorization: Mapping[str, object]) -> tuple[str, ...]:
        instance = {
            name: value if isinstance(value, str) else str(value) for name, value in authorization.items()
        }
        literal = {name for name, value in authorization.items() if isinstance(value, str)}
        try:
            errors = schema.errors(instance)
        except Unresolvable:
            return ("its schema refers to another document",)
        except EndlessSchemaError:
            return ("its schema leads back to itself, or unfolds to too much to be checked",)
        return tuple(_sentence(error) for error in errors if not error.path or error.path[0] in literal)

    return check


def _sentence(error: ValidationError) -> str:
    """What a keyword refuses; jsonschema's message would repeat the value."""
    argument: Any = error.validator_value
    if error.path:
        return f"{shown(str(error.path[0]))} does not fit the schema's {error.validator!r}"
    if error.validator == "required" and isinstance(error.instance, dict):
        return f"it lacks {_named(name for name in argument if name not in error.instance)}"
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        schema: Any = error.schema
        return f"it has fields that are none of {_named(schema.get('properties', {}))}"
    return f"it does not fit the schema's {error.validator!r}"


def _named(names: Iterable[object]) -> str:
    listed = [shown(str(name)) for name in islice(names, MOST_NAMED + 1)]
    return ", ".join([*listed[:MOST_NAMED], *(["…"] if len(listed) > MOST_NAMED else [])])
