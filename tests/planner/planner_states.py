"""Random specs and live states over small domains, so that they meet often."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from builders import FEED, NOW, OPEN_GATE, PLAID, QBO, TOKENS, WORKSPACE, XERO, ago, policy
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from planner_world import World

from reconciler.model import (
    KEY_TAG,
    LINKS_TAG,
    PROTECT_TAG,
    UNSET,
    WORKSPACE_TAG,
    Desired,
    DesiredCompany,
    DesiredConnection,
    LiveCompany,
    LiveConnection,
    LiveError,
    Migration,
    Presence,
    Pull,
    PullState,
    SourceType,
    Status,
    SyncPolicy,
    Wanted,
)
from reconciler.planner import Policy

searched = settings(
    max_examples=int(os.environ.get("PLANNER_EXAMPLES", "300")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""How far the properties are searched; set ``PLANNER_EXAMPLES=20000`` for a thorough run."""

INTEGRATIONS = (QBO, XERO, PLAID, FEED)
KEYS = ("a", "b", "c")
LINKS = ("x", "y", "z")
NAMES = ("North", "South")
_PULLED = st.sampled_from(PullState)
_MOMENTS = st.sampled_from([None, ago(days=1), ago(days=20), ago(days=50)])


@dataclass(frozen=True)
class Scenario:
    """What is wanted, what is there, and how the run is asked for."""

    desired: Desired
    world: World
    run: Policy


# --- live --------------------------------------------------------------------------------------


@st.composite
def _live_connection(draw: st.DrawFn, identifier: str) -> LiveConnection:
    on = draw(st.sampled_from(INTEGRATIONS))
    status = draw(st.sampled_from(Status))
    erred = draw(st.lists(st.sampled_from([None, ago(days=3), ago(days=30)]), max_size=1))
    return LiveConnection(
        identifier,
        on.key,
        on.name,
        status,
        on.source_type,
        draw(st.sampled_from([ago(days=60), ago(days=10)])),
        None if status is Status.PENDING_AUTH else draw(_MOMENTS),
        tuple(LiveError("expired", erred_at=one) for one in erred),
    )


def _one_accounting(connections: list[LiveConnection]) -> tuple[LiveConnection, ...]:
    """The connections as Codat could have them: one active accounting connection."""
    kept: list[LiveConnection] = []
    for one in connections:
        is_second = any(
            one.source_type is SourceType.ACCOUNTING is other.source_type
            and one.status is Status.LINKED is other.status
            for other in kept
        )
        kept.append(replace(one, status=Status.UNLINKED) if is_second else one)
    return tuple(kept)


@st.composite
def _live_tags(draw: st.DrawFn, connections: tuple[LiveConnection, ...]) -> dict[str, str]:
    tags = draw(
        st.dictionaries(st.sampled_from(["team", "t1", "t2"]), st.sampled_from(["1", "2"]), max_size=3)
    )
    tags |= {f"foreign{number}": "1" for number in range(draw(st.sampled_from([0, 0, 0, 4, 6])))}
    owner = draw(
        st.sampled_from(
            [
                {},
                {WORKSPACE_TAG: WORKSPACE},
                {KEY_TAG: "a"},
                {WORKSPACE_TAG: "other", KEY_TAG: "a"},
                *({WORKSPACE_TAG: WORKSPACE, KEY_TAG: key} for key in (*KEYS, *KEYS, "old", "gone")),
            ]
        )
    )
    if draw(st.integers(0, 4)) == 0:
        tags[PROTECT_TAG] = draw(st.sampled_from(["true", "false"]))
    if connections and draw(st.booleans()):
        record = zip(LINKS, draw(st.permutations(connections)), strict=False)
        tags[LINKS_TAG] = ",".join(f"{key}:{one.id[:8]}" for key, one in record)
    return tags | owner


@st.composite
def _live_company(draw: st.DrawFn, number: int) -> LiveCompany:
    found = [draw(_live_connection(f"c{number}{one:06x}-live")) for one in range(draw(st.integers(0, 3)))]
    connections = _one_accounting(found)
    return LiveCompany(
        f"a{number:07x}-live",
        draw(st.sampled_from(NAMES)),
        draw(st.sampled_from([None, "", "Old"])),
        draw(_live_tags(connections)),
        ago(days=60),
        connections,
    )


