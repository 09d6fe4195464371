"""What a command did as a page for a CI job's summary: the result first, then what failed, then the rest.

GitHub refuses a step's summary of more than 1 MiB, and nobody reads so much: what does not fit is counted.
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#adding-a-job-summary
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.outcome import Outcome
from reconciler.plan import AttentionClass
from reconciler.render.escaping import for_terminal
from reconciler.render.markdown import (
    Block,
    attention_block,
    code,
    fence,
    fit,
    folded,
    how_left_out,
    prose,
    size,
    total,
)
from reconciler.render.outcome_view import FailedView, OutcomeView, ProblemView, UnstartedView, outcome_view
from reconciler.wording import LISTED

LIMIT: Final = 256 * 1024
"""Bytes of a page; several steps of a job may add to what GitHub shows."""
_ELSEWHERE: Final = "The job's log has all of it."


def outcome_markdown(
    outcome: Outcome, notes: Sequence[str] = (), *, verified: str = "", plan: str = "", limit: int = LIMIT
) -> str:
    """What became of an apply, at most ``limit`` bytes.

    Args:
        outcome: what happened.
        notes: what a reader should know and no field says.
        verified: what ``verify`` says at the end, as text.
        plan: the plan as markdown, where nobody has read it before.
        limit: bytes that the page may take.

    """
    view = outcome_view(outcome, notes)
    sign = "" if view.is_complete else "> [!CAUTION]\n> "
    lines = ["### codat-sync apply", f"{sign}**{view.sentence}**", *([view.resume] if view.resume else [])]
    opening = "\n\n".join(lines) + "\n\n"
    room = limit - size(opening) - _FOOT
    texts, left_out = fit(_blocks(view), room)
    page = "".join((opening, *texts, how_left_out(left_out, "to keep the page short", _ELSEWHERE)))
    for title, text in (("What verify says", _verbatim(verified)), ("The plan", plan)):
        page += _aside(title, text, limit - size(page))
    return page


def errors_markdown(command: str, diagnostics: Sequence[Diagnostic], *, limit: int = LIMIT) -> str:
    """Why a command failed, each error with its place and its fix; warnings after the errors."""
    opening = f"### codat-sync {command}\n\n> [!CAUTION]\n> **The command failed.**\n\n"
    blocks = [
        Block(
            rank,
            severity.value,
            tuple(_diagnostic(diagnostic) for diagnostic in diagnostics if diagnostic.severity is severity),
            tail="\n",
            more="- {count} more are not shown\n",
        )
        for rank, severity in enumerate((Severity.ERROR, Severity.WARNING))
    ]
    texts, left_out = fit(blocks, limit - size(opening) - _FOOT)
    return "".join((opening, *texts, how_left_out(left_out, "to keep the page short", _ELSEWHERE)))


_FOOT: Final = 600
"""Bytes kept for the sentence on what is left out."""


def _diagnostic(diagnostic: Diagnostic) -> str:
    place = f"{code(str(diagnostic.span))} " if diagnostic.span else ""
    told = str(Diagnostic(diagnostic.code, diagnostic.summary, diagnostic.fix, path=diagnostic.path))
    return f"- {place}{prose(told)} [{code(diagnostic.code)}]\n"


def _blocks(view: OutcomeView) -> list[Block]:
    more = "- {count} more are not shown\n"
    problems = (*([view.stopped] if view.stopped else []), *view.problems)
    unstarted = sum(group.count for group in view.unstarted)
    attention = {group.attention_class: group for group in view.attention}
    blocks = [
        Block(0, "failure", tuple(map(_problem, problems)), tail="\n", more=more),
        attention_block(1, attention.get(AttentionClass.BLOCKING)),
        Block(2, "note", tuple(f"> Note: {prose(note)}\n\n" for note in view.notes)),
        Block(
            3,
            "reason of what was not started",
            tuple(map(_unstarted, view.unstarted)),
            f"**Not started ({unstarted:,})**\n\n",
            "\n",
            more,
        ),
        attention_block(4, attention.get(AttentionClass.WAITING), is_folded=True),
        attention_block(5, attention.get(AttentionClass.INFO), is_folded=True),
    ]
    return [block for block in blocks if block.entries]


def _problem(problem: ProblemView) -> str:
    coded = f" [{code(problem.code)}]" if problem.code else ""
    where = (
        f"{problem.counted}: "
        if len(problem.failed) > 1
        else "".join(f"{code(each.address)}: " for each in problem.failed)
    )
    told = f": {prose(problem.message)}" if problem.message else ""
    line = f"- {where}**{problem.what}**{coded}{told}"
    if len(problem.failed) > 1:
        line += f"\n  - {_listed(map(_failed, problem.failed[:LISTED]), len(problem.failed))}"
    elif problem.correlation_id:
        line += f" (for Codat's support: correlation id {code(problem.correlation_id)})"
    return f"{line}\n"


def _failed(failure: FailedView) -> str:
    return code(failure.address) + (
        f" (correlation id {code(failure.correlation_id)})" if failure.correlation_id else ""
    )


def _unstarted(group: UnstartedView) -> str:
    why = f": {prose(group.why)}" if group.why else ""
    return f"- {_listed(map(code, group.addresses[:LISTED]), len(group.addresses))}{why}\n"


def _listed(shown: Iterable[str], count: int) -> str:
    rest = count - LISTED
    return ", ".join(shown) + (f" and {rest:,} more" if rest > 0 else "")


def _verbatim(text: str) -> str:
    if not text:
        return ""
    lines = [for_terminal(line, len(line) * 12) for line in text.splitlines()]
    mark = fence(lines)
    return "\n".join((f"{mark}text", *lines, f"{mark}\n"))


def _aside(title: str, text: str, room: int) -> str:
    """A text below a fold; one that does not fit is named, since half a block would swallow what follows."""
    if not text:
        return ""
    head, tail = folded(title)
    whole = f"{head}{text}\n{tail}"
    return whole if total((whole,)) <= room else f"{title}: too long for this page. {_ELSEWHERE}\n\n"
