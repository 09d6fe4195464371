"""Whatever is in a file, the loader ends soon, with specs or with what is wrong: CI's share of fuzzing."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loader_promises import TOKEN, check

HERE = Path(__file__).parent
WORDS = HERE / "words.dict"
CORPUS = sorted((HERE / "corpus").iterdir())
EXAMPLES = sorted((HERE.parents[1] / "specs").glob("*.yaml"))
bounded = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", settings().max_examples)),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
"""As far as the profile says; ``FUZZ_EXAMPLES=20000`` searches further."""

_, FIELDS, VALUES, _ = (
    re.findall(r'^"(.*)"$', part, re.MULTILINE)
    for part in re.split("^# (?:fields|values|files)", WORDS.read_text(), flags=re.MULTILINE)
)
PIECES = (
    *FIELDS,
    *VALUES,
    *(
        ": ",
        "- ",
        "\n",
        "\n  ",
        "\n    ",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "&a ",
        "*a",
        "<<",
        "!!str ",
        "? ",
        "|\n",
        "# ",
    ),
    *(
        '"',
        "'",
        "\t",
        "\r",
        "\x00",
        "\ufeff",
        "\u2028",
        "\U0001f370",
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "1",
        "null",
    ),
)


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """A workspace to write inputs into."""
    before = Path.cwd()
    yield tmp_path
    os.chdir(before)


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 10), st.sampled_from(VALUES), st.text(max_size=8)
)
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(FIELDS), st.text(max_size=6)), inner, max_size=5),
    ),
    max_leaves=25,
)
connections = st.dictionaries(
    st.sampled_from(["books", "bank", "shop"]),
    st.fixed_dictionaries(
        {"platform": st.sampled_from(["xero", "plaid", "wave", "nothing", ""])},
        optional={
            "authorization": st.dictionaries(
                st.sampled_from(["accessToken", "realmId"]), st.sampled_from([*VALUES, TOKEN]), max_size=2
            ),
            "state": scalars,
            "sync": documents,
            "migration": scalars,
            "issuedAt": scalars,
            "id": scalars,
        },
    ),
    max_size=3,
)
companies = st.dictionaries(
    st.sampled_from(["acme", "bravo", "c-3", "not a key"]),
    st.fixed_dictionaries(
        {"name": scalars},
        optional={"tags": documents, "state": scalars, "renamedFrom": scalars, "connections": connections},
    ),
    max_size=3,
)


@pytest.mark.parametrize("path", [pytest.param(place, id=place.name) for place in CORPUS])
def test_what_the_fuzzers_found_stays_mended(path: Path, directory: Path) -> None:
    check(path.read_bytes(), directory)


@bounded
@given(data=st.binary(max_size=300))
def test_any_bytes_get_an_answer(data: bytes, directory: Path) -> None:
    check(data, directory)


@bounded
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=40))
def test_any_heap_of_yaml_gets_an_answer(pieces: list[str], directory: Path) -> None:
    check("".join(pieces).encode("utf-8", "surrogatepass"), directory)


@bounded
@given(document=documents, workspace=documents)
def test_any_document_gets_an_answer(document: object, workspace: object, directory: Path) -> None:
    text = f"{json.dumps(document)}\n#=== workspace.yaml\n{json.dumps(workspace)}\n"
    check(text.encode("utf-8", "surrogatepass"), directory)


@bounded
@given(wanted=companies)
def test_any_companies_get_an_answer_without_a_secret(wanted: object, directory: Path) -> None:
    check(json.dumps({"version": 1, "companies": wanted}).encode(), directory)


@bounded
@given(
    path=st.sampled_from(EXAMPLES),
    cuts=st.lists(
        st.tuples(st.integers(0, 5000), st.integers(0, 40), st.sampled_from(["", *PIECES])), max_size=4
    ),
)
def test_a_spoiled_example_gets_an_answer(
    path: Path, cuts: list[tuple[int, int, str]], directory: Path
) -> None:
    text = path.read_text(encoding="utf-8")
    for start, length, piece in cuts:
        start %= len(text) + 1
        text = text[:start] + piece + text[start + length :]
    check(text.encode("utf-8", "surrogatepass"), directory)


@bounded
@given(rows=st.lists(st.text(st.sampled_from('ab",;\n\r ${}:#.1'), max_size=20), max_size=6))
def test_any_table_gets_an_answer(rows: list[str], directory: Path) -> None:
    spec = (
        "version: 1\ncompanySets:\n  s:\n    from: table.csv\n    key: ${row:a}\n"
        "    company: {name: '${row:b}', connections: {books: {platform: xero, "
        "authorization: {accessToken: '${table:tokens.csv#${row:a}.b}'}}}}\n"
    )
    check(f"{spec}#=== table.csv\n".encode() + "\n".join(rows).encode(), directory)
