"""Checks documents against our JSON schemas, and says what is wrong in our own words.

jsonschema's messages repeat the value that they refuse, which may be a token; none of them is shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from reconciler.diagnostics import Diagnostic
from reconciler.spec.codes import Code
from reconciler.spec.nodes import Document, Map, Place, Seq
from reconciler.spec.shapes import Fits, compiled
from reconciler.spec.words import AUTHORIZATION, did_you_mean, dotted, listed, plural, shown

Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema of ours, ready to check documents."""

    document: Mapping[str, Any]
    fits: Fits
    fits_companies: Fits | None
    """The predicate of ``companies``, the only part that can be large."""
    validator: Draft202012Validator


@cache
def named(name: str) -> Schema:
    """The schema ``spec`` or ``workspace``."""
    document = json.loads(_file(f"{name}.schema.json"))
    companies = document["properties"].get("companies")
    return Schema(
        document,
        compiled(document, document),
        compiled(companies, document) if companies else None,
        _Validator(document),
    )


def _file(name: str) -> str:
    """The schema's text: beside this module in a wheel, at the repository's top in a checkout."""
    packaged = resources.files("reconciler.spec") / "schemas" / name
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parents[2] / "schemas" / name).read_text(encoding="utf-8")


def _whole(_: Any, pattern: str, instance: Any, __: Mapping[str, Any]) -> Iterator[ValidationError]:
    """``pattern`` on the whole text: Python's ``$`` alone would permit a newline at the end."""
    if isinstance(instance, str) and not _matches(pattern, instance):
        yield ValidationError("does not match")


def _matches(pattern: str, text: str) -> bool:
    import re

    return re.fullmatch(pattern, text) is not None


_Validator: Final = extend(Draft202012Validator, {"pattern": _whole})


@dataclass(frozen=True, slots=True)
class Problem:
    """What the schema refuses, and the path of what to leave aside so that the rest can be read."""

    diagnostic: Diagnostic
    unsound: Path_


def problems(schema: Schema, document: Document) -> tuple[Problem, ...]:
    """Everything that the schema refuses in a document, in no order."""
    if schema.fits(document.root):
        return ()
    instance = _without_sound_companies(schema, document.root)
    found = (
        problem
        for error in schema.validator.iter_errors(instance)
        for problem in _translated(error, document)
    )
    return tuple(found)


def leave_aside(root: Any, found: tuple[Problem, ...]) -> None:
    """Take what is unsound out of the values: rules see only what has its type and form."""
    for problem in found:
        holder, node, last = None, root, None
        for step in problem.unsound:
            if isinstance(node, Map) and isinstance(step, str):
                holder, last = node, step
            node = _step(node, step)
        if holder is not None and last is not None:
            holder.pop(last, None)


def _without_sound_companies(schema: Schema, root: Any) -> Any:
    """The document without the companies that fit; jsonschema is slow, and they are most of it."""
    fits = schema.fits_companies
    if fits is None or not isinstance(root, Map) or not isinstance(root.get("companies"), Map):
        return root
    rest = {key: value for key, value in root["companies"].items() if not fits({key: value})}
    return {**root, "companies": rest}


def _step(node: Any, step: str | int) -> Any:
    if isinstance(node, Map) and isinstance(step, str):
        return node.get(step)
    if isinstance(node, Seq) and isinstance(step, int) and step < len(node):
        return node[step]
    return None


# --- places ------------------------------------------------------------------------------------


def place_of(document: Document, path: Path_, *, key: bool = False) -> Place:
    """Where the value at ``path`` stands; its key if ``key``, or if the value is empty or a block."""
    node, place = document.root, document.place
    for step in path:
        if isinstance(node, Map) and isinstance(step, str) and step in node.value_places:
            value = node.get(step)
            at_key = key or value is None or isinstance(value, dict | list)
            place = (node.key_places if at_key else node.value_places)[step]
        elif isinstance(node, Seq) and isinstance(step, int):
            place = node.places[step]
        node = _step(node, step)
    return place


# --- words -------------------------------------------------------------------------------------

_TYPE_WORDS: Final = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
}


@dataclass(frozen=True, slots=True)
class _Words:
    """A translated error. ``path`` goes on from the error's own; ``at_key`` points at the key."""

    code: Code
    summary: str
    fix: str = ""
    path: tuple[str, ...] = ()
    at_key: bool = False


def _translated(error: ValidationError, document: Document) -> Iterator[Problem]:
    base = tuple(error.absolute_path)
    if "propertyNames" in error.absolute_schema_path:
        translated: Iterator[_Words] = iter((_wrong_key(error, base),))
    else:
        translated = _KEYWORDS.get(str(error.validator), _otherwise)(error)
    for words in translated:
        path = (*base, *words.path)
        span = document.file.span(place_of(document, path, key=words.at_key))
        shown_path = dotted([str(step) for step in path])
        yield Problem(Diagnostic(words.code, words.summary, words.fix, span, shown_path), path)


