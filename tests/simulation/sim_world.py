"""A world in virtual time: a sandbox, its clocks, whoever else is there, and our applies.

The planner, the executor and the client are the real ones, and read and plan as the workflow does.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sim_account import BESIDE, CANARY, EVENTS, HIDDEN, OTHERS, is_mark, url_of
from sim_faults import KINDS, Fault, Target
from sim_feeds import CURRENCY, TYPE
from sim_scenes import BRANDS, ELSEWHERE, Scene, Specs, addresses
from sim_wire import LAST_ENTRY, Exchange, Strike, Wire, moment_of
from virtual_time import START

from reconciler.apply import execute
from reconciler.codat import Client, ReadClient, connect
from reconciler.codat.pacing import ForwardClock
from reconciler.live import Live
from reconciler.model import KEY_TAG, LINKS_TAG, WORKSPACE_TAG, Desired, Wanted
from reconciler.outcome import Event, Outcome
from reconciler.plan import Plan
from reconciler.planner import Policy, draft, finish
from reconciler.sandbox import (
    Sandbox,
    answering,
    companies,
    connections,
    control,
    integrations,
    source_accounts,
    webhooks,
)
from reconciler.sandbox.answering import Handler
from reconciler.sandbox.answers import Call, Problem
from reconciler.secret_refs import Secret, SecretRef
from reconciler.workflow.account import read_account
from reconciler.workflow.reading import answer, list_companies, with_sync_settings
from reconciler.workspace import Limits

API: Final = "http://127.0.0.1"
API_KEY: Final = f"Basic {CANARY}-api-key"
MOST_REQUESTS: Final = 3000
MOST_APPLIES: Final = 3
"""Undisturbed applies within which a plan must be empty."""
MOST_AT_ONCE: Final = 3
STRANGE_TAGS: Final[tuple[dict[str, str], ...]] = (
    {"uid": "0"},
    {WORKSPACE_TAG: ELSEWHERE, KEY_TAG: "stranger"},
    {KEY_TAG: "acme"},
)
"""What companies carry that are none of ours."""
DAY: Final = 86_400
DELETES: Final = 10
"""Source accounts that an apply may delete: the guard is not what is tried here."""


class EndlessError(AssertionError):
    """A world that does not come to rest."""


class SkewedClock:
    """Virtual time, set wrong by ``skew``."""

    def __init__(self) -> None:
        self.skew = timedelta()

    def now(self) -> datetime:
        """What the clock shows."""
        return START + timedelta(seconds=asyncio.get_running_loop().time()) + self.skew

    def of_a_process(self) -> ForwardClock:
        """What a program that starts now goes by."""
        return ForwardClock(self.now, asyncio.get_running_loop().time)


class Outside:
    """Whatever others do at Codat: at once, unseen by the wire, and not counted against the quota."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._store = sandbox._store

    def create_company(self, name: str, **tags: str) -> str:
        """The id of a new company."""
        return str(self._do(companies.create_company, name=name, tags=tags)["id"])

    def tag(self, company_id: str, tag: str, value: str) -> None:
        """Add a tag, as a writer does that merges."""
        tags = self._do(companies.get_company, company_id)["tags"]
        self._do(companies.update_company, company_id, tags={**tags, tag: value})

    def delete_company(self, company_id: str) -> None:
        """Delete a company."""
        self._do(companies.delete_company, company_id)

    def connect(self, company_id: str, platform: str) -> str:
        """The id of a new connection that nobody has authorized."""
        return str(self._do(connections.create_connection, company_id, platformKey=platform)["id"])

    def delete_connection(self, company_id: str, connection_id: str) -> None:
        """Delete a connection."""
        path = {"companyId": company_id, "connectionId": connection_id}
        with self._store.transaction() as session:
            connections.delete_connection(session, Call("", "", "", path))

    def forget_links(self, company_id: str) -> None:
        """Take the record of links away, as a writer does that knows nothing of it."""
        tags = self._do(companies.get_company, company_id)["tags"]
        kept = {tag: value for tag, value in tags.items() if tag != LINKS_TAG}
        self._do(companies.update_company, company_id, tags=kept)

    def sync_settings(self, company_id: str) -> dict[str, dict[str, Any]]:
        """A company's sync settings by data type."""
        settings = self._do(integrations.get_company_sync_settings, company_id)["settings"]
        return {setting["dataType"]: setting for setting in settings}

    def consumers(self) -> list[dict[str, Any]]:
        """Every webhook consumer."""
        with self._store.transaction() as session:
            return webhooks.everything(session)

    def add_consumer(self, url: str, events: Sequence[str]) -> str:
        """The id of a new webhook consumer."""
        body = {"url": url, "eventTypes": list(events), "companyTags": [], "disabled": False}
        return str(self._do(webhooks.create_webhook, **body)["id"])

    def remove_consumer(self, webhook_id: str) -> None:
        """Delete a webhook consumer."""
        with self._store.transaction() as session:
            webhooks.delete_webhook(session, Call("", "", "", {"webhookId": webhook_id}))

    def source_accounts(self) -> list[dict[str, Any]]:
        """Every source account, with the connection that it is of."""
        with self._store.transaction() as session:
            return source_accounts.everything(session)

    def open_account(self, company_id: str, connection_id: str, identifier: str) -> None:
        """Make a source account of this id."""
        body = {"id": identifier, "accountName": "By others", "accountType": TYPE, "currency": CURRENCY}
        numbers = {"accountNumber": "1", "balance": 0}
        self._feed(source_accounts.create_account, company_id, connection_id, **body, **numbers)

    def rename_account(self, company_id: str, connection_id: str, identifier: str, name: str) -> None:
        """Rename a source account."""
        update = source_accounts.update_account
        self._feed(update, company_id, connection_id, identifier, accountName=name)

    def close_account(self, company_id: str, connection_id: str, identifier: str) -> None:
        """Delete a source account."""
        self._feed(source_accounts.delete_account, company_id, connection_id, identifier)

    def _feed(
        self, handler: Handler, company_id: str, connection_id: str, identifier: str = "", **body: Any
    ) -> None:
        path = {"companyId": company_id, "connectionId": connection_id, "accountId": identifier}
        with self._store.transaction() as session:
            handler(session, Call("", "", "", path, body=json.dumps(body).encode()))

    def profile(self) -> dict[str, Any]:
        """The profile."""
        return self._do(integrations.get_profile)

    def edit_profile(self, **members: str) -> None:
        """Change members of the profile."""
        self._do(integrations.update_profile, **self.profile() | members)

    def profile_settings(self) -> dict[str, dict[str, Any]]:
        """The profile's sync settings by data type."""
        settings = self._do(integrations.get_profile_sync_settings)["settings"]
        return {setting["dataType"]: setting for setting in settings}

    def edit_settings(self, data_type: str, **members: int) -> None:
        """Change the profile's sync setting of a data type."""
        settings = self.profile_settings()
        settings[data_type] = settings[data_type] | members
        body = {"settings": list(settings.values()), "overridesDefaults": True}
        self._do(integrations.set_profile_sync_settings, **body)

    def happen(self, connection_id: str, event: str) -> None:
        """Let one of ``control.EVENTS`` happen to a connection."""
        with self._store.transaction() as session:
            control.happen(session, connection_id, event, {})

    def leave_of_quota(self, requests: int) -> None:
        """Let so many requests be left of the day."""
        with self._store.transaction() as session:
            control.settings.change(session, {"quota": answering._spent(session) + requests})

    def last_entry(self) -> Mapping[str, Any]:
        """The last write that the sandbox wrote down."""
        with self._store.transaction() as session:
            entry = session.row(LAST_ENTRY)
            assert entry is not None
            return dict(entry)

    def _do(self, handler: Handler, company_id: str = "", **body: Any) -> dict[str, Any]:
        call = Call("", "", "", {"companyId": company_id}, body=json.dumps(body).encode())
        with self._store.transaction() as session:
            return handler(session, call).document or {}


