"""Nothing twice, nothing lost: the real planner, client and executor among faults, in virtual time.

A failing case prints its seed and a short story of the faults that break the promise.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import product

import pytest
from sim_account import Account, Hook
from sim_checks import Reference
from sim_drawing import FED, REFED, draw, in_line, one_kill
from sim_faults import ACCOUNT_KINDS, FEED_KINDS, KINDS, Fault
from sim_scenes import Firm, Link, Scene
from sim_trials import shrunk, trial, undisturbed
from simulation_tally import PROPERTY, Tally

from reconciler.model import Migration, Wanted

SEEDS = int(os.environ.get("CODAT_SYNC_SEEDS", "40"))
"""Scenes among many faults in CI: the same ones each time, on every machine; ``.ci/deep`` plays 300."""
WORLDS = int(os.environ.get("CODAT_SYNC_WORLDS", "40"))
"""Scenes with one kill; ``.ci/deep`` plays 1,000."""
EVERY_SO_OFTEN = 48
"""One request of so many is struck while someone waits, another one by each kind of fault."""
OFTEN = int(os.environ.get("CODAT_SYNC_OFTEN", "10"))
"""One request of so many in CI, so that each is struck by a tenth of the kinds; ``.ci/deep`` strikes all."""
COUNTED_OFTEN = int(os.environ.get("CODAT_SYNC_OFTEN", "11"))
"""The same where requests are counted on from one kind to the next; ``.ci/deep`` strikes a quarter."""
FEW = 8
"""Random seeds while someone waits."""

BEFORE = Firm(
    "acme",
    "Old Acme Stores",
    tags=(("owner", "old"), ("region", "old")),
    links=(Link("books", "xero"), Link("shop", "stripe")),
    products=("payables",),
)
ACME = Firm(
    "acme",
    "Acme Stores",
    "moved",
    (("region", "new"),),
    (
        Link("bank", "plaid", Migration.LINK),
        Link("books", "xero", wanted=Wanted.UNLINKED),
        Link("shop", "stripe", wanted=Wanted.ABSENT),
    ),
    products=(),
    schedule=12,
)
BRAVO = Firm(
    "bravo",
    "Bravo Stores",
    links=(Link("bank1", "truelayer"), Link("bank2", "truelayer", sync="types")),
    products=("lending",),
    schedule=24,
)
SMALL = Scene(seed=1, earlier=(BEFORE,), later=(ACME, BRAVO), strangers=1)
"""An update, an unlink, a delete, products, sync settings, creates, a record of links, tokens and syncs."""
READS, LINKS = Hook("reads", "hook", ("read.completed",)), Hook("links", "a", ("connection.connected",))
OWNED = Account((READS, LINKS, Hook("old", "old", ("company.created",))), "done", 12)
TAKEN = Scene(seed=1, account=replace(OWNED, hooks=(READS, LINKS)), others_listen=1)
"""The account becomes ours: a mark, consumers, the profile and its sync settings."""
DRIFTED = Scene(
    seed=2,
    earlier_account=OWNED,
    account=Account(
        (replace(READS, tags=("region:uk",)), LINKS, Hook("old", "old", (), is_absent=True)), "welcome", 48
    ),
    others_listen=1,
)
"""A consumer is replaced, one deleted, and profile and sync settings change."""


@cache
def at_rest() -> tuple[Reference, int]:
    """Where the small scene ends undisturbed, and how many requests its first run takes."""
    return undisturbed(SMALL), trial(SMALL).requests


@pytest.mark.parametrize(
    "step",
    [pytest.param(EVERY_SO_OFTEN, id="some"), pytest.param(OFTEN, id="many", marks=pytest.mark.slow)],
)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ACCOUNT_KINDS | FEED_KINDS])
def test_each_single_fault_at_each_request_ends_where_none_does(
    kind: str, step: int, record_property: Callable[[str, object], None]
) -> None:
    reference, requests = at_rest()
    tally, seconds = Tally(), KINDS[kind].seconds
    assert requests >= 20, "the scene is too quiet to prove anything"
    for at in range(list(KINDS).index(kind) % step, requests, step):
        fault = Fault(kind, at, seconds[at % len(seconds)], at)
        verdict = trial(SMALL.with_faults(fault), reference)
        if verdict.violations:
            pytest.fail(shrunk(verdict).story(), pytrace=False)
        tally += Tally(0, 1, verdict.requests, Counter(verdict.struck), 0)
    assert tally.struck[kind] or kind not in ALWAYS_STRIKES, "the fault never struck"
    record_property(PROPERTY, tally.document())


few_or_many = pytest.mark.parametrize(
    "step",
    [pytest.param(149, id="a few"), pytest.param(COUNTED_OFTEN, id="many", marks=pytest.mark.slow)],
)


@few_or_many
@pytest.mark.parametrize("scene", [pytest.param(TAKEN, id="taken"), pytest.param(DRIFTED, id="drifted")])
def test_a_single_fault_at_a_request_of_the_account_ends_where_none_does(
    scene: Scene, step: int, record_property: Callable[[str, object], None]
) -> None:
    reference, requests = undisturbed(scene), trial(scene).requests
    assert requests >= 15, "the scene is too quiet to prove anything"
    tally = Tally()
    kinds = [kind for kind in KINDS if KINDS[kind].befalls is None or kind in ACCOUNT_KINDS]
    for number, (kind, at) in list(enumerate(product(kinds, range(requests))))[::step]:
        seconds = KINDS[kind].seconds
        verdict = trial(scene.with_faults(Fault(kind, at, seconds[at % len(seconds)], number)), reference)
        if verdict.violations:
            pytest.fail(shrunk(verdict).story(), pytrace=False)
        tally += Tally(0, 1, verdict.requests, Counter(verdict.struck), 0)
    record_property(PROPERTY, tally.document())


@few_or_many
@pytest.mark.parametrize("scene", [pytest.param(FED, id="fed"), pytest.param(REFED, id="refed")])
def test_a_single_fault_at_a_request_of_a_bank_feed_ends_where_none_does(
    scene: Scene, step: int, record_property: Callable[[str, object], None]
) -> None:
    reference, requests = undisturbed(scene), trial(scene).requests
    assert requests >= 9, "the scene is too quiet to prove anything"
    tally = Tally()
    kinds = [kind for kind in KINDS if kind not in ACCOUNT_KINDS]
    for number, (kind, at) in list(enumerate(product(kinds, range(requests))))[::step]:
        seconds = KINDS[kind].seconds
        verdict = trial(scene.with_faults(Fault(kind, at, seconds[at % len(seconds)], number)), reference)
        if verdict.violations:
            pytest.fail(shrunk(verdict).story(), pytrace=False)
        tally += Tally(0, 1, verdict.requests, Counter(verdict.struck), 0)
    record_property(PROPERTY, tally.document())


ALWAYS_STRIKES = (
    "429",
    "500-before",
    "500-after",
    "503-before",
    "503-after",
    "dropped-before",
    "dropped-after",
)
"""Faults of the wire, for which every request will do."""


@pytest.mark.parametrize(
    ("half", "seeds"),
    [
        pytest.param(0, FEW, id="a few"),
        pytest.param(0, SEEDS, id="every second", marks=pytest.mark.slow),
        pytest.param(1, SEEDS, id="the others", marks=pytest.mark.slow),
    ],
)
def test_random_scenes_end_where_they_would_without_faults(
    half: int, seeds: int, record_property: Callable[[str, object], None]
) -> None:
    tally = Tally()
    for seed in range(half, seeds, 2):
        verdict = trial(draw(seed))
        if verdict.violations:
            pytest.fail(shrunk(verdict).story(), pytrace=False)
        tally += Tally(1, 0, verdict.requests, Counter(verdict.struck), 0)
    record_property(PROPERTY, tally.document())


@pytest.mark.parametrize(
    ("half", "seeds"),
    [
        pytest.param(0, FEW, id="a few"),
        pytest.param(0, WORLDS, id="every second", marks=pytest.mark.slow),
        pytest.param(1, WORLDS, id="the others", marks=pytest.mark.slow),
    ],
)
def test_a_run_that_was_killed_once_and_repeated_leaves_nothing_to_do(
    half: int, seeds: int, record_property: Callable[[str, object], None]
) -> None:
    tally = Tally()
    for seed in range(half, seeds, 2):
        verdict = trial(one_kill(seed))
        if verdict.violations:
            pytest.fail(shrunk(verdict).story(), pytrace=False)
        assert verdict.calm_applies <= 1, verdict.story()
        tally += Tally(1, 0, verdict.requests, Counter(verdict.struck), 0)
    record_property(PROPERTY, tally.document())


SET_BACK = Scene(
    seed=3639,
    later=(
        Firm(
            "acme",
            "Acme Stores",
            tags=(("region", "new"),),
            links=(Link("books", "xero", sync="never"), Link("bank1", "plaid")),
            schedule=12,
        ),
    ),
    faults=(
        Fault("second-apply", at=0, pick=257),
        Fault("revoked", at=6, pick=334),
        Fault("429", at=8, pick=410),
        Fault("our-clock", at=10, seconds=-7200, pick=881),
        Fault("suspended", at=11, seconds=600, pick=925),
    ),
    strangers=1,
    runs=2,
    page_size=1,
    per_minute=60,
    account=Account((Hook("hook0", "hook", ("connection.connected",), ("region:uk",)),), "welcome", 48),
    others_listen=1,
)
"""One of two applies waits for Codat, and its clock is set back by two hours meanwhile."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "scene",
    [SET_BACK, *map(Scene.as_drawn_first, (*map(draw, (373, 439, 585, 644, 3697)), one_kill(899)))],
    ids=lambda scene: str(scene.seed),
)
def test_a_scene_that_broke_a_promise_once_keeps_it(scene: Scene) -> None:
    """Found by playing thousands: others begin to connect beside us, and a record names what is gone."""
    verdict = trial(scene)
    if verdict.violations:
        pytest.fail(shrunk(verdict).story(), pytrace=False)


@pytest.mark.slow
def test_who_links_while_tokens_wait_for_their_turn_gets_none() -> None:
    for scene in in_line():
        verdict = trial(scene)
        if verdict.violations:
            pytest.fail(shrunk(verdict).story(), pytrace=False)


def test_a_seed_plays_the_same_every_time() -> None:
    played = trial(draw(7)).log
    assert trial(draw(7)).log == played
    assert trial(draw(8)).log != played
