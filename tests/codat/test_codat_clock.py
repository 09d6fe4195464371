"""How old something is goes by a clock that is never set back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.codat.pacing import ForwardClock, SystemClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Machine:
    """A wall clock that can be set, beside seconds that nobody sets."""

    def __init__(self) -> None:
        self.shows, self.seconds = NOON, 0.0

    def passes(self, time: timedelta, *, asleep: bool = False) -> None:
        self.shows += time
        self.seconds += 0 if asleep else time.total_seconds()


@pytest.mark.parametrize(
    ("set_by", "shown"),
    [
        pytest.param(timedelta(), 2 * HOUR, id="nobody sets it"),
        pytest.param(-5 * HOUR, 2 * HOUR, id="set back: what passes goes on"),
        pytest.param(5 * HOUR, 7 * HOUR, id="set forward: things may be older than they seemed"),
    ],
)
def test_what_passes_is_never_less_than_what_passed(set_by: timedelta, shown: timedelta) -> None:
    machine = Machine()
    clock = ForwardClock(lambda: machine.shows, lambda: machine.seconds)
    machine.passes(HOUR)
    assert clock.now() == NOON + HOUR

    machine.shows += set_by
    machine.passes(HOUR)

    assert clock.now() == NOON + shown


def test_the_time_that_a_machine_slept_counts() -> None:
    machine = Machine()
    clock = ForwardClock(lambda: machine.shows, lambda: machine.seconds)
    machine.passes(3 * HOUR, asleep=True)

    assert clock.now() == NOON + 3 * HOUR


def test_a_clock_that_was_set_back_and_right_again_is_not_ahead() -> None:
    machine = Machine()
    clock = ForwardClock(lambda: machine.shows, lambda: machine.seconds)
    machine.shows -= 2 * HOUR
    machine.passes(HOUR)
    clock.now()
    machine.shows += 2 * HOUR

    assert clock.now() == NOON + HOUR


def test_the_machines_clock_shows_the_present() -> None:
    before = datetime.now(UTC)
    assert before - timedelta(seconds=1) <= SystemClock().now() <= datetime.now(UTC) + timedelta(seconds=1)
