"""Draws scenes from a seed: small specs with a history, knobs turned at random, and faults to come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from random import Random
from typing import Final

import sim_account
import sim_feeds
from sim_faults import ACCOUNT_KINDS, FEED_KINDS, KINDS, Fault
from sim_feeds import SourceAccount
from sim_scenes import BRANDS, Firm, Link, Scene

from reconciler.model import Migration, SourceType, Wanted

KEYS: Final = ("acme", "bravo", "cargo", "delta")
REQUESTS_PER_FIRM: Final = 10
"""About so many requests a company takes; faults strike among them."""
REQUESTS_OF_ACCOUNT: Final = 20
"""About so many the account takes, with the plan."""
SLOW: Final = (60, 20)
"""Requests a minute at which a request stands in line for seconds."""
REQUESTS_IN_LINE: Final = 14
"""So many requests the tokens of all companies take, with the plan."""
FATES: Final = {"new": 9, "kept": 9, "absent": 2, "renamed": 2, "adopted": 2}
"""What becomes of a company between the earlier and the later specs, and how often."""
INDISTINCT: Final = frozenset({"abandoned"})
"""What a run that follows within the lag takes for what the run before it made, which is not shown yet."""
OTHERS: Final = tuple(key for key, brand in BRANDS.items() if brand.source_type is not SourceType.ACCOUNTING)
BOOKS: Final = tuple(key for key in BRANDS if key not in OTHERS)
_FEED: Final = Firm("acme", "Acme Stores").with_feed(
    (SourceAccount("a", "Current"), SourceAccount("b", "Reserve"))
)
_FEED_LATER: Final = Firm("acme", "Acme Stores").with_feed(
    (SourceAccount("a", "Renamed"), SourceAccount("b", "", is_absent=True), SourceAccount("c", "New"))
)
FED: Final = Scene(seed=1, later=(_FEED,))
"""A bank feed is created and authorized, and gets source accounts."""
REFED: Final = Scene(seed=2, earlier=(_FEED,), later=(_FEED_LATER,))
"""A source account is renamed, one deleted, and one is new."""


def draw(seed: int) -> Scene:
    """The scene of this seed."""
    rng = Random(seed)
    earlier: list[Firm] = []
    later: list[Firm] = []
    lag = rng.choices((0, 3, 10, 20), (8, 1, 1, 1))[0]
    for key in KEYS[: rng.choices((1, 2, 3, 4), (5, 4, 2, 1))[0]]:
        before, after = _history(rng, key)
        earlier += [before] if before else []
        later.append(after)
    earlier, later, wiped, is_renamed = _identities(Random(f"{seed} identities"), earlier, later)
    account = sim_account.drawn(seed)
    rare = ACCOUNT_KINDS | FEED_KINDS
    scene = Scene(
        seed,
        tuple(earlier),
        tuple(later),
        tuple(
            sorted(
                (
                    *_faults(rng, len(later), but=INDISTINCT | rare if lag else rare),
                    *_account_faults(seed, account),
                ),
                key=lambda fault: fault.at,
            )
        ),
        deauthorized=_some(rng, earlier, {Migration.SELF_SERVICE}, 0.12),
        linked=_some(rng, earlier, {Migration.LINK, Migration.MANAGED}, 0.5),
        wiped=wiped,
        is_renamed=is_renamed,
        **_meddling(Random(f"{seed} meddling"), earlier),
        gone_by=rng.choice((1, 1, 40)),
        strangers=rng.choice((0, 1, 3)),
        runs=rng.choices((1, 2, 3), (6, 3, 1))[0],
        pause=rng.choice((1, 30, 300, 6000, 90000)),
        ponder=rng.choices((0, 120, 4000, 6000), (12, 2, 1, 1))[0],
        concurrency=rng.choice((1, 2, None)),
        page_size=rng.choice((1000, 1000, 1, 2)),
        lag_seconds=lag,
        sync_seconds=rng.choice((2, 20, 600)),
        per_minute=rng.choice((600, 100, 60, 20)),
        **account,
    )
    return _with_feed(scene)


def one_kill(seed: int) -> Scene:
    """The scene of this seed, whose only fault is that the process is killed once."""
    scene, rng = draw(seed), Random(f"{seed} kill")
    horizon = 5 + REQUESTS_PER_FIRM * len(scene.later)
    kill = Fault(rng.choice(("death-before", "death-after")), rng.randrange(horizon))
    return replace(scene, faults=(kill,), runs=1, ponder=0)


def in_line() -> Iterator[Scene]:
    """Scenes at a slow pace, in which customers go through their links while tokens wait for their turn."""
    later = tuple(Firm(key, f"{key.title()} Stores", links=(Link("books", "xero"),)) for key in KEYS)
    earlier = tuple(replace(firm, links=(Link("books", "xero", Migration.LINK),)) for firm in later)
    for per_minute in SLOW:
        scene = Scene(1, earlier, later, per_minute=per_minute)
        for at in range(REQUESTS_IN_LINE):
            yield scene.with_faults(*(Fault("customer-links", at, pick=pick) for pick in (at, at + 1)))


def _history(rng: Random, key: str) -> tuple[Firm | None, Firm]:
    """A company as the earlier specs had it, if they did, and as the later ones want it."""
    (fate,) = rng.choices(list(FATES), list(FATES.values()))
    after = Firm(
        key,
        f"{key.title()} Stores",
        rng.choice((None, None, "", "moved")),
        tuple(sorted({tag: "new" for tag in ("region", "uid") if rng.random() < 0.5}.items())),
        _links(rng),
        rng.choice((None, None, (), ("lending",), ("expenses", "lending"))),
        rng.choice((None, None, None, 12, 24)),
    )
    if fate == "new":
        return None, after
    if fate in ("kept", "renamed"):
        after, links = _renamed_links(Random(f"{rng.random()} keys"), after)
    else:
        links = after.links
    before = replace(
        after,
        name=after.name if rng.random() < 0.7 else f"Old {after.name}",
        description=rng.choice((None, "before")),
        tags=tuple(sorted({tag: "old" for tag in ("region", "owner") if rng.random() < 0.5}.items())),
        links=_earlier(rng, links),
        products=rng.choice((None, ("lending", "payables"))),
        schedule=rng.choice((None, 1)),
    )
    if fate == "absent":
        return before, replace(after, is_absent=True, links=())
    if fate == "renamed":
        return replace(before, key=f"{key}-old"), replace(after, renamed_from=f"{key}-old")
    if fate == "adopted":
        return None, replace(after, adopts=True)
    if before.tags and rng.random() < 0.3:
        after = replace(after, tags=(*after.tags, ("owner", None)))
    return before, after


def _identities(
    rng: Random, earlier: list[Firm], later: list[Firm]
) -> tuple[list[Firm], list[Firm], tuple[str, ...], bool]:
    """Who has a namesake, who lost our tags, and whether the workspace was renamed."""
    news = {firm.key for firm in later if not firm.adopts and rng.random() < 0.1}
    later = [replace(firm, is_new=firm.key in news) for firm in later]
    after = {firm.renamed_from or firm.key: firm for firm in later}
    earlier = [replace(firm, is_new=after[firm.key].is_new) for firm in earlier]
    wiped = tuple(firm.key for firm in earlier if firm.name == after[firm.key].name and rng.random() < 0.15)
    return earlier, later, wiped, rng.random() < 0.15


def _links(rng: Random) -> tuple[Link, ...]:
    """Up to three connections, one of them accounting at most, often several of one platform."""
    shape = rng.choice(("", "b", "b", "o", "oo", "bo", "boo", "ooo"))
    one_brand = rng.random() < 0.6
    other = rng.choice(OTHERS)
    found = []
    for number, kind in enumerate(shape):
        platform = rng.choice(BOOKS) if kind == "b" else other if one_brand else rng.choice(OTHERS)
        key = "books" if kind == "b" else f"bank{number}"
        found.append(
            Link(
                key,
                platform,
                rng.choices(tuple(Migration), (8, 1, 1))[0],
                rng.choices(tuple(Wanted), (10, 2, 1))[0],
                rng.choices(("default", "never", "types", "age"), (6, 1, 2, 1))[0],
                reissued=rng.random() < 0.1,
            )
        )
    return tuple(found)


def _renamed_links(rng: Random, after: Firm) -> tuple[Firm, tuple[Link, ...]]:
    """The company with a connection or two under new keys, and its connections as they were called before.

    A key is renamed, or one vanishes and another appears.
    """
    links, before = [], []
    for link in after.links:
        old = replace(link, key=f"{link.key}-old")
        fate = rng.choices(("kept", "renamed", "replaced"), (8, 1, 1))[0]
        links.append(replace(link, renamed_from=old.key) if fate == "renamed" else link)
        before.append(link if fate == "kept" else old)
    return replace(after, links=tuple(links)), tuple(before)


def _earlier(rng: Random, links: tuple[Link, ...]) -> tuple[Link, ...]:
    """The connections that the earlier specs had; mostly all of a platform, or none."""
    kept = {platform: rng.random() < 0.6 for platform in BRANDS}
    return tuple(
        replace(link, wanted=Wanted.LINKED, reissued=False)
        for link in links
        if kept[link.platform] != (rng.random() < 0.07)
    )


def _meddling(rng: Random, firms: list[Firm]) -> dict[str, tuple[str, ...]]:
    """What others did to connections: what is lost together cannot be told apart, so it is drawn apart."""
    gone, foreign, unrecorded = [], [], []
    for firm in firms:
        platforms = {
            link.platform for link in firm.links if link.brand.source_type is not SourceType.ACCOUNTING
        }
        foreign += [f"{firm.key}/{platform}" for platform in sorted(platforms) if rng.random() < 0.2]
        if rng.random() < 0.15:
            unrecorded.append(firm.key)
        else:
            gone += [f"{firm.key}/{link.key}" for link in firm.links if rng.random() < 0.1]
    return {"gone": tuple(gone), "foreign": tuple(foreign), "unrecorded": tuple(unrecorded)}


def _some(rng: Random, firms: list[Firm], migrations: set[Migration], chance: float) -> tuple[str, ...]:
    return tuple(
        f"{firm.key}/{link.key}"
        for firm in firms
        for link in firm.links
        if link.migration in migrations and rng.random() < chance
    )


def _faults(rng: Random, firms: int, *, but: frozenset[str]) -> list[Fault]:
    horizon = 5 + REQUESTS_PER_FIRM * firms
    kinds = [kind for kind in KINDS if kind not in but]
    weights = [KINDS[kind].weight for kind in kinds]
    return sorted(
        (fault(kind, rng.randrange(horizon), rng) for kind in rng.choices(kinds, weights, k=_number(rng))),
        key=lambda fault: fault.at,
    )


def _account_faults(seed: int, account: Mapping[str, object]) -> list[Fault]:
    """What others do to the account, drawn apart: it begins with the account's own requests."""
    rng = Random(f"{seed} account faults")
    number = rng.choices((0, 1, 2, 3), (3, 3, 2, 1))[0] if account else 0
    kinds = sorted(ACCOUNT_KINDS)
    return [fault(rng.choice(kinds), rng.randrange(REQUESTS_OF_ACCOUNT), rng) for _ in range(number)]


def _with_feed(scene: Scene) -> Scene:
    """The scene with a bank feed, in some, and what others do there; drawn apart, and after all else."""
    fed = sim_feeds.with_feed(scene)
    if fed is scene:
        return scene
    rng = Random(f"{scene.seed} feed faults")
    horizon = 5 + REQUESTS_PER_FIRM * len(scene.later)
    kinds = sorted(FEED_KINDS)
    number = rng.choices((0, 1, 2, 3), (3, 3, 2, 1))[0]
    faults = [fault(rng.choice(kinds), rng.randrange(horizon), rng) for _ in range(number)]
    return replace(fed, faults=tuple(sorted((*scene.faults, *faults), key=lambda fault: fault.at)))


def _number(rng: Random) -> int:
    return rng.choices((0, 1, 2, 3, 5, 8), (1, 3, 4, 5, 5, 3))[0]


def fault(kind: str, at: int, rng: Random) -> Fault:
    """A fault of this kind at a request, with what else it needs drawn."""
    return Fault(kind, at, rng.choice(KINDS[kind].seconds), rng.randrange(1000))
