"""Codat's query language (https://docs.codat.io/using-the-api/querying), as a condition in SQL.

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
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.sandbox.answers import Problem

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
