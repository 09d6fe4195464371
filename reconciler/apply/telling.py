"""Tells the observer what happens, in messages that can be read as they stand.

No message holds a secret or a link URL: they are made of addresses, kinds, counts and failures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reconciler.codat import Meter
from reconciler.model import Address
from reconciler.outcome import ActionOutcome, Event, EventType, Observer, Outcome, Result
from reconciler.plan import Action, Plan

SAYS: Final[Mapping[Result, str]] = {
    Result.DONE: "done",
    Result.ALREADY: "was done already",
    Result.FAILED: "failed",
    Result.INCOMPLETE: "is incomplete",
    Result.NOT_STARTED: "was not started",
}


class Telling:
    """Makes events of what happens; each says how many write ``requests`` were sent so far."""

    def __init__(self, observer: Observer, meter: Meter) -> None:
        self._observer = observer
        self._meter = meter
        self._before = meter.writes

    @property
    def requests(self) -> int:
        """Write requests that this run has sent, repeats included."""
        return self._meter.writes - self._before

    def started(self, plan: Plan, companies: int) -> None:
        """The run begins."""
        data = {"companies": companies, "actions": len(plan.actions), "planned": plan.requests}
        message = (
            f"applying: actions {len(plan.actions)}, companies {companies}, write requests {plan.requests}"
        )
        self._tell(Event(EventType.STARTED, message, data=self._with(data)))

    def action_started(self, action: Action) -> None:
        """An action begins."""
        message = f"{action.kind} {action.address}"
        self._tell(Event(EventType.ACTION_STARTED, message, action.kind, action.address, data=self._with({})))

    def action_ended(self, ended: ActionOutcome) -> None:
        """An action ended, well or not."""
        failure = ended.failure
        why = f": {failure.message}" if failure else ""
        told = {
            "companyId": ended.company_id,
            "connectionId": ended.connection_id,
            "failure": failure.document() if failure else None,
        }
        self._tell(
            Event(
                EventType.ACTION_ENDED,
                f"{ended.kind} {ended.address} {SAYS[ended.result]}{why}",
                ended.kind,
                ended.address,
                ended.result,
                self._with({name: value for name, value in told.items() if value is not None}),
            )
        )

    def company_ended(self, company: str, done: int, total: int) -> None:
        """A company's worker has come to its end; ``done`` of ``total`` have."""
        message = f"{company} ended, {done} of {total}"
        data = self._with({"done": done, "total": total})
        self._tell(Event(EventType.COMPANY_ENDED, message, address=Address(company), data=data))

    def waiting(self, address: Address, seconds: float, why: str) -> None:
        """An action waits."""
        message = f"{address}: waiting {seconds:g} s: {why}"
        data = self._with({"seconds": seconds, "reason": why})
        self._tell(Event(EventType.WAITING, message, address=address, data=data))

    def stopping(self, why: str) -> None:
        """Nothing new starts from here on."""
        message = f"stopping: what is in flight ends, nothing new starts: {why}"
        self._tell(Event(EventType.STOPPING, message, data=self._with({})))

    def ended(self, outcome: Outcome) -> None:
        """The run has ended."""
        counts = {result.value: count for result, count in outcome.counts.items()}
        message = ", ".join(f"{count} {name}" for name, count in counts.items())
        self._tell(Event(EventType.ENDED, f"{message}; {self.requests} requests", data=self._with(counts)))

    def _with(self, data: Mapping[str, Any]) -> dict[str, Any]:
        return {**data, "requests": self.requests}

    def _tell(self, event: Event) -> None:
        self._observer(event)
