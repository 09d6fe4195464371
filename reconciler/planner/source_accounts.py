"""The source accounts of a bank feed: what is wanted, what Codat has, and what follows.

An account is known by its ``id``, which whoever creates it chooses (the Bank Feeds API's document: "unique ID
for the bank account"). Codat changes its name alone; type and currency stay. So an account of the same id and
another type or currency may be another one, and nothing is done about it. What no spec names is left alone:
nothing at Codat tells who made it, and a delete takes the customer's mapping with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.actions import Action
from reconciler.kinds import Change, Kind
from reconciler.live import Live, LiveSourceAccount
from reconciler.model import DesiredSourceAccount, Presence, Wanted
from reconciler.plan import Attention, AttentionCode
from reconciler.planner.drafts import CompanyDraft, ConnectionDraft, Draft
from reconciler.planner.rules import NO, YES, Rule, RuleTable
from reconciler.source_account_actions import CreateSourceAccount, DeleteSourceAccount, UpdateSourceAccount
from reconciler.wording import listed

_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class SourceAccountSituation:
    """Everything that the rules for a source account may look at.

    ``doubled``: Codat has several of its id. ``another``: it has one with another type or currency.
    ``renamed``: its name differs.
    """

    wanted: Presence
    live: bool
    doubled: bool
    another: bool
    renamed: bool


_PRESENT, _ABSENT = (Presence.PRESENT,), (Presence.ABSENT,)

SOURCE_ACCOUNT_RULES: Final = RuleTable(
    SourceAccountSituation,
    (
        Rule(
            "source-account-new",
            {"wanted": _PRESENT, "live": NO},
            "not in Codat",
            (Kind.SOURCE_ACCOUNT_CREATE,),
        ),
        Rule(
            "source-account-doubled",
            {"live": YES, "doubled": YES},
            "Codat has several accounts under its id",
            attention=AttentionCode.AMBIGUOUS,
        ),
        Rule(
            "source-account-another",
            {"wanted": _PRESENT, "live": YES, "doubled": NO, "another": YES},
            "Codat has another account under its id",
            attention=AttentionCode.AMBIGUOUS,
        ),
        Rule(
            "source-account-renamed",
            {"wanted": _PRESENT, "live": YES, "doubled": NO, "another": NO, "renamed": YES},
            "its name differs",
            (Kind.SOURCE_ACCOUNT_UPDATE,),
        ),
        Rule(
            "source-account-as-specified",
            {"wanted": _PRESENT, "live": YES, "doubled": NO, "another": NO, "renamed": NO},
            "as specified",
        ),
        Rule(
            "source-account-absent",
            {"wanted": _ABSENT, "live": YES, "doubled": NO},
            "the spec says state: absent; what the customer mapped it to goes with it",
            (Kind.SOURCE_ACCOUNT_DELETE,),
        ),
        Rule("source-account-gone", {"wanted": _ABSENT, "live": NO}, "absent, and not in Codat"),
    ),
)


@dataclass(frozen=True, slots=True)
class SourceAccounts:
    """One connection's share of the plan."""

    actions: tuple[Action, ...] = ()
    attention: tuple[Attention, ...] = ()


def feeds_to_read(drafted: Draft) -> dict[str, str]:
    """Ids of the connections whose source accounts must be read, each with its company's."""
    return {
        connection.live.id: company.live.id
        for company in drafted.open
        for connection in company.connections
        if company.live and connection.live and connection.desired
        if connection.desired.source_accounts and connection.desired.wanted is Wanted.LINKED
    }


@dataclass(frozen=True, slots=True)
class SourceAccountDecision:
    """What is decided for one account."""

    account: DesiredSourceAccount
    live: LiveSourceAccount | None
    situation: SourceAccountSituation
    row: Rule

    @property
    def why(self) -> str:
        """The reason, and which account it is about."""
        return f"{self.account.id}: {self.row.why}"


def source_account_decisions(connection: ConnectionDraft, live: Live) -> tuple[SourceAccountDecision, ...]:
    """What is decided for each account that the spec names, as far as it is known what Codat has."""
    found = _found(connection, live)
    if found is None or connection.desired is None:
        return ()
    decisions = []
    for identifier, account in sorted(connection.desired.source_accounts.items()):
        now = next((live_account for live_account in found if live_account.id == identifier), None)
        situation = _situation(account, now, [live_account.id for live_account in found])
        row = SOURCE_ACCOUNT_RULES.decide(situation)
        decisions.append(SourceAccountDecision(account, now, situation, row))
    return tuple(decisions)


