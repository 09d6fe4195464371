"""Syncs, which take time (https://docs.codat.io/using-the-api/queueing-data-syncs).

A pull is one data type of one connection. Where it stands follows from the clock: it is written once,
with the moments at which it will be fetched and will have ended.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from reconciler.sandbox import answers, integrations, paging, store
from reconciler.sandbox.answers import Answer, Call, Problem
from reconciler.sandbox.integrations import ALL_DATA_TYPES, integration_of
from reconciler.sandbox.paging import EVERYTHING, Condition, by_field, parse
from reconciler.sandbox.settings import read
from reconciler.sandbox.store import Session

COMPLETE: Final = "Complete"
PROGRESS: Final[Mapping[str, int]] = {"Queued": 0, "Fetching": 40}
"""Per cent done; what is not running is done."""
ERROR_MESSAGES: Final[Mapping[str, str]] = {
    "FetchError": "The platform did not answer as expected.",
    "MapError": "The platform's data could not be mapped.",
    "InternalError": "There was an internal error.",
    "ProcessingError": "The data could not be processed.",
    "ValidationError": "The data could not be validated.",
    "AuthError": "The platform refused access.",
    "Cancelled": "The sync was cancelled.",
    "RateLimitError": "The platform's rate limit was reached.",
    "PermissionsError": "The user who linked may not read this.",
    "PrerequisiteNotMet": "A data type that this one needs was not fetched.",
}
"""Every way a sync can fail."""
STANDARD_PRODUCTS: Final = frozenset({"bank-feeds", "expenses", "lending", "payables"})
"""Products of Codat's own, as the API's document names them: these are not refreshed by hand."""
IN_PROGRESS: Final = "DatasetAlreadyInProgressException"
READ_IN_PROGRESS: Final = (
    "Data cannot be refreshed while a read operation is in progress. Allow the read to complete before "
    "attempting to refresh."
)
FIELDS: Final[Mapping[str, str]] = {
    "id": "id",
    "connectionId": "connection",
    "dataType": "data_type",
    "status": "status",
    "requested": "requested",
    "completed": "ended",
}
"""What pulls can be queried and ordered by."""


# --- reading -------------------------------------------------------------------------------------


def _seen(session: Session) -> Condition:
    """Pulls with their ``status`` at this moment."""
    return Condition(
        "(SELECT *, CASE WHEN ended <= ? THEN outcome WHEN fetched <= ? THEN 'Fetching' ELSE 'Queued' END"
        " AS status FROM pull)",
        (session.now, session.now),
    )


def _pulls(session: Session, condition: Condition) -> list[sqlite3.Row]:
    return paging.everything(session, _seen(session), condition)


def list_pulls(session: Session, call: Call) -> Answer:
    """``GET /companies/{companyId}/data/history``."""
    company = answers.company(session, call)
    condition = Condition("company = ?", (company["id"],))
    condition &= parse(call.query.get("query", ""), by_field(FIELDS, "Dataset"))
    page = paging.asked(session, call)
    rows, total = paging.rows(session, page, _seen(session), condition, paging.ordering(call, FIELDS))
    return paging.listing(call, page, total, [_document(row) for row in rows])


def get_pull(session: Session, call: Call) -> Answer:
    """``GET /companies/{companyId}/data/history/{datasetId}``."""
    company, pull_id = answers.company(session, call), call.path_ids["datasetId"]
    found = _pulls(session, Condition("company = ? AND id = ?", (company["id"], pull_id.lower())))
    if not found:
        raise Problem(404, f"No dataset was found with ID {pull_id}")
    return Answer(200, _document(found[0]))


def get_data_status(session: Session, call: Call) -> Answer:
    """``GET /companies/{companyId}/dataStatus``: the newest pull of each data type that was ever synced.

    With the setting ``unsyncedStatuses`` the others too: they have no ``currentStatus``.
    """
    company = answers.company(session, call)
    statuses = _unsynced(session, company["id"]) if read(session)["unsyncedStatuses"] else {}
    for row in _pulls(session, Condition("company = ?", (company["id"],))):
        status = statuses.setdefault(row["data_type"], {"dataType": row["data_type"]})
        status |= {"currentStatus": row["status"], "latestSyncId": row["id"]}
        if row["status"] == COMPLETE:
            status |= {
                "lastSuccessfulSync": store.text(row["ended"]),
                "latestSuccessfulSyncId": row["id"],
            }
    return Answer(200, statuses)


def _unsynced(session: Session, company_id: str) -> dict[str, dict[str, Any]]:
    """An entry without a status for each data type of the company's Linked connections."""
    linked = session.rows(
        "SELECT platform FROM connection WHERE company = ? AND status = 'Linked' ORDER BY seq", company_id
    )
    return {
        data_type: {"dataType": data_type}
        for row in linked
        for data_type in integration_of(row["platform"]).data_types
    }


