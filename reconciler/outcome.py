"""What happened: each action's result, the counts, and the events that tell of it while it happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, Protocol

from reconciler.model import Address
from reconciler.plan import Attention, AttentionClass, Kind

EVENTS_VERSION: Final = 1
RESUME: Final = "run the same command again"
RESUMED: Final = "{resume}"
"""Where an advice says how the run is resumed, which depends on its command line."""


class Result(StrEnum):
    """How an action ended."""

    DONE = "done"
    ALREADY = "already"
    """Found done when we looked: an earlier run, or someone else, did it."""
    FAILED = "failed"
    INCOMPLETE = "incomplete"
    """Neither done nor refused: Codat's state does not show it yet."""
    NOT_STARTED = "not-started"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an action failed: a stable code, what happened with Codat's own words, and what to do then.

    ``correlation_id`` is what Codat's support asks for.
    """

    code: str
    what: str
    correlation_id: str = ""
    then: str = ""
    """How to go on; ``RESUMED`` in it stands for how this run is resumed."""

    @property
    def message(self) -> str:
        """What happened and how to go on, as one sentence."""
        return "; ".join(filter(None, (self.what, self.then.replace(RESUMED, RESUME))))

    def resumed_by(self, resume: str) -> Failure:
        """The failure of a run that is resumed in this way."""
        return replace(self, then=self.then.replace(RESUMED, resume))

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        shown = {"code": self.code, "message": self.message}
        return shown | ({"correlationId": self.correlation_id} if self.correlation_id else {})


@dataclass(frozen=True, slots=True)
class ActionOutcome:
    """One action of the plan and how it ended; ids are there once they are known."""

    kind: Kind
    address: Address
    result: Result
    failure: Failure | None = None
    company_id: str | None = None
    connection_id: str | None = None

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        shown: dict[str, Any] = {
            "kind": self.kind.value,
            "address": str(self.address),
            "result": self.result.value,
            "companyId": self.company_id,
            "connectionId": self.connection_id,
            "failure": self.failure.document() if self.failure else None,
        }
        return {name: value for name, value in shown.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A whole apply. ``results`` stand in the plan's order, whatever order they ran in."""

    workspace: str
    results: tuple[ActionOutcome, ...]
    attention: tuple[Attention, ...] = ()
    requests: int = 0
    """Write requests that were sent, those that were tried again included."""
    stopped: Failure | None = None
    """Why the whole run stopped before its end, if it did."""
    interrupted: bool = False
    resent: tuple[Address, ...] = ()
    """Connections whose tokens were sent, and would be sent again by the same command."""

    @property
    def counts(self) -> Mapping[Result, int]:
        """How many actions ended how; every result, zeros too."""
        found = Counter(one.result for one in self.results)
        return {result: found[result] for result in Result}

    @property
    def is_complete(self) -> bool:
        """Whether all that was asked for is done: every action, and nothing blocking is left."""
        return (
            not self.interrupted
            and self.stopped is None
            and all(one.result in (Result.DONE, Result.ALREADY) for one in self.results)
            and not any(one.attention_class is AttentionClass.BLOCKING for one in self.attention)
        )

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "formatVersion": EVENTS_VERSION,
            "workspace": self.workspace,
            "complete": self.is_complete,
            "interrupted": self.interrupted,
            "stopped": self.stopped.document() if self.stopped else None,
            "summary": {
                **{result.value: count for result, count in self.counts.items()},
                "attention": len(self.attention),
                "requests": self.requests,
            },
            "results": [one.document() for one in self.results],
            "attention": [one.document() for one in self.attention],
        }


# --- while it happens --------------------------------------------------------------------------


class EventType(StrEnum):
    """Every kind of event."""

    STARTED = "started"
    ACTION_STARTED = "action-started"
    ACTION_ENDED = "action-ended"
    COMPANY_ENDED = "company-ended"
    WAITING = "waiting"
    STOPPING = "stopping"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, with a message that can be read as it stands; never a secret."""

    type: EventType
    message: str
    kind: Kind | None = None
    address: Address | None = None
    result: Result | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        shown: dict[str, Any] = {
            "version": EVENTS_VERSION,
            "type": self.type.value,
            "message": self.message,
            "kind": self.kind and self.kind.value,
            "address": self.address and str(self.address),
            "result": self.result and self.result.value,
            **self.data,
        }
        return {name: value for name, value in shown.items() if value is not None}


class Observer(Protocol):
    """Is told of every event and cannot steer; what it raises is not caught, so it must not raise."""

    def __call__(self, event: Event, /) -> None:
        """Take note of ``event``."""
