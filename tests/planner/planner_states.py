"""Random specs and live states over small domains, so that they meet often.

The specs are drawn first and the live state about them, so that most of what is wanted is there in
some form. Whole connections and tag maps are drawn at once from tables of every combination: few
draws make for large examples.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product

from builders import FEED, NOW, OPEN_GATE, PLAID, QBO, TOKENS, WORKSPACE, XERO, ago, policy
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from planner_world import World

from reconciler.live import LiveCompany, LiveConnection, LiveError, Pull, PullState, Status
from reconciler.model import (
    KEY_TAG,
    LINKS_TAG,
    PROTECT_TAG,
    UNSET,
    WORKSPACE_TAG,
    Desired,
    DesiredCompany,
    DesiredConnection,
    Migration,
    Presence,
    SourceType,
    SyncPolicy,
    SyncSettings,
    Unset,
    Wanted,
)
from reconciler.planner import Policy

searched = settings(
    max_examples=int(os.environ.get("PLANNER_EXAMPLES", settings().max_examples)),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""How far the properties are searched; ``CODAT_SYNC_EXPLORE=1 PLANNER_EXAMPLES=20000`` for a thorough run."""

INTEGRATIONS = (QBO, XERO, PLAID, FEED)
KEYS = ("a", "b", "c")
LINKS = ("x", "y", "z")
ELSEWHERE = "other"
"""The workspace that some scenarios take over, and that is a stranger's in the others."""
_RECORDED = (LINKS, LINKS, ("x", "old"), ("old", "y", "z"), ("old",))
NAMES = ("North", "South")
OURS = {WORKSPACE_TAG: WORKSPACE}


@dataclass(frozen=True)
class Scenario:
    """What is wanted, what is there, and how the run is asked for."""

    desired: Desired
    world: World
    run: Policy


# --- wanted ------------------------------------------------------------------------------------

_WANTED_LINKS = [
    DesiredConnection(
        key="",
        platform=on.slug,
        platform_key=on.key,
        source_type=on.source_type,
        migration=migration,
        wanted=state,
        id=None,
        authorization=tokens,
        issued_at=issued,
        sync=sync,
        preconditions=gate,
    )
    for on, (migration, tokens), state, issued, sync, gate in product(
        INTEGRATIONS,
        [
            (Migration.SELF_SERVICE, TOKENS),
            (Migration.SELF_SERVICE, TOKENS),
            (Migration.MANAGED, TOKENS),
            (Migration.LINK, {}),
        ],
        [Wanted.LINKED, *Wanted],
        [None, ago(hours=1), ago(days=15), ago(days=50)],
        [
            SyncPolicy(),
            SyncPolicy(max_age=timedelta(days=30)),
            SyncPolicy(data_types=("invoices",)),
            SyncPolicy(never=True),
        ],
        [OPEN_GATE, OPEN_GATE, OPEN_GATE, {}],
    )
]
_WANTED_TAGS: list[dict[str, str | None]] = [
    {},
    {},
    {"t1": "1"},
    {"t1": None, "t2": "2"},
    {f"many{number}": "1" for number in range(7)},
    {f"many{number}": "1" for number in range(9)},
]
_CONFIGURED: list[tuple[tuple[str, ...] | Unset, SyncSettings | Unset | None]] = [
    (UNSET, UNSET),
    (("lending",), {"invoices": {"syncSchedule": 12}}),
    ((), None),
    (("lending", "payables"), {"bills": {"fetchOnFirstLink": True, "syncSchedule": 1, "syncOrder": 1}}),
    (UNSET, {"invoices": {"fetchOnFirstLink": False}}),
]
_WANTED_COMPANIES = [
    DesiredCompany(
        key="",
        name=name,
        description=description,
        tags=tags,
        new=new,
        protect=protect,
        products=products,
        sync_settings=settings,
        state=state,
    )
    for name, description, tags, new, protect, (products, settings), state in product(
        NAMES,
        [UNSET, None, "", "New"],
        _WANTED_TAGS,
        [False, True],
        [UNSET, True, False],
        _CONFIGURED,
        [*[Presence.PRESENT] * 5, Presence.ABSENT],
    )
]


def _one_wanted_accounting(connections: Sequence[DesiredConnection]) -> Mapping[str, DesiredConnection]:
    """The connections as the rules for specs permit them: one accounting connection to be linked."""
    kept: dict[str, DesiredConnection] = {}
    for connection in connections:
        is_second = any(
            connection.source_type is SourceType.ACCOUNTING is other.source_type
            and connection.wanted is Wanted.LINKED is other.wanted
            for other in kept.values()
        )
        kept[connection.key] = replace(connection, wanted=Wanted.UNLINKED) if is_second else connection
    return kept


