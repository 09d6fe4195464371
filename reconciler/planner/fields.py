"""The fields of a company that a spec can manage, and how wanted and live values are compared.

A new field is one more row of ``FIELDS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from deepdiff import DeepDiff

from reconciler.model import (
    KEY_TAG,
    LINKS_TAG,
    MAX_TAGS,
    PROTECT_TAG,
    UNSET,
    WORKSPACE_TAG,
    DesiredCompany,
    LiveCompany,
)
from reconciler.plan import Change

PROTECTED: Final = "true"
"""The value of the protect tag that we write."""


@dataclass(frozen=True, slots=True)
class Ours:
    """What this run itself keeps on a company: its workspace, and the record of links where one is due."""

    workspace: str
    links: str | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One managed field: its path, the value that Codat has, and the value that is wanted.

    ``wanted`` is given the live company too (``None`` before it exists) because what a spec does not
    name stays as it is.
    """

    path: str
    live: Callable[[LiveCompany], Any]
    wanted: Callable[[DesiredCompany, LiveCompany | None, Ours], Any]


def _wanted_description(desired: DesiredCompany, live: LiveCompany | None, _: Ours) -> str | None:
    if desired.description is UNSET:
        return (live.description or None) if live else None
    return desired.description or None


def _wanted_tags(desired: DesiredCompany, live: LiveCompany | None, ours: Ours) -> dict[str, str]:
    tags = dict(live.tags) if live else {}
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
        if value is None:
            tags.pop(key, None)
        else:
            tags[key] = value
    return tags


FIELDS: Final = (
    Field("name", lambda live: live.name, lambda desired, _live, _ours: desired.name),
    Field("description", lambda live: live.description or None, _wanted_description),
    Field("tags", lambda live: dict(live.tags), _wanted_tags),
)


def wanted_fields(desired: DesiredCompany, live: LiveCompany | None, ours: Ours) -> dict[str, Any]:
    """The whole value of every managed field, as it shall be."""
    return {field.path: field.wanted(desired, live, ours) for field in FIELDS}


def changes(live: LiveCompany, wanted: Mapping[str, Any]) -> tuple[Change, ...]:
    """What differs between Codat's company and the wanted fields, by path."""
    before = {field.path: field.live(live) for field in FIELDS}
    if before == wanted:
        return ()
    # 0: tag maps with little in common are still compared tag by tag, never as a whole.
    tree = DeepDiff(before, dict(wanted), view="tree", threshold_to_diff_deeper=0)
    found = [
        Change(
            ".".join(str(step) for step in level.path(output_format="list")),
            level.t1 if isinstance(level.t1, str) else None,
            level.t2 if isinstance(level.t2, str) else None,
        )
        for levels in tree.values()
        for level in levels
    ]
    return tuple(sorted(found))


def is_over_budget(wanted: Mapping[str, Any], *, links_to_come: bool) -> bool:
    """Whether the tags would be more than Codat keeps, counting a record of links still to be written."""
    tags = wanted["tags"]
    return len(tags) + (links_to_come and LINKS_TAG not in tags) > MAX_TAGS