def everything(session: Session) -> list[dict[str, Any]]:
    """All pulls of all companies."""
    return [_document(row) for row in _pulls(session, EVERYTHING)]


def latest(session: Session, count: int) -> list[dict[str, Any]]:
    """The last ``count`` pulls of all companies, newest first."""
    newest = Condition("seq > (SELECT COALESCE(MAX(seq), 0) FROM pull) - ?", (count,))
    return [_document(row) for row in reversed(_pulls(session, newest))]


def _document(row: sqlite3.Row) -> dict[str, Any]:
    status = row["status"]
    document = {
        "id": row["id"],
        "companyId": row["company"],
        "connectionId": row["connection"],
        "dataType": row["data_type"],
        "status": status,
        "statusDescription": "",
        "requested": store.text(row["requested"]),
        "progress": PROGRESS.get(status, 100),
        "isCompleted": status == COMPLETE,
        "isErrored": status in ERROR_MESSAGES,
    }
    if status not in PROGRESS:
        document["completed"] = store.text(row["ended"])
    if status in ERROR_MESSAGES:
        document["errorMessage"] = ERROR_MESSAGES[status]
    return document


# --- queueing ------------------------------------------------------------------------------------


def queue_all(session: Session, call: Call) -> Answer:
    """``POST /companies/{companyId}/data/all``: the fetch-on-first-link types of all Linked connections."""
    company = answers.company(session, call)
    types = integrations.fetched_types(session, company["sync_settings"])
    _queue(session, company["id"], _linked(session, company["id"]), types)
    return Answer(204)


def queue_type(session: Session, call: Call) -> Answer:
    """``POST /companies/{companyId}/data/queue/{dataType}``, of one connection or of all that support it."""
    company, data_type = answers.company(session, call), call.path_ids["dataType"]
    if data_type not in ALL_DATA_TYPES:
        raise Problem(404, f"There is no data type {data_type}")
    linked = _linked(session, company["id"])
    asked = call.query.get("connectionId")
    if asked is not None:
        linked = [row for row in linked if row["id"] == asked.lower()]
        if not linked:
            raise Problem(400, f"The company has no Linked connection {asked}")
    able = [row for row in linked if data_type in integration_of(row["platform"]).data_types]
    if not able:
        raise Problem(404, f"No platform that is linked supports {data_type}")
    first, *_ = _queue(session, company["id"], able, [data_type])
    (row,) = _pulls(session, Condition("id = ?", (first,)))
    return Answer(200, _document(row), connection_id=row["connection"])


def refresh_product(session: Session, call: Call) -> Answer:
    """``POST /companies/{companyId}/products/{productIdentifier}/refresh``, of custom products alone.

    The sandbox knows no data types of a product's own: those of the client's settings stand in for them.
    """
    company, product = answers.company(session, call), call.path_ids["productIdentifier"]
    if product in STANDARD_PRODUCTS:
        raise Problem(400, f"{product} doesn't support data refreshing.")
    if product not in json.loads(company["products"]):
        raise Problem(404, f"The product {product} is not enabled for company {company['id']}")
    named = call.fields().get("dataTypes") if call.body else None
    if named is not None and not (isinstance(named, list) and set(map(str, named)) <= set(ALL_DATA_TYPES)):
        raise Problem(400, invalid={"dataTypes": f"must be among {', '.join(ALL_DATA_TYPES)}"})
    types = named if named is not None else integrations.fetched_types(session, company["sync_settings"])
    try:
        _queue(session, company["id"], _linked(session, company["id"]), types)
    except Problem as problem:
        raise Problem(400, READ_IN_PROGRESS if IN_PROGRESS in problem.error else problem.error) from None
    return Answer(202)


