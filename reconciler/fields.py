"""The texts of a company that a spec can manage: one table, walked by everyone who reads or writes one.

Loading, planning, the create, the PATCH, the compare of Codat's answer, digests, saved plans, ``explain``,
``-v`` and ``import`` take their fields from here. A further text is a row, a member of the two nouns in
``model.py``, and a property of the schema. Tags, products and sync settings are no single texts: their
rows stand with the rules that merge them (``planner/fields.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.model import DesiredCompany, Unset

if TYPE_CHECKING:
    from reconciler.live import LiveCompany

TAGS: Final = "tags."
"""What the path of a tag begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextField:
    """A text of a company.

    ``path`` is its name in specs, plans and messages; ``wire`` the one in Codat's JSON; ``attribute`` the
    member of ``DesiredCompany`` and ``LiveCompany``. ``null`` is what is sent to clear it.
    ``is_kept_freely``: Codat may keep it otherwise than it was sent, and nothing hangs on it.
    """

    path: str
    wire: str
    attribute: str
    is_required: bool = False
    is_kept_freely: bool = False
    null: str = ""

    def live(self, company: LiveCompany) -> str | None:
        """What Codat has; of what may be missing, empty is as good as missing."""
        text: str | None = getattr(company, self.attribute)
        return text if self.is_required else text or None

    def written(self, company: DesiredCompany) -> str | Unset | None:
        """What the spec says; ``UNSET`` where it says nothing."""
        text: str | Unset | None = getattr(company, self.attribute)
        return text

    def wanted(self, desired: DesiredCompany, live: LiveCompany | None) -> str | None:
        """What the company shall have: what a spec does not say stays as it is."""
        text = self.written(desired)
        if isinstance(text, Unset):
            return self.live(live) if live else None
        return text if self.is_required else text or None


TEXTS: Final = (
    TextField(path="name", wire="name", attribute="name", is_required=True),
    TextField(path="description", wire="description", attribute="description", is_kept_freely=True),
)
OPTIONAL: Final = tuple(text for text in TEXTS if not text.is_required)
BY_PATH: Final[Mapping[str, TextField]] = {text.path: text for text in TEXTS}


def value_at(company: LiveCompany, path: str) -> str | None:
    """What stands at a path, a tag's too; null, empty and missing are the same."""
    if path.startswith(TAGS):
        return company.tags.get(path.removeprefix(TAGS)) or None
    return BY_PATH[path].live(company) or None


def is_kept_freely(path: str) -> bool:
    """Whether Codat may keep what stands at a path in its own way."""
    return path in BY_PATH and BY_PATH[path].is_kept_freely


def by_path(texts: Mapping[str, str | None], tags: Mapping[str, str]) -> dict[str, str]:
    """The fields of a company by path: those texts that are there, then each tag."""
    given = {path: text for path, text in texts.items() if text is not None}
    return given | {f"{TAGS}{tag}": text for tag, text in sorted(tags.items())}


def tags_of(fields: Mapping[str, str]) -> dict[str, str]:
    """The tags among fields by path."""
    return {path.removeprefix(TAGS): text for path, text in fields.items() if path.startswith(TAGS)}
