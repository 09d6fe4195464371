"""Codat's JSON, read by someone who knows where in it they stand.

A ``Node`` is a value and its path. It is tolerant where Codat is free to change (members nobody
asks for, members left out or null) and strict where a wrong guess would steer a plan: text that is
no text, a date that is no date. What it says names the path and the kind of thing found there, and
never the value, which may be a customer's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

KIND_OF: Final[Mapping[type, str]] = {
    type(None): "nothing",
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
}


MOST_VALUES: Final = 600_000
"""Values in an answer; what is short on the wire may be large in memory, such as a list of empty objects."""


class WrongShapeError(Exception):
    """An answer is JSON, or meant to be, but not of the shape that Codat documents."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value in a JSON document, and how it was reached; its ``repr`` does not show the value."""

    value: Any = field(repr=False)
    name: str | int = ""
    parent: Node | None = field(default=None, repr=False)

    @property
    def path(self) -> str:
        """The way here from the top of the document: ``results[3].created``."""
        if self.parent is None:
            return str(self.name)
        above = self.parent.path
        if isinstance(self.name, int):
            return f"{above}[{self.name}]"
        return f"{above}.{self.name}" if above else self.name

    def wrong(self, expected: str) -> WrongShapeError:
        """The complaint that here stands something else than ``expected``."""
        found = KIND_OF.get(type(self.value), "something else")
        return WrongShapeError(f"{self.path or 'the whole document'}: expected {expected}, found {found}")

    def get(self, name: str) -> Node:
        """The member ``name``; one that is missing reads like one that is null.

        Raises:
            WrongShapeError: this is not an object.
        """
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        return Node(self.value.get(name), name, self)

    def items(self) -> Iterator[Node]:
        """The elements of a list; null is an empty one.

        Raises:
            WrongShapeError: this is not a list.
        """
        if self.value is None:
            return
        if not isinstance(self.value, list):
            raise self.wrong("a list")
        for index, element in enumerate(self.value):
            yield Node(element, index, self)

    def members(self) -> Iterator[Node]:
        """The members of an object that are not null; null is an empty one.

        Raises:
            WrongShapeError: this is not an object.
        """
        if self.value is None:
            return
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        for name, value in self.value.items():
            if value is not None:
                yield Node(value, name, self)

    def text(self) -> str:
        """The text here, which may be empty.

        Raises:
            WrongShapeError: this is not text.
        """
        if not isinstance(self.value, str):
            raise self.wrong("text")
        return self.value

    def identifier(self) -> str:
        """The text here, which must not be empty.

        Raises:
            WrongShapeError: this is not text, or is empty.
        """
        if not self.text():
            raise WrongShapeError(f"{self.path}: expected an id, found empty text")
        return self.text()

    def optional_text(self) -> str | None:
        """The text here, or ``None`` for null.

        Raises:
            WrongShapeError: this is neither.
        """
        return None if self.value is None else self.text()

    def flag(self, default: bool) -> bool:
        """True or false; null is ``default``.

        Raises:
            WrongShapeError: this is something else.
        """
        if self.value is None:
            return default
        if not isinstance(self.value, bool):
            raise self.wrong("true or false")
        return self.value

    def optional_count(self) -> int | None:
        """A whole number from zero, or ``None`` for null.

        Raises:
            WrongShapeError: this is something else.
        """
        if self.value is None:
            return None
        if isinstance(self.value, bool) or not isinstance(self.value, int) or self.value < 0:
            raise self.wrong("a whole number from 0")
        return self.value

    def moment(self) -> datetime:
        """The date and time here, in UTC.

        Codat writes up to seven decimals (the seventh is dropped), an offset, or no zone at all,
        which means UTC (https://docs.codat.io/core-concepts/companies).

        Raises:
            WrongShapeError: this is no such date.
        """
        try:
            moment = datetime.fromisoformat(self.text())
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise self.wrong("a date and time")

    def optional_moment(self) -> datetime | None:
        """The date and time here, or ``None`` for null and for empty text.

        Raises:
            WrongShapeError: this is something else.
        """
        return None if self.value in (None, "") else self.moment()


def read(content: bytes) -> Node:
    """The JSON document in ``content``.

    Raises:
        WrongShapeError: it is empty, cut, no JSON at all, or of more values than Codat has reason to send.
    """
    if sum(map(content.count, (b",", b"{", b"["))) > MOST_VALUES:
        raise WrongShapeError(f"the answer has more than {MOST_VALUES:,} values")
    try:
        return Node(json.loads(content))
    except (ValueError, RecursionError):
        pass
    raise WrongShapeError("the answer is not JSON" if content else "the answer is empty")
