"""Webhook consumers (https://docs.codat.io/using-the-api/webhooks/overview): listed, made and deleted.

Nothing is ever sent to one.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Final
from urllib.parse import urlsplit

from reconciler.sandbox.answers import Answer, Call, Problem
from reconciler.sandbox.store import Session

MOST: Final = 50
"""Consumers of one client, by the API's document."""
MOST_TAGS: Final = 10
LONGEST_TAG: Final = 128


def list_webhooks(session: Session, _call: Call) -> Answer:
    """``GET /webhooks``: all of them; there are no pages."""
    return Answer(200, {"results": everything(session)})


def everything(session: Session) -> list[dict[str, Any]]:
    """Every consumer, the oldest first."""
    return [_document(row) for row in session.rows("SELECT * FROM webhook ORDER BY seq")]


def create_webhook(session: Session, call: Call) -> Answer:
    """``POST /webhooks``."""
    fields = _checked(call)
    if session.value("SELECT count(*) FROM webhook") >= MOST:
        raise Problem(400, f"There can be {MOST} webhook consumers at most.")
    webhook_id = session.new_id("webhook")
    session.run(
        "INSERT INTO webhook (id, url, disabled, event_types, company_tags) VALUES (?, ?, ?, ?, ?)",
        webhook_id,
        fields["url"],
        int(fields.get("disabled") or False),
        json.dumps(fields.get("eventTypes") or []),
        json.dumps(fields.get("companyTags") or []),
    )
    row = session.row("SELECT * FROM webhook WHERE id = ?", webhook_id)
    return Answer(201, None if row is None else _document(row))


def delete_webhook(session: Session, call: Call) -> Answer:
    """``DELETE /webhooks/{webhookId}``."""
    if not session.run("DELETE FROM webhook WHERE id = ?", call.path_ids["webhookId"].lower()):
        raise Problem(404, f"No webhook consumer was found with ID {call.path_ids['webhookId']}")
    return Answer(204)


def _document(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "url": row["url"],
        "disabled": bool(row["disabled"]),
        "eventTypes": json.loads(row["event_types"]),
        "companyTags": json.loads(row["company_tags"]),
    }


def _checked(call: Call) -> dict[str, Any]:
    """The body's fields.

    Raises:
        Problem: 400, naming what is wrong.
    """
    fields = call.fields()
    wrong: dict[str, str] = {}
    if not _is_url(fields.get("url")):
        wrong["url"] = "must be an absolute URL"
    if not isinstance(fields.get("disabled") or False, bool):
        wrong["disabled"] = "must be true or false"
    if not _is_texts(fields.get("eventTypes") or []):
        wrong["eventTypes"] = "must be a list of strings"
    tags = fields.get("companyTags") or []
    if not _is_texts(tags) or len(tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in tags):
        wrong["companyTags"] = f"must be at most {MOST_TAGS} strings of at most {LONGEST_TAG} characters"
    if wrong:
        raise Problem(400, invalid=wrong)
    return fields


def _is_url(value: Any) -> bool:
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
    except ValueError:
        return False
    return parts is not None and parts.scheme in ("http", "https") and bool(parts.netloc)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)
