"""Parts of a view as lines of a terminal: escaped, coloured where wanted, wrapped where there is a width."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Final, Generic, TypeVar

from rich.console import Console
from rich.text import Text

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.render.escaping import MESSAGE_LIMIT, encodable, for_terminal, quoted
from reconciler.render.outcome_view import by_reason
from reconciler.render.view import ActionView, AttentionView, Group, Names, Part, Parts, Value
from reconciler.wording import listed


@dataclass(frozen=True, slots=True)
class Style:
    """The looks of a text. The default is what a pipe gets: plain, and one line for one thing.

    ``width`` is the terminal's, in cells; ``None`` means that nothing is wrapped. ``folds`` where long lists
    are cut for the eye, which scrolls; what a pipe gets is whole. ``encoding`` is the
    stream's: what it cannot hold is shown as an escape, so that printing never fails.
    """

    color: bool = False
    verbose: int = 0
    quiet: bool = False
    width: int | None = None
    encoding: str = "utf-8"
    folds: bool = False


def plain(parts: Parts, *, whole_lists: bool = False) -> str:
    """Our words and the values of others, each made visible; long lists are cut unless asked for."""
    return "".join(_shown(part, whole_lists) for part in parts)


def _shown(part: Part, whole_lists: bool) -> str:
    match part:
        case str():
            return part
        case Value(text, quotes):
            return quoted(text) if quotes else for_terminal(text)
        case Names(texts):
            names = [for_terminal(text) for text in texts]
            return listed(names, None) if whole_lists else listed(names)


T = TypeVar("T")

FIRST: Final = 3
"""Lines of a kind that stand for it."""
LARGE: Final = 50
"""Actions that a reader is shown one by one before a question; a larger plan is folded."""
LONG: Final = 6
"""Matters or warnings of one code that are shown one by one on a terminal."""


@dataclass(frozen=True, slots=True)
class Fold(Generic[T]):
    """Things of one kind: those that are shown, and those that are counted."""

    shown: Sequence[T]
    counted: Sequence[T] = ()


def folded_actions(actions: Sequence[ActionView]) -> list[Fold[ActionView]]:
    """Actions by what they do. What takes something away is never folded, nor is a plan of few lines."""
    if len(actions) <= LARGE:
        return [Fold(actions)]
    return _folds(
        actions, lambda action: (action.kind, action.group), lambda action: action.group is Group.REMOVE
    )


def folded_attention(items: Sequence[AttentionView]) -> list[Fold[AttentionView]]:
    """Attention by its code, each in the plan's order: what one says, the others say too."""
    return _folds(items, lambda item: item.code, lambda _: False, whole=LONG, first=1)


def folded_diagnostics(diagnostics: Sequence[Diagnostic]) -> tuple[list[Diagnostic], dict[str, int]]:
    """Diagnostics in their order, without the many warnings of a code; and how many of each are left out.

    An error is never left out, since each must be put right.
    """
    warnings = Counter(
        diagnostic.code for diagnostic in diagnostics if diagnostic.severity is Severity.WARNING
    )
    seen: Counter[str] = Counter()
    shown = []
    for diagnostic in diagnostics:
        seen[diagnostic.code] += diagnostic.severity is Severity.WARNING
        if (
            diagnostic.severity is Severity.ERROR
            or warnings[diagnostic.code] <= LONG
            or seen[diagnostic.code] <= FIRST
        ):
            shown.append(diagnostic)
    return shown, {code: total - FIRST for code, total in warnings.items() if total > LONG}


def _folds(
    things: Iterable[T],
    kind: Callable[[T], Hashable],
    is_kept: Callable[[T], bool],
    *,
    whole: int = FIRST + 1,
    first: int = FIRST,
) -> list[Fold[T]]:
    groups = by_reason(things, kind)
    return [
        Fold(group) if len(group) <= whole or is_kept(group[0]) else Fold(group[:first], group[first:])
        for group in groups
    ]


Pieces = Sequence[tuple[str, str]]
"""Texts of a line that are escaped already, each with its look."""
NARROWEST: Final = 20
"""Cells that a wrapped text gets, however narrow the terminal is."""
INDENT: Final = 4

_MEASURE: Final = Console(file=StringIO(), width=NARROWEST, color_system=None)
"""rich wants a console to wrap a text; nothing is printed on this one."""


def message(text: str, look: str = "") -> Text:
    """A sentence that others may have written."""
    return Text(for_terminal(text, MESSAGE_LIMIT), look)


def assembled(parts: Parts, look: str = "", *, whole_lists: bool = False) -> Text:
    """Our words and the values of others, each escaped."""
    return Text(plain(parts, whole_lists=whole_lists), look)


def hanging(head: Text, body: Text, style: Style) -> Iterator[Text]:
    """``head`` and ``body`` in one line; where that is too wide, ``body`` wraps beside ``head`` or below."""
    whole = Text.assemble(head, body)
    whole.rstrip()
    if style.width is None or whole.cell_len <= style.width:
        yield whole
        return
    beside = head.cell_len <= style.width // 2
    indent = head.cell_len if beside else INDENT
    wrapped = body.wrap(_MEASURE, max(style.width - indent, NARROWEST))
    for position, line in enumerate(wrapped):
        line.rstrip()
        first = position == 0 and beside
        if position == 0 and not beside:
            head.rstrip()
            yield head
        yield Text.assemble(head if first else " " * indent, line)


def entry(head: Pieces, body: Pieces, style: Style) -> Iterator[Text | str]:
    """The same for what there is very much of: where nothing is coloured or wrapped, nothing is measured."""
    if style.color or style.width is not None:
        yield from hanging(Text.assemble(*head), Text.assemble(*body), style)
    else:
        yield "".join(text for text, _ in (*head, *body)).rstrip()


def printed(lines: Iterable[Text | str], style: Style) -> str:
    """The lines as a string that the stream can hold, each with a newline."""
    if not style.color:
        plain_lines = (line if isinstance(line, str) else line.plain for line in lines)
        return encodable("".join(f"{line}\n" for line in plain_lines), style.encoding)
    page = StringIO()
    console = Console(
        file=page, force_terminal=True, color_system="standard", no_color=False, width=style.width or 80
    )
    for line in lines:
        console.print(Text(line) if isinstance(line, str) else line, soft_wrap=True, highlight=False)
    return encodable(page.getvalue(), style.encoding)
