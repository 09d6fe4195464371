"""The actions on the source accounts of a bank feed, each a value of its own class."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from reconciler.kinds import Change, Kind, Planned, planned_document
from reconciler.live import LiveSourceAccount
from reconciler.model import DesiredSourceAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSourceAccount(Planned):
    """``POST …/bankFeedAccounts``: an account that feeds a customer's books. Its numbers are references.

    ``company_id`` and ``connection_id`` are ``None`` where this plan creates them.
    """

    kind: ClassVar[Kind] = Kind.SOURCE_ACCOUNT_CREATE
    company_id: str | None
    connection_id: str | None
    account: DesiredSourceAccount = field(repr=False)

    @property
    def account_id(self) -> str:
        """The id of the account."""
        return self.account.id

    def document(self) -> dict[str, Any]:
        """The JSON form: the names of the numbers, never their values."""
        account = self.account
        return planned_document(
            self,
            companyId=self.company_id,
            connectionId=self.connection_id,
            after={
                "sourceAccount": account.id,
                "accountName": account.name,
                "accountType": account.type,
                "currency": account.currency,
            },
            fields=sorted(account.numbers),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateSourceAccount(Planned):
    """``PATCH …/bankFeedAccounts/{id}``: the name differs, the one member that always can be changed."""

    kind: ClassVar[Kind] = Kind.SOURCE_ACCOUNT_UPDATE
    company_id: str
    connection_id: str
    account_id: str
    change: Change

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        return planned_document(
            self,
            companyId=self.company_id,
            connectionId=self.connection_id,
            sourceAccount=self.account_id,
            changes=[self.change.document()],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteSourceAccount(Planned):
    """``DELETE …/bankFeedAccounts/{id}``: what the customer mapped it to goes with it, and the feed ends."""

    kind: ClassVar[Kind] = Kind.SOURCE_ACCOUNT_DELETE
    company_id: str
    connection_id: str
    observed: LiveSourceAccount

    @property
    def account_id(self) -> str:
        """The id of the account."""
        return self.observed.id

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        before = {
            "sourceAccount": self.observed.id,
            "accountName": self.observed.name,
            "status": self.observed.status,
        }
        return planned_document(
            self, companyId=self.company_id, connectionId=self.connection_id, before=before
        )
