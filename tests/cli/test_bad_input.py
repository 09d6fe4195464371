"""Every wrong input gets an answer that one can act on, and leaves no trace: the tables in ``bad_input``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bad_input_cases import CANARY, Canned, Case, cases, codes, got, prepare, rewrite, run
from loopback import serving

from reconciler.workflow.catalogue import catalogue

CASES = cases()
STATUSES = {
    entry.code: {each.exit for each in catalogue() if each.code == entry.code} for entry in catalogue()
}


def test_there_are_many_cases_and_each_has_a_name_of_its_own() -> None:
    assert len(CASES) >= 60
    assert len({case.key for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", [pytest.param(other_case, id=other_case.key) for other_case in CASES])
def test_bad_input_gets_exactly_this_answer(
    case: Case, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    prepare(case, tmp_path)
    canned = Canned(case.answers)
    with serving(canned) as url:
        done = run(case, tmp_path, {"CODAT_API_URL": url})
        shown = {str(tmp_path): "{dir}", url: "{url}", url.removeprefix("http://"): "{host}"}
        answer = got(done, canned, shown)
    saved = [path for path in tmp_path.glob("*.json") if path.is_file()]
    written = "".join(path.read_text(errors="replace") for path in saved)
    both = done.stdout + done.stderr
    if request.config.getoption("--update-golden"):
        rewrite(case, answer)
    else:
        assert answer == case.expected
    assert "Traceback" not in both
    assert "bug in codat-sync" not in both
    assert CANARY not in both + written
    for code in codes(done.stdout) + codes(done.stderr):
        assert {done.returncode, None} & STATUSES[code], f"{code} ends with {done.returncode}"


@pytest.mark.parametrize("case", [pytest.param(other_case, id=other_case.key) for other_case in CASES])
def test_what_is_wrong_is_told_with_what_to_do(case: Case) -> None:
    """A refused command says a code, or is click's complaint of the command line."""
    text = "\n".join(line[3:] for line in case.expected if re.match("[12]> ", line))
    assert case.expected[0] == "? 0" or codes(text) or re.search(r"^Error: | failed \[", text, re.MULTILINE)
