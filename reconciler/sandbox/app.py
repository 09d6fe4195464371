"""The routes: which function answers which request, and the ASGI application made of them."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from email.utils import format_datetime
from functools import partial
from typing import Final

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.sandbox import (
    answering,
    companies,
    connections,
    control,
    integrations,
    link_pages,
    overview,
    source_accounts,
    syncing,
    webhooks,
)
from reconciler.sandbox.answering import Claims, Handler, ServerFault, answer_call, key_of, new_correlation_id
from reconciler.sandbox.answers import Answer, Call, Problem
from reconciler.sandbox.faults import FAULT, Faults, Sleep
from reconciler.sandbox.store import Store, as_datetime

COMPANY: Final = "/companies/{companyId}"
CONNECTION: Final = COMPANY + "/connections/{connectionId}"
SOURCE_ACCOUNTS: Final = CONNECTION + "/connectionInfo/bankFeedAccounts"

API: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", "/companies", companies.list_companies),
    ("POST", "/companies", companies.create_company),
    ("GET", COMPANY, companies.get_company),
    ("PUT", COMPANY, companies.replace_company),
    ("PATCH", COMPANY, companies.update_company),
    ("DELETE", COMPANY, companies.delete_company),
    ("PUT", COMPANY + "/products/{productIdentifier}", companies.add_product),
    ("DELETE", COMPANY + "/products/{productIdentifier}", companies.remove_product),
    ("POST", COMPANY + "/products/{productIdentifier}/refresh", syncing.refresh_product),
    ("GET", COMPANY + "/connections", connections.list_connections),
    ("POST", COMPANY + "/connections", connections.create_connection),
    ("GET", CONNECTION, connections.get_connection),
    ("PATCH", CONNECTION, connections.update_connection),
    ("DELETE", CONNECTION, connections.delete_connection),
    ("PUT", CONNECTION + "/authorization", connections.authorize),
    ("POST", COMPANY + "/data/all", syncing.queue_all),
    ("POST", COMPANY + "/data/queue/{dataType}", syncing.queue_type),
    ("GET", COMPANY + "/dataStatus", syncing.get_data_status),
    ("GET", COMPANY + "/data/history", syncing.list_pulls),
    ("GET", COMPANY + "/data/history/{datasetId}", syncing.get_pull),
    ("GET", COMPANY + "/syncSettings", integrations.get_company_sync_settings),
    ("POST", COMPANY + "/syncSettings", integrations.set_company_sync_settings),
    ("GET", "/integrations", integrations.list_integrations),
    ("GET", "/integrations/{platformKey}", integrations.get_integration),
    ("GET", "/profile", integrations.get_profile),
    ("PUT", "/profile", integrations.update_profile),
    ("GET", "/profile/syncSettings", integrations.get_profile_sync_settings),
    ("POST", "/profile/syncSettings", integrations.set_profile_sync_settings),
    ("GET", "/webhooks", webhooks.list_webhooks),
    ("POST", "/webhooks", webhooks.create_webhook),
    ("DELETE", "/webhooks/{webhookId}", webhooks.delete_webhook),
)
"""The Platform API (https://docs.codat.io/platform-api), as far as the sandbox has it."""

BANK_FEEDS: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", SOURCE_ACCOUNTS, source_accounts.list_accounts),
    ("POST", SOURCE_ACCOUNTS, source_accounts.create_account),
    ("PATCH", SOURCE_ACCOUNTS + "/{accountId}", source_accounts.update_account),
    ("DELETE", SOURCE_ACCOUNTS + "/{accountId}", source_accounts.delete_account),
)
"""What it has of the Bank Feeds API, which has a document of its own (https://docs.codat.io/bank-feeds-api)."""

LINKS: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", CONNECTION + "/start", link_pages.show_connection),
    ("POST", CONNECTION + "/start", link_pages.choose),
    ("GET", "/company/{companyId}", link_pages.show_company),
)
"""Where link URLs lead: pages for customers, who meet no key, quota or fault."""

CONTROL: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", "/faults", control.faults_route),
    ("POST", "/faults", control.add_faults_route),
    ("DELETE", "/faults", control.clear_faults_route),
    ("GET", "/settings", control.settings_route),
    ("POST", "/settings", control.change_settings_route),
    ("GET", "/clock", control.clock_route),
    ("POST", "/clock", control.advance_route),
    ("GET", "/journal", control.journal_route),
    ("GET", "/state", control.state_route),
    ("GET", "/page", overview.show),
    ("POST", "/page", overview.switch),
    ("POST", "/reset", control.reset_route),
    ("POST", "/connections/{connectionId}/{event}", control.event_route),
    ("POST", "/companies/{companyId}/wipe-tags", control.wipe_tags_route),
)
"""What stands under ``control.PREFIX``."""


