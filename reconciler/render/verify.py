"""A verification for people and for programs: what did not pass, what to do, and one counted sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Final

from rich.text import Text

from reconciler.migration import Verdict, Verification, Verified
from reconciler.render.documents import written
from reconciler.render.escaping import for_terminal
from reconciler.render.layout import hanging, message, printed
from reconciler.render.style import Style
from reconciler.render.wording import clauses, counted

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
        Text(), Text(_sentence(verification), "bold" if verification.is_passed else "bold red"), style
    )
    if style.quiet:
        return printed(sentence, style)
    unread = _unread(verification, style)
    shown = [one for one in _LOOKS if style.verbose or one is not Verdict.PASSED]
    return printed(chain(*(_section(one, verification, style) for one in shown), unread, sentence), style)


def _section(verdict: Verdict, verification: Verification, style: Style) -> Iterator[Text]:
    found = [one for one in verification.connections if one.verdict is verdict]
    if not found:
        return
    yield Text(f"{_TITLES[verdict]} ({len(found):,})", _LOOKS[verdict][1])
    for one in found:
        yield from _connection(one, style)
    yield Text()


def _unread(verification: Verification, style: Style) -> Iterator[Text]:
    if (finding := verification.unread) is None:
        return
    yield Text("The last look was not finished", "bold red")
    fix = f"; {finding.fix}" if finding.fix else ""
    yield from hanging(Text("x ", "bold red"), message(finding.message + fix), style)
    yield Text()


def _connection(one: Verified, style: Style) -> Iterator[Text]:
    for finding in one.complaints:
        sign, look = _LOOKS[finding.verdict]
        head = Text.assemble((f"{sign} ", look), (for_terminal(str(one.address)), "bold"), "  ")
        fix = f"; {finding.fix}" if finding.fix else ""
        yield from hanging(
            head, Text.assemble((f"{finding.check}: ", look), message(finding.message + fix)), style
        )
    if not one.complaints:
        sign, look = _LOOKS[Verdict.PASSED]
        checks = ", ".join(finding.check for finding in one.findings)
        head = Text.assemble((f"{sign} ", look), (for_terminal(str(one.address)), "bold"), "  ")
        yield from hanging(head, Text(checks, "dim"), style)


def _sentence(verification: Verification) -> str:
    if not verification.connections:
        return (
            _NOTHING_READ
            if verification.unread
            else "Nothing to verify: the specs ask for no linked connection."
        )
    counts = verification.counts
    how = clauses((counts[one], words) for one, words in _COUNTS.items())
    unfinished = " The last look was not finished." if verification.unread else ""
    return f"Verified {counted(len(verification.connections), 'connection')}: {how}.{unfinished}"
