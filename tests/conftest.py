"""Golden files: what people read, compared to the letter; ``pytest --update-golden`` writes them anew.

And no property test has a deadline: timings belong into benchmarks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from simulation_tally import PROPERTY, Tally

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say in one line what the simulations came to, whichever processes ran them."""
    reports = (one for reports in terminalreporter.stats.values() for one in reports)
    told = [
        value
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, value in report.user_properties
        if name == PROPERTY
    ]
    if told:
        terminalreporter.write_line(sum(map(Tally.of, told), Tally()).line())


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
