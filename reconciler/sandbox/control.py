"""What only a test may do, under ``/_sandbox``: what customers, platforms, time and networks do to Codat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from reconciler.sandbox import (
    answering,
    answers,
    companies,
    connections,
    faults,
    link_pages,
    settings,
    source_accounts,
    store,
    syncing,
    webhooks,
)
from reconciler.sandbox.answers import Answer, Call, Problem
from reconciler.sandbox.settings import is_jump
from reconciler.sandbox.store import Session

PREFIX: Final = "/_sandbox"
Fields = Mapping[str, Any]


# --- what happens to a connection ------------------------------------------------------------------


def _deauthorize(session: Session, connection_id: str, _fields: Fields) -> None:
    link_pages.withdraw(session, connection_id)


def _revoke(session: Session, connection_id: str, _fields: Fields) -> None:
    connections.revoke(session, connection_id)


def _link(session: Session, connection_id: str, _fields: Fields) -> None:
    link_pages.grant(session, connection_id)


def _import(session: Session, connection_id: str, _fields: Fields) -> None:
    connections.link(session, answers.connection_by_id(session, connection_id))


def _unlink(session: Session, connection_id: str, _fields: Fields) -> None:
    connections.unlink(session, connection_id)


def _online(session: Session, connection_id: str, _fields: Fields) -> None:
    syncing.come_online(session, connection_id)


def _fail_next_sync(session: Session, connection_id: str, fields: Fields) -> None:
    syncing.fail_next(session, connection_id, fields.get("status", "FetchError"))


EVENTS: Final[Mapping[str, Callable[[Session, str, Fields], None]]] = {
    # The customer withdraws access, and Codat notices at once.
    "deauthorize": _deauthorize,
    # The platform withdraws access, and Codat notices when the next sync ends.
    "revoke": _revoke,
    # The customer goes through the link URL.
    "link": _link,
    # Codat's team imports the token of a managed migration, which fetches nothing.
    "import": _import,
    "unlink": _unlink,
    # An on-premise connector comes online.
    "online": _online,
    # The next sync ends with ``status``.
    "fail-next-sync": _fail_next_sync,
}
"""What can happen to a connection."""


def happen(session: Session, connection_id: str, event: str, fields: Fields) -> None:
    """Let an event of ``EVENTS`` happen to a connection.

    Raises:
        Problem: there is no such connection or event, or it cannot happen.
    """
    row = answers.connection_by_id(session, connection_id)
    if event not in EVENTS:
        raise Problem(404, f"There is no event {event}; there are {', '.join(EVENTS)}")
    EVENTS[event](session, row["id"], fields)


def wipe_tags(session: Session, company_id: str) -> None:
    """Take all tags off a company.

    Raises:
        Problem: 404, there is no such company.
    """
    companies.replace_tags(session, answers.company_by_id(session, company_id)["id"], {})


def state(session: Session) -> dict[str, Any]:
    """Everything, without tokens and link URLs; what listings do not show yet too."""
    connections.notice_refusals(session)
    counts = connections.authorization_counts(session)
    shown = companies.everyone(session)
    for company in shown:
        del company["redirect"]
        company["dataConnections"] = [
            {name: value for name, value in connection.items() if name != "linkUrl"}
            | counts[connection["id"]]
            for connection in company["dataConnections"]
        ]
    return {
        "now": store.text(session.now),
        "settings": settings.read(session).document(),
        "companies": shown,
        "pulls": syncing.everything(session),
        "sourceAccounts": source_accounts.everything(session),
        "webhooks": webhooks.everything(session),
    }


# --- routes --------------------------------------------------------------------------------------


def event_route(session: Session, call: Call) -> Answer:
    """``POST /_sandbox/connections/{connectionId}/{event}``."""
    fields = call.fields() if call.body else {}
    happen(session, call.path_ids["connectionId"], call.path_ids["event"], fields)
    return Answer(204)


def wipe_tags_route(session: Session, call: Call) -> Answer:
    """``POST /_sandbox/companies/{companyId}/wipe-tags``: as someone's PUT would."""
    wipe_tags(session, call.path_ids["companyId"])
    return Answer(204)


def state_route(session: Session, _call: Call) -> Answer:
    """``GET /_sandbox/state``."""
    return Answer(200, state(session))


def reset_route(session: Session, _call: Call) -> Answer:
    """``POST /_sandbox/reset``: nothing is left but the clock."""
    session.forget()
    return Answer(204)


def journal_route(session: Session, _call: Call) -> Answer:
    """``GET /_sandbox/journal``."""
    return Answer(200, answering.entries(session))


def clock_route(session: Session, _call: Call) -> Answer:
    """``GET /_sandbox/clock``."""
    return Answer(200, {"now": store.text(session.now)})


def advance_route(session: Session, call: Call) -> Answer:
    """``POST /_sandbox/clock`` ``{"advance": seconds}``."""
    seconds = call.fields().get("advance")
    if not is_jump(seconds) or not store.is_bearable(session.now + store.span(seconds)):
        raise Problem(400, invalid={"advance": "must be seconds, at most ten years, that end before 9000"})
    session.advance(seconds)
    return Answer(204)


def settings_route(session: Session, _call: Call) -> Answer:
    """``GET /_sandbox/settings``."""
    return Answer(200, settings.read(session).document())


def change_settings_route(session: Session, call: Call) -> Answer:
    """``POST /_sandbox/settings``: those that the body names."""
    settings.change(session, call.fields())
    return Answer(204)


def faults_route(session: Session, _call: Call) -> Answer:
    """``GET /_sandbox/faults``."""
    return Answer(200, faults.listed(session))


def add_faults_route(session: Session, call: Call) -> Answer:
    """``POST /_sandbox/faults``: one fault or a list of them."""
    document = call.json()
    for script in document if isinstance(document, list) else [document]:
        faults.add(session, script)
    return Answer(204)


def clear_faults_route(session: Session, _call: Call) -> Answer:
    """``DELETE /_sandbox/faults``."""
    faults.clear(session)
    return Answer(204)
