"""Every kind of action, what a change of a field is, and the digest of a document."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


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


def digest(document: object) -> str:
    """``sha256:`` and the hash of the document's canonical JSON."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
