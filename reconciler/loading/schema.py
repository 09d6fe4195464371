"""Checks specs and saved plans against our JSON schemas, quickly where nothing is wrong.

A compiled validator says whether a document fits; jsonschema, many times slower, only looks at what does not,
has the last word on it, and names every error. A property test holds the two together. As it takes long to
be imported too, that is put off until something does not fit.
jsonschema's messages repeat the value that they refuse, which may be a token; none of them is shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import jsonschema_rs

from reconciler.diagnostics import Diagnostic
from reconciler.loading.nodes import Document, Map, Place, Seq, Spot
from reconciler.loading.words import AUTHORIZATION, dotted

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

    from reconciler.loading.schema_words import Refusal

_FIELD_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
Fits = Callable[[Any], bool]
"""Says yes only where jsonschema finds nothing."""
NodePath = tuple[str | int, ...]
"""The keys and indices that lead from a document's root to a value."""
Locate = Callable[[NodePath, bool], Spot]
"""Where the value at a path stands, or its key."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema of ours, ready to check documents."""

    document: Mapping[str, Any]
    fits: Fits
    fits_companies: Callable[[], Fits] | None
    """Compiles the predicate of ``companies``, the only part that can be large."""

    @property
    def validator(self) -> Draft202012Validator:
        """What names every error of a document that does not fit."""
        return _strict()(self.document)


