"""The actions on the source accounts of a bank feed, each a value of its own class."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

from reconciler.kinds import Change, Kind
from reconciler.live import LiveSourceAccount
from reconciler.model import DesiredSourceAccount
from reconciler.planned import Planned, ShownAction, ShownState


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

    def shown(self) -> ShownAction:
        """What a person may see of it: the names of the numbers, never their values."""
        account = self.account
        return replace(
            self.bare(),
            company_id=self.company_id,
            connection_id=self.connection_id,
            after=ShownState(
                source_account=account.id,
                account_name=account.name,
                account_type=account.type,
                currency=account.currency,
            ),
            fields=tuple(sorted(account.numbers)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateSourceAccount(Planned):
    """``PATCH …/bankFeedAccounts/{id}``: the name differs, the one member that always can be changed."""

    kind: ClassVar[Kind] = Kind.SOURCE_ACCOUNT_UPDATE
    company_id: str
    connection_id: str
    account_id: str
    change: Change

    def shown(self) -> ShownAction:
        """What a person may see of it."""
        return replace(
            self.bare(),
            company_id=self.company_id,
            connection_id=self.connection_id,
            source_account=self.account_id,
            changes=(self.change,),
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

    def shown(self) -> ShownAction:
        """What a person may see of it."""
        before = ShownState(
            source_account=self.observed.id, account_name=self.observed.name, status=self.observed.status
        )
        return replace(
            self.bare(), company_id=self.company_id, connection_id=self.connection_id, before=before
        )
