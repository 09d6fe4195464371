"""The source accounts of bank feeds in a scene: what the specs want of them, and what others have there."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reconciler.model import DesiredSourceAccount, Presence
from reconciler.secret_refs import SecretRef, Variable

if TYPE_CHECKING:
    from sim_scenes import Firm, Scene

FEED_KEY: Final = "olpr"
"""The platform key of the bank feeds in scenes."""
STRANGE: Final = "strange"
"""How the ids of accounts begin that someone else makes, and no spec names."""
RENAMED: Final = "Renamed by others"
TYPE: Final = "checking"
CURRENCY: Final = "EUR"
CHANCE: Final = 0.25
"""How many scenes have a bank feed."""


@dataclass(frozen=True, slots=True)
class SourceAccount:
    """A source account of the specs, by its id."""

    id: str
    name: str
    is_absent: bool = False

    def desired(self) -> DesiredSourceAccount:
        """It, as the planner takes it."""
        if self.is_absent:
            return DesiredSourceAccount(key=self.id, state=Presence.ABSENT)
        return DesiredSourceAccount(
            key=self.id,
            name=self.name,
            type=TYPE,
            currency=CURRENCY,
            numbers={"accountNumber": SecretRef(Variable(f"number-of-{self.id}"))},
        )


def with_feed(scene: Scene) -> Scene:
    """The scene with a bank feed at one of its companies, in some.

    It is drawn by a sequence of its own, and last: the rest of a scene is what it would be without it.
    """
    rng = random.Random(f"{scene.seed} feed")
    firms = [firm for firm in scene.later if not firm.is_absent]
    if rng.random() >= CHANCE or not firms:
        return scene
    firm = rng.choice(firms)
    after = _accounts(rng)
    earlier = scene.earlier
    if rng.random() < 0.7:
        before = _before(rng, after)
        old = firm.renamed_from or firm.key
        earlier = tuple(each.with_feed(before) if each.key == old else each for each in earlier)
    later = tuple(each.with_feed(after) if each is firm else each for each in scene.later)
    return replace(scene, earlier=earlier, later=later)


def without_feed(firms: tuple[Firm, ...]) -> tuple[Firm, ...]:
    """The companies as they were drawn before there were bank feeds."""
    return tuple(
        replace(firm, links=tuple(link for link in firm.links if not link.is_feed)) for firm in firms
    )


def _accounts(rng: random.Random) -> tuple[SourceAccount, ...]:
    """Up to three accounts, one of them to be deleted now and then."""
    count = rng.choice((1, 1, 2, 3))
    return tuple(
        SourceAccount(f"acc-{number}", f"Account {number}", is_absent=rng.random() < 0.15)
        for number in range(count)
    )


def _before(rng: random.Random, after: tuple[SourceAccount, ...]) -> tuple[SourceAccount, ...]:
    """The accounts that the earlier specs had: some of them, under another name now and then."""
    return tuple(
        replace(account, name=rng.choice((account.name, f"Old {account.id}")), is_absent=False)
        for account in after
        if rng.random() < 0.7
    )
