"""What the schema refuses, in our own words: a table by keyword.

No text here repeats a refused value, save the near miss of a fixed choice, which is no secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from reconciler.loading.nodes import MERGE_KEY
from reconciler.loading.spec_codes import SpecCode
from reconciler.loading.words import AUTHORIZATION, did_you_mean, quoted, shown
from reconciler.wording import counted, either

_SHORT_CHOICE: Final = 8


@dataclass(frozen=True, slots=True)
class Refusal:
    """One error of jsonschema, without its message. ``of_key``: a key is refused, not a value."""

    keyword: str
    argument: Any
    instance: Any
    schema: Any
    path: tuple[str | int, ...]
    of_key: bool


@dataclass(frozen=True, slots=True)
class Words:
    """What to say of it. ``key`` is the entry of the refused mapping that it is about, if one is."""

    code: SpecCode
    summary: str
    fix: str = ""
    key: str = ""
    is_unsound: bool = True
    """Whether the value must be left aside before rules read the rest."""


def explained(refusal: Refusal) -> Iterable[Words]:
    """What to say of a refusal; several things where it is about several fields."""
    if refusal.of_key:
        return (_wrong_key(refusal),)
    return _KEYWORDS.get(refusal.keyword, _otherwise)(refusal)


def _wrong_key(refusal: Refusal) -> Words:
    key: str = refusal.instance
    if refusal.keyword == "enum":
        summary = f"the key {shown(key)!r} is not known here"
        return Words(SpecCode.WRONG_KEY, summary, _choice(key, refusal.argument), key)
    hidden = refusal.path[-1:] == (AUTHORIZATION,)
    most = refusal.schema.get("maxLength")
    length = f"write 1 to {most} characters" if most else "write at least one character"
    form = refusal.schema.get("patternErrorMessage", length)
    named = "the name of a field" if hidden else f"the key {shown(key)!r}"
    return Words(SpecCode.WRONG_KEY, f"{named} does not have the form of one", form, key)


def _unknown_fields(refusal: Refusal) -> Iterator[Words]:
    known = refusal.schema["properties"]
    for field in refusal.instance:
        if field not in known:
            fix = did_you_mean(field, known, f"known here: {', '.join(known)}")
            yield Words(SpecCode.UNKNOWN_FIELD, f"unknown field {shown(field)!r}", fix, field)


def _missing_fields(refusal: Refusal) -> Iterator[Words]:
    merged = MERGE_KEY in getattr(refusal.instance, "key_places", ())
    for field in () if merged else refusal.argument:
        if field not in refusal.instance:
            member = refusal.schema["properties"][field]
            example = member.get("const") or next(iter(member.get("examples", ())), "…")
            summary = f"the field {field!r} is missing"
            yield Words(SpecCode.MISSING_FIELD, summary, f"write {field}: {example}", is_unsound=False)


def _wrong_type(refusal: Refusal) -> Iterator[Words]:
    wanted, value = refusal.argument, refusal.instance
    names = [wanted] if isinstance(wanted, str) else [name for name in wanted if name != "null"]
    expected = either(_TYPE_WORDS[name] for name in names)
    if value is None:
        advice = refusal.schema.get("nullErrorMessage", "write a value, or leave the field out")
        yield Words(SpecCode.WRONG_TYPE, f"must be {expected}, and is empty", advice)
        return
    fix = ""
    if "string" in names and isinstance(value, bool | int | float):
        fits_in_quotes = re.fullmatch(refusal.schema.get("pattern", ".*"), str(value))
        fix = "write it in quotes" if fits_in_quotes else refusal.schema["patternErrorMessage"]
    if names == ["boolean"] and isinstance(value, str):
        fix = "only true and false are; yes, no, on and off are text"
    yield Words(SpecCode.WRONG_TYPE, f"must be {expected}, not {_type_word(value)}", fix)


_TYPE_WORDS: Final = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
}


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


def _wrong_value(refusal: Refusal) -> Iterator[Words]:
    if isinstance(refusal.instance, str):
        fix = _choice(refusal.instance, refusal.argument)
        yield Words(SpecCode.WRONG_VALUE, f"{quoted(refusal.instance)} is not known here", fix)


def _choice(written: str, permitted: list[str]) -> str:
    short = len(permitted) <= _SHORT_CHOICE
    return did_you_mean(written, permitted, f"write {either(permitted)}" if short else "see the schema")


def _wrong_version(refusal: Refusal) -> Iterator[Words]:
    summary = "this version of the format is not known"
    yield Words(SpecCode.WRONG_VALUE, summary, f"write {refusal.argument}")


def _wrong_form(refusal: Refusal) -> Iterator[Words]:
    summary = "does not have the form of this field"
    yield Words(SpecCode.WRONG_FORM, summary, refusal.schema["patternErrorMessage"])


def _out_of_range(refusal: Refusal) -> Iterator[Words]:
    least, most = refusal.schema.get("minimum"), refusal.schema.get("maximum")
    bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
    yield Words(SpecCode.OUT_OF_RANGE, "is out of range", f"write a number {bounds}")


def _too_short(_: Refusal) -> Iterator[Words]:
    yield Words(SpecCode.WRONG_LENGTH, "is empty", "write a value, or leave the field out")


def _too_long(refusal: Refusal) -> Iterator[Words]:
    length = counted(len(refusal.instance), "character")
    yield Words(SpecCode.WRONG_LENGTH, f"is {length} long", f"write at most {refusal.argument}")


def _repeated(_: Refusal) -> Iterator[Words]:
    yield Words(SpecCode.WRONG_VALUE, "an entry stands twice in this list", "keep one of the two")


def _otherwise(refusal: Refusal) -> Iterator[Words]:
    yield Words(SpecCode.SCHEMA, f"is refused by the schema's keyword {refusal.keyword!r}")


_KEYWORDS: Final[Mapping[str, Callable[[Refusal], Iterator[Words]]]] = {
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
