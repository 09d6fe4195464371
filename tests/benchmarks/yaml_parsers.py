"""Whether parsers of YAML written in Rust read a spec as codat-sync's own reader does, and how fast they are.

    .venv/bin/pip install -r tests/benchmarks/yaml_parsers.txt
    .venv/bin/python tests/benchmarks/yaml_parsers.py

Prints a row for each parser that is installed. Texts are the specs and workspaces of the tests' tables, the
corpus of the fuzz tests, scalars that YAML 1.1 and 1.2 read differently, what no spec may hold, and changes
of all these by a fixed seed. What a parser refuses that our reader takes would do no harm: our reader could
read it anew. It is what it takes otherwise that counts: values that differ, and texts that must be refused.
The last column counts what is left of these where a look at the text and at the values, cheap beside the
reading, leaves what may be odd to our reader.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import yaml
from worlds import company

from reconciler.loading.nodes import MAX_DEPTH, MAX_SCALAR, SourceFile
from reconciler.loading.yaml_nodes import read_carefully, read_quickly

TESTS: Final = Path(__file__).parents[1]
FILE: Final = SourceFile(Path("a.yaml"), "a.yaml")
PARSERS: Final = (
    ("fastyaml-rs", "fast_yaml", "safe_load"),
    ("py-yaml12", "yaml12", "parse_yaml"),
    ("rs-turboyaml", "turboyaml", "load"),
    ("rustyyaml", "rustyyaml", "safe_load"),
    ("ryaml", "ryaml", "loads"),
    ("yaml-rs", "yaml_rs", "loads"),
    ("yamlrocks", "yamlrocks", "loads"),
)
"""Name on PyPI, module, and what reads a text."""
SCALARS: Final = (
    *(
        "yes",
        "no",
        "on",
        "off",
        "True",
        "TRUE",
        "~",
        "null",
        "NULL",
        "010",
        "0o17",
        "0x1F",
        "0b11",
        "1_000",
        "00",
    ),
    *(
        "12:30:45",
        "1.5",
        ".5",
        "5.",
        "1e3",
        "1E-3",
        ".inf",
        "-.INF",
        ".nan",
        "+",
        ".",
        "=",
        "+1",
        "-0",
        "0x",
        "1e",
    ),
    *("2026-11-20", "2026-11-20T09:00:00Z", "'12'", '"true"', "1.2.3", "<<"),
)
REFUSED: Final = {
    "the same key twice": "a: 1\na: 2\n",
    "the same key twice, once in quotes": "a: 1\n'a': 2\n",
    "two keys that are equal as numbers": "1: a\n0x1: b\n",
    "a merge key": "a: &x {b: 1}\nc: {<<: *x}\n",
    "a tag": "a: !!int '12'\n",
    "a tag of one's own": "a: !secret x\n",
    "a mapping as a key": "{a: 1}: b\n",
    "65 mappings in one another": "{a: " * 65 + "1" + "}" * 65,
    "1,000 lists in one another": "a: " + "[" * 1000 + "]" * 1000,
    "aliases that multiply": "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
    + "".join(
        f"{each}: &{each} [{','.join(['*' + before] * 10)}]\n"
        for before, each in zip("abcdef", "bcdefg", strict=True)
    ),
    "an alias without an anchor": "a: *b\n",
    "a value of a million characters": f"a: {'x' * 1_000_000}\n",
    "another version of YAML": "%YAML 1.1\n---\na: yes\n",
    "a tab as indentation": "a:\n\tb: 1\n",
}
OTHER, ALONE, LEFT = "another value", "refused by it alone", "left after a check"
CHANGES: Final = 4_000
ODD_TEXT: Final = re.compile(r"[!&*%]|<<|\b0[box0-9]")
"""What a text has that parsers may read otherwise: tags, anchors, merge keys, numbers of YAML 1.1."""
ODD_NUMBER: Final = re.compile(r"[-+]?0[0-9]")
Read = Callable[[str], Any]


def texts() -> Iterator[str]:
    """What is read, without the changes."""
    for name in ("bad_specs.txt", "bad_workspaces.txt"):
        for case in (TESTS / "loading" / name).read_text().split("\n=== ")[1:]:
            yield case.partition("\n")[2].partition(">>> ")[0]
    yield from (path.read_text() for path in sorted((TESTS / "fuzz/corpus").glob("*.yaml")))
    yield from (
        f"{where}{scalar}{rest}"
        for scalar in SCALARS
        for where, rest in (("a: ", "\n"), ("- ", "\n"), ("", ": a\n"))
    )
    yield from REFUSED.values()


def changed(written: list[str]) -> Iterator[str]:
    """Texts with lines and characters left out, doubled or taken from others, always the same ones."""
    rng = random.Random(12)
    small = [text for text in written if len(text) < 4_000]
    for _ in range(CHANGES):
        lines = rng.choice(small).splitlines(keepends=True) or ["\n"]
        place = rng.randrange(len(lines))
        other = rng.choice(rng.choice(small).splitlines(keepends=True) or ["\n"])
        line = lines[place]
        at = rng.randrange(len(line) or 1)
        mark = rng.choice("{}[]:,&*!|>'\"#-? \t\n%@`<=~")
        lines[place] = rng.choice(
            (line + line, line + other, other, "", line[:at] + mark + line[at:], line[:at] + line[at + 1 :])
        )
        yield "".join(lines)


def ours(text: str) -> tuple[Any, str]:
    """The value of a text of one document, or the code of why there is none."""
    documents, found = read_carefully(text, FILE)
    if found:
        return None, str(found[0].code)
    if len(documents) > 1:
        return None, "several-documents"
    return (documents[0].root if documents else None), ""


def same(one_value: Any, other: Any) -> bool:
    """Whether two values are equal, of the same types, down to every key."""
    if isinstance(one_value, dict) and isinstance(other, dict):
        return list(one_value) == list(other) and all(map(same, one_value.values(), other.values()))
    if isinstance(one_value, list) and isinstance(other, list):
        return len(one_value) == len(other) and all(map(same, one_value, other))
    if isinstance(one_value, float) and isinstance(other, float):
        return repr(one_value) == repr(other)
    return type(one_value) is type(other) and one_value == other


def is_odd(value: Any, depth: int = 0) -> bool:
    """Whether a value should be left to our reader: keys that are no texts, what is too deep or too long."""
    match value:
        case dict():
            return depth >= MAX_DEPTH or any(
                type(key) is not str or is_odd(key) or is_odd(inner, depth + 1)
                for key, inner in value.items()
            )
        case list():
            return depth >= MAX_DEPTH or any(is_odd(inner, depth + 1) for inner in value)
        case str():
            return len(value) > MAX_SCALAR or ODD_NUMBER.match(value) is not None
        case _:
            return False


def compared(read: Read, expected: list[tuple[str, Any, str]]) -> Counter[str]:
    """How a parser's answers differ from ours: other values, and what it takes by the code of our refusal."""
    found: Counter[str] = Counter()
    for text, value, code in expected:
        try:
            theirs = read(text)
        except Exception:  # noqa: BLE001 - every parser has errors of its own
            found[ALONE] += not code
            continue
        if not code and same(value, theirs):
            continue
        found[code or OTHER] += 1
        found[LEFT] += not (ODD_TEXT.search(text) or is_odd(theirs))
    return found


