"""Listings: their query language, what an index shows yet, and their pages.

::

    any        = all ("||" all)*
    all        = one ("&&" one)*
    one        = "{" any "}" | comparison
    comparison = word ("=" | "!=" | "~") word

A word is quoted (``"`` or ``'``, with backslash escapes) or runs to the next operator; white space around it
does not count. ``&&`` binds tighter than ``||``.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from reconciler.sandbox import store
from reconciler.sandbox.answers import Answer, Call, Problem
from reconciler.sandbox.settings import read
from reconciler.sandbox.store import Session

LONGEST: Final = 2048
"""Characters in a query (https://docs.codat.io/using-the-api/querying)."""
DEEPEST: Final = 50

_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<operator>&&|\|\||!=|=|~|\{|\})
      | "(?P<double>(?:[^"\\]|\\.)*)"
      | '(?P<single>(?:[^'\\]|\\.)*)'
      | (?P<word>(?:(?!&&|\|\||!=)[^=~{}"'\s])(?:(?!&&|\|\||!=)[^=~{}])*)
    )\s*""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition in SQL and the values of its placeholders."""

    sql: str = "1"
    values: tuple[str | int, ...] = ()

    def __and__(self, other: Condition) -> Condition:
        return Condition(f"({self.sql} AND {other.sql})", self.values + other.values)

    def __or__(self, other: Condition) -> Condition:
        return Condition(f"({self.sql} OR {other.sql})", self.values + other.values)


EVERYTHING: Final = Condition()
Compare = Callable[[str, str, str], Condition]
"""What a comparison of field, operator and value means."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word, or where ``is_operator`` an operator or a brace."""

    text: str
    is_operator: bool = False


END: Final = Token("", is_operator=True)


def parse(query: str, compare: Compare, *, only_and: bool = False) -> Condition:
    """The condition that ``query`` writes; an empty query is true of everything.

    ``only_and`` refuses ``||`` and braces, which Codat's document does not name for companies.

    Raises:
        Problem: 400, the query is malformed or ``compare`` refuses a field.
    """
    if len(query) >= LONGEST:
        raise malformed()
    tokens = _tokens(query)
    if only_and and any(token.is_operator and token.text in ("||", "{", "}") for token in tokens):
        raise malformed("Tags are compared with =, != and ~, and joined with &&.")
    return _Parser(tokens, compare).whole() if tokens else EVERYTHING


def malformed(why: str = "Malformed query.") -> Problem:
    """The refusal of a query."""
    return Problem(400, f"Error parsing query - {why}")


def _tokens(query: str) -> list[Token]:
    found, position, end = [], 0, len(query.rstrip())
    while position < end:
        match = _TOKEN.match(query, position)
        if match is None:
            raise malformed()
        found.append(_token(match))
        position = match.end()
    return found


def _token(match: re.Match[str]) -> Token:
    if match["operator"]:
        return Token(match["operator"], is_operator=True)
    if match["word"] is not None:
        return Token(match["word"].rstrip())
    quoted = match["double"] if match["double"] is not None else match["single"]
    return Token(re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL))


class _Parser:
    """Recursive descent over tokens."""

    def __init__(self, tokens: list[Token], compare: Compare) -> None:
        self._tokens = [*tokens, END]
        self._position = 0
        self._depth = 0
        self._compare = compare

    def whole(self) -> Condition:
        """The condition that all tokens write."""
        condition = self._any()
        if self._next() is not END:
            raise malformed()
        return condition

    def _any(self) -> Condition:
        condition = self._all()
        while self._takes("||"):
            condition |= self._all()
        return condition

    def _all(self) -> Condition:
        condition = self._one()
        while self._takes("&&"):
            condition &= self._one()
        return condition

    def _one(self) -> Condition:
        if not self._takes("{"):
            return self._comparison()
        self._depth += 1
        if self._depth > DEEPEST:
            raise malformed()
        condition = self._any()
        if not self._takes("}"):
            raise malformed()
        self._depth -= 1
        return condition

    def _comparison(self) -> Condition:
        field, operator, value = self._next(), self._next(), self._next()
        if field.is_operator or operator.text not in ("=", "!=", "~") or value.is_operator:
            raise malformed()
        if not operator.is_operator:
            raise malformed()
        return self._compare(field.text, operator.text, value.text)

    def _takes(self, operator: str) -> bool:
        token = self._tokens[self._position]
        if token.is_operator and token.text == operator:
            self._position += 1
            return True
        return False

    def _next(self) -> Token:
        token = self._tokens[self._position]
        self._position = min(self._position + 1, len(self._tokens) - 1)
        return token


def by_tag(key: str, operator: str, value: str) -> Condition:
    """A comparison of a company's tag; a company without the tag differs from every value."""
    return Condition(_BY_TAG[operator], (key, value))


_BY_TAG: Final = {
    "=": "id IN (SELECT company FROM tag WHERE key = ? AND value = ?)",
    "!=": "id NOT IN (SELECT company FROM tag WHERE key = ? AND value = ?)",
    "~": "id IN (SELECT company FROM tag WHERE key = ? AND instr(value, ?) > 0)",
}


def by_field(fields: Mapping[str, str], kind: str) -> Compare:
    """A comparison of one of ``fields``, each with its expression in SQL; refusals speak of ``kind``."""

    def compare(name: str, operator: str, value: str) -> Condition:
        expression = fields.get(name)
        if expression is None:
            raise malformed(f"Could not resolve property {name} on {kind}")
        if operator == "~":
            return Condition(f"instr(coalesce({expression}, ''), ?) > 0", (value,))
        return Condition(f"coalesce({expression}, '') {operator} ?", (value,))

    return compare


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


REQUESTS = "requests"
"""The counter of requests that have come in."""


def of_new(session: Session) -> tuple[int, int]:
    """The moment and the request from which on listings show what is created now."""
    settings = read(session)
    return (
        session.now + store.span(settings["lagSeconds"]),
        _requests(session) + settings["lagRequests"] + 1,
    )


def listed(session: Session) -> Condition:
    """What listings show now."""
    return Condition("visible_at <= ? AND visible_from <= ?", (session.now, _requests(session)))


def _requests(session: Session) -> int:
    return session.counted(REQUESTS, 0)