def fetch_first(session: Session, connection_id: str) -> None:
    """Queue what is fetched on first link, as Codat does where a customer links and not where tokens do."""
    connection = answers.connection_by_id(session, connection_id)
    company = answers.company_by_id(session, connection["company"])
    types = integrations.fetched_types(session, company["sync_settings"])
    _queue(session, company["id"], [connection], types)


def _linked(session: Session, company_id: str) -> list[sqlite3.Row]:
    rows = session.rows(
        "SELECT * FROM connection WHERE company = ? AND status = 'Linked' ORDER BY seq", company_id
    )
    if not rows:
        raise Problem(400, f"Cannot queue a sync for {company_id} as it has no linked connection")
    return rows


def _queue(
    session: Session, company_id: str, connections: Sequence[sqlite3.Row], types: Sequence[str]
) -> list[str]:
    """Queue each of ``types`` that each connection supports; the ids of the pulls.

    Raises:
        Problem: 400, one of them is in progress; then nothing is queued.
    """
    wanted = [
        (connection, data_type)
        for connection in connections
        for data_type in types
        if data_type in integration_of(connection["platform"]).data_types
    ]
    _check_idle(session, company_id, wanted)
    duration = _duration(session)
    queued = [_begin(session, connection, data_type, duration) for connection, data_type in wanted]
    for connection in connections:
        if connection["next_outcome"]:
            session.run("UPDATE connection SET next_outcome = NULL WHERE id = ?", connection["id"])
    return queued


def _check_idle(session: Session, company_id: str, wanted: Iterable[tuple[sqlite3.Row, str]]) -> None:
    running = {
        (row["connection"], row["data_type"]): row["id"]
        for row in session.rows(
            "SELECT id, connection, data_type FROM pull WHERE company = ? AND (ended IS NULL OR ended > ?)",
            company_id,
            session.now,
        )
    }
    for connection, data_type in wanted:
        previous = running.get((connection["id"], data_type))
        if previous:
            raise Problem(
                400,
                f"{IN_PROGRESS}: Cannot queue {data_type} sync for {company_id}"
                f" as previous sync {previous} is still in progress",
            )


def _begin(session: Session, connection: sqlite3.Row, data_type: str, duration: int) -> str:
    pull_id, is_online = session.new_id("pull"), connection["is_online"]
    session.run(
        "INSERT INTO pull (id, company, connection, data_type, requested, fetched, ended, outcome)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        pull_id,
        connection["company"],
        connection["id"],
        data_type,
        session.now,
        session.now + duration // 2 if is_online else None,
        session.now + duration if is_online else None,
        "AuthError" if connection["is_revoked"] else connection["next_outcome"] or COMPLETE,
    )
    return pull_id


def _duration(session: Session) -> int:
    return store.span(read(session)["syncSeconds"])


def come_online(session: Session, connection_id: str) -> None:
    """The connector on the customer's machine has come online: what waited for it is fetched now."""
    duration = _duration(session)
    session.run("UPDATE connection SET is_online = 1 WHERE id = ?", connection_id)
    session.run(
        "UPDATE pull SET fetched = ?, ended = ? WHERE connection = ? AND ended IS NULL",
        session.now + duration // 2,
        session.now + duration,
        connection_id,
    )


def fail_next(session: Session, connection_id: str, outcome: Any) -> None:
    """Let the connection's next sync end with ``outcome``.

    Raises:
        Problem: 400, this is no way for a sync to fail.
    """
    if outcome not in ERROR_MESSAGES:
        raise Problem(400, invalid={"status": f"must be one of {', '.join(ERROR_MESSAGES)}"})
    session.run("UPDATE connection SET next_outcome = ? WHERE id = ?", outcome, connection_id)
