"""What must be true of the account in the end, a promise to a user each; excused as in ``sim_checks``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from sim_account import EDITED, OTHERS, hours_of, identity_of, is_mark
from sim_scenes import WORKSPACE
from sim_wire import Exchange

from reconciler.model import ACCOUNT, ACCOUNT_MARK
from reconciler.plan import AttentionCode

if TYPE_CHECKING:
    from sim_checks import Ending

RACE: Final = 2.0
DELETED: Final = "/webhooks/"


def _deletes(ending: Ending) -> Iterator[tuple[str, Exchange]]:
    """The deletes of webhook consumers that took effect, with the id of each."""
    for exchange in ending.log:
        if exchange.method == "DELETE" and exchange.path.startswith(DELETED) and exchange.took_effect:
            yield exchange.path.removeprefix(DELETED), exchange


def _is_blocked(ending: Ending) -> bool:
    """Whether the last plan waits for someone to settle what stood at a URL of ours before."""
    attention = ending.world.last_plan.attention if ending.world.last_plan else ()
    return any(noted.code is AttentionCode.EXISTS and noted.address.company == ACCOUNT for noted in attention)


def _may_be_blocked(ending: Ending) -> bool:
    """Whether someone put something beside ours while the account was nobody's."""
    was_nobodys = not all(came.was_ours for came in ending.world.strange_consumers.values())
    mark_went = any(happening.kind == "hook-gone" for happening in ending.world.happenings)
    return was_nobodys or mark_went


def the_account_is_as_specified(ending: Ending) -> Iterator[str]:
    """Each consumer that is wanted is there once, none that is not, and one mark of ours."""
    account = ending.scene.account
    if account is None:
        return
    if _is_blocked(ending):
        if not _may_be_blocked(ending):
            yield "the account is blocked, and nobody gave a reason"
        return
    live = ending.consumers
    counts = Counter(map(identity_of, live))
    for hook in account.hooks:
        wanted = int(not hook.is_absent)
        if counts[hook.identity] != wanted:
            yield f"{hook.key} is there {counts[hook.identity]} times, and should be {wanted}"
    named = {hook.url for hook in account.hooks}
    identities = {hook.identity for hook in account.listening}
    left = [
        consumer for consumer in live if consumer["url"] in named and identity_of(consumer) not in identities
    ]
    if left:
        yield f"{len(left)} consumers are left at URLs of ours"
    marks = [consumer["url"] for consumer in live if is_mark(consumer)]
    is_wanted = bool(account.hooks or account.redirect or account.hours)
    if marks != [ACCOUNT_MARK + WORKSPACE] and (is_wanted or len(marks) > 1):
        yield f"the account's marks are {marks}"


def consumers_of_others_are_untouched(ending: Ending) -> Iterator[str]:
    """What no spec names the URL of is never deleted; at ours, what came before the account was ours is not.

    It is where the spec says that nothing shall listen at its URL, and where a plan of an account that was
    ours showed it.
    """
    account = ending.scene.account
    ours = {hook.url for hook in account.hooks} if account else set()
    absent = {hook.url for hook in account.hooks if hook.is_absent} if account else set()
    was_ours = any(is_mark(consumer) for consumer in ending.world.consumers_at_start)
    for identifier, exchange in _deletes(ending):
        if identifier not in ending.world.strange_consumers:
            continue
        came = ending.world.strange_consumers[identifier]
        if came.url not in ours:
            yield f"{exchange} deleted a consumer that no spec names"
        elif not (was_ours or came.was_ours or came.url in absent or _marked_at(ending, came.at)):
            yield f"{exchange} of apply {exchange.apply} deleted what was there before the account was ours"


def _marked_at(ending: Ending, moment: float) -> bool:
    """Whether the account became ours in the two seconds after that."""
    return any(
        exchange.method == "POST"
        and exchange.path == "/webhooks"
        and is_mark(exchange.body)
        and exchange.took_effect
        and (exchange.arrived or 0) - moment >= 0
        and exchange.sent - moment <= RACE
        for exchange in ending.log
    )


def _urls(ending: Ending) -> Mapping[str, str]:
    """The URL of each consumer that was ever seen."""
    seen = [*ending.world.consumers_at_start]
    for exchange in ending.log:
        seen += exchange.listening or ()
    return {consumer["id"]: consumer["url"] for consumer in seen}


def no_event_is_lost(ending: Ending) -> Iterator[str]:
    """When one is deleted, those that are wanted at its URL listen already, unless others deleted them."""
    account = ending.scene.account
    urls = _urls(ending)
    for identifier, exchange in _deletes(ending):
        listening = Counter(map(identity_of, exchange.listening or ()))
        gone = {
            happening.target.role
            for happening in ending.world.happenings
            if happening.kind == "hook-gone" and happening.at <= (exchange.arrived or 0)
        }
        for hook in account.listening if account else ():
            url = urls.get(identifier)
            if hook.url == url and url not in gone and not listening[hook.identity]:
                yield f"{exchange} left nothing that is sent {', '.join(hook.events)} at its URL"


def each_consumer_is_created_once(ending: Ending) -> Iterator[str]:
    """None is created twice, unless the first one went, or others changed what stands beside it."""
    account = ending.scene.account
    made: Counter[Any] = Counter(
        (exchange.body["url"], tuple(sorted(exchange.body["eventTypes"])))
        for exchange in ending.log
        if exchange.method == "POST" and exchange.path == "/webhooks" and exchange.took_effect
    )
    changed = Counter(
        happening.target.role
        for happening in ending.world.happenings
        if happening.kind in ("hook-gone", "hook-beside")
    )
    late = any(strike.fault.kind == "suspended" for strike in ending.world.strikes)
    for hook in account.hooks if account else ():
        count = made[hook.url, tuple(sorted(hook.events))]
        if count > 1 + changed[hook.url] and not late:
            yield f"{hook.key} was created {count} times"


def settings_of_others_are_kept(ending: Ending) -> Iterator[str]:
    """What others set of the profile, and of its sync settings, stays, save in a race of two seconds."""
    happenings = ending.world.happenings
    now = {
        "profile-edited": ("PUT", "/profile", ending.profile["iconUrl"]),
        "settings-edited": ("POST", "/profile/syncSettings", ending.settings[EDITED]["syncSchedule"]),
    }
    for kind, (method, path, value) in now.items():
        edits = [number for number, happening in enumerate(happenings) if happening.kind == kind]
        if not edits:
            continue
        last = happenings[edits[-1]]
        wanted = f"{OTHERS}{edits[-1]}" if method == "PUT" else hours_of(edits[-1])
        is_raced = any(
            exchange.method == method
            and exchange.path == path
            and exchange.took_effect
            and (exchange.arrived or 0) >= last.at
            and exchange.sent - last.at <= RACE
            for exchange in ending.log
        )
        if value != wanted and not is_raced:
            yield f"what others set ({kind}) is {value} by now, and was {wanted}"


ACCOUNT_CHECKS: Final[tuple[Callable[[Ending], Iterator[str]], ...]] = (
    the_account_is_as_specified,
    consumers_of_others_are_untouched,
    no_event_is_lost,
    each_consumer_is_created_once,
    settings_of_others_are_kept,
)