@dataclass
class Apply:
    """One run of ours: plan, and carry out."""

    number: int
    is_disturbed: bool
    clock: ForwardClock
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None
    is_dead: bool = False
    plan: Plan | None = None
    outcome: Outcome | None = None
    error: BaseException | None = None
    began: float = 0
    ended: float = 0
    events: list[Event] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)

    def die(self) -> None:
        """End as by kill -9."""
        self.is_dead = True
        assert self.task is not None
        self.task.cancel()


@dataclass(frozen=True, slots=True)
class Happening:
    """What someone else did, to whom, and what was there before; ``at`` is the world's own time."""

    kind: str
    target: Target
    at: float
    before: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Came:
    """A webhook consumer that someone else made, when, and whether the account was ours by then."""

    url: str
    at: float
    was_ours: bool


class World:
    """One scene, played."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.our_clock, self.their_clock = SkewedClock(), SkewedClock()
        self.sandbox = Sandbox(
            now=self.their_clock.now,
            seed=scene.seed,
            sleep=asyncio.sleep,
            settings={"syncSeconds": scene.sync_seconds},
        )
        self.outside = Outside(self.sandbox)
        self.log: list[Exchange] = []
        self.strikes: list[Strike] = []
        self.happenings: list[Happening] = []
        self.applies: list[Apply] = []
        self.tokens: dict[str, str] = {}
        """The token that took effect last, by connection id."""
        self.earlier = Specs(scene.earlier, workspaces=scene.workspaces[-1:], account=scene.earlier_account)
        self.later = Specs(scene.later, workspaces=scene.workspaces, account=scene.account)
        self.foreign: set[str] = set()
        """Ids of the connections that customers made and linked by themselves."""
        self.strange_consumers: dict[str, Came] = {}
        """The webhook consumers of others."""
        self.at_start: dict[str, dict[str, Any]] = {}
        """The companies, by id, when the disturbed part began."""
        self.consumers_at_start: list[dict[str, Any]] = []
        self.last_plan: Plan | None = None
        self.calm_applies = 0
        self.is_endless = False
        self._renamed = {firm.renamed_from: firm.key for firm in scene.later if firm.renamed_from}
        self._travelling = random.Random(f"{scene.seed} travel")
        self._requests = 0
        self._background: set[asyncio.Task[Any]] = set()

    @property
    def time(self) -> float:
        """Seconds since the world began, whatever its clocks show."""
        return asyncio.get_running_loop().time()

    # --- the parts of a scene ------------------------------------------------------------------

    async def set_stage(self) -> None:
        """Everything that was before."""
        scene = self.scene
        for number in range(scene.strangers):
            self.outside.create_company(f"Stranger {number}", **STRANGE_TAGS[number % len(STRANGE_TAGS)])
        for name in sorted({firm.name for firm in scene.later if firm.is_new}):
            self.outside.create_company(name, uid="another")
        adopted = {
            firm.key: self.outside.create_company(firm.name, erp="kept")
            for firm in scene.later
            if firm.adopts
        }
        for number in range(scene.others_listen):
            self.add_consumer(f"{OTHERS}before/{number}", EVENTS)
        if scene.account and scene.account.hooks and scene.is_crowded:
            self.add_consumer(scene.account.hooks[0].url, BESIDE)
        if scene.earlier or scene.earlier_account:
            await self.rest(self.earlier.desired())
        for address in scene.linked:
            self._happened_before(address, "link", "PendingAuth")
        for address in scene.deauthorized:
            self._happened_before(address, "deauthorize", "Linked")
        for company in self.companies():
            if self.key_of(company) is not None and company["tags"][KEY_TAG] in scene.wiped:
                self.sandbox.wipe_tags(company["id"])
        await asyncio.sleep(scene.gone_by * DAY)
        self._meddle()
        self.later = Specs(scene.later, adopted, self.their_clock.now(), scene.workspaces, scene.account)
        self.consumers_at_start = self.outside.consumers()
        self.sandbox.set(lagSeconds=scene.lag_seconds)
        self.at_start = {company["id"]: company for company in self.companies()}
        self.log.clear()
        self.applies.clear()

    def _meddle(self) -> None:
        """What others did to our companies while nobody looked."""
        for key, company in [(document["tags"].get(KEY_TAG, ""), document) for _, document in self.owned()]:
            gone = {
                link["id"]
                for address in self.scene.gone
                for link in self._links_of(company, key, address, "Linked", "PendingAuth")
            }
            for identifier in sorted(gone):
                self.outside.delete_connection(company["id"], identifier)
            for platform in (brand for brand in BRANDS if f"{key}/{brand}" in self.scene.foreign):
                identifier = self.outside.connect(company["id"], BRANDS[platform].key)
                self.outside.happen(identifier, "link")
                self.foreign.add(identifier)
            if key in self.scene.unrecorded:
                self.outside.forget_links(company["id"])

    async def disturb(self) -> None:
        """The applies among faults."""
        for _ in range(self.scene.runs):
            self._begin(self.later.desired(), is_disturbed=True)
            await self._ended()
            await asyncio.sleep(self.scene.pause)
        if self._background:
            await asyncio.wait(self._background)
        if any(strike.fault.kind == "quota" for strike in self.strikes):
            await asyncio.sleep(DAY)
            self.sandbox.set(quota=None)

    async def rest(self, desired: Desired | None = None) -> None:
        """Apply without faults until the plan is empty, at most three times, and still is after the syncs."""
        desired = desired or self.later.desired()
        self.calm_applies = 0
        for number in range(MOST_APPLIES + 1):
            outcome = await self._apply_calmly(desired, execute_it=number < MOST_APPLIES)
            self.calm_applies += outcome is not None and outcome.is_complete
            await asyncio.sleep(self.scene.sync_seconds + self.scene.lag_seconds + 30)
            if self.last_plan is None or not self.last_plan.actions:
                break
        if self.last_plan is not None and not self.last_plan.actions:
            await self._apply_calmly(desired, execute_it=False)

    async def _apply_calmly(self, desired: Desired, *, execute_it: bool) -> Outcome | None:
        apply = self._begin(desired, is_disturbed=False, execute_it=execute_it)
        await self._ended()
        self.last_plan = apply.plan
        return apply.outcome

    def close(self) -> None:
        """Close the sandbox."""
        self.sandbox.close()

    # --- our applies ---------------------------------------------------------------------------

    def start_another(self) -> None:
        """Begin an apply beside those that run."""
        if sum(apply.task is not None and not apply.task.done() for apply in self.applies) < MOST_AT_ONCE:
            self._begin(self.later.desired(), is_disturbed=True)

    def _begin(self, desired: Desired, *, is_disturbed: bool, execute_it: bool = True) -> Apply:
        apply = Apply(len(self.applies), is_disturbed, began=self.time, clock=self.our_clock.of_a_process())
        self.applies.append(apply)
        apply.task = asyncio.create_task(self._run(apply, desired, execute_it=execute_it))
        return apply

    async def _ended(self) -> None:
        while running := [apply.task for apply in self.applies if apply.task and not apply.task.done()]:
            await asyncio.wait(running)

    async def _run(self, apply: Apply, desired: Desired, *, execute_it: bool) -> None:
        try:
            planned_at = apply.clock.now()
            apply.plan = await self._plan(apply, desired)
            if apply.is_disturbed and self.scene.ponder:
                await asyncio.sleep(self.scene.ponder)
            if execute_it and apply.plan.actions:
                await self._execute(apply, apply.plan, planned_at)
        except asyncio.CancelledError:
            assert apply.is_dead
        except Exception as error:  # noqa: BLE001 - a check judges it
            apply.error = error
        finally:
            apply.ended = self.time

    async def _plan(self, apply: Apply, desired: Desired) -> Plan:
        limits = self._limits()
        async with connect(
            ReadClient,
            API,
            Secret(API_KEY),
            limits=limits,
            clock=apply.clock,
            transport=Wire(self, apply),
            on_wait=lambda seconds, why: apply.waits.append(f"{seconds}: {why}"),
            rng=random.Random(f"{self.scene.seed} {apply.number} read"),
        ) as client:
            policy = Policy(
                now=apply.clock.now(), preconditions_waived=True, allow_source_account_deletes=DELETES
            )
            companies = await list_companies(client, desired)
            account = await read_account(client, desired.account, url_of) if desired.account else None
            companies = await with_sync_settings(client, companies, desired, policy, limits)
            live = Live(companies=companies, account=account)
            drafted = draft(desired, live, policy)
            live = await answer(client, live, drafted, limits)
            return finish(drafted, desired, live, policy, tool="simulation", api=API)

    async def _execute(self, apply: Apply, plan: Plan, planned_at: datetime) -> None:
        async with connect(
            Client,
            API,
            Secret(API_KEY),
            limits=self._limits(),
            clock=apply.clock,
            transport=Wire(self, apply),
            on_wait=lambda seconds, why: apply.waits.append(f"{seconds}: {why}"),
            rng=random.Random(f"{self.scene.seed} {apply.number} write"),
        ) as client:
            apply.outcome = await execute(
                plan,
                client,
                resolve,
                clock=apply.clock,
                limits=self._limits(),
                observer=apply.events.append,
                seed=self.scene.seed * 100 + apply.number,
                stop=apply.stop,
                planned_at=planned_at,
            )

    def _limits(self) -> Limits:
        scene = self.scene
        return Limits(
            requests_per_minute=scene.per_minute, concurrency=scene.concurrency, page_size=scene.page_size
        )

    # --- requests and faults -------------------------------------------------------------------

    def next_request(self, apply: Apply) -> tuple[int, list[Fault]]:
        """The number of a request, and the faults that strike it."""
        if len(self.log) > MOST_REQUESTS:
            raise EndlessError
        if not apply.is_disturbed:
            return -1, []
        number = self._requests
        self._requests += 1
        return number, [fault for fault in self.scene.faults if fault.at == number]

    async def travel(self) -> None:
        """The time that a request or an answer is under way."""
        await asyncio.sleep(self._travelling.uniform(0.02, 0.12))

    def in_background(self, work: Coroutine[Any, Any, Any]) -> None:
        """Let something go on that nobody waits for."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def befall(self, fault: Fault) -> Target | None:
        """Let what others do happen to someone, if there is anyone it can befall."""
        kind = KINDS[fault.kind]
        assert kind.befalls is not None
        candidates = kind.befalls(self)
        if not candidates:
            return None
        return self.let(fault.kind, candidates[fault.pick % len(candidates)])

    def let(self, name: str, target: Target) -> Target | None:
        """Let what others do happen to ``target``; ``None`` where Codat refuses it."""
        does = KINDS[name].does
        assert does is not None
        before = next((company for company in self.companies() if company["id"] == target.company_id), {})
        try:
            does(self, target)
        except Problem:
            return None
        self.happenings.append(Happening(name, target, self.time, before))
        return target

    def add_consumer(self, url: str, events: Sequence[str]) -> None:
        """Let someone else make a webhook consumer."""
        is_ours = any(map(is_mark, self.outside.consumers()))
        self.strange_consumers[self.outside.add_consumer(url, events)] = Came(url, self.time, is_ours)

    def _happened_before(self, address: str, event: str, status: str) -> None:
        """Something befell a connection between the earlier specs and the later ones."""
        for _, company in self.owned():
            for link in self._links_of(company, company["tags"][KEY_TAG], address, status):
                try:
                    self.outside.happen(link["id"], event)
                except Problem:
                    continue

    def _links_of(
        self, company: Mapping[str, Any], owner: str, address: str, *statuses: str
    ) -> list[dict[str, Any]]:
        """The first live connection that may be the one at ``address`` of the earlier specs."""
        links = {
            f"{firm.key}/{each_address.key}": each_address
            for firm, each_address in addresses(self.scene.earlier)
        }
        link = links.get(address)
        if link is None or owner != address.partition("/")[0]:
            return []
        return [
            connection
            for connection in company["dataConnections"]
            if connection["integrationKey"] == link.brand.key
            and connection["status"] in statuses
            and self.role(connection["id"]) in ("", link.role)
        ][:1]

    # --- what there is -------------------------------------------------------------------------

    def companies(self) -> list[dict[str, Any]]:
        """Every company, as it is now."""
        found: list[dict[str, Any]] = self.sandbox.state()["companies"]
        return found

    def owned(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Our companies, each by the key that the later specs give it."""
        for company in self.companies():
            key = self.key_of(company)
            if key is not None:
                yield key, company

    def key_of(self, company: Mapping[str, Any]) -> str | None:
        """The key of a company of ours, as the later specs have it."""
        tags = company["tags"]
        if tags.get(WORKSPACE_TAG) not in self.scene.workspaces or KEY_TAG not in tags:
            return None
        return self._renamed.get(tags[KEY_TAG], str(tags[KEY_TAG]))

    def key_by_id(self, company_id: str) -> str:
        """The key of the company of this id; empty if it is none of ours."""
        return next((key for key, document in self.owned() if document["id"] == company_id), "")

    @property
    def requests(self) -> int:
        """Requests that faults could strike."""
        return self._requests

    def strangers(self) -> list[dict[str, Any]]:
        """Companies that have nothing to do with our specs."""
        return [company for company in self.companies() if company["name"].startswith("Stranger")]

    def accounts_of(self, connection_id: str) -> list[str]:
        """The ids of a connection's source accounts."""
        return [
            str(account["id"])
            for account in self.outside.source_accounts()
            if account["connectionId"] == connection_id
        ]

    def account_ids(self, key: str) -> list[str]:
        """The ids of the source accounts that the later specs name."""
        firm = self.scene.firm(key)
        return [account.id for account in firm.accounts] if firm else []

    def role(self, connection_id: str) -> str:
        """The key of the connection whose tokens took effect here; empty if none did."""
        token = self.tokens.get(connection_id, "")
        return token.partition("/")[2].partition("#")[0]

    def age_of(self, connection_id: str) -> timedelta:
        """How long a connection has been there."""
        created = next(
            link["created"]
            for company in self.companies()
            for link in company["dataConnections"]
            if link["id"] == connection_id
        )
        return self.their_clock.now() - moment_of(created)

    def platforms_of(self, key: str) -> list[str]:
        """The platforms on which the later specs want something linked."""
        firm = self.scene.firm(key)
        links = firm.links if firm else ()
        return sorted({link.brand.key for link in links if link.wanted is Wanted.LINKED})


def resolve(ref: SecretRef) -> Secret:
    """A token that tells which one it is, or the hidden URL; it must be seen nowhere."""
    if str(ref.locator) == HIDDEN:
        return url_of(ref)
    return Secret(f"{CANARY}-{ref.locator}")