@st.composite
def _wanted_company(draw: st.DrawFn, key: str) -> DesiredCompany:
    links = [
        replace(draw(st.sampled_from(_WANTED_LINKS)), key=link) for link in LINKS[: draw(st.integers(0, 3))]
    ]
    if len(links) > 1 and draw(st.booleans()):
        first = links[0]
        links[1] = replace(
            links[1],
            platform=first.platform,
            platform_key=first.platform_key,
            source_type=first.source_type,
        )
    if links and draw(st.integers(0, 3)) == 0:
        links[0] = replace(links[0], renamed_from="old")
    return replace(
        draw(st.sampled_from(_WANTED_COMPANIES)), key=key, connections=_one_wanted_accounting(links)
    )


# --- live --------------------------------------------------------------------------------------

_LIVE_LINKS = [
    LiveConnection(
        id="",
        platform_key=on.key,
        platform_name=on.name,
        status=status,
        source_type=on.source_type,
        created=created,
        last_sync=None if status is Status.PENDING_AUTH else synced,
        errors=errors,
    )
    for on, status, created, synced, errors in product(
        INTEGRATIONS,
        [Status.LINKED, *Status],
        [ago(days=60), ago(days=10)],
        [None, ago(days=1), ago(days=40)],
        [(), (), (LiveError(message="expired"),), (LiveError(message="expired", erred_at=ago(days=3)),)],
    )
]
_LINKS_ON = {on.key: [link for link in _LIVE_LINKS if link.platform_key == on.key] for on in INTEGRATIONS}
_FOREIGN_TAGS: list[dict[str, str]] = [
    {},
    {},
    {"team": "1"},
    {"t1": "1"},
    {"t1": "2", "t2": "2"},
    {PROTECT_TAG: "true"},
    {PROTECT_TAG: "false", "team": "1"},
    {f"foreign{number}": "1" for number in range(6)},
]
_HISTORIES = [
    (),
    (),
    *(
        tuple((state, ago(days=days)) for state, days in pulls)
        for pulls in (
            [(PullState.DONE, 1)],
            [(PullState.FAILED, 1)],
            [(PullState.RUNNING, 1)],
            [(PullState.FAILED, 5), (PullState.DONE, 1)],
            [(PullState.DONE, 40), (PullState.FAILED, 5)],
            [(PullState.DONE, 5), (PullState.RUNNING, 1)],
        )
    ),
]


def _one_accounting(connections: Sequence[LiveConnection]) -> tuple[LiveConnection, ...]:
    """The connections as Codat could have them: one active accounting connection."""
    kept: list[LiveConnection] = []
    for connection in connections:
        is_second = any(
            connection.source_type is SourceType.ACCOUNTING is other.source_type
            and connection.status is Status.LINKED is other.status
            for other in kept
        )
        kept.append(replace(connection, status=Status.UNLINKED) if is_second else connection)
    return tuple(kept)


@st.composite
def _live_company(
    draw: st.DrawFn, number: int, name: str, owner: Mapping[str, str], spec: DesiredCompany | None
) -> LiveCompany:
    wanted = list(spec.connections.values()) if spec else []
    twins = [draw(st.sampled_from([None, *_LINKS_ON[connection.platform_key]])) for connection in wanted]
    more = [draw(st.sampled_from(_LIVE_LINKS)) for _ in range(draw(st.integers(0, 2)))]
    found = [connection for connection in (*twins, *more) if connection is not None]
    links = _one_accounting(
        [replace(connection, id=f"c{number}{at:06x}-live") for at, connection in enumerate(found)]
    )
    tags = dict(draw(st.sampled_from(_FOREIGN_TAGS)))
    if links and draw(st.booleans()):
        record = zip(draw(st.sampled_from(_RECORDED)), draw(st.permutations(links)), strict=False)
        by_platform = draw(st.booleans())
        tags[LINKS_TAG] = ",".join(
            f"{key}@{link.platform_key}" if by_platform else f"{key}:{link.id[:8]}" for key, link in record
        )
    description = draw(st.sampled_from([None, "", "Old"]))
    products = draw(st.sampled_from([(), (), ("lending",), ("expenses", "lending")]))
    return LiveCompany(
        id=f"a{number:07x}-live",
        name=name,
        description=description,
        tags=tags | owner,
        created=ago(days=60),
        connections=links,
        products=products,
    )


@st.composite
def _around(draw: st.DrawFn, spec: DesiredCompany, number: int) -> list[LiveCompany]:
    """Nothing, a company that the spec means in one way or another, or two."""
    ours = OURS | {KEY_TAG: spec.key}
    owners = draw(
        st.sampled_from(
            [
                *[[ours]] * 8,
                [OURS | {KEY_TAG: "old"}],
                [],
                [],
                [{}],
                [{}],
                [OURS],
                [{WORKSPACE_TAG: ELSEWHERE, KEY_TAG: spec.key}],
                [{WORKSPACE_TAG: ELSEWHERE, KEY_TAG: spec.key}, {}],
                [ours, ours],
                [ours, {}],
            ]
        )
    )
    name = draw(st.sampled_from([spec.name, spec.name, *NAMES]))
    return [draw(_live_company(number + at, name, owner, spec)) for at, owner in enumerate(owners)]


