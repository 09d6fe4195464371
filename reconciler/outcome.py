"""What happened: each action's result, why it failed, how to go on, and the events that tell of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, Protocol

from reconciler.actions import Action, CreateCompany
from reconciler.kinds import Kind
from reconciler.model import Address
from reconciler.plan import Attention, AttentionClass

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


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
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
    was_saved: bool = False
    """Whether it was of a saved plan, which goes on saying what the specs said then."""

    @property
    def counts(self) -> Mapping[Result, int]:
        """How many actions ended how; every result, zeros too."""
        found = Counter(result.result for result in self.results)
        return {result: found[result] for result in Result}

    @property
    def is_complete(self) -> bool:
        """Whether all that was asked for is done: every action, and nothing blocking is left."""
        return (
            not self.interrupted
            and self.stopped is None
            and all(result.result in (Result.DONE, Result.ALREADY) for result in self.results)
            and not any(attention.attention_class is AttentionClass.BLOCKING for attention in self.attention)
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
            "results": [result.document() for result in self.results],
            "attention": [attention.document() for attention in self.attention],
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


EventValue = str | float
"""What an event tells beside its message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened, with a message that can be read as it stands; never a secret."""

    type: EventType
    message: str
    kind: Kind | None = None
    address: Address | None = None
    result: Result | None = None
    failure: Failure | None = None
    data: Mapping[str, EventValue] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        shown: dict[str, Any] = {
            "version": EVENTS_VERSION,
            "type": self.type.value,
            "message": self.message,
            "kind": self.kind and self.kind.value,
            "address": self.address and str(self.address),
            "result": self.result and self.result.value,
            "failure": self.failure and self.failure.document(),
            **self.data,
        }
        return {name: value for name, value in shown.items() if value is not None}


class Observer(Protocol):
    """Is told of every event and cannot steer; what it raises is not caught, so it must not raise."""

    def __call__(self, event: Event, /) -> None:
        """Take note of ``event``."""


class FailureCode(StrEnum):
    """The codes of failures that are told here; others are those of ``reconciler.codat.errors``."""

    ACCOUNT_FAILED = "account-failed"
    """The account's own settings come first, and were not all done; so no company was started."""
    AMBIGUOUS = "ambiguous"
    """Codat has several connections, new since the plan, that a lost create may have made."""
    ANSWER_DIFFERS = "answer-differs"
    """Codat's answer to a write is not what was asked."""
    AUTHORIZE_UNKNOWN = "authorize-unknown"
    """Whether the tokens arrived is not known, and they are not sent again."""
    BUG = "bug"
    CHANGED = "changed-since-plan"
    """Codat's state is not what the plan read."""
    DUPLICATE = "duplicate"
    """Two companies carry the same key."""
    INTERRUPTED = "interrupted"
    """Stopped by Ctrl-C before it was known whether a write took effect."""
    MAX_FAILURES = "max-failures"
    NO_ROOM = "no-room"
    """The company has no room for the tag that shows that tokens were sent."""
    NORMALISED = "normalised"
    """Codat keeps a text otherwise than it was sent; the company's other actions go on."""
    NOT_CREATED = "not-created"
    """Every attempt to create it ended in a fault, and nothing is there."""
    NOT_OURS = "not-ours"
    """The company that an earlier run created no longer carries our key."""
    PLATFORM_STOPPED = "platform-stopped"
    """Several credentials in a row were rejected on the platform."""
    PROTECTED = "protected"
    REJECTED = "rejected"
    SECRET = "secret"  # noqa: S105 - a code
    """A secret could not be resolved, without a code of its own."""
    SYNC_NOT_SEEN = "sync-not-seen"
    """Codat says that a sync is in progress, and its history does not show one that serves."""


RESUME_REAUTHORIZED: Final = "apply again without --reauthorize, or with it for what failed alone"
"""Where the same command would send tokens again to connections that are Linked by then."""


class Then(StrEnum):
    """Every way to go on after a failure. ``{resume}`` is how the run at hand is resumed."""

    THEN_RESUME = "then {resume}"
    LATER = "{resume} later"
    AFTER_KEYS = "{resume} in 90 minutes"
    WHEN_SYNCED = "{resume} when it has ended"
    WHEN_SECRET = "{resume} when the secret is there"  # noqa: S105 - an advice
    WHEN_REACHED = "nothing was sent, so {resume} when Codat can be reached"
    SAFE = "{resume}: that is safe, it finds out first what took effect"
    LOOKS_FIRST = "{resume}: it looks first"
    READS_FIRST = "{resume}: it reads the connection first, and sends nothing to one that is Linked"
    VERIFY_FIRST = "see with verify whether it works, and name it in --reauthorize again only if it does not"
    REFUSED = "put right what Codat refuses, then {resume}"
    REFUSED_CREATE = (
        "put right what Codat refuses, then {resume}; Codat repeats a refusal for 90 minutes, "
        "so it may take that long until it is asked anew"
    )
    CORRECT = "correct the authorization, then {resume}"
    PUT_RIGHT = "put them right, then {resume}"
    PLAN_AGAIN = "review a new plan, or {resume}"
    COMPARE = "compare the spec with what Codat keeps, then {resume}"
    MAKE_ROOM = (
        "take one of its ten tags away (set it to null in the spec), or let the customer link anew, "
        "then review a new plan"
    )
    PIN = "pin the right one by 'id' in the spec, delete the other or take its tags away"
    ADOPT = "adopt it by 'id' in the spec, or delete it and {resume}"
    WITH_PRODUCTS = (
        "where Codat wants a product of every company: say 'createWithProducts: true' in workspace.yaml and "
        "name 'products' in the spec, or set default products in Codat, then {resume}; Codat repeats a "
        "refusal for 90 minutes"
    )
    DELETE_MARK = "delete the mark of the one at Codat, then {resume} in the other"
    ACCOUNT_FIRST = "settle that first, then {resume}"
    UNPROTECT = "set 'protect: false' in its spec and apply that first"
    CANARY = "settle that first, as it says; then {resume}, which begins with this company's check"
    REPORT = "{resume}: what is done is not done twice"
    WRITE_AS_KEPT = "write it in the spec as Codat keeps it; the rest of the company goes on"


def too_many_failed(count: int, limit: int) -> Failure | None:
    """Why nothing further may start after so many companies have failed, if so."""
    if count < limit:
        return None
    noun = "company has" if count == 1 else "companies have"
    return Failure(
        code=FailureCode.MAX_FAILURES,
        what=f"{count} {noun} failed, and rollout.maxFailures is {limit}",
        then=Then.PUT_RIGHT,
    )


WELL: Final = (Result.DONE, Result.ALREADY)


def stops_company(ended: ActionOutcome) -> bool:
    """Whether nothing of the company may follow; a text that Codat keeps in its own way stops nothing."""
    is_normalised = ended.failure is not None and ended.failure.code == FailureCode.NORMALISED
    return ended.result not in WELL and not is_normalised


def planned_company_id(action: Action) -> str | None:
    """The id of the action's company, if the plan knew it."""
    return None if isinstance(action, CreateCompany) else action.company_id


def not_started(action: Action) -> ActionOutcome:
    """The outcome of an action that the run did not come to."""
    return ActionOutcome(
        kind=action.kind,
        address=action.address,
        result=Result.NOT_STARTED,
        company_id=planned_company_id(action),
    )
