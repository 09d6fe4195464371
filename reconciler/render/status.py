"""Where a migration stands, and whether it holds, on one screen each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from itertools import chain, groupby
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reconciler.migration import (
    Batch,
    ConnectionStatus,
    LinkState,
    StatusReport,
    Verdict,
    Verification,
    Verified,
)
from reconciler.render.documents import written
from reconciler.render.escaping import encodable, for_terminal
from reconciler.render.layout import Style, hanging, message, printed
from reconciler.wording import LISTED, clauses, counted, listed

_HEADS: Final[Mapping[LinkState, tuple[str, str]]] = {
    LinkState.LINKED: ("linked", "green"),
    LinkState.SYNCING: ("syncing", "cyan"),
    LinkState.WAITING_FOR_APPLY: ("waiting for apply", "yellow"),
    LinkState.WAITING_FOR_CUSTOMER: ("waiting for the customer", "yellow"),
    LinkState.WAITING_FOR_CODAT: ("waiting for Codat's team", "yellow"),
    LinkState.BLOCKED: ("blocked", "bold red"),
    LinkState.FAILED: ("failed", "bold red"),
    LinkState.GONE: ("gone", "bold red"),
}
"""What a state is called, and its look."""

_WIDEST: Final = 200
"""Cells that a table gets where nothing says how wide the page is."""


def status_json(report: StatusReport) -> str:
    """A status report's document."""
    return written(report.document())


def status_text(report: StatusReport, style: Style) -> str:
    """Counts for each platform, then the connections that are not linked yet, then one sentence."""
    sentence = hanging(Text(), Text(_sentence(report), "bold"), style)
    if style.quiet or not report.connections:
        return printed(sentence, style)
    lines = [*_sections(report, style), *sentence]
    tables = [_table("platform", list(report.platforms.items()), report, style)]
    if report.cut:
        tables.append(_table("batch", _rows(report.batches), report, style))
    return "\n".join((*tables, printed(lines, style)))


_Row = tuple[str, Mapping[LinkState, int]]


def _rows(batches: Sequence[Batch]) -> list[_Row]:
    """A row for each batch; neighbours that are all linked, or all to be applied yet, share one."""
    rows: list[_Row] = []
    for _, group in groupby(batches, key=lambda batch: _only(batch) or batch.name):
        same = list(group)
        number, final = (batch.name.removeprefix("batch ") for batch in (same[0], same[-1]))
        name = same[0].name if len(same) == 1 else f"batches {number} to {final}"
        first, last = same[0].companies[0], same[-1].companies[-1]
        keys = first if first == last else f"{first} to {last}"
        counts = {state: sum(batch.counts[state] for batch in same) for state in LinkState}
        rows.append((f"{name}: {keys}", counts))
    return rows


_FOLDED: Final = (LinkState.LINKED, LinkState.WAITING_FOR_APPLY)


def _only(batch: Batch) -> LinkState | None:
    """The one state of all connections of a batch, where that says that it is done, or not begun."""
    states = [state for state, count in batch.counts.items() if count]
    is_folded = len(states) == 1 and states[0] in _FOLDED and batch.name != "canary"
    return states[0] if is_folded else None


def _table(title: str, rows: Sequence[_Row], report: StatusReport, style: Style) -> str:
    """The counts; a state in which no connection is has no column."""
    states = [state for state in LinkState if report.counts[state]]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_footer=len(rows) > 1)
    table.add_column(title, footer="all")
    for state in states:
        table.add_column(_HEADS[state][0], justify="right", footer=f"{report.counts[state]:,}")
    for name, counts in rows:
        cells = [Text(f"{counts[state]:,}" if counts[state] else "·", _HEADS[state][1]) for state in states]
        table.add_row(Text(for_terminal(name)), *cells)
    page = StringIO()
    console = Console(
        file=page,
        force_terminal=style.color,
        color_system="standard" if style.color else None,
        width=style.width or _WIDEST,
    )
    console.print(table)
    text = "\n".join(line.rstrip() for line in page.getvalue().splitlines() if line.strip())
    return encodable(text + "\n", style.encoding)


def _sections(report: StatusReport, style: Style) -> Iterator[Text]:
    for state, (head, look) in _HEADS.items():
        found = [connection for connection in report.connections if connection.state is state]
        if not found or (state is LinkState.LINKED and not style.verbose):
            continue
        yield Text(f"{head[0].upper()}{head[1:]} ({len(found):,})", look)
        yield from _connections(found, look, style)
        yield Text()


