"""Pages of a listing (https://docs.codat.io/using-the-api/paging): which is asked for, how it is shown."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from reconciler.sandbox.answers import Answer, Call, Problem
from reconciler.sandbox.settings import read
from reconciler.sandbox.store import Session
from reconciler.sandbox.tagquery import Condition

DEFAULT_SIZE: Final = 100
LARGEST: Final = 5000
MAX_NUMBER: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Page:
    """The page that is asked for; ``number`` counts from 1."""

    number: int
    size: int

    @property
    def offset(self) -> int:
        """How many results come before it."""
        return (self.number - 1) * self.size


def asked(session: Session, call: Call) -> Page:
    """The page that ``call`` asks for.

    Raises:
        Problem: 400, not a number or out of range.
    """
    size = _number(call, "pageSize", DEFAULT_SIZE, LARGEST)
    cap = read(session)["pageSizeCap"]
    return Page(_number(call, "page", 1, MAX_NUMBER), min(size, cap) if cap else size)


def _number(call: Call, name: str, default: int, most: int) -> int:
    text = call.query.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdigit() and 1 <= int(text[:12]) <= most:
        return int(text)
    raise Problem(400, invalid={name: f"must be a number from 1 to {most}"})


def ordering(call: Call, fields: Mapping[str, str]) -> str:
    """``ORDER BY`` for the ``orderBy`` parameter, such as ``-requested``; rows without one come as created.

    Raises:
        Problem: 400, results cannot be ordered by this field.
    """
    asked_for = call.query.get("orderBy", "").strip()
    if not asked_for:
        return "seq"
    name = asked_for.removeprefix("-")
    if name not in fields:
        raise Problem(400, f"Error parsing query - Could not resolve property {name}")
    direction = "DESC" if asked_for.startswith("-") else "ASC"
    return f"{fields[name]} {direction}, seq {direction}"


def listing(call: Call, page: Page, total: int, results: Sequence[Any]) -> Answer:
    """A page with its links, which are relative."""

    def link(number: int) -> dict[str, str]:
        parameters = {**call.query, "page": str(number), "pageSize": str(page.size)}
        return {"href": f"{call.path}?{urlencode(parameters)}"}

    links = {"self": {"href": call.path}, "current": link(page.number)}
    if page.offset + page.size < total:
        links["next"] = link(page.number + 1)
    if page.number > 1:
        links["previous"] = link(page.number - 1)
    return Answer(
        200,
        {
            "results": list(results),
            "pageNumber": page.number,
            "pageSize": page.size,
            "totalResults": total,
            "_links": links,
        },
    )


def rows(
    session: Session, page: Page, source: Condition, condition: Condition, order: str
) -> tuple[list[sqlite3.Row], int]:
    """The rows on ``page`` of those in ``source`` that meet ``condition``, and how many meet it in all."""
    total = session.value(*_selected("count(*)", source, condition))
    sql, *values = _selected("*", source, condition)
    return session.rows(f"{sql} ORDER BY {order} LIMIT ? OFFSET ?", *values, page.size, page.offset), total


def everything(session: Session, source: Condition, condition: Condition) -> list[sqlite3.Row]:
    """All rows in ``source`` that meet ``condition``, as created."""
    sql, *values = _selected("*", source, condition)
    return session.rows(f"{sql} ORDER BY seq", *values)


def _selected(columns: str, source: Condition, condition: Condition) -> tuple[Any, ...]:
    """A query of fragments that stand in this package; what came from outside is a value."""
    sql = f"SELECT {columns} FROM {source.sql} WHERE {condition.sql}"  # noqa: S608
    return sql, *source.values, *condition.values
