"""What customers decide about their connections, and what Codat does then."""

from __future__ import annotations

from reconciler.sandbox import connections, existing, syncing
from reconciler.sandbox.store import Session


def grant(session: Session, connection_id: str) -> None:
    """The customer goes through the link URL; the first time, Codat begins to fetch at once.

    Raises:
        Problem: 404, there is no such connection; 400, it cannot be linked, and nothing was changed.
    """
    row = existing.connection_by_id(session, connection_id)
    connections.link(session, row)
    if row["status"] == "PendingAuth":
        syncing.fetch_first(session, row["id"])


def withdraw(session: Session, connection_id: str) -> None:
    """The customer withdraws access, and Codat notices at once."""
    connections.deauthorize(session, connection_id, "The customer withdrew access.")