def seconds(read: Read, text: str) -> float:
    """The least processor time of three reads."""
    took = []
    for _ in range(3):
        began = time.process_time()
        read(text)
        took.append(time.process_time() - began)
    return min(took)


def main() -> None:
    """Print the table."""
    written = list(texts())
    written += changed(written)
    expected = [(text, *ours(text)) for text in written]
    large = "version: 1\ncompanies:\n" + "".join(map(company, range(1_000)))
    floor = seconds(lambda text: yaml.load(text, yaml.CSafeLoader), large)
    quick = seconds(lambda text: read_quickly(text, FILE), large)
    print(f"{len(written):,} texts; our reader takes {quick / floor:.2f} of PyYAML's C loader\n")
    print("| parser | of the C loader | another value | takes what we refuse | refuses alone | left |")
    print("| --- | ---: | ---: | --- | ---: | ---: |")
    for package, module, name in PARSERS:
        try:
            read: Read = getattr(importlib.import_module(module), name)
        except ImportError:
            continue
        found = compared(read, expected)
        other, alone, left = (found.pop(name, 0) for name in (OTHER, ALONE, LEFT))
        taken = ", ".join(f"`{code}` {count}" for code, count in sorted(found.items()))
        share = seconds(read, large) / floor
        version = importlib.metadata.version(package)
        print(f"| {package} {version} | {share:.2f} | {other} | {taken} | {alone} | {left} |", flush=True)


if __name__ == "__main__":
    main()
