"""Plays scenes and judges them; a scene that breaks a promise is taken apart until a short story is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

import virtual_time
from sim_checks import CHECKS, NOWHERE, Ending, Reference, shapes
from sim_faults import KINDS
from sim_scenes import Scene
from sim_wire import Exchange, Strike
from sim_world import EndlessError, Happening, World

T = TypeVar("T")

MOST_TRIALS: Final = 300
"""Trials that a scene is taken apart in at most."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken: the check's name, and what it found."""

    promise: str
    found: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a scene ended; ``requests`` counts those of the disturbed runs."""

    scene: Scene
    violations: tuple[Violation, ...]
    strikes: tuple[Strike, ...]
    log: tuple[Exchange, ...]
    requests: int
    calm_applies: int = 0
    """How many undisturbed applies said that all was done, until a plan had nothing to do."""

    @property
    def struck(self) -> Counter[str]:
        """How often each kind of fault struck."""
        return Counter(strike.fault.kind for strike in self.strikes)

    def story(self) -> str:
        """What happened, to be read from top to bottom."""
        lines = [f"seed {self.scene.seed}"]
        lines += [f"  before: {firm}" for firm in self.scene.earlier]
        lines += [f"  wanted: {firm}" for firm in self.scene.later]
        knobs = {name: value for name, value in _knobs(self.scene).items() if value != _knobs(PLAIN)[name]}
        lines += [f"  with {knobs}"] if knobs else []
        lines += [f"  {strike}" for strike in self.strikes]
        lines += [f"  {violation.promise}: {violation.found}" for violation in self.violations]
        return "\n".join(lines)


PLAIN: Final = Scene(0)


def _knobs(scene: Scene) -> dict[str, object]:
    lists = ("seed", "earlier", "later", "faults")
    return {name: getattr(scene, name) for name in scene.__dataclass_fields__ if name not in lists}


# --- playing -----------------------------------------------------------------------------------


def trial(scene: Scene, reference: Reference | None = None) -> Verdict:
    """Play a scene and judge how it ended; ``reference`` is where it ends undisturbed, if that is known."""
    ending = virtual_time.run(_played(scene))
    world = ending.world
    world.close()
    if world.is_endless:
        found: tuple[Violation, ...] = (Violation("comes_to_rest", "requests without end"),)
    else:
        if reference is None or world.happenings:
            reference = undisturbed(scene, world.happenings)
        judged = replace(ending, reference=reference)
        found = tuple(Violation(check.__name__, words) for check in CHECKS for words in check(judged))
    return Verdict(scene, found, tuple(world.strikes), tuple(world.log), world.requests, world.calm_applies)


async def _played(scene: Scene) -> Ending:
    world = World(scene)
    try:
        await world.set_stage()
        await world.disturb()
        await world.rest()
    except EndlessError:
        world.is_endless = True
    final = world.sandbox.state()
    return Ending(
        world,
        tuple(final["companies"]),
        tuple(final["pulls"]),
        shapes(world),
        NOWHERE,
        tuple(world.outside.consumers()),
        world.outside.profile(),
        world.outside.profile_settings(),
    )


def undisturbed(scene: Scene, happenings: Sequence[Happening] = ()) -> Reference:
    """Where the same scene ends without faults, before and after others did the same things."""
    return virtual_time.run(_reference(scene.without_faults(), happenings))


async def _reference(scene: Scene, happenings: Sequence[Happening]) -> Reference:
    world = World(scene)
    try:
        await world.set_stage()
        await world.rest()
        plain = shapes(world)
        created = _connections_created(world)
        for happening in happenings:
            if _repeat(world, happening):
                await world.rest()
        created |= _connections_created(world)
        return Reference(plain, shapes(world), created)
    finally:
        world.close()


def _connections_created(world: World) -> Counter[tuple[str, str]]:
    """How many connections our runs have created so far, by company key and platform."""
    return Counter(
        (world.key_by_id(exchange.company), exchange.body["platformKey"])
        for exchange in world.log
        if exchange.creates_connection and exchange.took_effect
    )


def _repeat(world: World, happening: Happening) -> bool:
    """Let the same happen to the same one here, if it can."""
    befalls = KINDS[happening.kind].befalls
    wanted = happening.target
    candidates = [
        target
        for target in (befalls(world) if befalls else [])
        if (target.key, target.platform) == (wanted.key, wanted.platform)
    ]
    same = [candidate for candidate in candidates if candidate.role == wanted.role] or [
        candidate for candidate in candidates if not candidate.role
    ]
    return bool(same) and world.let(happening.kind, same[0]) is not None


# --- taking a failure apart --------------------------------------------------------------------


def shrunk(verdict: Verdict, judge: Callable[[Scene], Verdict] = trial) -> Verdict:
    """The smallest scene found that breaks the same promise, the first of them."""
    promise = verdict.violations[0].promise
    left = MOST_TRIALS
    is_smaller = True
    while is_smaller:
        is_smaller = False
        for scene in _smaller(verdict.scene):
            if not left:
                return verdict
            left -= 1
            found = judge(scene)
            if promise in {violation.promise for violation in found.violations}:
                verdict, is_smaller = found, True
                break
    return verdict


def _smaller(scene: Scene) -> Iterator[Scene]:
    """The scene with less in it, large cuts first."""
    for faults in _without(scene.faults):
        yield replace(scene, faults=faults)
    for later in _without(scene.later):
        keys = {firm.renamed_from or firm.key for firm in later}
        yield replace(scene, later=later, earlier=tuple(firm for firm in scene.earlier if firm.key in keys))
    for earlier in _without(scene.earlier):
        yield replace(scene, earlier=earlier)
    for name in ("earlier", "later"):
        for number, firm in enumerate(getattr(scene, name)):
            firms = list(getattr(scene, name))
            for links in _without(firm.links):
                firms[number] = replace(firm, links=links)
                yield replace(scene, **{name: tuple(firms)})
    for name, value in _knobs(PLAIN).items():
        if getattr(scene, name) != value and name != "runs":
            yield replace(scene, **{name: value})
    if scene.runs > 1:
        yield replace(scene, runs=scene.runs - 1)


def _without(items: tuple[T, ...]) -> Iterator[tuple[T, ...]]:
    """Half of the items, then all but one."""
    if len(items) > 3:
        middle = len(items) // 2
        yield items[:middle]
        yield items[middle:]
    for number in range(len(items)):
        yield items[:number] + items[number + 1 :]
