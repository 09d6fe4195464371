"""What a saved plan carries beside the plan, as JSON and back, and digests of what a plan read.

That is all that is wanted, the flags, and the workspace's settings. cattrs makes the functions that write
and read each of them from its members' types; ``FORMS`` says what the types do not: the names in JSON, and
what is left out. Members stand in the order of the class.

Secrets are written as their references. Spans are left out: they are about files that the reader of
a saved plan need not have.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial, reduce
from operator import eq, or_
from pathlib import Path
from types import NoneType
from typing import Any, Final, TypeVar, cast, get_args, get_origin

from cattrs import Converter
from cattrs.fns import identity
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from reconciler.fields import BY_PATH, OPTIONAL, TEXTS
from reconciler.kinds import Change, digest
from reconciler.live import LiveCompany
from reconciler.model import (
    Address,
    Desired,
    DesiredAccount,
    DesiredCompany,
    DesiredConnection,
    DesiredSourceAccount,
    DesiredWebhook,
    ProfileValue,
    SettingValue,
    SyncPolicy,
    SyncSettings,
    Unset,
)
from reconciler.plan import Attention, Basis, Options, Origin, Refusal, ShownPlan
from reconciler.planned import ShownAction, ShownConnection, ShownState, ShownTarget, camel
from reconciler.secret_refs import SecretRef, literal, written
from reconciler.workspace import Guard, Limit, Limits, Rollout, Workspace

T = TypeVar("T")
Document = dict[str, Any]
"""A JSON object: what it holds, ``schemas/plan.schema.json`` says."""


def live_digest(companies: Iterable[LiveCompany]) -> str:
    """The digest of what a plan read of a company: not its sync times, which move by themselves."""
    return digest(
        [
            {
                "id": company.id,
                **{text.path: text.live(company) for text in TEXTS},
                "tags": dict(company.tags),
                "products": sorted(company.products),
                "connections": sorted(
                    [link.id, link.platform_key, link.status.value] for link in company.connections
                ),
            }
            for company in companies
        ]
    )


def to_document(noun: Desired | DesiredCompany | DesiredConnection | Options | Workspace) -> Document:
    """The JSON form."""
    return cast("Document", _CONVERTER.unstructure(noun))


def from_document(document: Mapping[str, Any], kind: type[T]) -> T:
    """What ``to_document`` wrote of that kind; the document is one that passed the plan's schema.

    Raises:
        ValueError: a text in it is no date, reference or name of anything.
        OverflowError: a time in it is longer than there is any.
    """
    return _CONVERTER.structure(document, kind)


def read_plan(document: Mapping[str, Any]) -> ShownPlan:
    """The plan whose JSON form this is; the document is one that passed the plan's schema.

    Raises:
        ValueError: a text in it is no date, or no name of anything.
    """
    summary = document["summary"]
    return ShownPlan(
        tool=document["tool"],
        workspace=document["workspace"],
        api=document["api"],
        actions=tuple(from_document(action, ShownAction) for action in document["actions"]),
        attention=tuple(from_document(attention, Attention) for attention in document["attention"]),
        unchanged=summary["unchanged"],
        requests=summary["requests"],
        basis=from_document(document["basis"], Basis),
        refusals=tuple(map(Refusal, document.get("refusals", ()))),
        notes=tuple(document.get("notes", ())),
        origins=_origins(document["actions"]),
        attention_origins=_origins(document["attention"]),
    )


def _origins(documents: Iterable[Document]) -> tuple[Origin, ...]:
    return tuple(Origin(document["origin"]) for document in documents if "origin" in document)


def moment(text: str) -> datetime:
    """The moment that a document has, which is never without its zone.

    Raises:
        ValueError: it is none.
    """
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError("a moment without a zone")
    return read


# --- what JSON says otherwise than the types do ------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a noun is written: the ``names`` in JSON that are not the member's own in camelCase.

    ``optional`` members are left out where they have their default, ``unwritten`` ones always. ``write`` and
    ``read`` are for members whose type says too little.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    unwritten: frozenset[str] = frozenset()
    write: Mapping[str, Callable[[Any], object]] = field(default_factory=dict)
    read: Mapping[str, Callable[[Any], object]] = field(default_factory=dict)
    beside: Callable[[Document], Mapping[str, object]] | None = None
    """Members that are read of what stands in the JSON beside the others."""


def _seconds(length: timedelta | None) -> float | None:
    return length.total_seconds() if length else None


def _length(seconds: float | None) -> timedelta | None:
    return timedelta(seconds=seconds) if seconds else None


def _as_given(settings: SyncSettings | None) -> Document | None:
    return None if settings is None else {name: dict(members) for name, members in settings.items()}


def _texts(document: Document) -> Mapping[str, object]:
    return {"texts": {path: document[path] for path in BY_PATH if path in document}}


def _resolved(root: str) -> str:
    """References to files are looked up below the same directory, seen from where we run."""
    return str(Path(root).resolve())


FORMS: Final[Mapping[type, Form]] = {
    DesiredSourceAccount: Form(names={"name": "accountName", "type": "accountType"}),
    SyncPolicy: Form(names={"max_age": "maxAgeSeconds"}, optional=frozenset({"max_age"})),
    DesiredConnection: Form(
        names={"wanted": "state"},
        optional=frozenset({"id", "renamed_from", "issued_at", "source_accounts"}),
    ),
    DesiredCompany: Form(
        names={text.attribute: text.path for text in TEXTS},
        optional=frozenset(
            {"protect", "products", "sync_settings", "id", "new_beside", "renamed_from"}
            | {text.attribute for text in OPTIONAL}
        ),
        write={"products": sorted, "new_beside": sorted, "sync_settings": _as_given},
    ),
    DesiredWebhook: Form(
        optional=frozenset({"url", "id"}), write={"event_types": sorted, "company_tags": sorted}
    ),
    DesiredAccount: Form(),
    Desired: Form(
        names={"renamed_from": "workspaceRenamedFrom"}, optional=frozenset({"renamed_from", "account"})
    ),
    Limit: Form(),
    Guard: Form(),
    Limits: Form(),
    Rollout: Form(),
    Workspace: Form(
        names={"warn_after": "warnAfterSeconds"},
        unwritten=frozenset({"platform_details", "renamed_from"}),
        write={"root": os.path.relpath, "warn_after": _seconds},
        read={"root": _resolved, "warn_after": _length},
    ),
    Options: Form(),
    Change: Form(),
    ShownConnection: Form(),
    ShownTarget: Form(),
    ShownState: Form(unwritten=frozenset({"texts"}), beside=_texts),
    ShownAction: Form(),
    Attention: Form(),
    Basis: Form(),
}
"""A row for each noun, those first that others are made of; that of companies has ``TEXTS`` in it."""

KEYED: Final = (DesiredCompany, DesiredConnection, DesiredSourceAccount, DesiredWebhook)
"""Nouns that stand in the JSON under their ``key``, which they do not repeat."""


# --- the converter -----------------------------------------------------------------------------


Write = Callable[[Any], Any]
Read = Callable[[Any, Any], Any]


def _names(kind: type) -> dict[str, str]:
    """The members of a noun, and what they are called in JSON."""
    names = FORMS[kind].names
    return {member.name: names.get(member.name, camel(member.name)) for member in fields(kind)}


def _write_noun(kind: type, converter: Converter) -> Write:
    """The function that writes a noun, which cattrs makes."""
    form = FORMS[kind]
    writing: dict[str, Any] = {
        name: override(
            rename=given,
            omit=_is_unwritten(name, form) or (kind in KEYED and name == "key"),
            omit_if_default=name in form.optional,
            unstruct_hook=form.write.get(name),
        )
        for name, given in _names(kind).items()
    }
    return make_dict_unstructure_fn(kind, converter, **writing)


def _read_noun(kind: type, converter: Converter) -> Read:
    """The function that reads a noun, which cattrs makes."""
    form = FORMS[kind]
    reading: dict[str, Any] = {
        name: override(rename=given, omit=_is_unwritten(name, form), struct_hook=_hook(form.read.get(name)))
        for name, given in _names(kind).items()
    }
    read: Read = make_dict_structure_fn(kind, converter, **reading)
    if (beside := form.beside) is None:
        return read
    return lambda document, kind: replace(read(document, kind), **beside(document))


def _is_unwritten(name: str, form: Form) -> bool:
    return name == "span" or name in form.unwritten


def _hook(read: Write | None) -> Read | None:
    return None if read is None else lambda value, _: read(value)


def _only(value: object, kind: type) -> object:
    """A value that is of its type already: cattrs would make a text of anything, and true of most."""
    if isinstance(value, kind):
        return value
    raise ValueError(f"no {kind.__name__}")


def _add_values(converter: Converter) -> None:
    """The values that members are: each as its type, how it is written, and how it is read."""
    converter.register_unstructure_hook(StrEnum, str)
    converter.register_structure_hook(StrEnum, lambda text, kind: kind(text))
    converter.register_structure_hook(str, _only)
    converter.register_structure_hook(bool, _only)
    values: tuple[tuple[object, Write, Read], ...] = (
        (SettingValue, identity, lambda value, _: value),
        (Mapping[str, SettingValue], dict, lambda members, _: members),
        (datetime, datetime.isoformat, lambda text, _: moment(text)),
        (timedelta, _whole_seconds, lambda seconds, _: timedelta(seconds=seconds)),
        (Address, str, lambda text, _: Address.parse(text)),
        (SecretRef, str, lambda text, _: _reference(text)),
        (str | SecretRef, _written, lambda text, _: SecretRef.parse(text) or literal(text)),
        (
            ProfileValue,
            lambda value: list(value) if isinstance(value, tuple) else value,
            lambda value, _: tuple(value) if isinstance(value, list) else value,
        ),
    )
    for kind, write, read in values:
        converter.register_unstructure_hook_func(partial(eq, kind), write)
        converter.register_structure_hook_func(partial(eq, kind), read)


def _whole_seconds(length: timedelta) -> int:
    return int(length.total_seconds())


def _reference(text: str) -> SecretRef:
    if (found := SecretRef.parse(text)) is None:
        raise ValueError("no reference")
    return found


def _written(value: str | SecretRef) -> str:
    """An authorization value or a URL; only a whole value is ever a reference, as in the specs."""
    return str(value) if isinstance(value, SecretRef) else written(value)


def _may_be_missing(kind: object) -> bool:
    return not {Unset, NoneType}.isdisjoint(get_args(kind))


def _present(kind: object) -> Any:
    """The type without what stands for a value that is not there; ``UNSET`` is the default, and left out."""
    return reduce(or_, (member for member in get_args(kind) if member not in (Unset, NoneType)))


def _write_present(kind: object, converter: Converter) -> Write:
    write = converter.get_unstructure_hook(_present(kind))
    return write if write is identity else lambda value: None if value is None else write(value)


def _read_present(kind: object, converter: Converter) -> Read:
    present, is_nullable = _present(kind), NoneType in get_args(kind)
    read = converter.get_structure_hook(present)
    return lambda value, _: None if value is None and is_nullable else read(value, present)


def _is_mapping(kind: object) -> bool:
    return get_origin(kind) is Mapping


def _write_sorted(kind: object, converter: Converter) -> Write:
    key, noun = get_args(kind)
    write = converter.get_unstructure_hook(noun)
    if write is identity:
        return lambda members: dict(sorted(members.items()))
    if key is str:
        return lambda members: {name: write(member) for name, member in sorted(members.items())}
    return lambda members: {str(name): write(member) for name, member in sorted(members.items())}


def _read_keyed(kind: object, converter: Converter) -> Read:
    noun = get_args(kind)[1]
    read = converter.get_structure_hook(noun)
    return lambda documents, _: {
        key: read({**document, "key": key}, noun) for key, document in sorted(documents.items())
    }


def _is_keyed(kind: object) -> bool:
    return _is_mapping(kind) and get_args(kind)[1] in KEYED


def _converter() -> Converter:
    """The latest rule that fits is taken. A noun's functions are made when they are needed: few ever are."""
    converter = Converter(detailed_validation=False)
    converter.register_unstructure_hook_factory(_may_be_missing, _write_present)
    converter.register_structure_hook_factory(_may_be_missing, _read_present)
    converter.register_unstructure_hook_factory(_is_mapping, _write_sorted)
    converter.register_structure_hook_factory(_is_keyed, _read_keyed)
    _add_values(converter)
    converter.register_unstructure_hook_factory(FORMS.__contains__, _write_noun)
    converter.register_structure_hook_factory(FORMS.__contains__, _read_noun)
    return converter


_CONVERTER: Final = _converter()
