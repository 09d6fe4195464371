"""YAML as version 1.2 reads it, with the place of everything."""

import json
from contextlib import suppress
from pathlib import Path
from textwrap import indent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.diagnostics import Span
from reconciler.loading import SpecError, load, yaml_nodes
from reconciler.loading.nodes import Map, Seq, SourceFile, plain
from reconciler.loading.yaml_nodes import read, read_carefully

CORPUS = Path(__file__).parents[1] / "fuzz/corpus"
FILE = SourceFile(Path("a.yaml"), "a.yaml")


def value(text: str):
    (document,), found = read(text, FILE)
    assert found == ()
    return document.root


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True),
        ("false", False),
        ("yes", "yes"),
        ("on", "on"),
        ("no", "no"),
        ("off", "off"),
        ("null", None),
        ("~", None),
        ("2026-11-20", "2026-11-20"),
        ("2026-11-20T09:00:00Z", "2026-11-20T09:00:00Z"),
        ("12", 12),
        ("-3", -3),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        (".inf", float("inf")),
        ("1.2.3", "1.2.3"),
        ("+", "+"),
        (".", "."),
        ("=", "="),
        ("'12'", "12"),
        ('"true"', "true"),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ("'<<'", "<<"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_a_scalar_means_what_yaml_1_2_says(text, expected):
    found = value(f"a: {text}\n")["a"]
    assert (type(found), found) == (type(expected), expected)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1))
def test_no_scalar_fails(text):
    plain(text)


def test_every_key_and_value_knows_its_place():
    root = value("a: 1\nb:\n  - x\n  - {c: 'ü', d: 2}\n")
    inner = root["b"][1]
    assert isinstance(inner, Map)
    assert (root.key_places["b"], root.value_places["a"]) == ((2, 1), (1, 4))
    assert root["b"].places == [(3, 5), (4, 5)]
    assert (inner.key_places["d"], inner.value_places["d"]) == ((4, 14), (4, 17))


def test_what_follows_wider_characters_is_counted_in_characters():
    assert value('{"é😀": 1, b: 2}').key_places["b"] == (1, 11)


def test_keys_are_text_as_written():
    assert list(value("007: a\ntrue: b\nnull: c\n'': d\n")) == ["007", "true", "null", ""]


def test_documents_are_told_apart():
    documents, found = read("a: 1\n---\n# nothing\n---\nb: *x\n", FILE)
    assert documents == ()
    assert [diagnostic.span for diagnostic in found] == [Span("a.yaml", 5, 4)]
    documents, _ = read("a: &x 1\n---\n# nothing\n---\nb: 2\n", FILE)
    assert [document.root for document in documents] == [{"a": 1}, None, {"b": 2}]


printable = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=9)
json_like = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | printable,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(printable, inner, max_size=3),
    max_leaves=12,
)


@given(json_like)
def test_json_is_yaml_and_means_the_same(document):
    assert value(json.dumps(document, ensure_ascii=False)) == document


@given(st.text(alphabet="ab:-[]{}&*!|>'\"%@`#,? \n\t<~1", max_size=60))
def test_no_text_ends_in_anything_but_documents_or_diagnostics(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text)
    with suppress(SpecError):
        load(path, sandbox=True)


CANARY = "c4n4ryT0ken"
INLINE = ["V", "'V'", "{t: V}", "{t:V}", "{V}", "[V]", "*V", "&V {t: x}", "!V {t: x}", "|V", "{t: V", "@V"]
BLOCK = [
    "V",
    "V:",
    "- V",
    "? [V]",
    "t: V",
    "t: V: x",
    "t:\tV",
    "t: 'V",
    't: "\\qV"',
    "t: V\nt: V",
    "t: {a: V}",
    "t: !V x",
    "t: &V x",
    "t: *V",
    "t: |V",
    "t: @V",
    "t: ${V",
    "t: ${V}",
    "t: ${V:x}",
    "t: ${env:X}V",
    "t: ${env:V-}",
    "t: ${file:x#V}",
    "V: {}\nV: {}",
]


@pytest.mark.parametrize("slip", [*INLINE, *(indent("\n" + block, " " * 10) for block in BLOCK)])
def test_no_slip_makes_a_message_repeat_a_token(project, slip):
    project.connection("platform: xero\nauthorization: " + slip.replace("V", CANARY))
    with pytest.raises(SpecError) as caught:
        project.load()
    chain: BaseException | None = caught.value
    while chain is not None:
        assert CANARY not in repr(chain) + str(chain) + repr(vars(chain))
        chain = chain.__context__


def placed(value):
    """A value with its types, and every place in it."""
    if isinstance(value, Map):
        inner = {key: placed(inside) for key, inside in value.items()}
        return list(inner), inner, value.key_places, value.value_places
    if isinstance(value, Seq):
        return [placed(inside) for inside in value], value.places
    return type(value), repr(value)


def alike(text: str) -> bool:
    """Whether the quick way says nothing, or just what the careful way says."""
    quickly = yaml_nodes.read_quickly(text, FILE)
    documents, found = read_carefully(text, FILE)
    return quickly is None or (
        found == ()
        and [(document.place, placed(document.root)) for document in quickly]
        == [(document.place, placed(document.root)) for document in documents]
    )


ODD = ["a: &x 1", "a: !t 1", "a: *x", "a: 1\na: 2", "<<: {}", "? [a]", "a: {b: [}", "[" * 65 + "]" * 65]
PLAIN = [
    "'<<': 1",
    "[" * 64 + "]" * 64,
    "",
    "---\n--- 1\n...\n---\n{}",
    "- - a\n  -\n- {a: {b: ~}}",
    "1",
    "a:\n b: \n",
]


@pytest.mark.parametrize("text", [*ODD, "a: " + "x" * 70_000])
def test_what_is_odd_in_a_file_is_read_carefully(text):
    assert yaml_nodes.read_quickly(text, FILE) is None


@pytest.mark.parametrize("text", [*PLAIN, *(path.read_text() for path in sorted(CORPUS.glob("*.yaml")))])
def test_a_plain_file_means_the_same_both_ways(text):
    assert alike(text)


@given(st.text(alphabet="ab:-[]{}&*!|>'\"%@`#,? \n\t<~1", max_size=60))
def test_any_text_means_the_same_both_ways(text):
    assert alike(text)
