"""Every kind of action, what a change of a field is, and the digest of a document."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final


class Kind(StrEnum):
    """Every kind of action, in the order in which they are carried out: the account's, then a company's."""

    WEBHOOK_CREATE = "webhook.create"
    WEBHOOK_DELETE = "webhook.delete"
    PROFILE_UPDATE = "profile.update"
    PROFILE_SYNC_SETTINGS = "profile.syncSettings"
    COMPANY_CREATE = "company.create"
    COMPANY_ADOPT = "company.adopt"
    COMPANY_UPDATE = "company.update"
    PRODUCT_ADD = "product.add"
    PRODUCT_REMOVE = "product.remove"
    COMPANY_SYNC_SETTINGS = "company.syncSettings"
    CONNECTION_UNLINK = "connection.unlink"
    CONNECTION_DELETE = "connection.delete"
    COMPANY_DELETE = "company.delete"
    CONNECTION_CREATE = "connection.create"
    CONNECTION_AUTHORIZE = "connection.authorize"
    SOURCE_ACCOUNT_DELETE = "sourceAccount.delete"
    SOURCE_ACCOUNT_UPDATE = "sourceAccount.update"
    SOURCE_ACCOUNT_CREATE = "sourceAccount.create"
    COMPANY_SYNC = "company.sync"


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Change:
    """One managed field that differs: its path, what Codat has and what the spec wants."""

    path: str
    before: str | None
    after: str | None

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        return {"path": self.path, "before": self.before, "after": self.after}


ALGORITHM: Final = "sha256"
"""What stands before the colon of every digest."""


def canonical(document: object) -> str:
    """The one way to write a document as JSON: sorted, without white space, in ASCII."""
    return _CANONICAL.encode(document)


_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest(document: object) -> str:
    """``sha256:`` and the hash of the document's canonical JSON."""
    return f"{ALGORITHM}:{hashlib.sha256(canonical(document).encode()).hexdigest()}"
