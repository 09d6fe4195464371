"""The user's own JSON Schema of a platform's authorization, checked in bounded time and memory.

Three things in a schema can take for ever, and each has its end here: a pattern that backtracks (RE2 does
not, https://github.com/google/re2/wiki/WhyRE2), references that multiply, which spend a budget, and
references that lead back, which end at Python's own limit of calls.

It is checked offline, where secrets are references, so what it says of a referenced value is not
asked; what it says of the fields' names, and of values that stand in the spec, is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

import re2  # type: ignore[import-untyped]
from jsonschema import Draft202012Validator, SchemaError, ValidationError
from jsonschema.validators import extend
from referencing.exceptions import Unresolvable
from referencing.jsonschema import EMPTY_REGISTRY

from reconciler.loading.files import REFUSED_FILE, read_regular
from reconciler.loading.schema import file_text
from reconciler.loading.sources import AuthorizationCheck
from reconciler.loading.words import shown

Rule = Callable[[Any, Any, Any, Any], Iterable[ValidationError] | None]
"""What jsonschema calls for a keyword: validator, argument, instance and schema."""

MOST_STEPS: Final = 10_000
"""Keywords that one check may go through, those of every reference counted each time."""
STEPS_EACH: Final = 500
"""Keywords for each check when there are many."""
_TEXT_OF_A_STEP: Final = 64
"""Characters of an instance that count as one keyword more: messages repeat it."""
_ITEMS_OF_A_STEP: Final = 16
"""Items of a keyword's argument that count as one keyword more."""
_PATTERN_MEMORY: Final = 1024 * 1024


class UnusableSchemaError(Exception):
    """The document is no JSON Schema that can be used; the text says why, and repeats nothing of it."""


class EndlessSchemaError(Exception):
    """A check was given up: the schema leads back to itself, or unfolds to more than anybody would write."""


class BoundedSchema:
    """A JSON Schema of draft 2020-12 for maps of text. Nothing is fetched from the network."""

    def __init__(self, schema: Any) -> None:
        """Take ``schema`` for what it is.

        Raises:
            UnusableSchemaError: it is no such schema, or has something that cannot be bounded.
        """
        self._left = MOST_STEPS
        self._each = 1
        try:
            Draft202012Validator.check_schema(schema)
            _check_patterns(schema)
        except SchemaError:
            raise UnusableSchemaError("this file is not a JSON Schema of draft 2020-12") from None
        except RecursionError:
            raise UnusableSchemaError("this file is nested too deep") from None
        rules = {**Draft202012Validator.VALIDATORS, **_RULES}
        bounded = extend(  # type: ignore[no-untyped-call]
            Draft202012Validator, {name: partial(self._spend, rule) for name, rule in rules.items()}
        )
        self._validator = bounded(schema, registry=EMPTY_REGISTRY)

    def errors(self, instance: Mapping[str, str]) -> list[ValidationError]:
        """Everything that the schema refuses in ``instance``.

        Raises:
            EndlessSchemaError: the check was given up.
            Unresolvable: the schema refers to another document.
        """
        self._each = 1 + sum(map(len, (*instance, *instance.values()))) // _TEXT_OF_A_STEP
        self._left = min(MOST_STEPS, self._left + STEPS_EACH)
        try:
            return list(self._validator.iter_errors(instance))
        except RecursionError:
            raise EndlessSchemaError from None

    def _spend(
        self, rule: Rule, validator: Any, argument: Any, instance: Any, schema: Any
    ) -> Iterable[ValidationError]:
        items = len(argument) if isinstance(argument, Sized) else 0
        self._left -= self._each + items // _ITEMS_OF_A_STEP
        if self._left < 0:
            raise EndlessSchemaError
        return rule(validator, argument, instance, schema) or ()


# --- patterns ----------------------------------------------------------------------------------


@cache
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _PATTERN_MEMORY
    return re2.compile(pattern, options)


def _check_patterns(schema: Any) -> None:
    """Refuse patterns that cannot be matched in bounded time.

    Raises:
        UnusableSchemaError: there is one, or jsonschema would match one by itself.
    """
    keywords: set[str] = set()
    for holder in _mappings(schema):
        keywords |= holder.keys()
        named = holder.get("patternProperties")
        patterns = [holder.get("pattern"), *(named if isinstance(named, dict) else ())]
        for pattern in patterns:
            try:
                if isinstance(pattern, str):
                    _compiled(pattern)
            except (re2.error, UnicodeError):
                raise UnusableSchemaError(
                    "a pattern in this file is none of RE2's, which has no look-around and no back-reference"
                ) from None
    if keywords >= {"patternProperties", "unevaluatedProperties"}:
        raise UnusableSchemaError("this file has unevaluatedProperties beside patternProperties")


def _mappings(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _mappings(child)


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not _compiled(pattern).search(instance):
        yield ValidationError("does not match")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], instance: Any, _: Any
) -> Iterator[ValidationError]:
    for name, value in instance.items() if isinstance(instance, dict) else ():
        for pattern, schema in patterns.items():
            if _compiled(pattern).search(name):
                yield from validator.descend(value, schema, path=name, schema_path=pattern)


def _additional_properties(
    validator: Any, argument: Any, instance: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name in instance if isinstance(instance, dict) else ():
        if name in known or any(_compiled(pattern).search(name) for pattern in patterns):
            continue
        if argument is False:
            yield ValidationError("has others")
            return
        yield from validator.descend(instance[name], argument, path=name)


_RULES: Final[Mapping[str, Rule]] = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
}
"""The keywords that jsonschema matches by Python's own patterns, which backtrack."""

__all__ = ["BoundedSchema", "EndlessSchemaError", "Unresolvable", "UnusableSchemaError"]


LARGEST: Final = 256 * 1024
"""Bytes of a schema; an authorization has a handful of fields."""
MOST_NAMED: Final = 12
"""Fields that a sentence names."""


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
def published(slug: str) -> AuthorizationCheck:
    """The check for a platform whose fields a public page of Codat's states, as ``PUBLISHED`` names them.

    Fields are never guessed: where no page states them, any map of text is taken.
    """
    return _check(file_text(f"platforms/{slug}.json"))


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
