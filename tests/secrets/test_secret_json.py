"""Tokens in JSON files: large ones are gone through once, and give what parsing all of them would give."""

import json
import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.secret_refs import SecretFile, SecretRef
from reconciler.secrets import Resolver, SecretCode, SecretError, json_files
from reconciler.secrets.resolver import is_control

CANARY = "canary-2d7e"
COMPANIES = 2_000
TOKEN = "x" * 1_000


def ref(pointer: str) -> SecretRef:
    return SecretRef(SecretFile("tokens.json", pointer))


def resolver(root: Path) -> Resolver:
    return Resolver(root, {})


@pytest.fixture
def root(tmp_path):
    """A large file, its companies two levels below the top."""
    companies = {f"c{n}": {"token": f"{TOKEN}{n}", "other": [CANARY, n]} for n in range(COMPANIES)}
    (tmp_path / "tokens.json").write_text(json.dumps({"about": 1, "all": {"of": companies}}))
    return tmp_path


@pytest.fixture
def read(monkeypatch):
    """How many bytes were read in each part of a file."""
    parts = []
    real = json_files._text
    monkeypatch.setattr(
        json_files, "_text", lambda file, part: parts.append(part[1] - part[0]) or real(file, part)
    )
    return parts


def test_a_large_file_is_gone_through_once_however_many_references_point_into_it(root, read):
    refs = [ref(f"/all/of/c{n}/token") for n in range(COMPANIES)]
    resolve, size = resolver(root), (root / "tokens.json").stat().st_size
    assert resolve.check((each, "acme/books t") for each in refs) == ()
    assert [resolve(ref).reveal() for ref in refs] == [f"{TOKEN}{n}" for n in range(COMPANIES)]
    levels = ["the file", "the top", "all", "of"]
    assert sum(read) < size * (len(levels) + 2)


def test_a_large_file_that_is_no_json_is_gone_through_once(root, read):
    text = (root / "tokens.json").read_text()
    (root / "tokens.json").write_text(text[:-1])
    found = resolver(root).check((ref(f"/all/of/c{n}/token"), "acme/books t") for n in range(100))
    assert [diagnostic.summary.partition("}: ")[2] for diagnostic in found] == [
        "the file tokens.json is not JSON"
    ] * 100
    assert len(read) == 1


def test_memory_holds_places_and_no_tokens(root):
    resolve = resolver(root)
    tracemalloc.start()
    try:
        assert (
            resolve.check((ref(f"/all/of/c{n}/token"), "acme/books t") for n in range(0, COMPANIES, 100))
            == ()
        )
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held / COMPANIES < 400


def test_a_token_is_read_anew_at_each_use(root):
    resolve = resolver(root)
    assert resolve(ref("/all/of/c7/token")).reveal() == f"{TOKEN}7"
    text = (root / "tokens.json").read_text()
    (root / "tokens.json").write_text(text.replace(f"{TOKEN}7", "rotated"))
    assert resolve(ref("/all/of/c7/token")).reveal() == "rotated"


@pytest.mark.parametrize("size", [10, json_files.SMALL])
def test_a_file_that_changes_while_it_is_read_gives_no_token(root, monkeypatch, size):
    (root / "tokens.json").write_text(json.dumps({"a": CANARY, "b": "x" * size}))
    real = json_files._Index.at

    def meanwhile(*arguments):
        found = real(*arguments)
        (root / "tokens.json").write_text("{}")
        return found

    monkeypatch.setattr(json_files._Index, "at", meanwhile)
    with pytest.raises(SecretError, match=r"the file tokens\.json changed while it was read"):
        resolver(root)(ref("/a"))


@pytest.mark.parametrize(
    ("pointer", "code", "problem"),
    [
        ("/all/of/none/token", SecretCode.MISSING, "the JSON pointer leads nowhere"),
        ("/all/of/c1/token/x", SecretCode.MISSING, "the JSON pointer leads nowhere"),
        ("/about/x", SecretCode.MISSING, "the JSON pointer leads nowhere"),
        ("/all/of", SecretCode.NOT_TEXT, "leads to something that is not text"),
        ("/all/of/c1/other/1", SecretCode.NOT_TEXT, "leads to something that is not text"),
    ],
)
def test_what_is_not_in_a_large_file_is_told(root, pointer, code, problem):
    with pytest.raises(SecretError) as caught:
        resolver(root)(ref(pointer))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == code
    assert problem in diagnostic.summary
    assert CANARY not in str(diagnostic)


def test_a_file_beyond_all_measure_is_refused(root, monkeypatch):
    monkeypatch.setattr(json_files, "MAX_BYTES", 1_000)
    with pytest.raises(SecretError, match="is too large"):
        resolver(root)(ref("/about"))


# --- the index gives what parsing gives --------------------------------------------------------

KEYS = st.sampled_from(["a", "", "~", "/", "0", "é", "a\n", "\U0001f600", '"'])
DOCUMENTS = st.recursive(
    st.text(st.characters(codec="utf-8"), max_size=5) | st.none() | st.integers() | st.booleans(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(KEYS, children, max_size=4),
    max_leaves=12,
)


def texts_of(document, pointer=""):
    if isinstance(document, str) and document.strip() and not any(map(is_control, document)):
        yield pointer, document
    named = enumerate(document) if isinstance(document, list) else ()
    for name, child in document.items() if isinstance(document, dict) else named:
        yield from texts_of(child, f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}")


@given(document=DOCUMENTS, indent=st.none() | st.integers(0, 2), is_ascii=st.booleans(), mark=st.booleans())
@example(document={"é": [{"": "é"}, [], {}, "ü"]}, indent=1, is_ascii=False, mark=True)
def test_a_large_file_gives_at_every_pointer_what_parsing_it_gives(document, indent, is_ascii, mark):
    text = json.dumps(document, indent=indent, ensure_ascii=is_ascii)
    data = ("\ufeff" * mark + text).encode()
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_files, "SMALL", 0)
        (Path(directory) / "tokens.json").write_bytes(data)
        resolve = resolver(Path(directory))
        for pointer, value in texts_of(document):
            assert resolve(ref(pointer)).reveal() == value


def test_of_a_name_that_stands_twice_the_last_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(json_files, "SMALL", 0)
    (tmp_path / "tokens.json").write_text('{"a": "first", "b": "x", "a": "last"}')
    assert resolver(tmp_path)(ref("/a")).reveal() == "last"