def source_accounts(company: CompanyDraft, connection: ConnectionDraft, live: Live) -> SourceAccounts:
    """What follows for the source accounts of a connection; nothing where its spec names none."""
    decisions = source_account_decisions(connection, live)
    actions = [action for decision in decisions for action in _actions(company, connection, decision)]
    attention = [
        _whose(connection, decision.account, decision.live, is_doubled=decision.situation.doubled)
        for decision in decisions
        if decision.row.attention and decision.live
    ]
    named = {decision.account.id for decision in decisions}
    unnamed = sorted({account.id for account in _found(connection, live) or ()} - named)
    if unnamed and decisions:
        attention.append(_unmanaged(connection, unnamed))
    return SourceAccounts(tuple(actions), tuple(attention))


def _found(connection: ConnectionDraft, live: Live) -> Sequence[LiveSourceAccount] | None:
    """The connection's accounts; none where this plan creates it, ``None`` where they are no matter."""
    desired = connection.desired
    if desired is None or desired.wanted is not Wanted.LINKED:
        return None
    if connection.is_created:
        return ()
    return live.source_accounts.get(connection.live.id) if connection.live else None


def _situation(
    wanted: DesiredSourceAccount, live: LiveSourceAccount | None, found: Sequence[str]
) -> SourceAccountSituation:
    """The situation of one account; ``found`` are the ids of all that Codat has."""
    return SourceAccountSituation(
        wanted.state,
        live is not None,
        doubled=found.count(wanted.id) > 1,
        another=live is not None and bool(_differences(wanted, live)),
        renamed=live is not None and live.name != wanted.name,
    )


def _differences(wanted: DesiredSourceAccount, live: LiveSourceAccount) -> list[str]:
    """What says that it is another account; Codat writes a type in its own case, or leaves it out."""
    compared = (("accountType", wanted.type, live.type), ("currency", wanted.currency, live.currency))
    return [
        f"{name} is '{now}' where the spec says '{asked}'"
        for name, asked, now in compared
        if now and now.casefold() != asked.casefold()
    ]


def _actions(
    company: CompanyDraft,
    connection: ConnectionDraft,
    decision: SourceAccountDecision,
) -> Iterator[Action]:
    row, account, now, address = decision.row, decision.account, decision.live, connection.address
    company_id = company.live.id if company.live else None
    connection_id = connection.live.id if connection.live else None
    for kind in row.actions:
        if kind is Kind.SOURCE_ACCOUNT_CREATE:
            yield CreateSourceAccount(
                address=address,
                reason=row.why,
                company_id=company_id,
                connection_id=connection_id,
                account=account,
            )
        elif now is None or company_id is None or connection_id is None:
            raise ValueError(f"{kind} {address} of what is not there")
        elif kind is Kind.SOURCE_ACCOUNT_UPDATE:
            yield UpdateSourceAccount(
                address=address,
                reason=row.why,
                company_id=company_id,
                connection_id=connection_id,
                account_id=account.id,
                change=Change(path="accountName", before=now.name or None, after=account.name),
            )
        else:
            yield DeleteSourceAccount(
                address=address,
                reason=row.why,
                company_id=company_id,
                connection_id=connection_id,
                observed=now,
            )


def _whose(
    connection: ConnectionDraft, account: DesiredSourceAccount, now: LiveSourceAccount, *, is_doubled: bool
) -> Attention:
    told = (
        f"Codat has several source accounts '{account.id}' here, and no request can tell them apart: "
        f"ask Codat's support to remove those that are not meant"
        if is_doubled
        else f"source account '{account.id}' is in Codat as another one may be: "
        f"{'; '.join(_differences(account, now))}. Codat does not change these: write into the spec what is "
        f"there, or give the account that you mean an id of its own"
    )
    return Attention(code=AttentionCode.AMBIGUOUS, address=connection.address, message=told)


def _unmanaged(connection: ConnectionDraft, unnamed: list[str]) -> Attention:
    told = (
        f"Codat has source accounts here that the spec does not name: {listed(unnamed, _NAMED)}; leave them, "
        f"name them under sourceAccounts, or have one deleted with 'state: absent'"
    )
    return Attention(code=AttentionCode.UNMANAGED, address=connection.address, message=told)
