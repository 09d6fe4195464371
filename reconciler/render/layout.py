"""Lines of a terminal: escaped, coloured where colour is wanted, wrapped where there is a width."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import Final

from rich.console import Console
from rich.text import Text

from reconciler.render.escaping import MESSAGE_LIMIT, encodable, for_terminal
from reconciler.render.plain import plain
from reconciler.render.style import Style
from reconciler.render.view import Parts

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


def entry(head: Pieces, body: Pieces, style: Style) -> Iterator[Text]:
    """The same for what there is very much of: where nothing is coloured or wrapped, nothing is measured."""
    if style.color or style.width is not None:
        yield from hanging(Text.assemble(*head), Text.assemble(*body), style)
    else:
        yield Text("".join(text for text, _ in (*head, *body)).rstrip())


def printed(lines: Iterable[Text], style: Style) -> str:
    """The lines as a string that the stream can hold, each with a newline."""
    if not style.color:
        return encodable("".join(f"{line.plain}\n" for line in lines), style.encoding)
    page = StringIO()
    console = Console(
        file=page, force_terminal=True, color_system="standard", no_color=False, width=style.width or 80
    )
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False)
    return encodable(page.getvalue(), style.encoding)
