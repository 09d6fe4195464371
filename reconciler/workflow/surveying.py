"""Looks at where every wanted connection stands: what verify, handoff, links and retired start from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.codat import ReadClient
from reconciler.model import Address, Desired, Limits, Live, Migration, Platform, Workspace
from reconciler.planner import ConnectionState, Policy, check_patterns, draft, states_of
from reconciler.workflow.planning import Context
from reconciler.workflow.reading import check_account, list_companies, read_specs


@dataclass(frozen=True, slots=True)
class SurveyRequest:
    """What the command line asks to be looked at; ``targets`` are address patterns."""

    specs: Path
    context: Context
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SurveyContext:
    """What does not change from one look to the next."""

    client: ReadClient
    context: Context
    desired: Desired
    workspace: Workspace
    platforms: tuple[Platform, ...]
    targets: tuple[str, ...] = ()
    companies: frozenset[str] | None = None
    """The keys of the companies to look at; all, where it is ``None``."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What one look found: the connections, and what was read for it."""

    states: tuple[ConnectionState, ...]
    live: Live


@asynccontextmanager
async def survey_context(request: SurveyRequest) -> AsyncIterator[SurveyContext]:
    """The specs, and a client that can only GET.

    Raises:
        CodatSyncError: specs, flags or credentials are wrong, or Codat cannot be read.
    """
    context = request.context
    endpoint = context.endpoint
    offline = read_specs(request.specs, endpoint)
    if offline.loaded is not None:
        endpoint.check(offline.loaded.workspace)
    limits = offline.loaded.workspace.limits if offline.loaded else Limits()
    async with endpoint.open(ReadClient, limits, context.on_wait) as client:
        platforms = await client.platforms()
        loaded = offline.settle(platforms)
        endpoint.check(loaded.workspace)
        await check_account(client, loaded.workspace)
        yield SurveyContext(client, context, loaded.desired, loaded.workspace, platforms, request.targets)


async def look(on: SurveyContext, *, everywhere: bool = False) -> Survey:
    """Where every wanted connection stands now; costs the pages of a listing, as a plan does.

    ``everywhere`` looks beyond the targets, which must name something all the same.

    Raises:
        MisusedError: ``--target`` names nothing.
        CodatSyncError: Codat cannot be read.
    """
    policy = Policy(
        now=on.context.clock.now(),
        targets=on.targets,
        companies=on.companies,
        preconditions_waived=on.context.endpoint.is_sandbox,
    )
    seen = replace(policy, targets=()) if everywhere else policy
    targeted = _targeted(on.desired, seen)
    companies = await list_companies(on.client, targeted, whole=_has_managed(targeted, seen))
    live = Live(companies, on.platforms)
    drafted = draft(on.desired, live, seen)
    check_patterns(drafted, on.desired, policy)
    return Survey(states_of(drafted, seen), live)


def _targeted(desired: Desired, policy: Policy) -> Desired:
    """The companies that the run concerns itself with: no other is worth a listing."""
    companies = {
        key: company
        for key, company in desired.companies.items()
        if any(
            policy.includes(one) for one in (Address(key), *(Address(key, c) for c in company.connections))
        )
    }
    return replace(desired, companies=companies)


def _has_managed(desired: Desired, policy: Policy) -> bool:
    """Whether an import by Codat's team may have made companies that carry no tag of ours."""
    return any(
        connection.migration is Migration.MANAGED and policy.includes(Address(key, connection.key))
        for key, company in desired.companies.items()
        for connection in company.connections.values()
    )
