"""A schema as a quick predicate, so that jsonschema only looks at what is wrong.

For 10,000 companies jsonschema takes many times as long as the parse. ``compiled`` turns a schema
into closures that say yes only where jsonschema finds nothing (a property test holds the two
together); where they say no, jsonschema has the last word and finds the words too. It knows the
keywords that our schemas use and refuses any other, so a schema cannot outgrow it unseen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

Fits = Callable[[Any], bool]

_SKIPPED: Final = frozenset(
    {
        "$defs",
        "$schema",
        "default",
        "description",
        "examples",
        "format",
        "markdownDescription",
        "nullErrorMessage",
        "patternErrorMessage",
        "then",
        "title",
    }
)
_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: type(value) is str,
    "integer": lambda value: type(value) is int,
    "number": lambda value: type(value) in (int, float),
    "boolean": lambda value: type(value) is bool,
    "null": lambda value: value is None,
}


def compiled(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Fits:
    """The predicate of ``schema``, whose references point into ``root``.

    Raises:
        KeyError: the schema uses a keyword that this module does not know.
    """
    fits = [
        _KEYWORDS[keyword](argument, schema, root)
        for keyword, argument in schema.items()
        if keyword not in _SKIPPED
    ]
    if len(fits) == 1:
        return fits[0]
    return lambda value: all(one(value) for one in fits)


def _ref(pointer: str, _: Mapping[str, Any], root: Mapping[str, Any]) -> Fits:
    target: Any = root
    for step in pointer.removeprefix("#/").split("/"):
        target = target[step]
    return compiled(target, root)


def _all_of(schemas: list[Mapping[str, Any]], _: Mapping[str, Any], root: Mapping[str, Any]) -> Fits:
    tests = [compiled(schema, root) for schema in schemas]
    return lambda value: all(test(value) for test in tests)


def _if(schema: Mapping[str, Any], siblings: Mapping[str, Any], root: Mapping[str, Any]) -> Fits:
    concerns, test = compiled(schema, root), compiled(siblings["then"], root)
    return lambda value: not concerns(value) or test(value)


def _type(names: str | list[str], _: Mapping[str, Any], __: Mapping[str, Any]) -> Fits:
    if isinstance(names, str):
        return _TYPES[names]
    tests = [_TYPES[name] for name in names]
    return lambda value: any(test(value) for test in tests)


def _properties(members: Mapping[str, Any], _: Mapping[str, Any], root: Mapping[str, Any]) -> Fits:
    tests = {name: compiled(schema, root) for name, schema in members.items()}
    return lambda value: (
        not isinstance(value, dict)
        or all(tests[name](member) for name, member in value.items() if name in tests)
    )


def _additional(schema: Any, siblings: Mapping[str, Any], root: Mapping[str, Any]) -> Fits:
    known = frozenset(siblings.get("properties", {}))
    if schema is False:
        return lambda value: not isinstance(value, dict) or value.keys() <= known
    test = compiled(schema, root)
    return lambda value: (
        not isinstance(value, dict)
        or all(test(member) for name, member in value.items() if name not in known)
    )


def _property_names(schema: Mapping[str, Any], _: Mapping[str, Any], root: Mapping[str, Any]) -> Fits:
    test = compiled(schema, root)
    return lambda value: not isinstance(value, dict) or all(test(name) for name in value)


def _pattern(pattern: str, _: Mapping[str, Any], __: Mapping[str, Any]) -> Fits:
    matches = re.compile(pattern).fullmatch
    return lambda value: not isinstance(value, str) or matches(value) is not None


def _enum(permitted: list[str], _: Mapping[str, Any], __: Mapping[str, Any]) -> Fits:
    known = frozenset(permitted)
    return lambda value: type(value) is str and value in known


def _const(wanted: Any, _: Mapping[str, Any], __: Mapping[str, Any]) -> Fits:
    return lambda value: type(value) is type(wanted) and value == wanted


def _required(names: list[str], _: Mapping[str, Any], __: Mapping[str, Any]) -> Fits:
    needed = frozenset(names)
    return lambda value: not isinstance(value, dict) or needed <= value.keys()


def _at_least(kind: type | tuple[type, ...], measure: Callable[[Any], int]) -> Callable[..., Fits]:
    def keyword(bound: int, _: Mapping[str, Any], __: Mapping[str, Any]) -> Fits:
        return lambda value: not isinstance(value, kind) or measure(value) >= bound

    return keyword


def _at_most(kind: type | tuple[type, ...], measure: Callable[[Any], int]) -> Callable[..., Fits]:
    def keyword(bound: int, _: Mapping[str, Any], __: Mapping[str, Any]) -> Fits:
        return lambda value: not isinstance(value, kind) or measure(value) <= bound

    return keyword


def _items(schema: Mapping[str, Any], _: Mapping[str, Any], root: Mapping[str, Any]) -> Fits:
    test = compiled(schema, root)
    return lambda value: not isinstance(value, list) or all(test(item) for item in value)


def _unique(_: Any, __: Mapping[str, Any], ___: Mapping[str, Any]) -> Fits:
    """Lists of text without repetition; anything else is left to jsonschema."""
    return lambda value: not isinstance(value, list) or _all_different(value)


def _all_different(items: list[Any]) -> bool:
    return all(type(item) is str for item in items) and len(set(items)) == len(items)


_KEYWORDS: Final[Mapping[str, Callable[..., Fits]]] = {
    "$ref": _ref,
    "additionalProperties": _additional,
    "allOf": _all_of,
    "const": _const,
    "enum": _enum,
    "if": _if,
    "items": _items,
    "maxLength": _at_most(str, len),
    "maximum": _at_most((int, float), lambda value: value),
    "minItems": _at_least(list, len),
    "minLength": _at_least(str, len),
    "minProperties": _at_least(dict, len),
    "minimum": _at_least((int, float), lambda value: value),
    "pattern": _pattern,
    "properties": _properties,
    "propertyNames": _property_names,
    "required": _required,
    "type": _type,
    "uniqueItems": _unique,
}