OVERVIEW: Final = control.PREFIX + "/page"
"""What a browser gets at ``/`` too."""

Respond = Callable[[Store, Handler, Call, ServerFault | None], Answer]


def build(store: Store, sleep: Sleep) -> ASGIApp:
    """The application: routes, behind faults, behind what every request meets."""
    control_table = tuple((method, control.PREFIX + path, handler) for method, path, handler in CONTROL)
    pages = _routes(store, LINKS, _answer_plainly)
    router = Starlette(
        routes=[
            *_routes(store, (*API, *BANK_FEEDS), answer_call),
            *pages,
            *_routes(store, control_table, _answer_plainly),
        ],
        exception_handlers={HTTPException: partial(_refuse_unrouted, store)},
    )
    router.router.redirect_slashes = False
    return _Front(router, Faults(router, store, sleep), pages, store)


class _Front:
    """What every request meets first: which way it goes, whether its key is free, its answer's headers."""

    def __init__(self, router: ASGIApp, api: ASGIApp, pages: Iterable[Route], store: Store) -> None:
        self._router = router
        self._api = api
        self._pages = tuple(pages)
        self._store = store
        self._claims = Claims()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if _is_browser_at_root(scope):
            scope = {**scope, "path": OVERVIEW, "raw_path": OVERVIEW.encode()}
        if scope["type"] != "http" or self._is_for_customers(scope):
            await self._router(scope, receive, send)
        elif not scope["path"].startswith(control.PREFIX + "/"):
            await self._answer_api(scope, receive, send)
        elif _is_loopback(scope):
            await self._router(scope, receive, send)
        else:
            await _response(_refusal(self._store, Problem(404)))(scope, receive, send)

    def _is_for_customers(self, scope: Scope) -> bool:
        return any(page.matches(scope)[0] is not Match.NONE for page in self._pages)

    async def _answer_api(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_stamp(self._store))
            await send(message)

        key = key_of(scope["method"], Headers(scope=scope).get("Idempotency-Key"))
        with self._claims.claim(scope["method"], scope["path"], key) as is_ours:
            answering = self._api if is_ours else _response(_refusal(self._store, Problem(409)))
            await answering(scope, receive, stamped)


def _stamp(store: Store) -> dict[str, str]:
    """The headers that every answer of the API carries; the date is by the sandbox's own clock."""
    with store.transaction() as session:
        now = as_datetime(session.now)
        return {"Date": format_datetime(now, usegmt=True), **answering.headers(session)}


def _is_browser_at_root(scope: Scope) -> bool:
    """Whether someone looks at the server's own address; a client of the API never asks for HTML."""
    return (
        scope["type"] == "http"
        and (scope["method"], scope["path"]) == ("GET", "/")
        and "text/html" in Headers(scope=scope).get("Accept", "")
    )


def _is_loopback(scope: Scope) -> bool:
    """Whether the request comes from this machine; in process there is no address at all."""
    client = scope.get("client")
    if client is None:
        return True
    try:
        return ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False


# --- from ASGI to calls and back -------------------------------------------------------------------


def _routes(store: Store, table: Iterable[tuple[str, str, Handler]], respond: Respond) -> list[Route]:
    """One route per path, which knows all of its methods."""
    by_path: dict[str, dict[str, Handler]] = {}
    for method, path, handler in table:
        by_path.setdefault(path, {})[method] = handler
    return [
        Route(path, partial(_endpoint, store, path, handlers, respond), methods=list(handlers))
        for path, handlers in by_path.items()
    ]


async def _endpoint(
    store: Store, template: str, handlers: Mapping[str, Handler], respond: Respond, request: Request
) -> Response:
    method = "GET" if request.method == "HEAD" else request.method
    call = Call(
        method=method,
        path=request.url.path,
        template=template,
        path_ids=request.path_params,
        query=dict(request.query_params),
        body=await request.body(),
        key=key_of(method, request.headers.get("Idempotency-Key")),
        authorization=request.headers.get("Authorization", ""),
        origin=str(request.base_url).rstrip("/"),
    )
    return _response(respond(store, handlers[method], call, request.scope.get(FAULT)), call.origin)


def _answer_plainly(store: Store, handler: Handler, call: Call, _fault: ServerFault | None) -> Answer:
    try:
        with store.transaction() as session:
            return handler(session, call)
    except Problem as problem:
        return _refusal(store, problem)


async def _refuse_unrouted(store: Store, _request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    return _response(_refusal(store, Problem(status, headers=headers)))


def _refusal(store: Store, problem: Problem) -> Answer:
    with store.transaction() as session:
        return problem.answer(new_correlation_id(session))


def _response(answer: Answer, origin: str = "") -> Response:
    content, media_type = answer.body(origin)
    return Response(content, answer.status, dict(answer.headers), media_type)
