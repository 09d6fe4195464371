"""Codat in memory, with the rules that exactly-once rests on, and faults by script.

``FakeCodat`` is the account; each run has a ``FakeClient`` of its own. Keys are replayed for 90 minutes,
refusals and 5xx too; the same key with another body is a 422. Each request takes ``LATENCY`` seconds
of virtual time, so that runs interleave.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from virtual_time import VirtualClock

from reconciler.codat import Answered, Meter
from reconciler.codat.errors import (
    AlreadyQueuedError,
    ApiError,
    GatewayFaultError,
    HeldUpError,
    KeyReusedError,
    NoAnswerError,
    NotFoundError,
    RejectedError,
    StillRunningError,
    UnreachableError,
)
from reconciler.codat.exchange import SentSecrets
from reconciler.codat.transport import Look, StoppedError
from reconciler.live import LiveCompany, LiveConnection, LiveSyncSettings, Pull, PullState, Status
from reconciler.secret_refs import Secret

LATENCY = 0.1
WRITES = frozenset(
    {
        "create_company",
        "update_company",
        "delete_company",
        "create_connection",
        "authorize",
        "unlink",
        "delete_connection",
        "sync_all",
        "queue",
        "add_product",
        "remove_product",
        "set_sync_settings",
    }
)
PROFILE_SETTINGS = LiveSyncSettings(
    {
        "invoices": {"fetchOnFirstLink": True, "syncSchedule": 24, "syncOrder": 0, "syncFromWindow": 24},
        "bills": {"fetchOnFirstLink": True, "syncSchedule": 24, "syncOrder": 1, "isLocked": False},
    },
    are_own=False,
)
KEYLESS = (NoAnswerError, UnreachableError, StillRunningError, HeldUpError, GatewayFaultError)
"""What leaves no answer under the key: it never came through or was lost, is to come, or was a 429."""


class Killed(BaseException):
    """The process was killed here."""


@dataclass
class Fault:
    """What befalls the next ``times`` requests of a method: an error before or after they take effect.

    ``replaces``: the answer is changed instead. ``then``: something happens at Codat meanwhile.
    """

    method: str
    error: BaseException | None = None
    after: bool = False
    times: int = 1
    skip: int = 0
    replaces: Mapping[str, Any] = field(default_factory=dict)
    then: Callable[[], None] | None = None
    meanwhile: Callable[[], None] | None = None
    """Happens after the answer was made, ``late`` seconds before it comes."""
    late: float = 30


class FakeCodat:
    """The account: companies, histories, answers kept under keys, and a journal of what took effect."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.live: dict[str, LiveCompany] = {}
        self.pulls: dict[str, list[Pull]] = {}
        self.faults: list[Fault] = []
        self.journal: list[str] = []
        self.requests: list[str] = []
        self.keys: list[tuple[str, UUID]] = []
        self.tokens: list[tuple[str, datetime]] = []
        """Each time tokens arrived: the connection, and when."""
        self.memories: list[SentSecrets] = []
        """What each client that was asked for remembers of the secrets that were sent."""
        self.remaining: int | None = None
        """Requests of the day's quota, where they are told; 100 of them are for others."""
        self.lag = timedelta()
        """How long listings do not show what was created."""
        self.ignores_tags = False
        """Whether listings come unfiltered, whatever was asked."""
        self.tells_no_time = False
        """Whether answers have no ``Date``, and Codat's clock is ahead, so that what is old seems new."""
        self.sync_seconds = 10.0
        self.kill_at: int | None = None
        self.kill_after = False
        self.settings: dict[str, LiveSyncSettings] = {}
        """Companies' own sync settings; the others have the profile's."""
        self.locks_settings = False
        """Whether sync settings are taken, and stay as they are."""
        self._answers: dict[tuple[str, UUID], tuple[Any, Any, datetime]] = {}
        self._born = 0

    def new_id(self) -> str:
        self._born += 1
        return f"{self._born:08x}-0000-4000-8000-000000000000"

    def add(self, company: LiveCompany) -> LiveCompany:
        self.live[company.id] = company
        return company

    def put_connection(self, company_id: str, connection: LiveConnection) -> None:
        company = self.company(company_id)
        others = tuple(
            each_connection for each_connection in company.connections if each_connection.id != connection.id
        )
        self.live[company_id] = replace(company, connections=(*others, connection))

    def company(self, company_id: str) -> LiveCompany:
        if company_id not in self.live:
            raise NotFoundError("404: no company", status=404, correlation_id="corr-404")
        return self.live[company_id]

    def connection(self, company_id: str, connection_id: str) -> LiveConnection:
        found = self.company(company_id).connection(connection_id)
        if found is None:
            raise NotFoundError("404: no connection", status=404)
        return found

    def current_pulls(self, company_id: str) -> list[Pull]:
        ended = self.clock.now() - timedelta(seconds=self.sync_seconds)
        return [
            replace(pull, state=PullState.DONE, status="Complete") if pull.requested <= ended else pull
            for pull in self.pulls.get(company_id, [])
        ]

    async def answer(
        self, method: str, path: str, effect: Callable[[], Any], key: UUID | None = None, body: object = None
    ) -> Any:
        """What a request comes to: faults, then the key, then the effect."""
        number = len(self.requests)
        self.requests.append(method)
        if key is not None:
            self.keys.append((method, key))
        self._kill(number, after=False)
        await self.clock.sleep(LATENCY)
        fault = self._fault(method)
        if fault and fault.then:
            fault.then()
        if fault and fault.error and not fault.after:
            if key is not None and isinstance(fault.error, ApiError) and not isinstance(fault.error, KEYLESS):
                self._answers.setdefault((path, key), (body, fault.error, self.clock.now()))
            raise fault.error
        value = self._keyed(path, effect, key, body, fault)
        self._kill(number, after=True)
        if fault and fault.meanwhile:
            fault.meanwhile()
            await self.clock.sleep(fault.late)
        if fault and fault.error:
            raise fault.error
        return replace(value, **fault.replaces) if fault and fault.replaces else value

    def _keyed(
        self,
        path: str,
        effect: Callable[[], Any],
        key: UUID | None,
        body: object,
        fault: Fault | None,
    ) -> Any:
        if key is None:
            return effect()
        kept = self._answers.get((path, key))
        if kept and self.clock.now() - kept[2] < timedelta(minutes=90):
            if kept[0] != body:
                raise KeyReusedError("422: key reused", status=422)
            if isinstance(kept[1], ApiError):
                raise kept[1]
            return kept[1]
        try:
            value = effect()
        except ApiError as error:
            self._answers[path, key] = (body, error, self.clock.now())
            raise
        lost = fault.error if fault and fault.after else None
        cached = lost if isinstance(lost, ApiError) and not isinstance(lost, KEYLESS) else value
        self._answers[path, key] = (body, cached, self.clock.now())
        return value

    def _fault(self, method: str) -> Fault | None:
        for fault in self.faults:
            if fault.method != method:
                continue
            if fault.skip:
                fault.skip -= 1
                return None
            fault.times -= 1
            if not fault.times:
                self.faults.remove(fault)
            return fault
        return None

    def _kill(self, number: int, *, after: bool) -> None:
        if number == self.kill_at and after == self.kill_after:
            self.kill_at = None
            raise Killed


