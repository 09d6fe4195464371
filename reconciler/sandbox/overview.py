"""The page for whoever runs the server: what it holds, live, and switches for what goes wrong.

A form is all it needs; its one script fetches the page again and swaps what has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Final
from urllib.parse import parse_qs

from reconciler.sandbox import answering, companies, connections, control, faults, link_pages, store, syncing
from reconciler.sandbox.answers import Answer, Call, Problem
from reconciler.sandbox.store import Session

SHOWN: Final = 50
"""Rows of each table, the newest; a page of ten thousand companies, each second, would help nobody."""
PAGE: Final = "requests"
WRITES: Final = "writes"
"""The parameters of the page: which page of the request log, and whether writes alone are ``only`` in it."""
_DIGITS: Final = 10
EVENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "PendingAuth": ("link",),
    "Linked": ("deauthorize", "revoke", "unlink", "fail-next-sync"),
    "Deauthorized": ("link",),
    "Unlinked": ("link",),
}
"""Which of ``control.EVENTS`` a connection's row offers, by its status."""


def show(session: Session, call: Call) -> Answer:
    """``GET /_sandbox/page``, and ``GET /`` of a browser."""
    connections.notice_refusals(session)
    rows = session.rows("SELECT * FROM company ORDER BY seq DESC LIMIT ?", SHOWN)
    count = session.value("SELECT COUNT(*) FROM company")
    return link_pages.live_page(
        "overview.html",
        now=store.text(session.now),
        count=count,
        companies=[_company(document, call.origin) for document in companies.documents(session, rows)],
        syncs=syncing.latest(session, SHOWN),
        log=_log(session, call),
        faults=faults.listed(session),
        kinds=tuple(faults.KINDS),
        events=EVENTS,
        shown=SHOWN,
    )


def _log(session: Session, call: Call) -> dict[str, Any]:
    """One page of the request log, the newest first; a page past the last one is the last."""
    only_writes = call.query.get(WRITES) == "only"
    count = answering.noted(session, only_writes=only_writes)
    asked = call.query.get(PAGE, "")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < _DIGITS else 1
    page = max(1, min(number, -(-count // SHOWN)))
    skipped = (page - 1) * SHOWN
    return {
        "only_writes": only_writes,
        "count": count,
        "requests": answering.latest(session, SHOWN, skipped, only_writes=only_writes),
        "skipped": skipped,
        "newer": page - 1,
        "older": page + 1 if skipped + SHOWN < count else 0,
    }


def switch(session: Session, call: Call) -> Answer:
    """``POST /_sandbox/page``: one of ``SWITCHES``, from a form.

    Raises:
        Problem: 400, there is no such switch; or what the switch itself refuses.
    """
    try:
        form = parse_qs(call.body.decode("ascii"), max_num_fields=8)
    except ValueError:
        raise Problem(400, "The request body is not a form.") from None
    fields = {name: values[0] for name, values in islice(form.items(), 8)}
    if (act := SWITCHES.get(fields.get("do", ""))) is None:
        raise Problem(400, f"There is no such switch; there are {', '.join(SWITCHES)}")
    act(session, fields)
    return link_pages.see_other("/")


def _add_fault(session: Session, fields: Mapping[str, str]) -> None:
    times = None if fields.get("times") == "ever" else 1
    document: dict[str, Any] = {"kind": fields.get("kind", ""), "times": times}
    if fields.get("when") == "after":
        document["when"] = "after"
    faults.add(session, document)


def _clear_faults(session: Session, _fields: Mapping[str, str]) -> None:
    faults.clear(session)


def _event(session: Session, fields: Mapping[str, str]) -> None:
    control.happen(session, fields.get("connection", ""), fields.get("event", ""), {})


SWITCHES: Final[Mapping[str, Callable[[Session, Mapping[str, str]], None]]] = {
    "fault": _add_fault,
    "clear": _clear_faults,
    "event": _event,
}
"""What the page's forms do."""


def _company(document: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """A company as the page shows it, its links those of the URL that it was asked at."""
    return {
        **document,
        "redirect": document["redirect"].below(origin),
        "dataConnections": [
            {**connection, "linkUrl": connection["linkUrl"].below(origin)}
            for connection in document["dataConnections"]
        ],
    }
