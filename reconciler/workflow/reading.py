"""Reads specs and live state, asking Codat for no more than a plan needs, and says what a plan will cost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from reconciler.account_actions import CreateWebhook
from reconciler.actions import Action, AuthorizeConnection, CreateConnection, DeleteConnection
from reconciler.codat import Meter, ReadClient
from reconciler.diagnostics import Diagnostic, RefusedError
from reconciler.kinds import Kind
from reconciler.live import Live, LiveCompany, LiveProfile, LiveProfileSettings, LiveSourceAccount
from reconciler.loading import BUILTIN_PLATFORMS, Loaded, SpecCode, SpecError, is_for_sandbox, load
from reconciler.model import UNSET, WORKSPACE_TAG, Address, Desired, Platform
from reconciler.plan import Plan
from reconciler.planner import Directory, Draft, Policy, feeds_to_read, marked
from reconciler.workflow.command_codes import CommandCode
from reconciler.workflow.endpoint import Endpoint
from reconciler.workspace import Limits, Workspace

LOOKS: Final[Mapping[Kind, int]] = dict.fromkeys(Kind, 0) | {
    Kind.WEBHOOK_CREATE: 1,
    Kind.WEBHOOK_DELETE: 1,
    Kind.PROFILE_UPDATE: 1,
    Kind.PROFILE_SYNC_SETTINGS: 2,
    Kind.COMPANY_ADOPT: 1,
    Kind.COMPANY_UPDATE: 1,
    Kind.COMPANY_SYNC_SETTINGS: 2,
    Kind.COMPANY_DELETE: 1,
    Kind.CONNECTION_UNLINK: 1,
    Kind.CONNECTION_DELETE: 1,
    Kind.SOURCE_ACCOUNT_DELETE: 1,
    Kind.SOURCE_ACCOUNT_UPDATE: 1,
    Kind.SOURCE_ACCOUNT_CREATE: 2,
}
"""Reads that an action makes where all goes well: a look before it writes, and at settings afterwards too."""
LOOKS_OF_MARK: Final = 2
"""Further ones where the account becomes ours: whether a consumer came meanwhile, or another workspace."""


def forecast(plan: Plan, meter: Meter, now: datetime, *, again: str) -> tuple[str, ...]:
    """What remains of the day, and what that leaves undone; nothing where Codat does not tell.

    The quota is ``1,000 x (1 + active connected companies)`` a day, so a first apply is bound by it
    (https://docs.codat.io/using-the-api/rate-limits). It counts reads as well as writes. ``again`` says how
    to go on.
    """
    spare = meter.spare(now)
    if spare is None or not plan.actions:
        return ()
    looks = sum(map(_looks, plan.actions))
    needed = plan.requests + looks
    reset = f"{meter.reset:%H:%M} UTC" if meter.reset else "00:00 UTC"
    left = f"{meter.remaining:,} requests remain of today's quota, {meter.reserve:,} of them for others"
    enough = f"{left} (limits.reserve)."
    reading = f" ({plan.requests:,} to write, {looks:,} to look)" if looks else ""
    short = (
        f"{left} (limits.reserve): this plan needs {needed:,}{reading} and will stop after about {spare:,}. "
        f"{again[0].upper()}{again[1:]} after {reset}, when the quota comes back."
    )
    return (enough if needed <= spare else short,)


def _looks(action: Action) -> int:
    """Reads that the action makes; what this plan creates itself needs no look."""
    is_known = isinstance(action, AuthorizeConnection) and action.observed is not None
    is_recorded = isinstance(action, CreateConnection | DeleteConnection) and bool(action.links)
    is_mark = isinstance(action, CreateWebhook) and action.is_mark
    return LOOKS[action.kind] + is_known + is_recorded + LOOKS_OF_MARK * is_mark


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Offline:
    """Specs as far as they can be read without Codat: loaded, or waiting for the list of platforms."""

    path: Path
    sandbox: bool
    loaded: Loaded | None

    def settle(self, platforms: Sequence[Platform]) -> Loaded:
        """The specs, read again where Codat's list of platforms says otherwise of one that they name.

        Raises:
            SpecError: the specs name a platform that Codat does not have either.

        """
        live = {platform.key for platform in platforms}
        table = [*platforms, *(platform for platform in BUILTIN_PLATFORMS if platform.key not in live)]
        if self.loaded is not None and self.loaded.holds_for(table):
            return self.loaded
        return load(self.path, platforms=table, sandbox=self.sandbox)


def read_specs(path: Path, endpoint: Endpoint) -> Offline:
    """Load specs without asking Codat; an unknown platform alone is left to Codat's list to judge.

    Raises:
        RefusedError: ``sandboxOnly`` specs against what may be real; nothing else is looked at then.
        SpecError: anything else is wrong with the specs.

    """
    if is_for_sandbox(path):
        endpoint.refuse_sandbox_only()
    sandbox = endpoint.is_sandbox
    try:
        return Offline(path, sandbox, load(path, sandbox=sandbox))
    except SpecError as error:
        if any(diagnostic.code != SpecCode.UNKNOWN_PLATFORM for diagnostic in error.diagnostics):
            raise
        return Offline(path, sandbox, None)


async def check_account(
    client: ReadClient, workspace: Workspace, *, whole: bool = False
) -> LiveProfile | None:
    """Refuse to go on where the key belongs to another account than ``workspace.yaml`` names.

    The ``whole`` profile is given back where it will be asked for anyway; else only its name is read.

    Raises:
        RefusedError: the names differ.

    """
    if workspace.account is None:
        return None
    profile = await client.profile() if whole else None
    name = profile.name if profile else await client.account_name()
    if name != workspace.account:
        raise RefusedError(
            Diagnostic(
                CommandCode.WRONG_ACCOUNT,
                f"the API key belongs to the account '{name}', and workspace.yaml says '{workspace.account}'",
                fix="use the key of that account, or correct 'account' in workspace.yaml",
            )
        )
    return profile


def check_platforms(
    desired: Desired, companies: Sequence[LiveCompany], platforms: Sequence[Platform]
) -> None:
    """Refuse four letters that are no platform's: no list has them, and no live connection carries them.

    A platform that Codat has retired is in no list, and old companies still have it.

    Raises:
        SpecError: a spec names such a platform.
    """
    known = {platform.key for platform in (*BUILTIN_PLATFORMS, *platforms)}
    known |= {connection.platform_key for company in companies for connection in company.connections}
    unknown = [
        (Address(company.key, connection.key), connection)
        for company in desired.companies.values()
        for connection in company.connections.values()
        if connection.platform_key not in known
    ]
    if unknown:
        raise SpecError(
            tuple(
                Diagnostic(
                    SpecCode.UNKNOWN_PLATFORM,
                    f"no platform of Codat's list, and no connection in Codat, has the key "
                    f"'{connection.platform_key}'",
                    fix="`codat-sync platforms` lists them",
                    span=connection.span,
                    path=str(address),
                )
                for address, connection in unknown
            )
        )


async def list_companies(
    client: ReadClient, desired: Desired, base: Desired | None = None, *, whole: bool = False
) -> tuple[LiveCompany, ...]:
    """The companies that carry our tag, and all others too where something wanted is not among them.

    Those of a workspace that is taken over are asked for as well.
    Our tags may have been wiped, a page may have shifted, the index may lag; so what the narrow
    listing lacks is looked for in the whole one before anything is created. ``whole`` lists all anyway.
    """
    listings = [await client.companies(f"{WORKSPACE_TAG}={name}") for name in desired.workspaces]
    tagged = tuple({company.id: company for listing in listings for company in listing}.values())
    wanted = (desired,) if base is None else (desired, base)
    if not whole and not any(Directory.of(meant, tagged).needs_unfiltered() for meant in wanted):
        return tagged
    everything = {company.id: company for company in (*tagged, *await client.companies())}
    return tuple(everything.values())


async def with_sync_settings(
    client: ReadClient, companies: tuple[LiveCompany, ...], desired: Desired, policy: Policy, limits: Limits
) -> tuple[LiveCompany, ...]:
    """The companies, each whose sync settings its spec manages with these: no listing holds them."""
    if all(company.sync_settings is UNSET for company in desired.companies.values()):
        return companies
    ids = Directory.of(desired, companies).with_own_settings(
        lambda company: policy.includes(Address(company.key))
    )
    found = await each(ids, client.sync_settings, limits.at_first)
    return tuple(replace(company, sync_settings=found.get(company.id)) for company in companies)


async def answer(client: ReadClient, live: Live, draft: Draft, limits: Limits) -> Live:
    """Add to ``live`` what the draft asks for: pulls, source accounts, and the profile's sync settings."""
    companies = feeds_to_read(draft)

    async def accounts_of(connection: str) -> tuple[LiveSourceAccount, ...]:
        return await client.source_accounts(companies[connection], connection)

    histories, accounts, fetched = await asyncio.gather(
        each(draft.histories, client.pulls, limits.at_first),
        each(companies, accounts_of, limits.at_first),
        client.fetched_types() if draft.needs_profile and not _profile_settings(live) else _nothing(),
    )
    settings = _profile_settings(live)
    types = marked(settings.settings) if settings else fetched
    return replace(live, pulls=histories, source_accounts=accounts, fetched_types=types)


def _profile_settings(live: Live) -> LiveProfileSettings | None:
    """The profile's sync settings, where they were read for the account's own sake."""
    return live.account.sync_settings if live.account else None


async def _nothing() -> None:
    return None


async def each(ids: Iterable[str], read: Callable[[str], Awaitable[T]], concurrency: int) -> dict[str, T]:
    """What ``read`` answers for each id, so many at once."""
    places = asyncio.Semaphore(concurrency)

    async def one(identifier: str) -> tuple[str, T]:
        async with places:
            return identifier, await read(identifier)

    return dict(await asyncio.gather(*map(one, ids)))
