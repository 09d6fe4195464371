"""Everything that can go wrong, a row each: on the wire, at Codat, with the clocks, with ourselves.

A fault strikes one request of the disturbed runs, by its number. What it does to the request and its
answer is ``on_wire``; what happens in the world right before the request arrives is ``happens``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import httpx
from sim_account import BESIDE, EDITED, EVENTS, OTHERS, hours_of, identity_of, is_mark
from sim_feeds import FEED_KEY, RENAMED, STRANGE

from reconciler.model import ACCOUNT
from reconciler.plan import AttentionCode
from reconciler.sandbox.answering import ServerFault

if TYPE_CHECKING:
    from sim_wire import Exchange, Wire
    from sim_world import Apply, World

CUSTOMER_TAKES: Final = timedelta(seconds=10)
"""What a customer needs at least to find the link of a new connection and to go through it."""
READ_TIMEOUT: Final = 60.0
CRM: Final = "crm"
"""A tag that another writer adds."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of kind ``kind`` that strikes request ``at``; ``pick`` chooses whom it befalls."""

    kind: str
    at: int
    seconds: float = 0.0
    pick: int = 0


@dataclass(frozen=True, slots=True)
class Target:
    """Whom something befalls: a company by its key, one of its connections, or something of the account."""

    key: str
    company_id: str
    connection_id: str = ""
    platform: str = ""
    role: str = ""
    """The connection's key in the spec, as far as its tokens tell."""


