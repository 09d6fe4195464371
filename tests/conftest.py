"""Golden files: what people read, compared to the letter; ``pytest --update-golden`` writes them anew.

Property tests search the same examples each time, so that a failure comes back: a little, or with
``--hypothesis-profile=thorough`` as far as CI does. With ``CODAT_SYNC_EXPLORE=1`` they search new ones, and
print the line that plays a failing one again. None has a deadline: timings belong into benchmarks.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import settings
from hypothesis.internal.conjecture import providers
from simulation_tally import BROKEN, PROPERTY, Tally

FIXED: Final[dict[str, Any]] = {"deadline": None, "derandomize": True, "database": None, "print_blob": True}
settings.register_profile("quick", max_examples=25, **FIXED)
settings.register_profile("thorough", max_examples=50, **FIXED)
settings.register_profile("explore", deadline=None, derandomize=False, print_blob=True, max_examples=300)
EXPLORES: Final = bool(os.environ.get("CODAT_SYNC_EXPLORE"))
settings.load_profile("explore" if EXPLORES else "quick")
if not EXPLORES:
    # Hypothesis also draws the constants that it finds in whatever modules are loaded by then, so that the
    # examples would depend on which tests ran before; no setting turns that off.
    vars(providers)["_get_local_constants"] = providers.Constants
# httpx looks for it at each request to an application in this process, in every directory of tests.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]
# Every process of the tests holds thousands of them until it ends: looking through them again and again for
# garbage takes a tenth of its time. The command does the same for what it has loaded.
gc.set_threshold(20_000, 50, 100)


def pytest_collection_finish() -> None:
    """Let nobody look for garbage among what was collected."""
    gc.freeze()


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than cores: some test always waits, for a process of its own or for an answer."""
    return (os.cpu_count() or 1) + 1


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say in one line what the simulations came to, whichever processes ran them, and that they see."""
    reports = (report for reports in terminalreporter.stats.values() for report in reports)
    told = [
        each_property
        for report in reports
        if getattr(report, "when", "") == "call"
        for each_property in report.user_properties
    ]
    tallies = [Tally.of(value) for name, value in told if name == PROPERTY]
    broken = sorted(value for name, value in told if name == BROKEN)
    if tallies:
        terminalreporter.write_line(sum(tallies, Tally()).line())
    if broken:
        terminalreporter.write_line(f"{BROKEN}, and after how many seeds found out: {', '.join(broken)}")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write golden files instead of comparing them"
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """``golden(name, text)`` compares ``text`` with the file ``golden/NAME`` beside the test."""

    def check(name: str, text: str) -> None:
        path = request.path.parent / "golden" / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text.encode())
        assert path.is_file(), f"{path} is missing; run pytest --update-golden and review it"
        assert text == path.read_bytes().decode()

    return check
