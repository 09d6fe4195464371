"""What the events of an apply add up to: companies done, failures, the rate, the time left."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from reconciler.outcome import Event, EventType, Result
from reconciler.wording import counted

_MINUTE: Final = 60.0
_TELLING: Final = 5.0
"""Seconds before a rate says anything."""

FAILURES: Final = (Result.FAILED, Result.INCOMPLETE)


@dataclass(slots=True)
class Tally:
    """Counts what ``add`` is told of; ``started`` and every ``now`` are seconds of one clock.

    ``EventType.STARTED`` says in ``data`` how many ``companies`` there are; any event may say how many
    write ``requests`` were sent so far.
    """

    started: float
    companies: int = 0
    done: int = 0
    requests: int = 0
    failed: set[str] = field(default_factory=set)
    """Companies with a failure."""

    def add(self, event: Event) -> None:
        """Count an event."""
        self.requests = max(self.requests, _number(event, "requests"))
        if event.type is EventType.STARTED:
            self.companies = _number(event, "companies")
            self.requests = 0
        elif event.type is EventType.COMPANY_ENDED:
            self.done += 1
        elif event.type is EventType.ACTION_ENDED and event.result in FAILURES and event.address:
            self.failed.add(event.address.company)

    def sentence(self, now: float) -> str:
        """``12 of 40 companies, 1 failed; 480 requests a minute; about 2 minutes left``."""
        total = f" of {self.companies:,}" if self.companies else ""
        noun = "company" if (self.companies or self.done) == 1 else "companies"
        failed = f", {len(self.failed):,} failed" if self.failed else ""
        parts = [f"{self.done:,}{total} {noun}{failed}", self._rate(now), self._left(now)]
        return "; ".join(filter(None, parts))

    def rate(self, now: float) -> int:
        """Write requests a minute; none before that says anything."""
        elapsed = now - self.started
        return round(self.requests * _MINUTE / elapsed) if elapsed >= _TELLING else 0

    def _rate(self, now: float) -> str:
        rate = self.rate(now)
        return f"{counted(rate, 'request')} a minute" if rate else ""

    def _left(self, now: float) -> str:
        remaining = self.companies - self.done
        if not self.done or remaining <= 0 or now - self.started < _TELLING:
            return ""
        minutes = (now - self.started) / self.done * remaining / _MINUTE
        return "less than a minute left" if minutes < 1 else f"about {counted(round(minutes), 'minute')} left"


def _number(event: Event, name: str) -> int:
    found = event.data.get(name, 0)
    return found if isinstance(found, int) else 0
