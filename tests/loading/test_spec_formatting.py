"""fmt: one style for specs, in which no value and no comment is other than it was."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.loading import SpecCode, yaml_nodes
from reconciler.loading.formatting import format_text, formatted
from reconciler.loading.nodes import SourceFile

EXAMPLES = sorted((Path(__file__).parents[2] / "specs").glob("*.yaml"))

CASES = [
    pytest.param("a:   1\n", "a: 1\n", id="spaces-after-a-colon"),
    pytest.param("a:\n    b:\n        c: 1\n", "a:\n  b:\n    c: 1\n", id="deep-indents"),
    pytest.param("a:\n- b\n-   c\n", "a:\n  - b\n  - c\n", id="lists"),
    pytest.param("a: [1,2,  {x:  y}]\n", "a: [1, 2, {x: y}]\n", id="brackets"),
    pytest.param("a: 1   \n\n\n", "a: 1\n", id="white-space-at-ends"),
    pytest.param("a: 1", "a: 1\n", id="no-line-end"),
    pytest.param("a: 1\r\nb: 2\r\n", "a: 1\nb: 2\n", id="crlf"),
    pytest.param("# only\n#   comments\n\n", "# only\n#   comments\n", id="comments-alone"),
    pytest.param("", "", id="empty"),
    pytest.param("a: 1\n---\nb:  2\n", "a: 1\n---\nb: 2\n", id="documents-without-a-first-mark"),
    pytest.param("---\na: 1\n---\nb: 2\n", "---\na: 1\n---\nb: 2\n", id="two-documents"),
]
AS_THEY_ARE = [
    "a: 1e3\n",
    "a: 0o17\n",
    "a: 0x1F\n",
    "a: 010\n",
    "a: ~\n",
    "a:\n",
    "a: no\n",
    "a: 2026-11-20\n",
    "a: .inf\n",
    "a: 1_000\n",
    "a: 'it''s'\n",
    'a: "tab\\t"\n',
    "a: {b: 1, c: [x, y]}   # kept, and where it stands\n",
    "# above\na: 1\n\n\n# between\nb: 2\n",
    "a: |\n  text  # no comment\n   more\n",
    "a: " + "long words " * 30 + "end\n",
    "a: ${env:A}\nb: '$${x}'\n",
    "a: &x [1]\nb: *x\n",
    'a: "turned \\u202E round \\u200B \\u3000"\n"k\\u200B": "\\U000E0041"\n',
    "a: as it is written \u3000 here\n",
]
"""Texts that say something in a way that must not be said in another."""
KEPT_AS_A_WHOLE = [
    pytest.param("a: 1\n...\n# after the end\n", id="comment-after-the-end"),
    pytest.param("a: |\n  text   \n", id="white-space-in-a-block"),
]


def meaning(text: str) -> list[object]:
    documents, broken = yaml_nodes.read(text, SourceFile(Path(), ""))
    assert not broken
    return [document.root for document in documents]


@pytest.mark.parametrize(("before", "after"), CASES)
def test_a_text_in_our_style(before: str, after: str) -> None:
    assert format_text(before) == after


@pytest.mark.parametrize("text", AS_THEY_ARE)
def test_what_says_something_stays_to_the_letter(text: str) -> None:
    assert format_text(text) == text


@pytest.mark.parametrize("text", KEPT_AS_A_WHOLE)
def test_what_cannot_be_formatted_without_loss_is_left(text: str) -> None:
    assert format_text(text) is None


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_our_own_examples_are_in_our_style(path: Path) -> None:
    text = path.read_text()
    assert format_text(text) == text


_texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | _texts
    | st.sampled_from(["1e3", "no", "~", "- a", "a: b", "#"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(_texts, _values, min_size=1, max_size=4), st.booleans(), st.integers(2, 9))
def test_formatting_keeps_every_value_and_stands_still(
    document: dict[str, object], flow: bool, indent: int
) -> None:
    text = yaml.safe_dump(document, allow_unicode=True, default_flow_style=flow, indent=indent)
    if yaml_nodes.read(text, SourceFile(Path(), ""))[1]:
        return  # a merge key, or a character that a spec may not hold: refused before it is formatted

    after = format_text(text)

    if after is not None:
        assert meaning(after) == meaning(text)
        assert format_text(after) == after


def test_what_is_left_is_a_warning_with_a_code_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "end.yaml").write_text("a: 1\n...\n# the end\n")
    _, warnings = formatted(tmp_path)
    assert [warning.code for warning in warnings] == [SpecCode.NOT_FORMATTED]