class FakeClient:
    """The client's methods, on a ``FakeCodat``. There is no pace, so every turn comes at once."""

    def __init__(self, codat: FakeCodat) -> None:
        self.codat = codat
        self.meter = Meter(reserve_percent=10)
        self.meter.limit = 1000
        self._stop: asyncio.Event | None = None
        self._takes: Look | None = None
        self._rests_on: Look | None = None
        self._within: timedelta | None = None

    def heeding(self, stop: asyncio.Event) -> FakeClient:
        return self._with(_stop=stop)

    def remembering(self, sent: SentSecrets) -> FakeClient:
        self.codat.memories.append(sent)
        return self

    def looking(self, look: Look) -> FakeClient:
        return self._with(_takes=look)

    def resting_on(self, look: Look) -> FakeClient:
        return self._with(_rests_on=look)

    def within(self, time: timedelta) -> FakeClient:
        return self._with(_within=time)

    def _with(self, **fields: Any) -> FakeClient:
        other = copy(self)
        vars(other).update(fields)
        return other

    async def _ask(
        self, method: str, path: str, effect: Callable[[], Any], key: UUID | None = None, body: object = None
    ) -> Any:
        if self._stop is not None and self._stop.is_set():
            raise StoppedError
        if self._takes is not None:
            self._takes.take(self.codat.clock.now())
        if self._rests_on is not None:
            is_in_time = self._rests_on.lasts(self.codat.clock.now())
            self._rests_on.use_up()
            if not is_in_time:
                raise HeldUpError("what was read right before is too old by now")
        if self._within is not None and self._within < timedelta():
            raise HeldUpError("Codat may have forgotten the key")
        if method in WRITES:
            self.meter.writes += 1
        else:
            self.meter.reads += 1
        answer = await self.codat.answer(method, path, effect, key, body)
        if self.codat.remaining is not None:
            self.codat.remaining -= 1
        self.meter.remaining = self.codat.remaining
        return answer

    # --- reads ---

    async def companies(self, tags: str = "") -> tuple[LiveCompany, ...]:
        def effect() -> tuple[LiveCompany, ...]:
            wanted = (
                [part.split("=") for part in tags.split(" && ")]
                if tags and not self.codat.ignores_tags
                else []
            )
            seen_until = self.codat.clock.now() - self.codat.lag
            return tuple(
                company
                for company in self.codat.live.values()
                if all(company.tags.get(name) == value for name, value in wanted)
                and (company.created is None or not self.codat.lag or company.created <= seen_until)
            )

        return await self._ask("companies", "/companies", effect)

    async def company(self, company_id: str) -> LiveCompany:
        return await self._ask("company", company_id, lambda: self.codat.company(company_id))

    async def connections(self, company_id: str) -> tuple[LiveConnection, ...]:
        return await self._ask("connections", company_id, lambda: self.codat.company(company_id).connections)

    async def connection(self, company_id: str, connection_id: str) -> LiveConnection:
        return await self._ask(
            "connection", connection_id, lambda: self.codat.connection(company_id, connection_id)
        )

    async def pulls(self, company_id: str) -> tuple[Pull, ...]:
        return await self._ask("pulls", company_id, lambda: tuple(self.codat.current_pulls(company_id)))

    async def sync_settings(self, company_id: str) -> LiveSyncSettings:
        def effect() -> LiveSyncSettings:
            self.codat.company(company_id)
            return self.codat.settings.get(company_id, PROFILE_SETTINGS)

        return await self._ask("sync_settings", company_id, effect)

    # --- writes ---

    async def create_company(self, body: Mapping[str, Any], key: UUID) -> Answered[LiveCompany]:
        def effect() -> LiveCompany:
            self.codat.journal.append(f"create company {body['name']}")
            return self.codat.add(
                LiveCompany(
                    id=self.codat.new_id(),
                    name=body["name"],
                    description=body.get("description"),
                    tags=dict(body.get("tags", {})),
                    created=self.codat.clock.now(),
                )
            )

        made = await self._ask("create_company", "/companies", effect, key, dict(body))
        return self._answered(made)

    async def update_company(self, company_id: str, body: Mapping[str, Any], key: UUID) -> LiveCompany:
        def effect() -> LiveCompany:
            self.codat.journal.append(f"update company {sorted(body)}")
            return self.codat.add(replace(self.codat.company(company_id), **body))

        return await self._ask("update_company", company_id, effect, key, dict(body))

    async def delete_company(self, company_id: str) -> None:
        def effect() -> None:
            self.codat.company(company_id)
            self.codat.journal.append("delete company")
            del self.codat.live[company_id]

        await self._ask("delete_company", company_id, effect)

    async def create_connection(
        self, company_id: str, platform_key: str, key: UUID
    ) -> Answered[LiveConnection]:
        def effect() -> LiveConnection:
            self.codat.company(company_id)
            self.codat.journal.append(f"create connection {platform_key}")
            made = LiveConnection(
                id=self.codat.new_id(),
                platform_key=platform_key,
                platform_name=platform_key,
                status=Status.PENDING_AUTH,
                created=self.codat.clock.now(),
                link_url=Secret("https://link.example/otp"),
            )
            self.codat.put_connection(company_id, made)
            return made

        made = await self._ask("create_connection", f"{company_id}/connections", effect, key, platform_key)
        return self._answered(made)

    async def authorize(
        self, company_id: str, connection_id: str, authorization: Mapping[str, Secret]
    ) -> LiveConnection:
        def effect() -> LiveConnection:
            before = self.codat.connection(company_id, connection_id)
            if any(secret.reveal().startswith("bad-") for secret in authorization.values()):
                raise RejectedError("400: invalid_grant", status=400, correlation_id="corr-400")
            self.codat.tokens.append((connection_id, self.codat.clock.now()))
            self.codat.journal.append(f"authorize {before.platform_key}")
            linked = replace(before, status=Status.LINKED)
            self.codat.put_connection(company_id, linked)
            return linked

        return await self._ask("authorize", connection_id, effect)

    async def unlink(self, company_id: str, connection_id: str, key: UUID) -> LiveConnection:
        def effect() -> LiveConnection:
            self.codat.journal.append("unlink")
            severed = replace(self.codat.connection(company_id, connection_id), status=Status.UNLINKED)
            self.codat.put_connection(company_id, severed)
            return severed

        return await self._ask("unlink", connection_id, effect, key)

    async def delete_connection(self, company_id: str, connection_id: str) -> None:
        def effect() -> None:
            self.codat.connection(company_id, connection_id)
            self.codat.journal.append("delete connection")
            company = self.codat.company(company_id)
            rest = tuple(connection for connection in company.connections if connection.id != connection_id)
            self.codat.add(replace(company, connections=rest))

        await self._ask("delete_connection", connection_id, effect)

    async def add_product(self, company_id: str, product: str) -> None:
        await self._change_products(company_id, "add_product", lambda found: {*found, product}, product)

    async def remove_product(self, company_id: str, product: str) -> None:
        def without(products: set[str]) -> set[str]:
            if product not in products:
                raise NotFoundError("404: no product", status=404)
            return products - {product}

        await self._change_products(company_id, "remove_product", without, product)

    async def _change_products(
        self, company_id: str, method: str, change: Callable[[set[str]], set[str]], product: str
    ) -> None:
        def effect() -> None:
            live = self.codat.company(company_id)
            self.codat.add(replace(live, products=tuple(sorted(change(set(live.products))))))
            self.codat.journal.append(f"{method.replace('_', ' ')} {product}")

        await self._ask(method, company_id, effect)

    async def set_sync_settings(self, company_id: str, settings: LiveSyncSettings, key: UUID) -> None:
        def effect() -> None:
            self.codat.company(company_id)
            self.codat.journal.append("set sync settings")
            if self.codat.locks_settings:
                return
            if settings.are_own:
                self.codat.settings[company_id] = settings
            else:
                self.codat.settings.pop(company_id, None)

        await self._ask("set_sync_settings", f"{company_id}/syncSettings", effect, key, settings)

    async def sync_all(self, company_id: str, key: UUID) -> None:
        def effect() -> None:
            linked = [
                connection
                for connection in self.codat.company(company_id).connections
                if connection.status is Status.LINKED
            ]
            self._queue(company_id, [connection.id for connection in linked], "invoices")

        await self._ask("sync_all", f"{company_id}/data/all", effect, key)

    async def queue(self, company_id: str, data_type: str, connection_id: str, key: UUID) -> None:
        await self._ask(
            "queue",
            f"{company_id}/data/queue/{data_type}?{connection_id}",
            lambda: self._queue(company_id, [connection_id], data_type),
            key,
        )

    def _queue(self, company_id: str, connection_ids: list[str], data_type: str) -> None:
        for pull in self.codat.current_pulls(company_id):
            same = pull.connection_id in connection_ids and pull.data_type == data_type
            if same and pull.state is PullState.RUNNING:
                raise AlreadyQueuedError("400: DatasetAlreadyInProgressException", status=400)
        now = self.codat.clock.now()
        for connection_id in connection_ids:
            self.codat.journal.append(f"sync {data_type}")
            self.codat.pulls.setdefault(company_id, []).insert(
                0,
                Pull(
                    id=self.codat.new_id(),
                    connection_id=connection_id,
                    data_type=data_type,
                    status="Queued",
                    state=PullState.RUNNING,
                    requested=now,
                ),
            )

    def _answered(self, made: Any) -> Answered[Any]:
        if made.created is None:
            return Answered(made, replayed=True)
        if self.codat.tells_no_time:
            return Answered(made, replayed=False)
        ago = self.codat.clock.now() - made.created
        return Answered(made, ago > timedelta(seconds=2), ago + timedelta(seconds=LATENCY))
