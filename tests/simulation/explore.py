"""Plays seed after seed for a time, on every core: ``explore.py SECONDS [FIRST_SEED]``, for ``.ci/deep``.

Nothing is written anywhere. A seed that breaks a promise is taken apart and told, and the rest goes on.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import count, islice
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from sim_drawing import draw
from sim_trials import shrunk, trial
from simulation_tally import Tally

HOUR: Final = 3600.0
BATCH: Final = 20


def explore(seconds: float, first: int) -> Tally:
    """The tally of all seeds from ``first`` that ``seconds`` allow."""
    until = time.monotonic() + seconds
    tally = Tally()
    workers = os.cpu_count() or 1
    batches = count(first, BATCH)
    with ProcessPoolExecutor(workers) as pool:
        running = {pool.submit(_play, batch) for batch in islice(batches, 2 * workers)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            tally = sum(map(_told, done), tally)
            if time.monotonic() < until:
                running |= {pool.submit(_play, next(batches)) for _ in done}
    return tally


def _play(first: int) -> tuple[Tally, list[str]]:
    """A batch of seeds, and the stories of those that break a promise."""
    tally, stories = Tally(), []
    for seed in range(first, first + BATCH):
        verdict = trial(draw(seed))
        tally += Tally(1, 0, verdict.requests, verdict.struck, len(verdict.violations))
        if verdict.violations:
            stories.append(shrunk(verdict).story())
    return tally, stories


def _told(batch: Future[tuple[Tally, list[str]]]) -> Tally:
    tally, stories = batch.result()
    for story in stories:
        print(story, flush=True)
    return tally


def _arguments() -> Iterator[float]:
    yield float(sys.argv[1]) if len(sys.argv) > 1 else HOUR
    yield float(sys.argv[2]) if len(sys.argv) > 2 else time.time() // 1 * 1000


if __name__ == "__main__":
    length, start = _arguments()
    found = explore(length, int(start))
    print(found.line(), flush=True)
    sys.exit(found.violations > 0)
