"""What a request asks and what the sandbox answers, as values; and refusals as Codat words them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from reconciler.sandbox.store import Session

SERVICE: Final = "PublicApi"
ERROR_TEXTS: Final[Mapping[int, str]] = {
    400: "Error processing request - not valid.",
    401: "Unauthorized",
    402: (
        "You have exceeded the {limit}-company limit that applies to your plan. We recommend that you "
        "delete any companies you no longer need and retry the request."
    ),
    404: "The requested resource was not found.",
    405: "The requested method is not supported.",
    409: "An idempotent request with the same key is in progress.",
    422: "The idempotency key was used before with another request body.",
    429: "You have made too many requests in a given amount of time; please retry later.",
    500: "There is a problem with our server. Please try again later.",
    502: "There is a problem with our server. Please try again later.",
    503: "The Codat API is temporarily offline for maintenance. Please try again later.",
    504: "There is a problem with our server. Please try again later.",
}
"""Codat's words for each status (https://docs.codat.io/using-the-api/errors)."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, already matched to a route. ``path_ids`` are the variable parts of its path.

    ``body`` may hold credentials, so it never shows itself.
    """

    method: str
    path: str
    template: str
    path_ids: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    key: str | None = None
    """The ``Idempotency-Key`` header."""
    authorization: str = field(default="", repr=False)
    correlation_id: str = ""
    origin: str = ""
    """The URL that the sandbox was asked at, without a slash at its end."""

    @property
    def is_write(self) -> bool:
        """Whether the request may change something."""
        return self.method not in ("GET", "HEAD")

    def json(self) -> Any:
        """The JSON in the body.

        Raises:
            Problem: 400, the body is something else.
        """
        try:
            document = json.loads(self.body)
            json.dumps(document, ensure_ascii=False).encode()  # half a character can be stored nowhere
        except (ValueError, RecursionError):
            raise Problem(400, "The request body is not valid JSON.") from None
        return document

    def fields(self) -> dict[str, Any]:
        """The JSON object in the body.

        Raises:
            Problem: 400, the body is something else.
        """
        document = self.json()
        if not isinstance(document, dict):
            raise Problem(400, "The request body is not a JSON object.")
        return document


@dataclass(frozen=True, slots=True)
class Link:
    """A page for a customer, as a path: its address follows from the URL that the sandbox was asked at.

    Its password makes it a credential, so it never shows itself.
    """

    path: str = field(repr=False)

    def below(self, origin: str) -> str:
        """The whole URL."""
        return origin + self.path


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: a ``document``, a ``page`` of HTML, or no body. Ids tell the journal what was made."""

    status: int
    document: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    company_id: str | None = None
    connection_id: str | None = None
    tokens_to_linked: bool = False
    """Credentials came for a connection that was Linked already."""
    page: str | None = None

    def json(self, origin: str) -> str:
        """The document as JSON, for someone who asked the sandbox at ``origin``."""
        return json.dumps(self.document, separators=(",", ":"), default=partial(Link.below, origin=origin))

    def body(self, origin: str) -> tuple[bytes, str | None]:
        """The body and its media type, for someone who asked the sandbox at ``origin``."""
        if self.page is not None:
            return self.page.encode(errors="replace"), "text/html"
        if self.document is not None:
            return self.json(origin).encode(), "application/json"
        return b"", None


class Problem(Exception):  # noqa: N818 - it is an answer on its way out, not a fault of the program
    """A refusal; what the request had written is taken back."""

    def __init__(
        self,
        status: int,
        error: str = "",
        *,
        invalid: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status)
        self.status = status
        self.error = error or ERROR_TEXTS[status]
        self.invalid = invalid or {}
        """What is wrong with each field."""
        self.headers = headers or {}

    def answer(self, correlation_id: str) -> Answer:
        """The refusal as an ``ErrorMessage`` (https://docs.codat.io/using-the-api/errors)."""
        document: dict[str, Any] = {
            "statusCode": self.status,
            "service": SERVICE,
            "error": self.error,
            "correlationId": correlation_id,
            "canBeRetried": "True" if self.status in (409, 429, 503) else "Unknown",
            "detailedErrorCode": 0,
        }
        if self.invalid:
            document["validation"] = {
                "errors": [
                    {"itemId": item, "message": message, "validatorName": "Sandbox"}
                    for item, message in self.invalid.items()
                ],
                "warnings": [],
            }
        return Answer(self.status, document, self.headers)


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