def _wrong_key(error: ValidationError, base: Path_) -> _Words:
    key: str = error.instance
    hidden = base[-1:] == (AUTHORIZATION,)
    form = error.schema.get("patternErrorMessage") or _length_words(error.schema)
    named = "the name of a field" if hidden else f"the key {shown(key)!r}"
    return _Words(Code.WRONG_KEY, f"{named} does not have the form of one", form, (key,), at_key=True)


def _length_words(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minLength", 1), schema.get("maxLength")
    return f"write {least} to {most} characters" if most else "write at least one character"


def _unknown_fields(error: ValidationError) -> Iterator[_Words]:
    known = error.schema["properties"]
    for field in error.instance:
        if field not in known:
            missing = [name for name in known if name not in error.instance]
            fix = did_you_mean(field, missing, f"known here: {', '.join(known)}")
            yield _Words(Code.UNKNOWN_FIELD, f"unknown field {shown(field)!r}", fix, (field,), at_key=True)


def _missing_fields(error: ValidationError) -> Iterator[_Words]:
    for field in error.validator_value:
        if field not in error.instance:
            member = error.schema["properties"][field]
            example = member.get("const") or next(iter(member.get("examples", ())), "…")
            yield _Words(Code.MISSING_FIELD, f"the field {field!r} is missing", f"write {field}: {example}")


def _wrong_type(error: ValidationError) -> Iterator[_Words]:
    wanted = error.validator_value
    names = [wanted] if isinstance(wanted, str) else [one for one in wanted if one != "null"]
    expected = listed(_TYPE_WORDS[name] for name in names)
    if error.instance is None:
        advice = error.schema.get("nullErrorMessage", "write a value, or leave the field out")
        yield _Words(Code.WRONG_TYPE, f"must be {expected}, and is empty", advice)
        return
    fix = "write it in quotes" if "string" in names and _is_scalar(error.instance) else ""
    if names == ["boolean"] and isinstance(error.instance, str):
        fix = "only true and false are; yes, no, on and off are text"
    yield _Words(Code.WRONG_TYPE, f"must be {expected}, not {_type_word(error.instance)}", fix)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, bool | int | float)


def _type_word(value: Any) -> str:
    match value:
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case bool():
            return "true or false"
        case str():
            return "text"
        case _:
            return "a number"


def _wrong_value(error: ValidationError) -> Iterator[_Words]:
    permitted: list[str] = error.validator_value
    if isinstance(error.instance, str):
        choice = f"one of {', '.join(permitted)}" if len(permitted) < 8 else "one of those that Codat has"
        fix = did_you_mean(error.instance, permitted, f"write {choice}")
        yield _Words(Code.WRONG_VALUE, f"{shown(error.instance)!r} is not known here", fix)


def _wrong_version(error: ValidationError) -> Iterator[_Words]:
    yield _Words(
        Code.WRONG_VALUE, "this version of the format is not known", f"write {error.validator_value}"
    )


def _wrong_form(error: ValidationError) -> Iterator[_Words]:
    yield _Words(Code.WRONG_FORM, "does not have the form of this field", error.schema["patternErrorMessage"])


def _out_of_range(error: ValidationError) -> Iterator[_Words]:
    least, most = error.schema.get("minimum"), error.schema.get("maximum")
    fix = f"write a number of at least {least}" if most is None else f"write a number from {least} to {most}"
    yield _Words(Code.OUT_OF_RANGE, "is out of range", fix)


def _too_short(error: ValidationError) -> Iterator[_Words]:
    yield _Words(Code.WRONG_LENGTH, "is empty", "write a value, or leave the field out")


def _too_long(error: ValidationError) -> Iterator[_Words]:
    count = plural(len(error.instance), "character")
    yield _Words(Code.WRONG_LENGTH, f"is {count} long", f"write at most {error.validator_value}")


def _repeated(_: ValidationError) -> Iterator[_Words]:
    yield _Words(Code.WRONG_VALUE, "an entry stands twice in this list", "keep one of the two")


def _otherwise(error: ValidationError) -> Iterator[_Words]:
    yield _Words(Code.SCHEMA, f"is refused by the schema's keyword {error.validator!r}")


_KEYWORDS: Final[Mapping[str, Callable[[ValidationError], Iterator[_Words]]]] = {
    "additionalProperties": _unknown_fields,
    "const": _wrong_version,
    "enum": _wrong_value,
    "maxLength": _too_long,
    "maximum": _out_of_range,
    "minItems": _too_short,
    "minLength": _too_short,
    "minProperties": _too_short,
    "minimum": _out_of_range,
    "pattern": _wrong_form,
    "required": _missing_fields,
    "type": _wrong_type,
    "uniqueItems": _repeated,
}
