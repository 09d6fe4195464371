"""Small plans, and a way to carry them out on the fake Codat in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from apply_codat import FakeClient, FakeCodat
from virtual_time import VirtualClock

from reconciler.actions import (
    Action,
    AuthorizeConnection,
    CreateCompany,
    CreateConnection,
    SyncCompany,
    SyncTarget,
    UpdateCompany,
    in_order,
)
from reconciler.apply import execute
from reconciler.codat import Client
from reconciler.fields import by_path
from reconciler.kinds import Change
from reconciler.live import LiveCompany, LiveConnection, Status
from reconciler.model import KEY_TAG, WORKSPACE_TAG, Address
from reconciler.outcome import ActionOutcome, Event, Outcome
from reconciler.plan import Basis, Plan
from reconciler.secret_refs import Secret, SecretRef, Variable
from reconciler.workspace import Limits

WORKSPACE = "prod"
QBO, XERO, PLAID = "qhyg", "gbol", "suuo"
COMPANY = "c0000000-0000-4000-8000-000000000000"
BOOKS = "b0000000-0000-4000-8000-000000000000"
SECRET_TEXT = "must-never-be-shown"
TOKENS: Mapping[str, str | SecretRef] = {"accessToken": SecretRef(Variable("TOKEN")), "realmId": "4620816365"}


def ours(key: str = "acme", **more: str) -> dict[str, str]:
    return {WORKSPACE_TAG: WORKSPACE, KEY_TAG: key, **more}


def live_company(*connections: LiveConnection, key: str = "acme", **fields: Any) -> LiveCompany:
    fields = {"id": COMPANY, "name": key.title(), "tags": ours(key)} | fields
    return LiveCompany(connections=connections, **fields)


def live_connection(status: Status = Status.PENDING_AUTH, **fields: Any) -> LiveConnection:
    fields = {"id": BOOKS, "platform_key": QBO, "platform_name": "QuickBooks Online"} | fields
    return LiveConnection(status=status, **fields)


def create_company(key: str = "acme") -> CreateCompany:
    return CreateCompany(
        address=Address(key),
        reason="not in Codat",
        fields=by_path({"name": key.title()}, ours(key, region="uk")),
    )


def create_connection(
    address: str = "acme/books", company_id: str | None = None, platform_key: str = QBO, **fields: Any
) -> CreateConnection:
    return CreateConnection(
        address=Address.parse(address),
        reason="not in Codat",
        company_id=company_id,
        platform=platform_key,
        platform_key=platform_key,
        **fields,
    )


def authorize(
    address: str = "acme/books",
    company_id: str | None = None,
    connection_id: str | None = None,
    observed: Status | None = None,
    platform_key: str = QBO,
    authorization: Mapping[str, str | SecretRef] = TOKENS,
) -> AuthorizeConnection:
    return AuthorizeConnection(
        address=Address.parse(address),
        reason="PendingAuth",
        company_id=company_id,
        connection_id=connection_id,
        platform=platform_key,
        platform_key=platform_key,
        observed=observed,
        authorization=authorization,
        reauthorized=observed is Status.LINKED,
    )


def sync(*targets: SyncTarget, key: str = "acme", company_id: str | None = None) -> SyncCompany:
    targets = targets or (SyncTarget(address=Address(key, "books"), connection_id=None),)
    return SyncCompany(
        address=Address(key), reason="authorized by this plan", company_id=company_id, targets=targets
    )


def update(observed: LiveCompany, *changes: Change, key: str = "acme") -> UpdateCompany:
    return UpdateCompany(
        address=Address(key),
        reason="managed fields differ",
        company_id=observed.id,
        changes=changes,
        observed=observed,
    )


def fresh(key: str = "acme") -> tuple[Action, ...]:
    """A new company with one connection: four writes."""
    return (create_company(key), create_connection(f"{key}/books"), authorize(f"{key}/books"), sync(key=key))


def plan_of(*actions: Action) -> Plan:
    return Plan(
        tool="codat-sync",
        workspace=WORKSPACE,
        api="https://api",
        actions=in_order(actions),
        attention=(),
        unchanged=0,
        basis=Basis("", {}),
    )


@dataclass
class Scene:
    """A Codat, its clock, and what runs on it told; made inside the virtual loop."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    events: list[Event] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=lambda: {"TOKEN": SECRET_TEXT})
    concurrency: int = 10
    max_failures: int = 10
    on_event: Callable[[Event], None] | None = None

    def __post_init__(self) -> None:
        self.codat = FakeCodat(self.clock)
        self.stop = asyncio.Event()
        self._seed = 0

    async def apply(self, plan: Plan | Iterable[Action], **options: Any) -> Outcome:
        """Carry a plan out with a client and a seed of its own."""
        self._seed += 1
        settings: dict[str, Any] = {
            "clock": self.clock,
            "limits": Limits(concurrency=self.concurrency),
            "max_failures": self.max_failures,
            "observer": self._observe,
            "seed": self._seed,
            "stop": self.stop,
        }
        resolve = options.pop("resolve", lambda ref: Secret(self.secrets[str(ref.locator)]))
        return await execute(
            plan if isinstance(plan, Plan) else plan_of(*plan),
            cast("Client", FakeClient(self.codat)),
            resolve,
            **(settings | options),
        )

    def _observe(self, event: Event) -> None:
        self.events.append(event)
        if self.on_event:
            self.on_event(event)

    @property
    def company(self) -> LiveCompany:
        """The only company that there is."""
        (found,) = self.codat.live.values()
        return found


def ends(outcome: Outcome) -> list[str]:
    """How each action ended, with its code: ``done``, ``failed rejected``."""
    return [" ".join(filter(None, (result.result.value, code(result)))) for result in outcome.results]


def code(result: ActionOutcome) -> str:
    return result.failure.code if result.failure else ""
