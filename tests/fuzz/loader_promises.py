"""What the loader promises for any input whatever, for hypothesis and for the coverage-guided fuzzer alike.

An input is the text of a spec. A line ``#=== NAME`` begins another file of the workspace, so that one
input can hold ``workspace.yaml`` and a table too.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Final

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.loading import Loaded, SpecCode, SpecError, load
from reconciler.planner import desired_digest

SECONDS: Final = 5.0
"""How long the loader may take for an input of a fuzzer's size, on a busy machine."""
LONGEST: Final = 3000
"""Characters of a diagnostic: it may list the known fields, and name two places."""
TOKEN: Final = "CANARY4711"
"""Stands in inputs where a secret may; no diagnostic may repeat it."""
_FILES: Final = re.compile(rb"^#=== (workspace\.yaml|table\.csv)\n", re.MULTILINE)
_CODES: Final = frozenset(SpecCode)


def check(data: bytes, directory: Path) -> Loaded | tuple[Diagnostic, ...]:
    """Load ``data`` in ``directory``, and hold the answer to the promises."""
    texts = _write(data, directory)
    began = time.perf_counter()
    try:
        answer: Loaded | tuple[Diagnostic, ...] = load(Path("specs"))
    except SpecError as error:
        answer = error.diagnostics
    took = time.perf_counter() - began
    assert took < SECONDS, f"loading took {took:.1f} s"
    if isinstance(answer, Loaded):
        desired_digest(answer.desired)
        shown = answer.warnings
    else:
        assert any(diagnostic.severity is Severity.ERROR for diagnostic in answer), "refused without an error"
        shown = answer
    for diagnostic in shown:
        _check_diagnostic(diagnostic, texts)
    return answer


def _write(data: bytes, directory: Path) -> dict[str, bytes]:
    """The workspace that ``data`` stands for, below ``directory``, which becomes the current one."""
    spec, *others = _FILES.split(data)
    texts = {"specs/spec.yaml": spec, "specs/workspace.yaml": b"version: 1\nworkspace: fuzz\n"}
    for name, text in zip(others[::2], others[1::2], strict=True):
        texts[f"specs/{name.decode()}"] = text
    specs = directory / "specs"
    specs.mkdir(exist_ok=True)
    (directory / ".git").mkdir(exist_ok=True)
    for path in specs.iterdir():
        path.unlink()
    for name, text in texts.items():
        (directory / name).write_bytes(text)
    os.chdir(directory)
    return texts


def _check_diagnostic(diagnostic: Diagnostic, texts: dict[str, bytes]) -> None:
    """A known code, our words on one bounded line, a place that is there, and no secret."""
    assert diagnostic.code in _CODES
    assert diagnostic.summary
    assert len(str(diagnostic)) <= LONGEST, f"{diagnostic.code} has {len(str(diagnostic))} characters"
    assert TOKEN not in str(diagnostic) or TOKEN.encode() not in _secrets(texts), (
        f"{diagnostic.code} shows a secret"
    )
    if diagnostic.span is not None:
        text = texts.get(diagnostic.span.file)
        assert text is not None, f"{diagnostic.span} is in no file"
        lines = text.replace(b"\r\n", b"\n").count(b"\n") + text.count(b"\r") + 1
        lines += len(re.findall("[\u0085\u2028\u2029]", text.decode(errors="replace")))
        assert 1 <= diagnostic.span.line <= lines + 1, f"{diagnostic.span} lies behind the file's end"
        assert diagnostic.span.column >= 1


def _secrets(texts: dict[str, bytes]) -> bytes:
    """The parts of the input in which the token would be a secret: quoted values of an authorization."""
    return b"".join(re.findall(rb'"accessToken": "[^"\n]*"', texts["specs/spec.yaml"]))
