"""Plans, outcomes, diagnostics and platforms for people: one line for one thing, greppable without colour."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.migration import migrations
from reconciler.model import Platform
from reconciler.outcome import Outcome
from reconciler.plan import AttentionClass, ShownPlan
from reconciler.render.escaping import MESSAGE_LIMIT, for_terminal, quoted
from reconciler.render.layout import (
    INDENT,
    Fold,
    Pieces,
    Style,
    assembled,
    entry,
    folded_actions,
    folded_attention,
    folded_diagnostics,
    hanging,
    message,
    plain,
    printed,
)
from reconciler.render.outcome_view import OutcomeView, ProblemView, UnstartedView, outcome_view
from reconciler.render.plan_view import plan_view, verb
from reconciler.render.view import ActionView, AttentionGroup, Group, PlanView
from reconciler.wording import LISTED, clauses, listed

_WIDEST_ADDRESS: Final = 36
"""Cells kept for the column of addresses; a longer address moves only its own line."""

_LOOKS: Final[Mapping[Group | AttentionClass | Severity, str]] = {
    Group.CREATE: "green",
    Group.ADD: "green",
    Group.ADOPT: "yellow",
    Group.CHANGE: "yellow",
    Group.AUTHORIZE: "cyan",
    Group.SYNC: "blue",
    Group.REMOVE: "bold red",
    AttentionClass.BLOCKING: "bold red",
    AttentionClass.WAITING: "yellow",
    AttentionClass.INFO: "dim",
    Severity.ERROR: "red",
    Severity.WARNING: "yellow",
}

_UNFOLD: Final = " (-v shows all)"

Lines = Iterator[Text | str]


# --- plans -------------------------------------------------------------------------------------


def plan_text(
    plan: ShownPlan,
    style: Style,
    *,
    requests_per_minute: int | None = None,
    notes: Sequence[str] = (),
    refusals: Sequence[str] = (),
    is_asked: bool = False,
) -> str:
    """A plan: what it takes away, its actions, its attention, and one counted sentence.

    Args:
        plan: what is shown of it.
        style: colour, verbosity, width.
        requests_per_minute: the rate at which apply may ask Codat; without it no time is told.
        notes: what a reader should know and no field says.
        refusals: the guards that the plan exceeds, each with the flag that permits it.
        is_asked: whether a question follows, which a large plan must not push out of sight.

    """
    view = plan_view(plan, requests_per_minute=requests_per_minute, notes=notes, refusals=refusals)
    refused = (
        line
        for refusal in view.refusals
        for line in hanging(Text("Refused: ", "bold red"), message(refusal), style)
    )
    sentence = hanging(Text(), Text(view.sentence, "bold"), style)
    if style.quiet:
        return printed(chain(sentence, refused), style)
    column = _column((action.address for action in view.actions), style)
    brief = is_asked and style.folds
    sections: list[Iterable[Text | str]] = [
        _opening(view, style),
        _actions(view.caused, column, style, brief=brief),
    ]
    sections += [_attention(group, style) for group in view.attention_caused]
    sections += [_pending(view.pending, column, style, brief=brief)]
    sections += [_attention(group, style, already=True) for group in view.attention_pending]
    totals = (
        line for part in (view.origins, view.estimate) if part for line in hanging(Text(), Text(part), style)
    )
    sections += [_notes(view.notes, style), chain(sentence, totals), refused]
    return printed(_spaced(sections), style)


def _opening(view: PlanView, style: Style) -> Lines:
    yield from hanging(Text("Workspace ", "dim"), assembled(view.workspace, "dim"), style)
    if view.warning:
        yield from hanging(Text("Warning: ", "bold red"), Text(view.warning, "bold red"), style)


def _actions(actions: Sequence[ActionView], column: int, style: Style, *, brief: bool) -> Lines:
    for fold in folded_actions(actions) if brief else [Fold(actions)]:
        for action in fold.shown:
            yield from _action(action, column, style)
        if fold.counted:
            like = fold.counted[0]
            more = f"{like.group.sign} ... {len(fold.counted):,} more: {verb(like.kind)}{_UNFOLD}"
            yield from hanging(Text(), Text(more, "dim"), style)


def _pending(actions: Sequence[ActionView], column: int, style: Style, *, brief: bool) -> Lines:
    if actions:
        yield Text(f"Due already ({len(actions):,})", "bold")
    yield from _actions(actions, column, style, brief=brief)


def _action(action: ActionView, column: int, style: Style) -> Lines:
    look = _LOOKS[action.group]
    body = [(plain(action.what, whole_lists=style.verbose > 0), look)]
    if action.reason:
        body.append((for_terminal(f" ({action.reason})", MESSAGE_LIMIT), "dim"))
    yield from entry(_pieces(action.group.sign, action.address, column, look), body, style)
    for change in action.changes:
        name = (f"{' ' * INDENT}{for_terminal(change.path)}: ", "")
        values = (
            (quoted(change.before), "red" if change.before else ""),
            (" -> ", ""),
            (quoted(change.after), "green" if change.after else ""),
        )
        yield from entry((name,), values, style)
    for label, value in action.more if style.verbose else ():
        yield from entry(
            ((f"{' ' * INDENT}{for_terminal(label)}: ", "dim"),), ((plain((value,)), "dim"),), style
        )


def _attention(group: AttentionGroup, style: Style, *, already: bool = False) -> Lines:
    look = _LOOKS[group.attention_class]
    column = _column((attention.address for attention in group.items), style)
    yield from hanging(Text(), Text(f"{_title(group, already=already)} ({len(group.items):,})", look), style)
    for fold in folded_attention(group.items) if style.folds else [Fold(group.items)]:
        for attention in fold.shown:
            body = (
                (f"{for_terminal(attention.code)}: ", look),
                (for_terminal(attention.message, MESSAGE_LIMIT), ""),
            )
            yield from entry(_pieces("!", attention.address, column, look), body, style)
        if fold.counted:
            names = listed([for_terminal(attention.address) for attention in fold.counted])
            more = f"! ... {len(fold.counted):,} more: {for_terminal(fold.counted[0].code)}{_UNFOLD}: {names}"
            yield from hanging(Text(), Text(more, "dim"), style)


def _title(group: AttentionGroup, *, already: bool) -> str:
    return f"Already before this change: {group.meaning}" if already else group.meaning


def _notes(notes: Iterable[str], style: Style) -> Lines:
    for note in notes:
        yield from hanging(Text("Note: ", "bold"), message(note), style)


# --- outcomes ----------------------------------------------------------------------------------


def outcome_text(outcome: Outcome, style: Style, *, notes: Sequence[str] = ()) -> str:
    """What happened: each failure with what to do, what was not started, what is left, true counts."""
    view = outcome_view(outcome, notes)
    sentence = hanging(Text(), Text(view.sentence, "bold" if view.is_complete else "bold red"), style)
    if style.quiet:
        return printed(chain(_problems(view, style), _stopped(view, style), sentence), style)
    sections: list[Iterable[Text | str]] = [_problems(view, style), _unstarted(view.unstarted, style)]
    sections += [_attention(group, style) for group in view.attention if _is_left(group, style)]
    resume = hanging(Text(), Text(view.resume), style) if view.resume else ()
    sections += [_notes(view.notes, style), _stopped(view, style), chain(resume, sentence)]
    return printed(_spaced(sections), style)


def _is_left(group: AttentionGroup, style: Style) -> bool:
    """Whether to show attention again after the plan did: what informs only is not repeated."""
    return style.verbose > 0 or group.attention_class is not AttentionClass.INFO


def _problems(view: OutcomeView, style: Style) -> Lines:
    places = [_place(problem) for problem in view.problems]
    column = _column(places, style)
    for problem, place in zip(view.problems, places, strict=True):
        yield from hanging(_head("x", place, column, "bold red"), _problem(problem), style)
        yield from _correlation(problem, style) if len(problem.failed) == 1 else _failed(problem, style)


def _place(problem: ProblemView) -> str:
    return problem.failed[0].address if len(problem.failed) == 1 else problem.counted


def _failed(problem: ProblemView, style: Style) -> Lines:
    """Every address of a reason: the run is over, and nothing else will name them."""
    for_support = 0 if style.quiet else len(problem.failed) if style.verbose else LISTED
    names = (
        for_terminal(failed.address)
        + (f" ({for_terminal(failed.correlation_id)})" if failed.correlation_id and at < for_support else "")
        for at, failed in enumerate(problem.failed)
    )
    yield from hanging(Text(" " * INDENT), Text(", ".join(names)), style)
    if problem.correlation_id and for_support:
        yield from hanging(
            Text(" " * INDENT), Text("(in brackets: correlation ids, for Codat's support)", "dim"), style
        )
    elif problem.correlation_id:
        yield from _correlation(problem, style)


def _stopped(view: OutcomeView, style: Style) -> Lines:
    if view.stopped:
        yield from hanging(Text("x ", "bold red"), _problem(view.stopped), style)
        yield from _correlation(view.stopped, style)


def _problem(problem: ProblemView) -> Text:
    code = f" [{for_terminal(problem.code)}]" if problem.code else ""
    colon = ": " if problem.message else ""
    return Text.assemble((f"{problem.what}{code}{colon}", "bold red"), message(problem.message))


def _correlation(problem: ProblemView, style: Style) -> Lines:
    if problem.correlation_id:
        tell = Text(f"for Codat's support: correlation id {for_terminal(problem.correlation_id)}")
        yield from hanging(Text(" " * INDENT), tell, style)


def _unstarted(groups: Sequence[UnstartedView], style: Style) -> Lines:
    if groups:
        yield Text(f"Not started ({sum(group.count for group in groups):,})", "yellow")
    for group in groups:
        addresses = listed([for_terminal(each) for each in group.addresses], None if style.verbose else 12)
        why = message(f": {group.why}" if group.why else "", "dim")
        yield from hanging(Text("  "), Text.assemble(addresses, why), style)


# --- diagnostics -------------------------------------------------------------------------------


def diagnostics_text(diagnostics: Sequence[Diagnostic], style: Style) -> str:
    """What is wrong, one line each, and how many there are where there is more than one."""
    return printed(chain(_diagnostics(diagnostics, style), _severities(diagnostics)), style)


def _diagnostics(diagnostics: Sequence[Diagnostic], style: Style) -> Lines:
    shown, left_out = folded_diagnostics(diagnostics) if style.folds else (diagnostics, {})
    yield from _shown(shown, style)
    for code, count in left_out.items():
        more = f"... {count:,} more warnings of this kind [{for_terminal(code)}]{_UNFOLD}"
        yield Text(more, "dim")


def _shown(diagnostics: Iterable[Diagnostic], style: Style) -> Lines:
    for diagnostic in diagnostics:
        warns = diagnostic.severity is Severity.WARNING
        suffix = " (warning)" if warns else ""
        suffix += f" [{diagnostic.code}]" if style.verbose else ""
        yield Text.assemble(
            message(str(diagnostic), _LOOKS[diagnostic.severity]), (for_terminal(suffix), "dim")
        )
        if style.verbose and diagnostic.detail:
            yield from hanging(Text(" " * INDENT), message(diagnostic.detail, "dim"), style)


def _severities(diagnostics: Sequence[Diagnostic]) -> Lines:
    if len(diagnostics) > 1:
        errors = sum(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
        warnings = len(diagnostics) - errors
        counts = (
            (errors, "error" if errors == 1 else "errors"),
            (warnings, "warning" if warnings == 1 else "warnings"),
        )
        yield Text(clauses(counts), "bold")


# --- platforms ---------------------------------------------------------------------------------


def platforms_text(platforms: Iterable[Platform], style: Style) -> str:
    """A table of platforms: the name as specs write it, key, type, whether it is enabled, how it migrates."""
    title = ("NAME", "KEY", "TYPE", "ENABLED", "MIGRATION", "CODAT'S NAME")
    rows = [
        (
            platform.slug,
            platform.key,
            platform.source_type.value,
            "yes" if platform.enabled else "no",
            ", ".join(migrations(platform.key)) or "ask Codat",
            platform.name,
        )
        for platform in platforms
    ]
    shown = [tuple(map(for_terminal, row)) for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(title, *shown, strict=True)]
    lines = [Text(_aligned(title, widths), "bold")]
    lines += [
        Text(_aligned(row, widths), "" if cells[3] == "yes" else "dim")
        for row, cells in zip(shown, rows, strict=True)
    ]
    return printed(lines if not style.quiet else lines[1:], style)


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell + " " * (width - cell_len(cell)) for cell, width in zip(cells, widths, strict=True)]
    return "  ".join(padded).rstrip()


# --- layout of lines ---------------------------------------------------------------------------


def _column(addresses: Iterable[str], style: Style) -> int:
    widest = max((cell_len(for_terminal(address)) for address in addresses), default=0)
    return min(widest, _WIDEST_ADDRESS if style.width is None else style.width // 3)


def _head(sign: str, address: str, column: int, look: str) -> Text:
    return Text.assemble(*_pieces(sign, address, column, look))


def _pieces(sign: str, address: str, column: int, look: str) -> Pieces:
    shown = for_terminal(address)
    return (f"{sign} ", look), (shown, "bold"), (" " * max(column - cell_len(shown), 0) + "  ", "")


def _spaced(sections: Iterable[Iterable[Text | str]]) -> Lines:
    """The lines of the sections that have any, an empty line between two sections."""
    first = True
    for section in sections:
        for position, line in enumerate(section):
            if position == 0 and not first:
                yield Text()
            first = False
            yield line


def names_text(names: Iterable[str], style: Style) -> str:
    """Names of files or the like, a line each."""
    return printed((Text(for_terminal(name)) for name in names), style)