@st.composite
def _pinned(
    draw: st.DrawFn, spec: DesiredCompany, companies: list[LiveCompany], taken: set[str]
) -> DesiredCompany:
    """The spec, now and then with the id of a company or a connection that nobody else names."""
    ids = [company.id for company in companies if company.id not in taken]
    links = [link.id for company in companies for link in company.connections if link.id not in taken]
    connections = dict(spec.connections)
    if links and connections and draw(st.integers(0, 3)) == 0:
        key = draw(st.sampled_from(sorted(connections)))
        pin = draw(st.sampled_from([*links, "c-nowhere"]))
        connections[key] = replace(connections[key], id=pin)
        taken.add(pin)
    untagged = [company.id for company in companies if not company.owner() and company.id in ids]
    if untagged and draw(st.booleans()):
        ids = untagged
    elif not ids or draw(st.integers(0, 5)) > 0:
        return replace(spec, connections=connections)
    identifier = draw(st.sampled_from([*ids, f"a-nowhere-{spec.key}"]))
    taken.add(identifier)
    return replace(spec, id=identifier, new=False, connections=connections)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Specs, a world about them, and flags."""
    specs: dict[str, DesiredCompany] = {}
    live: list[LiveCompany] = []
    taken: set[str] = set()
    for key in KEYS[: draw(st.sampled_from([0, 1, 1, 1, 2, 3]))]:
        spec = draw(_wanted_company(key))
        around = draw(_around(spec, len(live)))
        specs[key] = draw(_pinned(spec, around, taken))
        live += around
    if draw(st.integers(0, 3)) == 0:
        owner = draw(
            st.sampled_from([OURS | {KEY_TAG: "gone"}, {}, {WORKSPACE_TAG: ELSEWHERE, KEY_TAG: "a"}])
        )
        live.append(draw(_live_company(len(live), draw(st.sampled_from(NAMES)), owner, None)))
    if specs and draw(st.integers(0, 3)) == 0:
        specs[KEYS[0]] = replace(specs[KEYS[0]], renamed_from="old")
    for key, spec in specs.items():
        if spec.id is None and draw(st.integers(0, 5)) == 0:
            specs[key] = replace(
                spec, new_beside=tuple(company.id for company in live if company.name == spec.name)
            )
    renamed_from = draw(st.sampled_from([None, None, ELSEWHERE]))
    has_tokens = any(
        link.authorization for company in specs.values() for link in company.connections.values()
    )
    run = policy(
        retry_syncs=draw(st.booleans()),
        prune=draw(st.booleans()),
        reauthorize=("*",) if has_tokens and draw(st.integers(0, 3)) == 0 else (),
        preconditions_waived=draw(st.booleans()),
        now=NOW,
    )
    world = World(
        {company.id: company for company in live},
        {company.id: draw(_history(company)) for company in live},
        {integration.key: integration for integration in INTEGRATIONS},
        draw(st.sampled_from([frozenset({"invoices"})] * 3 + [frozenset()])),
    )
    return Scenario(Desired(workspace=WORKSPACE, companies=specs, renamed_from=renamed_from), world, run)


def tags_copied_to_the_new_key() -> Scenario:
    """A company that is to be deleted by its id and its old key, and another one with its new key."""
    link = LiveConnection(
        id="c0000000-live",
        platform_key=PLAID.key,
        platform_name=PLAID.name,
        status=Status.LINKED,
        source_type=PLAID.source_type,
        created=ago(9),
    )
    meant = LiveCompany(id="a0000000-live", name="North", tags=OURS | {KEY_TAG: "old"}, connections=(link,))
    copied = LiveCompany(id="a0000001-live", name="North", tags=OURS | {KEY_TAG: "a"})
    spec = DesiredCompany(key="a", name="North", id=meant.id, renamed_from="old", state=Presence.ABSENT)
    world = World(
        {company.id: company for company in (meant, copied)},
        {},
        {integration.key: integration for integration in INTEGRATIONS},
    )
    return Scenario(Desired(workspace=WORKSPACE, companies={"a": spec}), world, policy())


@st.composite
def _history(draw: st.DrawFn, company: LiveCompany) -> list[Pull]:
    drawn = [(link.id, draw(st.sampled_from(_HISTORIES))) for link in company.connections]
    return [
        Pull(
            id=f"h{number}",
            connection_id=link,
            data_type="invoices",
            status=state,
            state=state,
            requested=requested,
            completed=None if state is PullState.RUNNING else requested + timedelta(minutes=1),
        )
        for link, pulls in drawn
        for number, (state, requested) in enumerate(pulls)
    ]
