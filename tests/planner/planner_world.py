"""A pretend Codat in memory, and an executor that never fails: what a plan promises, put to the test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from builders import API, NOW, TOOL, Integration

from reconciler.actions import (
    Action,
    AddProduct,
    AdoptCompany,
    AuthorizeConnection,
    CreateCompany,
    CreateConnection,
    DeleteCompany,
    DeleteConnection,
    RemoveProduct,
    SetSyncSettings,
    SyncCompany,
    SyncTarget,
    UnlinkConnection,
    UpdateCompany,
)
from reconciler.live import Live, LiveCompany, LiveConnection, LiveSyncSettings, Pull, PullState, Status
from reconciler.model import LINKS_TAG, MAX_TAG_VALUE, MAX_TAGS, Address, Desired, SourceType
from reconciler.plan import Plan
from reconciler.planner import Directory, Policy, draft, finish, make_plan


@dataclass
class World:
    """Companies by id, their histories, and a clock."""

    companies: dict[str, LiveCompany]
    pulls: dict[str, list[Pull]]
    integrations: dict[str, Integration]
    fetched: frozenset[str] = frozenset({"invoices"})
    now: datetime = NOW
    settings: dict[str, LiveSyncSettings] = field(default_factory=dict)
    """Companies' own sync settings; the others have the profile's."""
    born: int = 0
    made: dict[Address, str] = field(default_factory=dict)
    """The ids that this run's creates were given."""

    def copy(self) -> World:
        """The same world, to go another way from here."""
        pulls = {key: list(own) for key, own in self.pulls.items()}
        return replace(
            self, companies=dict(self.companies), pulls=pulls, settings=dict(self.settings), made={}
        )

    def live(self, desired: Desired) -> Live:
        """Everything there is to know, sync settings where the specs manage them."""
        pulls = {key: tuple(own) for key, own in self.pulls.items()}
        managed = Directory.of(desired, self.companies.values()).with_own_settings(lambda _: True)
        companies = (
            replace(company, sync_settings=self.sync_settings(company.id) if company.id in managed else None)
            for company in self.companies.values()
        )
        return Live(companies=tuple(companies), pulls=pulls, fetched_types=self.fetched)

    def sync_settings(self, company: str) -> LiveSyncSettings:
        """The company's own sync settings, else the profile's."""
        marked = {"fetchOnFirstLink": "invoices" in self.fetched, "syncSchedule": 24, "syncOrder": 0}
        return self.settings.get(company, LiveSyncSettings({"invoices": marked}, are_own=False))

    def plan(self, desired: Desired, run: Policy) -> Plan:
        """A plan made as the workflow makes it: with no more of the history than the draft asks for."""
        run = replace(run, now=self.now)
        everything = self.live(desired)
        listing = replace(everything, pulls={}, fetched_types=None)
        drafted = draft(desired, listing, run)
        asked = replace(
            listing,
            pulls={key: everything.pulls.get(key, ()) for key in drafted.histories},
            fetched_types=self.fetched if drafted.needs_profile else None,
        )
        plan = finish(drafted, desired, asked, run, tool=TOOL, api=API)
        assert plan == make_plan(desired, everything, run, tool=TOOL, api=API), (
            "the draft asked for too little"
        )
        return plan

    # --- carrying a plan out -------------------------------------------------------------------

    def apply(self, plan: Plan, *, steps: int | None = None) -> None:
        """Carry out each company's actions in order, at most ``steps`` (one or more) requests of each."""
        self.made = {}
        lanes: dict[str, list[Action]] = {}
        for action in plan.actions:
            lanes.setdefault(action.address.company, []).append(action)
        for lane in lanes.values():
            for number, _ in enumerate(step for action in lane for step in self._steps(action)):
                if steps is not None and number + 1 >= steps:
                    break
        self.now += timedelta(seconds=30)

    def finish_pulls(self) -> None:
        """Every running pull ends: well on a Linked connection, and of any other nothing can be fetched."""
        self.now += timedelta(minutes=5)
        for company in tuple(self.companies.values()):
            history = self.pulls.get(company.id, [])
            linked = {
                connection.id: connection
                for connection in company.connections
                if connection.status is Status.LINKED
            }
            for number, pull in enumerate(history):
                if pull.state is not PullState.RUNNING:
                    continue
                state = PullState.DONE if pull.connection_id in linked else PullState.FAILED
                history[number] = replace(pull, state=state, status=state, completed=self.now)
                if found := linked.get(pull.connection_id):
                    self._put(company.id, replace(found, last_sync=self.now))
        self.now += timedelta(seconds=30)

    def _steps(self, action: Action) -> Iterator[None]:
        """Carry out an action, pausing after each request."""
        if isinstance(action, CreateCompany):
            self._create_company(action)
        elif isinstance(action, AdoptCompany | UpdateCompany):
            self._patch(action)
        elif isinstance(action, AddProduct | RemoveProduct):
            self._change_product(action)
        elif isinstance(action, SetSyncSettings):
            company = self._company_id(action)
            self.settings[company] = self.sync_settings(company).as_wanted(action.settings)
        elif isinstance(action, DeleteCompany):
            removed = self.companies.pop(action.company_id)
            assert removed == replace(action.observed, sync_settings=None)
            self.pulls.pop(action.company_id, None)
        elif isinstance(action, UnlinkConnection):
            found = self._connection(action.company_id, action.connection_id)
            assert found.status is Status.LINKED, "only a Linked connection can be unlinked"
            self._put(action.company_id, replace(found, status=Status.UNLINKED))
        elif isinstance(action, CreateConnection | DeleteConnection):
            yield from self._connection_steps(action)
            return
        elif isinstance(action, AuthorizeConnection):
            self._authorize(action)
        else:
            self._sync(action)
        yield

    def _connection_steps(self, action: CreateConnection | DeleteConnection) -> Iterator[None]:
        if isinstance(action, CreateConnection):
            yield from self._create_connection(action)
            return
        if action.links:
            self._record(action.company_id, action)
            yield
        self._connection(action.company_id, action.connection_id)
        self._remove(action.company_id, action.connection_id)
        yield

    def _new_id(self) -> str:
        self.born += 1
        return f"f{self.born:07x}-born"

    def _change_product(self, action: AddProduct | RemoveProduct) -> None:
        before = self.companies[self._company_id(action)]
        has, wanted = action.product in before.products, isinstance(action, AddProduct)
        assert has is not wanted, "it is as wanted already"
        others = tuple(product for product in before.products if product != action.product)
        self.companies[before.id] = replace(before, products=(*others, action.product) if wanted else others)

    def _company_id(
        self,
        action: AddProduct
        | RemoveProduct
        | SetSyncSettings
        | CreateConnection
        | AuthorizeConnection
        | SyncCompany,
    ) -> str:
        return action.company_id or self.made[Address(action.address.company)]

    def _connection(self, company: str, identifier: str) -> LiveConnection:
        found = self.companies[company].connection(identifier)
        assert found is not None, "the connection is not there"
        return found

    def _put(self, company: str, connection: LiveConnection) -> None:
        before = self.companies[company]
        links = {each_connection.id: each_connection for each_connection in before.connections} | {
            connection.id: connection
        }
        self.companies[company] = replace(before, connections=tuple(links.values()))

    def _remove(self, company: str, identifier: str) -> None:
        before = self.companies[company]
        left = tuple(connection for connection in before.connections if connection.id != identifier)
        self.companies[company] = replace(before, connections=left)

    def _tagged(self, company: LiveCompany) -> LiveCompany:
        assert len(company.tags) <= MAX_TAGS
        assert all(len(value) <= MAX_TAG_VALUE for value in company.tags.values())
        return company

    def _create_company(self, action: CreateCompany) -> None:
        identifier = self._new_id()
        self.made[action.address] = identifier
        self.companies[identifier] = self._tagged(
            LiveCompany(
                id=identifier,
                name=action.fields["name"],
                description=action.fields.get("description"),
                tags=dict(action.tags),
                created=self.now,
            )
        )

    def _patch(self, action: AdoptCompany | UpdateCompany) -> None:
        before = self.companies[action.company_id]
        assert before == replace(action.observed, sync_settings=None)
        body = action.body()
        assert body, "a PATCH that says nothing"
        self.companies[before.id] = self._tagged(replace(before, **body))

    def _create_connection(self, action: CreateConnection) -> Iterator[None]:
        company, identifier = self._company_id(action), self._new_id()
        on = self.integrations[action.platform_key]
        self._put(
            company,
            LiveConnection(
                id=identifier,
                platform_key=on.key,
                platform_name=on.name,
                status=Status.PENDING_AUTH,
                source_type=on.source_type,
                created=self.now,
            ),
        )
        self.made[action.address] = identifier
        yield
        if action.links:
            self._record(company, action)
            yield

    def _record(self, company: str, action: CreateConnection | DeleteConnection) -> None:
        """Write the record of links, with the ids of what was made; a delete adds to it."""
        before = self.companies[company]
        old = before.tags.get(LINKS_TAG, "").split(",") if isinstance(action, DeleteConnection) else []
        entries = {re.split("[:@]", entry)[0]: entry for entry in old}
        for key, mark in action.links.items():
            identifier = mark.id or self.made.get(Address(action.address.company, key), "")
            entries[key] = f"{key}@{mark.platform_key}" if mark.platform_key else f"{key}:{identifier[:8]}"
        text = ",".join(entry for _, entry in sorted(entries.items()) if entry)
        self.companies[company] = self._tagged(replace(before, tags={**before.tags, LINKS_TAG: text}))

    def _authorize(self, action: AuthorizeConnection) -> None:
        company = self._company_id(action)
        found = self._connection(company, action.connection_id or self.made[action.address])
        assert (found.status is Status.LINKED) == action.reauthorized, "tokens for a connection that works"
        others = (
            connection for connection in self.companies[company].connections if connection.id != found.id
        )
        if found.status is not Status.LINKED and found.source_type is SourceType.ACCOUNTING:
            assert not any(
                connection.source_type is SourceType.ACCOUNTING and connection.status is Status.LINKED
                for connection in others
            ), "two accounting connections Linked"
        self._put(company, replace(found, status=Status.LINKED))

    def _sync(self, action: SyncCompany) -> None:
        company = self._company_id(action)
        linked = [
            connection.id
            for connection in self.companies[company].connections
            if connection.status is Status.LINKED
        ]
        for target in action.targets:
            assert (target.connection_id or self.made[target.address]) in linked, (
                "a sync of what is not Linked"
            )
        wanted = dict.fromkeys(text for target in action.targets for text in self._reached(target, linked))
        history = self.pulls.setdefault(company, [])
        history += [
            Pull(
                id=f"p{len(history)}-{text}",
                connection_id=text,
                data_type="invoices",
                status="Fetching",
                state=PullState.RUNNING,
                requested=self.now,
            )
            for text in wanted
        ]

    def _reached(self, target: SyncTarget, linked: list[str]) -> list[str]:
        """A queue call reaches its connection; without data types, ``data/all`` reaches every Linked one."""
        return [target.connection_id or self.made[target.address]] if target.data_types else linked
