"""What an admin may set: each setting is a row, kept in the file and read anew by every request."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeGuard

from reconciler.sandbox.answers import Problem
from reconciler.sandbox.store import Session

MOST: Final = 1_000_000_000
"""The largest count."""
LONGEST: Final = 10 * 366 * 24 * 60 * 60
"""The longest time to wait or to jump, in seconds: ten years."""


def is_count(value: Any, least: int = 0) -> bool:
    """Whether ``value`` is a whole number that something can be counted up to."""
    return type(value) is int and least <= value <= MOST


def is_seconds(value: Any) -> bool:
    """Whether ``value`` is a time to wait."""
    return type(value) in (int, float) and 0 <= value <= LONGEST


def is_jump(value: Any) -> TypeGuard[float]:
    """Whether ``value`` is seconds for a clock to jump, forwards or back."""
    return type(value) in (int, float) and -LONGEST <= value <= LONGEST


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(member, str) for member in value)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its value until someone sets it, and what it may be."""

    default: Any
    accepts: Callable[[Any], bool]
    is_optional: bool = False


SETTINGS: Final[Mapping[str, Setting]] = {
    # Requests a day; null is Codat's own formula. A number is enforced; the formula when asked for.
    "quota": Setting(None, is_count, is_optional=True),
    "enforceQuota": Setting(False, _is_flag),
    # Companies at most; null is no limit. Codat's free plan has 50.
    "companyLimit": Setting(None, is_count, is_optional=True),
    "syncSeconds": Setting(2, is_seconds),
    # What is created stays out of listings for so long, and for so many requests.
    "lagSeconds": Setting(0, is_seconds),
    "lagRequests": Setting(0, is_count),
    # Larger page sizes are answered with this one; null is no cap.
    "pageSizeCap": Setting(None, is_count, is_optional=True),
    "disabledPlatforms": Setting([], _is_texts),
    # Not in the list of integrations and refused for a new connection; those that are there stay.
    "retiredPlatforms": Setting(["vjms"], _is_texts),
    # A company needs a product at creation, as it does where the client has no default products. Else the
    # field is passed over: the API's document has none such.
    "needsProduct": Setting(False, _is_flag),
    "accountName": Setting("Sandbox", _is_text),
    # Data types that were never synced stand in dataStatus without a status, as Codat's guide has them; its
    # OpenAPI document and its SDK require one, so they are left out unless asked for.
    "unsyncedStatuses": Setting(False, _is_flag),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings as they are now."""

    values: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name, SETTINGS[name].default)

    def document(self) -> dict[str, Any]:
        """Every setting by name."""
        return {name: self[name] for name in SETTINGS}


def read(session: Session) -> Settings:
    """The settings as they are now."""
    return Settings({name: json.loads(value) for name, value in session.rows("SELECT * FROM setting")})


def change(session: Session, changes: Mapping[str, Any]) -> None:
    """Set what ``changes`` names.

    Raises:
        Problem: 400, no such setting, or a value that it cannot have; then nothing is set.
    """
    wrong = {name: "cannot be this" for name, value in changes.items() if not _fits(name, value)}
    if wrong:
        raise Problem(
            400, f"Not settings: {', '.join(wrong)}. There are {', '.join(SETTINGS)}.", invalid=wrong
        )
    for name, value in changes.items():
        session.run("INSERT OR REPLACE INTO setting VALUES (?, ?)", name, json.dumps(value))


def _fits(name: str, value: Any) -> bool:
    setting = SETTINGS.get(name)
    if setting is None:
        return False
    return setting.is_optional if value is None else setting.accepts(value)
