"""The pages behind link URLs, and what customers decide there.

Who opens one is told by the password in its URL alone, so it takes no API key. A wrong password gets the same
page whether or not there is something behind it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlencode

from reconciler.sandbox import answers, connections, syncing
from reconciler.sandbox.answers import Answer, Call, Problem
from reconciler.sandbox.integrations import integration_of
from reconciler.sandbox.settings import read
from reconciler.sandbox.store import Session

if TYPE_CHECKING:
    from jinja2 import Environment


def grant(session: Session, connection_id: str) -> None:
    """The customer goes through the link URL; the first time, Codat begins to fetch at once.

    Raises:
        Problem: 404, there is no such connection; 400, it cannot be linked, and nothing was changed.
    """
    row = answers.connection_by_id(session, connection_id)
    connections.link(session, row)
    if row["status"] == "PendingAuth":
        syncing.fetch_first(session, row["id"])


def withdraw(session: Session, connection_id: str) -> None:
    """The customer withdraws access, and Codat notices at once."""
    connections.deauthorize(session, connection_id, "The customer withdrew access.")


HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""What keeps a password in a URL from caches and from other sites."""


def page(template: str, status: int = 200, /, **values: Any) -> Answer:
    """The page that ``template`` makes of ``values``."""
    text = _environment().get_template(template).render(values)
    return Answer(status, page=text, headers={**HEADERS, "Content-Security-Policy": _policy()})


def live_page(template: str, /, **values: Any) -> Answer:
    """A page that refreshes itself by ``overview.js``."""
    text = _environment().get_template(template).render(values)
    return Answer(200, page=text, headers={**HEADERS, "Content-Security-Policy": _live_policy()})


def see_other(location: str) -> Answer:
    """Send a browser on to a page that changes nothing."""
    return Answer(303, headers={**HEADERS, "Location": location})


@cache
def _policy() -> str:
    """Nothing may load or run but our own style: no icon either, whose request could meet a fault."""
    return f"default-src 'none'; style-src '{_hash('page.css')}'; {_ENDS}"


@cache
def _live_policy() -> str:
    """Our own style and script too, which may ask this server alone."""
    style, script = _hash("overview.css"), _hash("overview.js")
    return f"default-src 'none'; style-src '{style}'; script-src '{script}'; connect-src 'self'; {_ENDS}"


_ENDS: Final = "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def _hash(template: str) -> str:
    text = _environment().get_template(template).render()
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _environment() -> Environment:
    # Here, because a client of the API never asks for a page.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("reconciler.sandbox"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


# --- what can be chosen --------------------------------------------------------------------------


def _decline(_session: Session, _connection_id: str) -> None:
    """Codat hears of nothing."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A button: what it says, what it does, and what the next page says that its status does not."""

    label: str
    act: Callable[[Session, str], None]
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a page says of a status, and which of ``CHOICES`` it offers."""

    title: str
    meaning: str
    choices: tuple[str, ...]


CHOICES: Final[Mapping[str, Choice]] = {
    "authorize": Choice("Authorize", grant),
    "decline": Choice("Decline", _decline, "You declined, so nothing has changed."),
    "revoke": Choice("Revoke access", withdraw),
}
STANDINGS: Final[Mapping[str, Standing]] = {
    "PendingAuth": Standing("Waiting for you", "Nobody has given access yet.", ("authorize", "decline")),
    "Linked": Standing("Access given", "It lasts until you revoke it.", ("revoke",)),
    "Deauthorized": Standing(
        "Access ended", "It was revoked, or has expired. You can give it again.", ("authorize", "decline")
    ),
    "Unlinked": Standing(
        "Disconnected", "The other side ended it. You can give access again.", ("authorize", "decline")
    ),
}
"""Every status of a connection."""


# --- routes --------------------------------------------------------------------------------------


def show_connection(session: Session, call: Call) -> Answer:
    """``GET /companies/{companyId}/connections/{connectionId}/start``; ``chose`` is what led here."""
    row = _connection(session, call)
    if row is None:
        return page("refused.html", 403)
    chose = call.query.get("chose", "")
    is_told = chose in STANDINGS[row["status"]].choices
    return _connection_page(session, row, CHOICES[chose].notice if is_told else "")


def choose(session: Session, call: Call) -> Answer:
    """``POST /companies/{companyId}/connections/{connectionId}/start`` of one of ``CHOICES``."""
    row = _connection(session, call)
    if row is None:
        return page("refused.html", 403)
    choice = _chosen(call)
    if choice not in STANDINGS[row["status"]].choices:
        return _connection_page(session, row, "That can no longer be chosen. This is how it stands now.", 409)
    try:
        CHOICES[choice].act(session, row["id"])
    except Problem as problem:
        return _connection_page(session, row, problem.error, 409)
    # Relative, so that it holds wherever the sandbox is served; a reload then repeats no choice.
    return see_other("?" + urlencode({"otp": row["password"], "chose": choice}))


def show_company(session: Session, call: Call) -> Answer:
    """``GET /company/{companyId}``: its connections, each with its own link."""
    row = _or_none(answers.company, session, call)
    if row is None or not _is_password_of(row, call.query.get("link.otp", "")):
        return page("refused.html", 403)
    connections.notice_refusals(session)
    shown = [
        {
            "platform": integration_of(connection["platform"]).name,
            "status": connection["status"],
            "title": STANDINGS[connection["status"]].title,
            "url": connections.link_url(connection).below(call.origin),
        }
        for connection in session.rows("SELECT * FROM connection WHERE company = ? ORDER BY seq", row["id"])
    ]
    return page("company.html", account=_account(session), company=row["name"], connections=shown)


def _connection(session: Session, call: Call) -> sqlite3.Row | None:
    """The connection as it stands now, where the call knows its password."""
    connections.notice_refusals(session)
    row = _or_none(answers.connection, session, call)
    return row if row is not None and _is_password_of(row, call.query.get("otp", "")) else None


def _or_none(
    find: Callable[[Session, Call], sqlite3.Row], session: Session, call: Call
) -> sqlite3.Row | None:
    try:
        return find(session, call)
    except Problem:
        return None


def _is_password_of(row: sqlite3.Row, password: str) -> bool:
    return hmac.compare_digest(row["password"].encode(), password.encode())


def _chosen(call: Call) -> str:
    """The button in a form's body; nothing where the body is no form."""
    try:
        return parse_qs(call.body.decode("ascii"), max_num_fields=1)["choice"][0]
    except (ValueError, KeyError):
        return ""


def _account(session: Session) -> str:
    return str(read(session)["accountName"])


def _connection_page(session: Session, row: sqlite3.Row, notice: str, status: int = 200) -> Answer:
    return page(
        "connection.html",
        status,
        account=_account(session),
        company=answers.company_by_id(session, row["company"])["name"],
        platform=integration_of(row["platform"]).name,
        status=row["status"],
        standing=STANDINGS[row["status"]],
        choices=CHOICES,
        notice=notice,
    )
