"""Prism's answers, made from Codat's document, mean something to the client, and its requests to Prism.

What is recorded is played everywhere; where Prism and the document are there, it is asked itself.
``codat_prism.py`` says how to record anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from codat_calls import CALLS
from codat_prism import (
    AS_WRITTEN,
    NAMED,
    TOLD,
    Answer,
    Played,
    find,
    kinds,
    play,
    recorded,
    refusal,
)
from codat_wire import wire

RECORDED: Final = recorded()
ROWS: Final = [
    pytest.param(name, kind, answer, id=f"{name}: {kind}")
    for name, answers in RECORDED.items()
    for kind, answer in answers.items()
]
LISTINGS: Final = "companies|companies by tag|connections|platforms|pulls"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What of a success is refused: where (operation and kind), in what words, and why that is right."""

    where: str
    words: str
    why: str


ACCEPTED: Final = {
    "dates": Accepted(
        where=r".*: dynamic$",
        words=r"expected a date and time, found text",
        why="the document says in words alone that a date is ISO 8601, so any text is made up for one; who "
        "takes it for no date at all syncs, or sends tokens, on a guess",
    ),
    "counts": Accepted(
        where=rf"({LISTINGS}): dynamic$",
        words=r"the listing counts [\d,]+ rows and shows \d+",
        why="a made-up count says that rows are missing, and what is overlooked is created a second time",
    ),
    "links": Accepted(
        where=r"(connections|pulls): static$",
        words=r"the pages of the listing do not end|/string: 404",
        why="the example's next page is itself, or a page that is not there",
    ),
}
REFUSED: Final = {
    400: "RejectedError",
    401: "UnauthorizedError",
    402: "AccountLimitError",
    403: "ForbiddenError",
    404: "NotFoundError",
    429: "QuotaExhaustedError",
    500: "ServerFaultError",
    503: "ServerFaultError",
}
"""What each status becomes."""


def complaint(name: str, kind: str, status: int, refused: str) -> str:
    """What is wrong with how the client took an answer; empty where it is as it should be."""
    if status >= 400:
        expected = REFUSED.get(status, "none that is documented")
        return "" if re.match(rf"({expected}): ", refused) else f"{status} became {refused or 'a success'}"
    return "" if not refused or _reasons(name, kind, refused) else refused


def _reasons(name: str, kind: str, refused: str) -> list[str]:
    return [
        reason
        for reason, accepted in ACCEPTED.items()
        if re.match(accepted.where, f"{name}: {kind}") and re.search(accepted.words, refused)
    ]


@pytest.mark.parametrize(("name", "kind", "answer"), ROWS)
def test_a_recorded_answer_is_understood_or_refused_for_a_reason(
    name: str, kind: str, answer: Answer
) -> None:
    refused = refusal(CALLS[name], wire(answer.response()))
    assert complaint(name, kind, answer.status, refused) == ""


def test_each_reason_to_refuse_is_one_that_comes_up() -> None:
    met = {
        reason
        for name, answers in RECORDED.items()
        for kind, answer in answers.items()
        for reason in _reasons(name, kind, refusal(CALLS[name], wire(answer.response())))
    }
    assert met == set(ACCEPTED)


def test_every_operation_of_the_client_was_answered() -> None:
    assert set(RECORDED) == set(CALLS)
    assert all("static" in answers for answers in RECORDED.values())


@pytest.fixture(scope="module")
def prism() -> str:
    found = find()
    if found is None:
        pytest.skip(f"Prism is not there: npm install @stoplight/prism-cli, and name its command in {NAMED}")
    return found


@pytest.fixture(scope="module")
def played(prism: str, openapi: dict[str, Any]) -> Iterator[list[Played]]:
    """One start of Prism by the document as it is written, and one with what it says in words alone."""
    return list(play(prism, openapi, (AS_WRITTEN, TOLD[0])))


@pytest.mark.slow
def test_prism_finds_nothing_wrong_with_a_request_of_ours(played: list[Played]) -> None:
    wrong = {f"{each.operation}: {each.kind.name}": each.violations for each in played if each.violations}
    assert wrong == {}


@pytest.mark.slow
def test_what_prism_answers_now_is_understood_or_refused_for_a_reason(played: list[Played]) -> None:
    wrong = {
        f"{each.operation}: {each.kind.name}": found
        for each in played
        if (found := complaint(each.operation, each.kind.name, each.answer.status, each.refusal))
    }
    assert wrong == {}
    assert len(played) > len(ROWS), "refusals are recorded once each, and asked of every operation"


@pytest.mark.slow
def test_what_is_recorded_is_what_the_document_has_still(openapi: dict[str, Any]) -> None:
    names = {name: {kind.name for kind in kinds(openapi, call)} for name, call in CALLS.items()}
    gone = {name: set(answers) - names[name] for name, answers in RECORDED.items()}
    assert {name: kinds for name, kinds in gone.items() if kinds} == {}