@st.composite
def _history(draw: st.DrawFn, company: LiveCompany) -> list[Pull]:
    pulls = []
    for link in company.connections:
        for number in range(draw(st.integers(0, 2))):
            state, requested = draw(_PULLED), ago(days=draw(st.sampled_from([1, 5, 40])))
            completed: datetime | None = (
                None if state is PullState.RUNNING else requested + timedelta(minutes=1)
            )
            pulls.append(Pull(f"h{number}", link.id, "invoices", state, state, requested, completed))
    return pulls


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A few companies with their connections and histories."""
    companies = [draw(_live_company(number)) for number in range(draw(st.integers(0, 3)))]
    return World(
        {one.id: one for one in companies},
        {one.id: draw(_history(one)) for one in companies},
        {one.key: one for one in INTEGRATIONS},
        draw(st.sampled_from([frozenset({"invoices"}), frozenset({"invoices"}), frozenset()])),
    )


# --- wanted ------------------------------------------------------------------------------------


@st.composite
def _connection(draw: st.DrawFn, key: str, pins: list[str]) -> DesiredConnection:
    on = draw(st.sampled_from(INTEGRATIONS))
    migration = draw(st.sampled_from([Migration.SELF_SERVICE, *Migration]))
    is_given = migration is Migration.SELF_SERVICE or draw(st.booleans())
    pin = draw(st.sampled_from([None, None, None, *pins]))
    if pin is not None:
        pins.remove(pin)
    return DesiredConnection(
        key,
        on.slug,
        on.key,
        on.source_type,
        migration,
        draw(st.sampled_from([Wanted.LINKED, *Wanted])),
        pin,
        TOKENS if is_given else {},
        draw(_MOMENTS),
        draw(
            st.sampled_from(
                [
                    SyncPolicy(),
                    SyncPolicy(never=True),
                    SyncPolicy(max_age=timedelta(days=30)),
                    SyncPolicy(data_types=("invoices",)),
                ]
            )
        ),
        draw(st.sampled_from([OPEN_GATE, OPEN_GATE, OPEN_GATE, {}])),
    )


def _one_wanted_accounting(connections: list[DesiredConnection]) -> Mapping[str, DesiredConnection]:
    """The connections as the rules for specs permit them: one accounting connection to be linked."""
    kept: dict[str, DesiredConnection] = {}
    for one in connections:
        is_second = any(
            one.source_type is SourceType.ACCOUNTING is other.source_type
            and one.wanted is Wanted.LINKED is other.wanted
            for other in kept.values()
        )
        kept[one.key] = replace(one, wanted=Wanted.UNLINKED) if is_second else one
    return kept


@st.composite
def _company(draw: st.DrawFn, key: str, ids: list[str], pins: list[str]) -> DesiredCompany:
    identifier = draw(st.sampled_from([None, None, None, *ids]))
    if identifier is not None:
        ids.remove(identifier)
    links = draw(st.lists(st.sampled_from(LINKS), unique=True, max_size=3))
    tags = draw(
        st.dictionaries(st.sampled_from(["t1", "t2", "t3"]), st.sampled_from(["1", "2", None]), max_size=3)
    )
    return DesiredCompany(
        key,
        draw(st.sampled_from(NAMES)),
        draw(st.sampled_from([UNSET, None, "", "New"])),
        tags,
        identifier,
        identifier is None and draw(st.booleans()),
        None,
        draw(st.sampled_from([UNSET, True, False])),
        draw(st.sampled_from([*[Presence.PRESENT] * 5, Presence.ABSENT])),
        _one_wanted_accounting([draw(_connection(one, pins)) for one in links]),
    )


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Specs, a world and flags; some specs pin what the world has, and some what it lacks."""
    world = draw(worlds())
    ids = [*world.companies, "a-nowhere"]
    pins = [*(link.id for one in world.companies.values() for link in one.connections), "c-nowhere"]
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=3))
    companies = {key: draw(_company(key, ids, pins)) for key in keys}
    if keys and draw(st.integers(0, 3)) == 0:
        companies[keys[0]] = replace(companies[keys[0]], renamed_from="old")
    run = policy(
        retry_syncs=draw(st.booleans()),
        prune=draw(st.booleans()),
        reauthorize=draw(st.sampled_from([(), (), ("*",)])) if _has_tokens(companies) else (),
        preconditions_waived=draw(st.booleans()),
        now=NOW,
    )
    return Scenario(Desired(WORKSPACE, companies), world, run)


def _has_tokens(companies: Mapping[str, DesiredCompany]) -> bool:
    return any(link.authorization for one in companies.values() for link in one.connections.values())
