"""The fields of a company that a spec can manage, and how wanted and live values are compared.

Texts are rows of ``reconciler/fields.py``; here stand the fields that are merged, and the compare of all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from deepdiff import DeepDiff
from deepdiff.model import DiffLevel

from reconciler.fields import TEXTS, TextField
from reconciler.kinds import Change
from reconciler.live import LiveCompany, LiveSyncSettings
from reconciler.model import (
    KEY_TAG,
    LINKS_TAG,
    MAX_TAGS,
    PROTECT_TAG,
    UNSET,
    WORKSPACE_TAG,
    DesiredCompany,
    SyncSettings,
    Unset,
    setting_text,
)

PROTECTED: Final = "true"
"""The value of the protect tag that we write."""
OVERRIDES: Final = "overridesDefaults"
"""The member that says whether a company's sync settings are its own, or the profile's."""


FieldValue = str | None | Mapping[str, str | Mapping[str, str]]
"""A text, or the members of what is merged: tags, products, and settings, which have members themselves."""


class Writer(Enum):
    """The kind of request that writes a field."""

    COMPANY = "the create or the PATCH of the company"
    PRODUCTS = "one request for each product"
    SYNC_SETTINGS = "one request for all settings of the company"


@dataclass(frozen=True, slots=True)
class Ours:
    """What this run itself keeps on a company: its workspace, and the record of links where one is due."""

    workspace: str
    links: str | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One managed field: its path, the value that Codat has, the value that is wanted, and what writes it.

    ``wanted`` is given the live company too (``None`` before it exists) because what a spec does not
    name stays as it is.
    """

    path: str
    live: Callable[[LiveCompany], FieldValue]
    wanted: Callable[[DesiredCompany, LiveCompany | None, Ours], FieldValue]
    writer: Writer = Writer.COMPANY


def _of_text(text: TextField) -> Field:
    return Field(text.path, text.live, lambda desired, live, _: text.wanted(desired, live))


def _live_tags(live: LiveCompany) -> dict[str, str]:
    """The tags that say something; an empty one is as good as none."""
    return {key: value for key, value in live.tags.items() if value}


def _wanted_tags(desired: DesiredCompany, live: LiveCompany | None, ours: Ours) -> dict[str, str]:
    tags = _live_tags(live) if live else {}
    wanted: dict[str, str | None] = {
        **desired.tags,
        WORKSPACE_TAG: ours.workspace,
        KEY_TAG: desired.key,
    }
    if desired.protect is not UNSET:
        wanted[PROTECT_TAG] = PROTECTED if desired.protect else None
    if ours.links is not None:
        wanted[LINKS_TAG] = ours.links
    for key, value in wanted.items():
        if value:
            tags[key] = value
        else:
            tags.pop(key, None)
    return tags


def _live_products(live: LiveCompany) -> dict[str, str]:
    return {product: product for product in live.products}


def _wanted_products(desired: DesiredCompany, live: LiveCompany | None, _: Ours) -> dict[str, str]:
    if isinstance(desired.products, Unset):
        return _live_products(live) if live else {}
    return {product: product for product in desired.products}


def _live_settings(live: LiveCompany) -> FieldValue:
    return _texts(live.sync_settings) if live.sync_settings else {}


def _wanted_settings(desired: DesiredCompany, live: LiveCompany | None, _: Ours) -> FieldValue:
    wanted, found = desired.sync_settings, live.sync_settings if live else None
    if isinstance(wanted, Unset):
        return _texts(found) if found else {}
    if found is None:
        return _texts_by_type(wanted or {})
    return _texts(found.as_wanted(wanted)) | (
        {} if wanted is None else {OVERRIDES: setting_text(found.are_own)}
    )


def _texts(settings: LiveSyncSettings) -> dict[str, str | Mapping[str, str]]:
    return {OVERRIDES: setting_text(settings.are_own), **_texts_by_type(settings.by_type)}


def _texts_by_type(settings: SyncSettings) -> dict[str, dict[str, str]]:
    return {
        data_type: {name: setting_text(value) for name, value in members.items()}
        for data_type, members in settings.items()
    }


FIELDS: Final = (
    *(_of_text(text) for text in TEXTS),
    Field("tags", _live_tags, _wanted_tags),
    Field("products", _live_products, _wanted_products, Writer.PRODUCTS),
    Field("syncSettings", _live_settings, _wanted_settings, Writer.SYNC_SETTINGS),
)
_WRITERS: Final = {field.path: field.writer for field in FIELDS}


def wanted_fields(desired: DesiredCompany, live: LiveCompany | None, ours: Ours) -> dict[str, FieldValue]:
    """The whole value of every managed field, as it shall be."""
    return {field.path: field.wanted(desired, live, ours) for field in FIELDS}


def changes(live: LiveCompany | None, wanted: Mapping[str, FieldValue]) -> tuple[Change, ...]:
    """What differs between Codat's company and the wanted fields, by path.

    Before the company exists, what its create does not write differs from nothing.
    """
    compared = [field for field in FIELDS if live is not None or field.writer is not Writer.COMPANY]
    before = {field.path: field.live(live) if live is not None else {} for field in compared}
    after = {field.path: wanted[field.path] for field in compared}
    if before == after:
        return ()
    # 0: tag maps with little in common are still compared tag by tag, never as a whole.
    tree = DeepDiff(_unlike(before, after), _unlike(after, before), view="tree", threshold_to_diff_deeper=0)
    return tuple(sorted(change for levels in tree.values() for level in levels for change in _changes(level)))


def _unlike(fields: Mapping[str, FieldValue], other: Mapping[str, FieldValue]) -> dict[str, FieldValue]:
    """The fields that differ, maps without the members that do not: deepdiff looks at each for long."""
    return {path: _apart(value, other[path]) for path, value in fields.items() if value != other[path]}


def _apart(value: FieldValue, other: FieldValue) -> FieldValue:
    if not isinstance(value, Mapping) or not isinstance(other, Mapping):
        return value
    return {name: member for name, member in value.items() if name not in other or other[name] != member}


def _changes(level: DiffLevel) -> Iterator[Change]:
    path = ".".join(str(step) for step in level.path(output_format="list"))
    if isinstance(level.t2, dict):
        yield from (
            Change(path=f"{path}.{name}", before=None, after=value) for name, value in level.t2.items()
        )
    else:
        yield Change(
            path=path,
            before=level.t1 if isinstance(level.t1, str) else None,
            after=level.t2 if isinstance(level.t2, str) else None,
        )


def written_by(writer: Writer, differences: Iterable[Change]) -> tuple[Change, ...]:
    """The changes that such a request writes."""
    return tuple(
        difference for difference in differences if _WRITERS[difference.path.partition(".")[0]] is writer
    )


def text_at(fields: Mapping[str, FieldValue], path: str) -> str | None:
    """The text among fields that has this path."""
    value = fields[path]
    return value if isinstance(value, str) else None


def members_at(fields: Mapping[str, FieldValue], path: str) -> dict[str, str]:
    """The texts that a merged field such as the tags is made of, by name."""
    value = fields[path]
    members = value.items() if isinstance(value, Mapping) else ()
    return {name: text for name, text in members if isinstance(text, str)}


def is_over_budget(wanted: Mapping[str, FieldValue], *, links_to_come: bool) -> bool:
    """Whether the tags would be more than Codat keeps, counting a record of links still to be written."""
    tags = members_at(wanted, "tags")
    return len(tags) + (links_to_come and LINKS_TAG not in tags) > MAX_TAGS
