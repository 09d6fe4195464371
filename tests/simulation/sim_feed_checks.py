"""What must be true of source accounts in the end, a promise to a user each; excused as in ``sim_checks``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from sim_wire import Exchange

if TYPE_CHECKING:
    from sim_checks import Ending

LOOKED: Final = 2.0
"""Seconds that a look may be old when what rests on it leaves."""
ACCOUNTS: Final = re.compile(
    r"/connections/(?P<connection>[^/]+)/connectionInfo/bankFeedAccounts(/(?P<id>.+))?"
)


def _writes(ending: Ending, *methods: str) -> Iterator[tuple[str, str, Exchange]]:
    """The writes on source accounts that took effect: connection, account and request."""
    for exchange in ending.log:
        found = ACCOUNTS.search(exchange.path)
        if found and exchange.method in methods and exchange.took_effect:
            yield found["connection"], found["id"] or exchange.body["id"], exchange


def each_source_account_is_created_once(ending: Ending) -> Iterator[str]:
    """None is created twice, unless someone deleted the first one."""
    made = Counter((connection, account) for connection, account, _ in _writes(ending, "POST"))
    gone = Counter(
        (happening.target.connection_id, happening.target.role)
        for happening in ending.world.happenings
        if happening.kind == "account-gone"
    )
    for place, count in made.items():
        if count > 1 + gone[place]:
            yield f"source account {place[1]} was created {count} times"


def source_accounts_of_others_are_untouched(ending: Ending) -> Iterator[str]:
    """What no spec names is neither renamed nor deleted, and nothing is deleted that no spec wants absent."""
    keys = {company["id"]: key for key, company in ending.owned()}
    for _, account, exchange in _writes(ending, "PATCH", "DELETE"):
        firm = ending.scene.firm(keys.get(exchange.company, ""))
        named = {named.id: named for named in firm.accounts} if firm else {}
        is_wanted = account in named and (exchange.method == "PATCH") != named[account].is_absent
        if firm and not is_wanted:
            yield f"{exchange} of apply {exchange.apply} is wanted by no spec"


def source_accounts_change_as_they_were_seen(ending: Ending) -> Iterator[str]:
    """What is renamed or deleted was looked at right before."""
    for connection, _, exchange in _writes(ending, "PATCH", "DELETE"):
        looks = [
            look.sent
            for look in ending.log
            if look.apply == exchange.apply and look.method == "GET" and look.seen == 200
            if (found := ACCOUNTS.search(look.path)) and found["connection"] == connection
            if look.answered is not None and look.answered <= exchange.sent
        ]
        if not looks or exchange.sent - max(looks) > LOOKED:
            yield f"{exchange} of apply {exchange.apply} rests on no look of the last {LOOKED:g} s"


FEED_CHECKS: Final[tuple[Callable[[Ending], Iterator[str]], ...]] = (
    each_source_account_is_created_once,
    source_accounts_of_others_are_untouched,
    source_accounts_change_as_they_were_seen,
)
