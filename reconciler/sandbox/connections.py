"""Connections (https://docs.codat.io/core-concepts/connections) and the tokens that link them."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from reconciler.sandbox import answers, paging, store
from reconciler.sandbox.answers import Answer, Call, Link, Problem
from reconciler.sandbox.integrations import Integration, integration_of, offered
from reconciler.sandbox.paging import EVERYTHING, Condition, by_field, parse
from reconciler.sandbox.settings import read
from reconciler.sandbox.store import Session

BAD_TOKEN: Final = "bad-"  # noqa: S105 - the start of tokens that the sandbox refuses, not a token
FIELDS: Final[Mapping[str, str]] = {
    "id": "id",
    "integrationKey": "platform",
    "status": "status",
    "created": "created",
    "modifiedDate": "seq",
}
"""What connections can be queried and ordered by."""


# --- reading -------------------------------------------------------------------------------------


def list_connections(session: Session, call: Call) -> Answer:
    """``GET /companies/{companyId}/connections``."""
    company = answers.company(session, call)
    condition = Condition("company = ?", (company["id"],)) & paging.listed(session)
    query = call.query.get("query", "")
    condition &= parse(query, by_field(FIELDS, "DataConnection")) if query else EVERYTHING
    page = paging.asked(session, call)
    rows, total = paging.rows(
        session, page, Condition("connection"), condition, paging.ordering(call, FIELDS)
    )
    return paging.listing(call, page, total, documents(session, rows))


def get_connection(session: Session, call: Call) -> Answer:
    """``GET /companies/{companyId}/connections/{connectionId}``."""
    return _shown(session, answers.connection(session, call)["id"])


def of_companies(
    session: Session, company_ids: Sequence[str], condition: Condition = EVERYTHING
) -> Mapping[str, list[dict[str, Any]]]:
    """The connections of each company, as documents."""
    rows = paging.everything(
        session,
        Condition("connection"),
        Condition("company IN (SELECT value FROM json_each(?))", (json.dumps(company_ids),)) & condition,
    )
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row, document in zip(rows, documents(session, rows), strict=True):
        found[row["company"]].append(document)
    return found


def documents(session: Session, rows: Sequence[sqlite3.Row]) -> list[dict[str, Any]]:
    """Connections as Codat shows them. A value that is not there yet is left out."""
    ids = json.dumps([row["id"] for row in rows])
    synced = dict(
        tuple(row)
        for row in session.rows(
            "SELECT connection, max(ended) FROM pull WHERE connection IN (SELECT value FROM json_each(?))"
            " AND outcome = 'Complete' AND ended <= ? GROUP BY connection",
            ids,
            session.now,
        )
    )
    errors: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in session.rows(
        "SELECT * FROM connection_error WHERE connection IN (SELECT value FROM json_each(?)) ORDER BY rowid",
        ids,
    ):
        errors[row["connection"]].append(_error_document(row))
    return [_document(row, synced.get(row["id"]), errors.get(row["id"], [])) for row in rows]


def _document(row: sqlite3.Row, synced: int | None, errors: list[dict[str, Any]]) -> dict[str, Any]:
    integration = integration_of(row["platform"])
    document = {
        "id": row["id"],
        "integrationId": integration.integration_id,
        "integrationKey": integration.key,
        "sourceId": integration.source_id,
        "sourceType": integration.source_type,
        "platformName": integration.name,
        "linkUrl": link_url(row),
        "status": row["status"],
        "created": store.text(row["created"]),
        "dataConnectionErrors": errors,
        "connectionInfo": {},
    }
    return document | ({"lastSync": store.text(synced)} if synced is not None else {})


def link_url(row: sqlite3.Row) -> Link:
    """Where the customer authorizes (https://docs.codat.io/updates/250110-secure-linking)."""
    return Link(f"/companies/{row['company']}/connections/{row['id']}/start?otp={row['password']}")


def _error_document(row: sqlite3.Row) -> dict[str, Any]:
    resolved = row["resolved"]
    document = {
        "statusCode": row["code"],
        "statusText": row["title"],
        "errorMessage": row["message"],
        "erroredOnUtc": store.text(row["erred"]),
        "status": "Active" if resolved is None else "Resolved",
    }
    return document | ({} if resolved is None else {"resolvedOnUtc": store.text(resolved)})


def _shown(session: Session, connection_id: str, **journal: Any) -> Answer:
    row = answers.connection_by_id(session, connection_id)
    (document,) = documents(session, [row])
    return Answer(200, document, connection_id=connection_id, **journal)


def authorization_counts(session: Session) -> Mapping[str, dict[str, int]]:
    """By connection: how often tokens took effect, and how often they came while it was Linked."""
    return {
        row["id"]: {"authorizations": row["authorizations"], "tokensWhileLinked": row["tokens_while_linked"]}
        for row in session.rows("SELECT * FROM connection")
    }


# --- writing -------------------------------------------------------------------------------------


def create_connection(session: Session, call: Call) -> Answer:
    """``POST /companies/{companyId}/connections``: a connection that waits to be authorized."""
    company = answers.company(session, call)
    integration = _asked_integration(session, call.fields().get("platformKey"))
    connection_id = session.new_id("connection")
    session.run(
        "INSERT INTO connection (id, company, platform, status, password, created, visible_at, visible_from,"
        " is_online) VALUES (?, ?, ?, 'PendingAuth', ?, ?, ?, ?, ?)",
        connection_id,
        company["id"],
        integration.key,
        session.new_password(),
        session.now,
        *paging.of_new(session),
        not integration.is_offline,
    )
    return _shown(session, connection_id)


def _asked_integration(session: Session, key: Any) -> Integration:
    if not isinstance(key, str):
        raise Problem(400, invalid={"platformKey": "is required"})
    integration = offered(session).get(key)
    if integration is None:
        raise Problem(400, f"No integration was found with key {key}")
    if key in read(session)["disabledPlatforms"]:
        raise Problem(400, f"The integration {integration.name} is not enabled")
    return integration


def update_connection(session: Session, call: Call) -> Answer:
    """``PATCH …/connections/{connectionId}``: ``Unlinked`` is the one status that can be asked for."""
    row = answers.connection(session, call)
    status = call.fields().get("status")
    if status is None:
        return _shown(session, row["id"])
    if status != "Unlinked":
        raise Problem(400, invalid={"status": "can only be changed to Unlinked"})
    if row["status"] != "Linked":
        raise Problem(400, f"Only a Linked connection can be unlinked; this one is {row['status']}")
    unlink(session, row["id"])
    return _shown(session, row["id"])


def delete_connection(session: Session, call: Call) -> Answer:
    """``DELETE …/connections/{connectionId}``: with its pulls."""
    row = answers.connection(session, call)
    session.run("DELETE FROM connection WHERE id = ?", row["id"])
    return Answer(200, connection_id=row["id"])


def authorize(session: Session, call: Call) -> Answer:
    """``PUT …/connections/{connectionId}/authorization``: tokens for a connection.

    Good tokens link it, and are spent: from then on Codat refreshes its own. Spent tokens that come to
    a Linked connection make the provider revoke its access, which is what sending stale tokens to a
    working connection may do (https://docs.codat.io/get-started/migration). A connection that is not
    Linked takes any good tokens.
    """
    row = answers.connection(session, call)
    tokens = _tokens(call)
    if any(value.startswith(BAD_TOKEN) for value in tokens.values()):
        raise Problem(
            400, "The platform rejected the credentials.", invalid={"authorization": "was rejected"}
        )
    digests = list(_digests(row["id"], tokens))
    if row["status"] == "Linked":
        session.run(
            "UPDATE connection SET tokens_while_linked = tokens_while_linked + 1 WHERE id = ?", row["id"]
        )
        if _any_spent(session, row["id"], digests):
            return _refused_as_spent(session, row["id"], call)
    for digest in digests:
        session.run("INSERT OR IGNORE INTO spent_token VALUES (?, ?)", row["id"], digest)
    session.run("UPDATE connection SET authorizations = authorizations + 1 WHERE id = ?", row["id"])
    link(session, row)
    return _shown(session, row["id"], tokens_to_linked=row["status"] == "Linked")


def _tokens(call: Call) -> dict[str, str]:
    tokens = call.fields()
    if not tokens:
        raise Problem(400, invalid={"authorization": "needs at least one field"})
    wrong = {
        name: "must be a string" for name, value in tokens.items() if not isinstance(value, str) or not value
    }
    if wrong:
        raise Problem(400, invalid=wrong)
    return tokens


def _digests(connection_id: str, tokens: Mapping[str, str]) -> Iterable[bytes]:
    """What is kept of tokens. Fields that end in ``Id`` name an account; they do not go stale."""
    for name, value in tokens.items():
        if not name.lower().endswith("id"):
            yield hashlib.blake2b(value.encode(), salt=connection_id.encode()[:16]).digest()


def _any_spent(session: Session, connection_id: str, digests: Iterable[bytes]) -> bool:
    return any(
        session.row("SELECT 1 FROM spent_token WHERE connection = ? AND digest = ?", connection_id, digest)
        for digest in digests
    )


def _refused_as_spent(session: Session, connection_id: str, call: Call) -> Answer:
    deauthorize(session, connection_id, "A refresh token was used twice, so the platform revoked access.")
    problem = Problem(400, "The platform rejected the credentials, and revoked the connection's access.")
    refusal = problem.answer(call.correlation_id)
    return Answer(refusal.status, refusal.document, tokens_to_linked=True)


def _check_accounting(session: Session, row: sqlite3.Row) -> None:
    """One active accounting connection per company."""
    if integration_of(row["platform"]).source_type != "Accounting":
        return
    for other in session.rows(
        "SELECT id, platform FROM connection WHERE company = ? AND status = 'Linked' AND id <> ?",
        row["company"],
        row["id"],
    ):
        if integration_of(other["platform"]).source_type == "Accounting":
            raise Problem(
                400,
                f"The company has an active accounting connection already: {other['id']}. Unlink it first.",
            )


# --- what happens to a connection ------------------------------------------------------------------


def link(session: Session, row: sqlite3.Row) -> None:
    """It works: by tokens, or because the customer linked it. What was wrong with it is resolved.

    Raises:
        Problem: 400, the company has an active accounting connection already.
    """
    _check_accounting(session, row)
    session.run("UPDATE connection SET status = 'Linked', is_revoked = 0 WHERE id = ?", row["id"])
    session.run(
        "UPDATE connection_error SET resolved = ? WHERE connection = ? AND resolved IS NULL",
        session.now,
        row["id"],
    )


def unlink(session: Session, connection_id: str) -> None:
    """It is severed; its data stays, what was being fetched is cancelled."""
    session.run("UPDATE connection SET status = 'Unlinked' WHERE id = ?", connection_id)
    _end_pulls(session, connection_id, "Cancelled")


def deauthorize(session: Session, connection_id: str, message: str) -> None:
    """Access was revoked or has expired: it needs to be linked again."""
    session.run("UPDATE connection SET status = 'Deauthorized' WHERE id = ?", connection_id)
    session.run(
        "INSERT INTO connection_error VALUES (?, '401', 'Unauthorized', ?, ?, NULL)",
        connection_id,
        message,
        session.now,
    )
    _end_pulls(session, connection_id, "AuthError")


def revoke(session: Session, connection_id: str) -> None:
    """The platform takes access back, and Codat notices when the next sync ends."""
    session.run("UPDATE connection SET is_revoked = 1 WHERE id = ?", connection_id)


def _end_pulls(session: Session, connection_id: str, outcome: str) -> None:
    session.run(
        "UPDATE pull SET ended = ?, outcome = ?, is_noticed = 1"
        " WHERE connection = ? AND (ended IS NULL OR ended > ?)",
        session.now,
        outcome,
        connection_id,
        session.now,
    )


def notice_refusals(session: Session) -> None:
    """Deauthorize each connection whose sync was refused by its platform since anyone last looked."""
    for (connection_id,) in session.rows(
        "SELECT DISTINCT connection FROM pull WHERE outcome = 'AuthError' AND is_noticed = 0 AND ended <= ?",
        session.now,
    ):
        session.run(
            "UPDATE pull SET is_noticed = 1 WHERE connection = ? AND outcome = 'AuthError'", connection_id
        )
        deauthorize(session, connection_id, "The platform refused the sync: access was revoked.")