def compiled(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Fits:
    """The compiled validator of ``schema``, a part of the schema that has these ``definitions``."""
    validator = jsonschema_rs.Draft202012Validator({**schema, "$defs": definitions}, validate_formats=False)

    def fits(value: Any) -> bool:
        try:
            return validator.is_valid(value)
        except ValueError:  # a value that it cannot read, such as half of a surrogate pair
            return False

    return fits


@cache
def named(name: str) -> Schema:
    """The schema ``spec``, ``workspace`` or ``account``."""
    document = json.loads(file_text(f"{name}.schema.json"))
    companies, parts = document["properties"].get("companies"), document.get("$defs", {})
    fits_companies = cache(partial(compiled, companies, parts)) if companies else None
    return Schema(document, compiled(document, parts), fits_companies)


@cache
def of_company() -> Schema:
    """The part of the schema ``spec`` that says what one company is."""
    parts = named("spec").document["$defs"]
    document = {**parts["company"], "$defs": parts}
    return Schema(document, compiled(document, parts), None)


def file_text(name: str) -> str:
    """The schema's text: beside this module in a wheel, at the repository's top in a checkout."""
    here = Path(__file__)
    packaged = here.with_name("schemas") / name
    found = packaged if packaged.is_file() else here.parents[2] / "schemas" / name
    return found.read_text(encoding="utf-8")


@cache
def _strict() -> Callable[[Mapping[str, Any]], Draft202012Validator]:
    """What names every error; its ``pattern`` is that of the whole text, where ``$`` permits a newline."""
    from jsonschema import Draft202012Validator, ValidationError
    from jsonschema.validators import extend

    def whole(_: Any, pattern: str, instance: Any, __: Mapping[str, Any]) -> Iterator[ValidationError]:
        if isinstance(instance, str) and re.fullmatch(pattern, instance) is None:
            yield ValidationError("does not match")

    strict: type[Draft202012Validator] = extend(  # type: ignore[no-untyped-call]
        Draft202012Validator, {"pattern": whole}
    )
    return strict


@dataclass(frozen=True, slots=True)
class Problem:
    """What the schema refuses, and the path of what to leave aside so that the rest can be read."""

    diagnostic: Diagnostic
    unsound: NodePath = ()


def problems(schema: Schema, document: Document) -> tuple[Problem, ...]:
    """Everything that the schema refuses in a document, in no order."""
    if schema.fits(document.root):
        return ()
    instance = _without_sound_companies(schema, document.root)
    return refused(schema, instance, partial(_spot, document))


def refused(
    schema: Schema,
    instance: Any,
    locate: Locate,
    *,
    passes: Callable[[ValidationError], bool] = lambda _: False,
) -> tuple[Problem, ...]:
    """Everything that jsonschema refuses in ``instance``, save what ``passes`` all the same."""
    errors = (error for error in schema.validator.iter_errors(instance) if not passes(error))
    return tuple(problem for error in errors for problem in _translated(error, locate))


def leave_aside(root: Any, found: tuple[Problem, ...]) -> None:
    """Take what is unsound out of the values: rules see only what has its type and form."""
    for problem in found:
        holder, node, last = None, root, None
        for step in problem.unsound:
            if isinstance(node, Map) and isinstance(step, str):
                holder, last = node, step
            node = _step(node, step)
        if holder is not None and last is not None:
            holder.leave_aside(last)


def _without_sound_companies(schema: Schema, root: Any) -> Any:
    """The document without the companies that fit; jsonschema is slow, and they are most of it."""
    companies = root.get("companies") if isinstance(root, Map) else None
    if schema.fits_companies is None or not isinstance(companies, Map):
        return root
    fits = schema.fits_companies()
    rest = {key: value for key, value in companies.items() if not fits({key: value})}
    return {**root, "companies": rest}


def _step(node: Any, step: str | int) -> Any:
    if isinstance(node, Map) and isinstance(step, str):
        return node.get(step)
    if isinstance(node, Seq) and isinstance(step, int) and step < len(node):
        return node[step]
    return None


# --- places ------------------------------------------------------------------------------------


def place_of(document: Document, path: NodePath, *, key: bool = False) -> Place:
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


def _spot(document: Document, path: NodePath, at_key: bool) -> Spot:
    span = document.file.span(place_of(document, path, key=at_key))
    return Spot(span, tuple(str(step) for step in path))


def _is_plain_field(refusal: Refusal) -> bool:
    """Whether a field of ``authorization`` is at fault by its value alone, so that its name may be shown.

    Where a space is missing after a colon the name holds the token, and there is no text or number.
    """
    *_, holder, field = ("", "", *refusal.path)
    is_given = isinstance(refusal.instance, str | int | float) and not refusal.of_key
    return holder == AUTHORIZATION and is_given and _FIELD_NAME.fullmatch(str(field)) is not None


def _translated(error: ValidationError, locate: Locate) -> Iterator[Problem]:
    from reconciler.loading.schema_words import Refusal, explained

    base: NodePath = tuple(error.absolute_path)
    refusal = Refusal(
        keyword=str(error.validator),
        argument=error.validator_value,
        instance=error.instance,
        schema=error.schema,
        path=base,
        of_key="propertyNames" in error.absolute_schema_path,
    )
    with_fields = _is_plain_field(refusal)
    for words in explained(refusal):
        path = (*base, words.key) if words.key else base
        spot = locate(path, bool(words.key))
        named_path = dotted(spot.path, with_fields=with_fields)
        diagnostic = Diagnostic(words.code, words.summary, words.fix, spot.span, named_path)
        yield Problem(diagnostic, path if words.is_unsound else ())


SCHEMAS: Final = ("plan", "saved-plan")
"""What a plan is, and what a saved one must have beside it."""


def plan_complaints(document: Mapping[str, Any]) -> str:
    """Where the document is not of the form of a saved plan; empty where it is. Repeats no value."""
    return next(filter(None, (_complaint(name, document) for name in SCHEMAS)), "")


def _complaint(name: str, document: Mapping[str, Any]) -> str:
    schema = json.loads(file_text(f"{name}.schema.json"))
    if compiled(schema, schema.get("$defs", {}))(document):
        return ""
    from jsonschema import Draft202012Validator

    error = next(Draft202012Validator(schema).iter_errors(document), None)
    if error is None:
        return ""
    return f"{dotted(tuple(error.absolute_path)) or 'the document'} breaks the rule '{error.validator}'"
