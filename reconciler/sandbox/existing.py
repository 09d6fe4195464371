"""The company or connection that a path names, or Codat's 404."""

from __future__ import annotations

import sqlite3

from reconciler.sandbox.answers import Call, Problem
from reconciler.sandbox.store import Session


def company(session: Session, call: Call) -> sqlite3.Row:
    """The company that the path names.

    Raises:
        Problem: 404.
    """
    return company_by_id(session, call.path_ids["companyId"])


def company_by_id(session: Session, company_id: str) -> sqlite3.Row:
    """The company with this id.

    Raises:
        Problem: 404.
    """
    row = session.row("SELECT * FROM company WHERE id = ?", company_id.lower())
    if row is None:
        raise Problem(404, f"No company was found with ID {company_id}")
    return row


def connection(session: Session, call: Call) -> sqlite3.Row:
    """The connection that the path names, which belongs to the company that the path names.

    Raises:
        Problem: 404, there is no such company, or it has no such connection.
    """
    owner = company(session, call)
    row = connection_by_id(session, call.path_ids["connectionId"])
    if row["company"] != owner["id"]:
        raise Problem(404, f"Data connection {row['id']} not found")
    return row


def connection_by_id(session: Session, connection_id: str) -> sqlite3.Row:
    """The connection with this id.

    Raises:
        Problem: 404.
    """
    row = session.row("SELECT * FROM connection WHERE id = ?", connection_id.lower())
    if row is None:
        raise Problem(404, f"Data connection {connection_id} not found")
    return row
