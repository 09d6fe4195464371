"""Reads specs and live state, asking Codat for no more than a plan needs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from reconciler.codat import ReadClient
from reconciler.diagnostics import Diagnostic, RefusedError
from reconciler.loading import BUILTIN_PLATFORMS, Loaded, SpecCode, SpecError, is_for_sandbox, load
from reconciler.model import (
    UNSET,
    WORKSPACE_TAG,
    Address,
    Desired,
    Limits,
    Live,
    LiveCompany,
    LiveProfile,
    LiveProfileSettings,
    Platform,
    Workspace,
)
from reconciler.planner import Directory, Draft, Policy, marked
from reconciler.workflow.command_codes import CommandCode
from reconciler.workflow.endpoint import Endpoint

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
        live = {one.key for one in platforms}
        table = [*platforms, *(one for one in BUILTIN_PLATFORMS if one.key not in live)]
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
        if any(one.code != SpecCode.UNKNOWN_PLATFORM for one in error.diagnostics):
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
    known = {one.key for one in (*BUILTIN_PLATFORMS, *platforms)}
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
    tagged = tuple({one.id: one for listing in listings for one in listing}.values())
    wanted = (desired,) if base is None else (desired, base)
    if not whole and not any(Directory.of(one, tagged).needs_unfiltered() for one in wanted):
        return tagged
    everything = {one.id: one for one in (*tagged, *await client.companies())}
    return tuple(everything.values())


async def with_sync_settings(
    client: ReadClient, companies: tuple[LiveCompany, ...], desired: Desired, policy: Policy, limits: Limits
) -> tuple[LiveCompany, ...]:
    """The companies, each whose sync settings its spec manages with these: no listing holds them."""
    if all(one.sync_settings is UNSET for one in desired.companies.values()):
        return companies
    ids = Directory.of(desired, companies).with_own_settings(lambda one: policy.includes(Address(one.key)))
    found = await each(ids, client.sync_settings, limits.concurrency)
    return tuple(replace(one, sync_settings=found.get(one.id)) for one in companies)


async def answer(client: ReadClient, live: Live, draft: Draft, limits: Limits) -> Live:
    """Add to ``live`` what the draft asks for: histories of pulls, and the profile's sync settings."""
    histories, fetched = await asyncio.gather(
        each(draft.histories, client.pulls, limits.concurrency),
        client.fetched_types() if draft.needs_profile and not _profile_settings(live) else _nothing(),
    )
    settings = _profile_settings(live)
    return replace(live, pulls=histories, fetched_types=marked(settings.settings) if settings else fetched)


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
