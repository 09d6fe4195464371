"""Source accounts of bank feeds (https://docs.codat.io/bank-feeds-api): listed, made, renamed and deleted.

What Codat makes of a second account with one ``id`` its document does not say; here it is refused.
"""

from __future__ import annotations

import sqlite3
from typing import Any, Final

from reconciler.sandbox import answers, store
from reconciler.sandbox.answers import Answer, Call, Problem
from reconciler.sandbox.store import Session

REQUIRED: Final = ("id", "accountName", "accountType", "accountNumber", "currency")
TEXTS: Final = (*REQUIRED, "sortCode")
CHANGEABLE: Final = ("accountName", "status", "balance")
"""What the document says that an update changes; whatever else it names is passed over."""


def list_accounts(session: Session, call: Call) -> Answer:
    """``GET …/connectionInfo/bankFeedAccounts``: the list itself, without pages."""
    connection = answers.connection(session, call)
    return Answer(200, [_document(row) for row in _rows(session, connection["id"])])


def create_account(session: Session, call: Call) -> Answer:
    """``POST …/connectionInfo/bankFeedAccounts``."""
    connection = answers.connection(session, call)
    fields = {name: value for name, value in call.fields().items() if value is not None}
    wrong = {name: "is required" for name in REQUIRED if not fields.get(name)}
    wrong |= {name: "must be a string" for name in TEXTS if not isinstance(fields.get(name, ""), str)}
    if type(fields.get("balance")) not in (int, float):
        wrong["balance"] = "is required, and a number"
    if fields.get("currency") == "GBP" and not fields.get("sortCode"):
        wrong["sortCode"] = "is required for GBP"
    if wrong:
        raise Problem(400, invalid=wrong)
    if _row(session, connection["id"], fields["id"]) is not None:
        raise Problem(400, f"There is a source account with ID {fields['id']} already.")
    session.run(
        "INSERT INTO source_account VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?)",
        connection["id"],
        *(fields[name] for name in REQUIRED),
        fields.get("sortCode"),
        fields["balance"],
        session.now,
    )
    row = _row(session, connection["id"], fields["id"])
    return Answer(
        200,
        None if row is None else _document(row),
        company_id=connection["company"],
        connection_id=connection["id"],
    )


def update_account(session: Session, call: Call) -> Answer:
    """``PATCH …/bankFeedAccounts/{accountId}``."""
    connection = answers.connection(session, call)
    row = _named(session, connection, call)
    fields = {
        name: value for name, value in call.fields().items() if name in CHANGEABLE and value is not None
    }
    if fields.get("status", "disconnected") != "disconnected":
        raise Problem(400, invalid={"status": "can only become disconnected"})
    if "balance" in fields and row["status"] == "connected":
        raise Problem(400, invalid={"balance": "cannot be changed while the account is connected"})
    session.run(
        "UPDATE source_account SET name = ?, status = ?, balance = ?, modified = ? WHERE seq = ?",
        fields.get("accountName", row["name"]),
        fields.get("status", row["status"]),
        fields.get("balance", row["balance"]),
        session.now,
        row["seq"],
    )
    return Answer(
        200,
        _document(_named(session, connection, call)),
        company_id=connection["company"],
        connection_id=connection["id"],
    )


def delete_account(session: Session, call: Call) -> Answer:
    """``DELETE …/bankFeedAccounts/{accountId}``."""
    connection = answers.connection(session, call)
    session.run("DELETE FROM source_account WHERE seq = ?", _named(session, connection, call)["seq"])
    return Answer(204, company_id=connection["company"], connection_id=connection["id"])


def everything(session: Session) -> list[dict[str, Any]]:
    """Every source account with the connection that it is of."""
    rows = session.rows("SELECT * FROM source_account ORDER BY seq")
    return [_document(row) | {"connectionId": row["connection"]} for row in rows]


def _rows(session: Session, connection_id: str) -> list[sqlite3.Row]:
    return session.rows("SELECT * FROM source_account WHERE connection = ? ORDER BY seq", connection_id)


def _row(session: Session, connection_id: str, account_id: str) -> sqlite3.Row | None:
    return session.row(
        "SELECT * FROM source_account WHERE connection = ? AND id = ?", connection_id, account_id
    )


def _named(session: Session, connection: sqlite3.Row, call: Call) -> sqlite3.Row:
    row = _row(session, connection["id"], call.path_ids["accountId"])
    if row is None:
        raise Problem(404, f"No source account was found with ID {call.path_ids['accountId']}")
    return row


def _document(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "accountName": row["name"],
        "accountType": row["type"],
        "accountNumber": row["number"],
        "currency": row["currency"],
        "balance": row["balance"],
        "status": row["status"],
        "modifiedDate": store.text(row["modified"]),
        **({"sortCode": row["sort_code"]} if row["sort_code"] else {}),
    }
