"""Codat's query language, as far as the tags parameter speaks it."""

from __future__ import annotations

import sqlite3
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox_api import Api

from reconciler.sandbox.answers import Problem
from reconciler.sandbox.paging import LONGEST, by_tag, parse

TAGGED = {
    "uk-x": {"region": "uk", "team": "x"},
    "uk-y": {"region": "uk", "team": "y z"},
    "us-x": {"region": "us", "team": "x"},
    "odd": {"region": 'a "quoted" && = value', "uid": "cust_1"},
    "none": {},
}
QUERIES = {
    "region=uk": ["uk-x", "uk-y"],
    "region = uk": ["uk-x", "uk-y"],
    " region=uk ": ["uk-x", "uk-y"],
    "region!=uk": ["us-x", "odd", "none"],
    "region = uk && team != x": ["uk-y"],
    "region=uk&&team=x": ["uk-x"],
    "region~u": ["uk-x", "uk-y", "us-x", "odd"],
    "uid=cust_1": ["odd"],
    "team=y z": ["uk-y"],
    'team="y z"': ["uk-y"],
    "team='y z' && region=uk": ["uk-y"],
    "team=y z && region=uk": ["uk-y"],
    "region='a \"quoted\" && = value'": ["odd"],
    r'region="a \"quoted\" && = value"': ["odd"],
    'team=""': [],
    "region=UK": [],
    "missing=x": [],
    "": ["uk-x", "uk-y", "us-x", "odd", "none"],
}
MALFORMED = [
    "region",
    "region=",
    "=uk",
    "region uk",
    "region==uk",
    "region=uk &&",
    "&& region=uk",
    "region=uk & team=x",
    'region="uk',
    "region='uk",
    'region="uk" x',
    "'='=x=y",
    "a '=' b",
    "region=" + "x" * LONGEST,
]


BEYOND_TAGS = {
    "region=us || team=x": ["uk-x", "us-x"],
    "region=us || region=uk && team=x": ["uk-x", "us-x"],
    "{region=us || region=uk} && team=x": ["uk-x", "us-x"],
    "{region=us || region=uk} && {team!=x}": ["uk-y"],
    "{{region=us}}": ["us-x"],
}
"""What Codat's language says elsewhere, and its document does not name for tags."""
UNBALANCED = ["region=uk && || team=x", "{region=uk", "region=uk}", "{}", "{" * 60 + "a=b" + "}" * 60]


@pytest.fixture
def tagged(api: Api) -> Api:
    for name, tags in TAGGED.items():
        api.company(name=name, tags=tags)
    return api


@pytest.mark.parametrize(("query", "expected"), QUERIES.items(), ids=QUERIES)
def test_a_query_selects_by_tags(tagged: Api, query: str, expected: list[str]) -> None:
    assert tagged.names(tags=query) == expected


@pytest.mark.parametrize("query", MALFORMED, ids=lambda query: query[:30])
def test_a_malformed_query_is_refused(api: Api, query: str) -> None:
    answer = api("GET", "/companies", tags=query)
    assert answer.status_code == 400
    assert answer.json()["error"] == "Error parsing query - Malformed query."


@pytest.mark.parametrize("query", [*BEYOND_TAGS, *UNBALANCED], ids=lambda query: query[:30])
def test_tags_are_joined_with_and_alone(api: Api, query: str) -> None:
    answer = api("GET", "/companies", tags=query)
    assert answer.status_code == 400
    assert "joined with &&" in answer.json()["error"]


@pytest.mark.parametrize(("query", "expected"), BEYOND_TAGS.items(), ids=BEYOND_TAGS)
def test_the_whole_language_is_a_condition(query: str, expected: list[str]) -> None:
    database = sqlite3.connect(":memory:")
    database.executescript("CREATE TABLE company (id); CREATE TABLE tag (company, key, value)")
    for name, tags in TAGGED.items():
        database.execute("INSERT INTO company VALUES (?)", (name,))
        database.executemany("INSERT INTO tag VALUES (?, ?, ?)", [(name, *tag) for tag in tags.items()])
    condition = parse(query, by_tag)
    rows = database.execute(f"SELECT id FROM company WHERE {condition.sql}", condition.values)
    assert [name for (name,) in rows] == expected


@pytest.mark.parametrize("query", UNBALANCED, ids=lambda query: query[:30])
def test_what_is_not_balanced_is_malformed(query: str) -> None:
    with pytest.raises(Problem, match="400"):
        parse(query, by_tag)


@given(
    st.lists(
        st.sampled_from(["&&", "||", "!=", "=", "~", "{", "}", "a", " ", '"', "'", "\\", "&", "|", "é"])
    ).map("".join)
)
def test_a_query_is_a_condition_or_refused_and_nothing_else(query: str) -> None:
    with suppress(Problem):
        condition = parse(query, by_tag)
        assert condition.sql.count("?") == len(condition.values)


@given(st.text(min_size=1).filter(lambda value: "\0" not in value))
def test_any_value_can_be_quoted(value: str) -> None:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    if len(escaped) < 2000:
        assert parse(f'key = "{escaped}"', by_tag).values == ("key", value)