OnWire = Callable[["Wire", "Exchange", httpx.Request, Fault], Awaitable[httpx.Response]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One row: how often it is drawn, how it is told, what it does.

    ``leaves`` is the attention that it may rightly leave behind, because no call of ours can settle it.
    """

    tells: str
    weight: int = 2
    seconds: tuple[float, ...] = (0.0,)
    on_wire: OnWire | None = None
    befalls: Callable[[World], list[Target]] | None = None
    does: Callable[[World, Target], None] | None = None
    happens: Callable[[World, Apply, Fault], None] | None = None
    leaves: frozenset[AttentionCode] = frozenset()


# --- on the wire -------------------------------------------------------------------------------


async def _delayed(wire: Wire, exchange: Exchange, request: httpx.Request, fault: Fault) -> httpx.Response:
    await asyncio.sleep(fault.seconds)
    return await wire.forward(exchange, request)


async def _answered_late(
    wire: Wire, exchange: Exchange, request: httpx.Request, fault: Fault
) -> httpx.Response:
    response = await wire.forward(exchange, request)
    await asyncio.sleep(fault.seconds)
    return response


async def _timed_out(wire: Wire, exchange: Exchange, request: httpx.Request, fault: Fault) -> httpx.Response:
    """The client gives up, and then the request arrives after all."""
    wire.world.in_background(_delayed(wire, exchange, request, fault))
    await asyncio.sleep(READ_TIMEOUT)
    raise httpx.ReadTimeout("simulated", request=request)


async def _worked_on(wire: Wire, exchange: Exchange, request: httpx.Request, fault: Fault) -> httpx.Response:
    return await wire.forward(exchange, request, held=fault.seconds)


def _server_fault(status: int, *, is_after: bool = False) -> OnWire:
    async def fail(wire: Wire, exchange: Exchange, request: httpx.Request, fault: Fault) -> httpx.Response:
        retry_after = int(fault.seconds) or None
        struck = ServerFault(fault.kind, status, is_after=is_after, retry_after=retry_after)
        return await wire.forward(exchange, request, struck)

    return fail


async def _gateway_before(
    _wire: Wire, _exchange: Exchange, request: httpx.Request, _fault: Fault
) -> httpx.Response:
    return httpx.Response(502, text="<html>Bad gateway</html>", request=request)


async def _gateway_after(
    wire: Wire, exchange: Exchange, request: httpx.Request, _fault: Fault
) -> httpx.Response:
    await wire.forward(exchange, request)
    return httpx.Response(504, text="<html>Gateway timeout</html>", request=request)


async def _proxy_page(
    _wire: Wire, _exchange: Exchange, request: httpx.Request, _fault: Fault
) -> httpx.Response:
    return httpx.Response(200, html="<html>Please sign in</html>", request=request)


async def _refused(_wire: Wire, _exchange: Exchange, request: httpx.Request, _fault: Fault) -> httpx.Response:
    raise httpx.ConnectError("simulated", request=request)


async def _dropped_before(
    _wire: Wire, _exchange: Exchange, request: httpx.Request, _fault: Fault
) -> httpx.Response:
    raise httpx.ReadError("simulated", request=request)


async def _dropped_after(
    wire: Wire, exchange: Exchange, request: httpx.Request, _fault: Fault
) -> httpx.Response:
    await wire.forward(exchange, request)
    raise httpx.RemoteProtocolError("simulated", request=request)


async def _malformed(wire: Wire, exchange: Exchange, request: httpx.Request, _fault: Fault) -> httpx.Response:
    whole = await wire.forward(exchange, request)
    half = whole.content[: len(whole.content) // 2]
    headers = {name: value for name, value in whole.headers.items() if name.lower() != "content-length"}
    return httpx.Response(whole.status_code, headers=headers, content=half, request=request)


async def _dies_before(
    wire: Wire, _exchange: Exchange, _request: httpx.Request, _fault: Fault
) -> httpx.Response:
    return await wire.die()


async def _dies_after(
    wire: Wire, exchange: Exchange, request: httpx.Request, _fault: Fault
) -> httpx.Response:
    await wire.forward(exchange, request)
    return await wire.die()


# --- at Codat, by others -----------------------------------------------------------------------


def _owned(world: World) -> list[Target]:
    return [Target(key, document["id"]) for key, document in world.owned()]


def _connections(world: World, *statuses: str) -> list[Target]:
    return [
        Target(key, document["id"], link["id"], link["integrationKey"], world.role(link["id"]))
        for key, document in world.owned()
        for link in document["dataConnections"]
        if link["status"] in statuses and link["id"] not in world.foreign
    ]


def _linked(world: World) -> list[Target]:
    return _connections(world, "Linked")


def _linkable(world: World) -> list[Target]:
    """Connections that wait long enough for a customer to have gone through the link by now."""
    return [
        connection
        for connection in _connections(world, "PendingAuth", "Deauthorized")
        if world.age_of(connection.connection_id) >= CUSTOMER_TAKES
    ]


def _strangers(world: World) -> list[Target]:
    return [Target("", stranger["id"]) for stranger in world.strangers()]


def _wipe_tags(world: World, target: Target) -> None:
    world.sandbox.wipe_tags(target.company_id)


def _add_tag(world: World, target: Target) -> None:
    world.outside.tag(target.company_id, CRM, "kept")


def _delete_company(world: World, target: Target) -> None:
    world.outside.delete_company(target.company_id)


def _abandon(world: World, target: Target) -> None:
    """Someone began to connect the platform of a spec'd connection, and left."""
    world.outside.connect(target.company_id, target.platform)


def _abandonable(world: World) -> list[Target]:
    return [
        Target(key, document["id"], platform=platform)
        for key, document in world.owned()
        for platform in world.platforms_of(key)
    ]


def _customer_links(world: World, target: Target) -> None:
    world.outside.happen(target.connection_id, "link")


def _revoke(world: World, target: Target) -> None:
    world.outside.happen(target.connection_id, "revoke")


def _deauthorize(world: World, target: Target) -> None:
    world.outside.happen(target.connection_id, "deauthorize")


# --- at Codat, by others, to the account -------------------------------------------------------


def _the_account(world: World) -> list[Target]:
    return [Target(ACCOUNT, "")] if world.scene.account else []


def _urls(world: World) -> list[Target]:
    """The URLs that our specs name."""
    hooks = world.scene.account.hooks if world.scene.account else ()
    return [Target(ACCOUNT, "", role=url) for url in sorted({hook.url for hook in hooks})]


def _consumers(world: World) -> list[Target]:
    """Our consumers, and the mark that says whose the account is."""
    hooks = world.scene.account.listening if world.scene.account else ()
    wanted = {hook.identity for hook in hooks}
    return [
        Target(ACCOUNT, "", consumer["id"], role=consumer["url"])
        for consumer in world.outside.consumers()
        if is_mark(consumer) or identity_of(consumer) in wanted
    ]


def _listen_elsewhere(world: World, _target: Target) -> None:
    world.add_consumer(f"{OTHERS}{len(world.happenings)}", EVENTS)


def _listen_beside(world: World, target: Target) -> None:
    world.add_consumer(target.role, BESIDE)


def _remove_consumer(world: World, target: Target) -> None:
    world.outside.remove_consumer(target.connection_id)


def _edit_profile(world: World, _target: Target) -> None:
    world.outside.edit_profile(iconUrl=f"{OTHERS}{len(world.happenings)}")


def _redirect(world: World, _target: Target) -> None:
    world.outside.edit_profile(redirectUrl=f"{OTHERS}{len(world.happenings)}")


def _edit_settings(world: World, _target: Target) -> None:
    world.outside.edit_settings(EDITED, syncSchedule=hours_of(len(world.happenings)))


# --- at Codat, by others, to the source accounts of our bank feeds -----------------------------


def _feeds(world: World) -> list[Target]:
    """Our bank feeds, each with the ids of accounts that someone may make there; ours are among them."""
    return [
        replace(target, role=identifier)
        for target in _connections(world, "PendingAuth", "Linked")
        if target.platform == FEED_KEY
        for identifier in (STRANGE, *world.account_ids(target.key))
        if identifier not in world.accounts_of(target.connection_id)
    ]


def _source_accounts(world: World) -> list[Target]:
    """The source accounts that are there, ours and others'."""
    return [
        replace(target, role=identifier)
        for target in _connections(world, "PendingAuth", "Linked", "Deauthorized", "Unlinked")
        if target.platform == FEED_KEY
        for identifier in world.accounts_of(target.connection_id)
    ]


def _open_account(world: World, target: Target) -> None:
    world.outside.open_account(target.company_id, target.connection_id, target.role)


def _rename_account(world: World, target: Target) -> None:
    world.outside.rename_account(target.company_id, target.connection_id, target.role, RENAMED)


def _close_account(world: World, target: Target) -> None:
    world.outside.close_account(target.company_id, target.connection_id, target.role)


# --- to ourselves ------------------------------------------------------------------------------


def _stranger_comes(world: World, _apply: Apply, fault: Fault) -> None:
    world.outside.create_company(f"Passer-by {fault.at}")


def _quota_runs_out(world: World, _apply: Apply, fault: Fault) -> None:
    world.outside.leave_of_quota(fault.pick % 6)


def _our_clock_jumps(world: World, _apply: Apply, fault: Fault) -> None:
    world.our_clock.skew += timedelta(seconds=fault.seconds)


def _their_clock_jumps(world: World, _apply: Apply, fault: Fault) -> None:
    world.their_clock.skew += timedelta(seconds=fault.seconds)


def _suspended(world: World, _apply: Apply, fault: Fault) -> None:
    """The machine sleeps: time passes for everybody, but timers do not notice."""
    world.our_clock.skew += timedelta(seconds=fault.seconds)
    world.their_clock.skew += timedelta(seconds=fault.seconds)


def _second_apply(world: World, _apply: Apply, _fault: Fault) -> None:
    world.start_another()


def _interrupted(_world: World, apply: Apply, _fault: Fault) -> None:
    apply.stop.set()


RELINKED: Final = frozenset(
    {AttentionCode.RELINK, AttentionCode.SYNC_FAILED, AttentionCode.ACCOUNTING_OCCUPIED}
)
"""Access was lost: the customer must link again, and syncs that ran have failed."""

KINDS: Final[Mapping[str, Kind]] = {
    "delayed": Kind("is held up on its way", seconds=(1, 10, 40), on_wire=_delayed),
    "answered-late": Kind("is answered late", seconds=(1, 10, 40), on_wire=_answered_late),
    "timed-out": Kind("arrives after we gave up on it", seconds=(61, 66, 72), on_wire=_timed_out),
    "worked-on": Kind("is worked on for long", seconds=(1, 20), on_wire=_worked_on),
    "429": Kind("is answered 429", 3, seconds=(0, 1, 30, 120), on_wire=_server_fault(429)),
    "500-before": Kind("is answered 500 and not done", 4, on_wire=_server_fault(500)),
    "500-after": Kind("is answered 500 and done", 5, on_wire=_server_fault(500, is_after=True)),
    "503-before": Kind("is answered 503 and not done", seconds=(0, 30), on_wire=_server_fault(503)),
    "503-after": Kind("is answered 503 and done", on_wire=_server_fault(503, is_after=True)),
    "502-before": Kind("is answered 502 by a gateway and never arrives", on_wire=_gateway_before),
    "504-after": Kind("is answered 504 by a gateway and done", on_wire=_gateway_after),
    "proxy-page": Kind("is answered 200 with a proxy's page and never arrives", on_wire=_proxy_page),
    "refused": Kind("finds no connection", on_wire=_refused),
    "dropped-before": Kind("is dropped and never arrives", 4, on_wire=_dropped_before),
    "dropped-after": Kind("is done, and its answer lost", 5, on_wire=_dropped_after),
    "malformed": Kind("is done, and half of its answer missing", 3, on_wire=_malformed),
    "death-before": Kind("kills the process before it arrives", 5, on_wire=_dies_before),
    "death-after": Kind("is done, and the process dies", 6, on_wire=_dies_after),
    "tags-wiped": Kind(
        "comes after someone wiped the tags of",
        befalls=_owned,
        does=_wipe_tags,
        leaves=frozenset({AttentionCode.EXISTS, AttentionCode.AMBIGUOUS, AttentionCode.DUPLICATE}),
    ),
    "tag-added": Kind("comes after another writer tagged", 3, befalls=_owned, does=_add_tag),
    "company-deleted": Kind(
        "comes after someone deleted",
        befalls=_owned,
        does=_delete_company,
        leaves=frozenset({AttentionCode.MISSING}),
    ),
    "abandoned": Kind(
        "comes after someone began to connect and left",
        3,
        befalls=_abandonable,
        does=_abandon,
        leaves=frozenset({AttentionCode.AMBIGUOUS}),
    ),
    "customer-links": Kind(
        "comes after the customer linked",
        4,
        befalls=_linkable,
        does=_customer_links,
        leaves=frozenset({AttentionCode.AMBIGUOUS, AttentionCode.ACCOUNTING_OCCUPIED}),
    ),
    "revoked": Kind("comes after the platform revoked", befalls=_linked, does=_revoke, leaves=RELINKED),
    "deauthorized": Kind(
        "comes after the customer withdrew", befalls=_linked, does=_deauthorize, leaves=RELINKED
    ),
    "stranger-comes": Kind("comes after another company was created", happens=_stranger_comes),
    "stranger-goes": Kind(
        "comes after another company was deleted", befalls=_strangers, does=_delete_company
    ),
    "quota": Kind("comes when the day's quota is nearly gone", happens=_quota_runs_out),
    "our-clock": Kind(
        "comes after our clock was set", seconds=(-7200, -60, 90, 7200), happens=_our_clock_jumps
    ),
    "their-clock": Kind("comes after Codat's clock was set", seconds=(90, 300), happens=_their_clock_jumps),
    "suspended": Kind("comes after the machine slept", seconds=(20, 600, 5700), happens=_suspended),
    "second-apply": Kind("comes when a second apply begins", 6, happens=_second_apply),
    "interrupted": Kind("comes after Ctrl-C", happens=_interrupted),
    "hook-comes": Kind(
        "comes after someone made a consumer elsewhere", befalls=_the_account, does=_listen_elsewhere
    ),
    "hook-beside": Kind(
        "comes after someone made a consumer beside ours at",
        befalls=_urls,
        does=_listen_beside,
        leaves=frozenset({AttentionCode.EXISTS}),
    ),
    "hook-gone": Kind(
        "comes after someone deleted the consumer at",
        befalls=_consumers,
        does=_remove_consumer,
        leaves=frozenset({AttentionCode.EXISTS}),
    ),
    "profile-edited": Kind(
        "comes after someone changed another member of the profile", befalls=_the_account, does=_edit_profile
    ),
    "redirected": Kind(
        "comes after someone changed our member of the profile", befalls=_the_account, does=_redirect
    ),
    "settings-edited": Kind(
        "comes after someone changed another sync setting", befalls=_the_account, does=_edit_settings
    ),
    "account-comes": Kind("comes after someone made the source account", befalls=_feeds, does=_open_account),
    "account-renamed": Kind(
        "comes after someone renamed the source account", befalls=_source_accounts, does=_rename_account
    ),
    "account-gone": Kind(
        "comes after someone deleted the source account", befalls=_source_accounts, does=_close_account
    ),
}
"""Every kind of fault."""
ACCOUNT_KINDS: Final = frozenset(
    {"hook-comes", "hook-beside", "hook-gone", "profile-edited", "redirected", "settings-edited"}
)
"""Those that befall the account itself."""
FEED_KINDS: Final = frozenset({"account-comes", "account-renamed", "account-gone"})
"""Those that befall the source accounts of a bank feed."""