def _connections(found: Sequence[ConnectionStatus], look: str, style: Style) -> Iterator[Text]:
    """A line for each reason, with the connections that share it; a connection without one stands alone."""
    by_reason: defaultdict[str, list[str]] = defaultdict(list)
    for connection in found:
        by_reason[connection.why].append(for_terminal(str(connection.address)))
    for why, addresses in by_reason.items():
        names = Text(listed(addresses, None if style.verbose else LISTED), look)
        yield from hanging(Text("  "), Text.assemble(names, "  ", message(why)), style)


def _sentence(report: StatusReport) -> str:
    if not report.connections:
        return "The specs ask for no linked connection."
    counts = report.counts
    how = clauses((counts[state], head) for state, (head, _) in _HEADS.items())
    return f"{counted(len(report.connections), 'connection')}: {how}."


_LOOKS: Final[Mapping[Verdict, tuple[str, str]]] = {
    Verdict.FAILED: ("x", "bold red"),
    Verdict.PENDING: ("?", "yellow"),
    Verdict.OFFLINE: ("-", "dim"),
    Verdict.PASSED: ("=", "green"),
}
"""The sign and the look of a line."""

_TITLES: Final[Mapping[Verdict, str]] = {
    Verdict.FAILED: "Failed: these do not come by themselves",
    Verdict.PENDING: "Not there yet",
    Verdict.OFFLINE: "Waiting for a connector on the customer's machine",
    Verdict.PASSED: "Passed",
}

_COUNTS: Final[Mapping[Verdict, str]] = {
    Verdict.PASSED: "passed",
    Verdict.FAILED: "failed",
    Verdict.PENDING: "not there yet",
    Verdict.OFFLINE: "waiting for the customer's connector",
}

_NOTHING_READ: Final = "Nothing could be verified."


def verification_json(verification: Verification) -> str:
    """A verification's document."""
    return written(verification.document())


def verification_text(verification: Verification, style: Style) -> str:
    """Each connection that did not pass with every complaint; those that passed with ``-v``."""
    sentence = hanging(
        Text(), Text(_summary(verification), "bold" if verification.is_passed else "bold red"), style
    )
    if style.quiet:
        return printed(sentence, style)
    unread = _unread(verification, style)
    shown = [verdict for verdict in _LOOKS if style.verbose or verdict is not Verdict.PASSED]
    return printed(
        chain(*(_section(verdict, verification, style) for verdict in shown), unread, sentence), style
    )


def _section(verdict: Verdict, verification: Verification, style: Style) -> Iterator[Text]:
    found = [connection for connection in verification.connections if connection.verdict is verdict]
    if not found:
        return
    yield Text(f"{_TITLES[verdict]} ({len(found):,})", _LOOKS[verdict][1])
    for verified in found:
        yield from _connection(verified, style)
    yield Text()


def _unread(verification: Verification, style: Style) -> Iterator[Text]:
    if (finding := verification.unread) is None:
        return
    yield Text("The last look was not finished", "bold red")
    fix = f"; {finding.fix}" if finding.fix else ""
    yield from hanging(Text("x ", "bold red"), message(finding.message + fix), style)
    yield Text()


def _connection(verified: Verified, style: Style) -> Iterator[Text]:
    for finding in verified.complaints:
        sign, look = _LOOKS[finding.verdict]
        head = Text.assemble((f"{sign} ", look), (for_terminal(str(verified.address)), "bold"), "  ")
        fix = f"; {finding.fix}" if finding.fix else ""
        yield from hanging(
            head, Text.assemble((f"{finding.check}: ", look), message(finding.message + fix)), style
        )
    if not verified.complaints:
        sign, look = _LOOKS[Verdict.PASSED]
        checks = ", ".join(finding.check for finding in verified.findings)
        head = Text.assemble((f"{sign} ", look), (for_terminal(str(verified.address)), "bold"), "  ")
        yield from hanging(head, Text(checks, "dim"), style)


def _summary(verification: Verification) -> str:
    if not verification.connections:
        return (
            _NOTHING_READ
            if verification.unread
            else "Nothing to verify: the specs ask for no linked connection."
        )
    counts = verification.counts
    how = clauses((counts[verdict], words) for verdict, words in _COUNTS.items())
    unfinished = " The last look was not finished." if verification.unread else ""
    return f"Verified {counted(len(verification.connections), 'connection')}: {how}.{unfinished}"
