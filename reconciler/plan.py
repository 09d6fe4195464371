"""What will happen: actions, attention, and the plan that holds them, with its JSON form and digest.

An action is a value of its own class, so that whoever carries it out must handle each kind. What a
person may see of a plan is its ``ShownPlan``; the rest serves the executor and is never shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from reconciler.actions import Action
from reconciler.kinds import Kind, digest
from reconciler.model import Address
from reconciler.planned import ShownAction

FORMAT_VERSION: Final = 1


class AttentionClass(StrEnum):
    """Whether attention keeps what was asked from being done, waits for someone, or only informs."""

    BLOCKING = "blocking"
    WAITING = "waiting"
    INFO = "info"


class AttentionCode(StrEnum):
    """Every attention code: what no API call can settle."""

    EXISTS = "exists"
    CONFLICT = "conflict"
    MISSING = "missing"
    DUPLICATE = "duplicate"
    AMBIGUOUS = "ambiguous"
    TAG_BUDGET = "tag-budget"
    PROTECTED = "protected"
    ACCOUNTING_OCCUPIED = "accounting-occupied"
    GATE = "gate"
    NOTHING_TO_SYNC = "nothing-to-sync"
    SYNC_FAILED = "sync-failed"
    UNKNOWN_STATUS = "unknown-status"
    MANAGED = "managed"
    LINK = "link"
    RELINK = "relink"
    UNLINKED = "unlinked"
    SYNCING = "syncing"
    ORPHAN = "orphan"
    TAGS_COPIED = "tags-copied"
    UNMANAGED = "unmanaged"


CLASS_OF: Final[Mapping[AttentionCode, AttentionClass]] = dict.fromkeys(
    AttentionCode, AttentionClass.BLOCKING
) | {
    AttentionCode.MANAGED: AttentionClass.WAITING,
    AttentionCode.LINK: AttentionClass.WAITING,
    AttentionCode.RELINK: AttentionClass.WAITING,
    AttentionCode.UNLINKED: AttentionClass.WAITING,
    AttentionCode.SYNCING: AttentionClass.WAITING,
    AttentionCode.ORPHAN: AttentionClass.INFO,
    AttentionCode.TAGS_COPIED: AttentionClass.INFO,
    AttentionCode.UNMANAGED: AttentionClass.INFO,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Something that the plan cannot settle, at an address, with what to do about it."""

    code: AttentionCode
    address: Address
    message: str

    @property
    def attention_class(self) -> AttentionClass:
        """Blocking, waiting or info."""
        return CLASS_OF[self.code]

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "code": self.code.value,
            "class": self.attention_class.value,
            "address": str(self.address),
            "message": self.message,
        }


# --- the plan ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Basis:
    """Digests of what the plan was made from: the specs, and each live company that it concerns."""

    specs: str
    live: Mapping[str, str]


class Origin(StrEnum):
    """Why an action is in a plan that was made against a base."""

    CHANGE = "change"
    """This change of the specs causes it."""
    PENDING = "pending"
    """It was due already."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A guard that the plan exceeds, and the flag that permits it."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The flags that a plan was made with; a plan made again from a saved one takes the same."""

    targets: tuple[str, ...] = ()
    reauthorize: tuple[str, ...] = ()
    retry_syncs: bool = False
    prune: bool = False
    allow_deletes: int | None = None
    allow_unlinks: int | None = None
    allow_narrowings: int | None = None
    allow_source_account_deletes: int | None = None

    def permitting(self, other: Options) -> Options:
        """The same, permitting what ``other`` does."""
        return replace(self, **{name: getattr(other, name) for name in PERMITS})


PERMITS: Final = tuple(option.name for option in fields(Options) if option.name.startswith("allow_"))
"""The options that permit what a guard refuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What will happen, sorted, the same for the same specs and live state."""

    tool: str
    workspace: str
    api: str
    actions: tuple[Action, ...] = field(repr=False)
    attention: tuple[Attention, ...] = field(repr=False)
    unchanged: int
    basis: Basis = field(repr=False)
    refusals: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader should know and no field says."""
    origins: tuple[Origin, ...] = field(default=(), repr=False)
    """For each action whether this change causes it or it was due already; empty without a base."""
    attention_origins: tuple[Origin, ...] = ()
    """The same for each attention."""

    @property
    def requests(self) -> int:
        """Write requests that the actions take."""
        return sum(action.requests for action in self.actions)

    def blocking(self) -> tuple[Attention, ...]:
        """The attention that keeps what was asked from being done."""
        return tuple(
            attention for attention in self.attention if attention.attention_class is AttentionClass.BLOCKING
        )

    def shown(self) -> ShownPlan:
        """What a person may see of it."""
        return ShownPlan(
            tool=self.tool,
            workspace=self.workspace,
            api=self.api,
            actions=tuple(action.shown() for action in self.actions),
            attention=self.attention,
            unchanged=self.unchanged,
            requests=self.requests,
            basis=self.basis,
            refusals=self.refusals,
            notes=self.notes,
            origins=self.origins,
            attention_origins=self.attention_origins,
        )

    def document(self) -> dict[str, Any]:
        """The JSON form of what a person may see of it, its digest last."""
        return self.shown().document()


# --- what is shown of it -----------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ShownPlan:
    """A plan as it is shown and saved, made of a ``Plan`` or read from a file: no more than its JSON holds.

    Members are those of ``Plan``.
    """

    tool: str
    workspace: str
    api: str
    actions: tuple[ShownAction, ...] = field(repr=False)
    attention: tuple[Attention, ...] = field(repr=False)
    unchanged: int
    requests: int
    basis: Basis = field(repr=False)
    refusals: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()
    origins: tuple[Origin, ...] = field(default=(), repr=False)
    attention_origins: tuple[Origin, ...] = field(default=(), repr=False)

    @cached_property
    def counts(self) -> Mapping[Kind, int]:
        """How many actions there are of each kind, zeros too."""
        found = Counter(action.kind for action in self.actions)
        return {kind: found[kind] for kind in Kind}

    @property
    def digest(self) -> str:
        """The digest of everything else."""
        return str(self.document()["digest"])

    def document(self) -> dict[str, Any]:
        """The JSON form, the digest last; whoever takes it leaves it as it is."""
        return self._document

    @cached_property
    def _document(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "formatVersion": FORMAT_VERSION,
            "tool": self.tool,
            "workspace": self.workspace,
            "api": self.api,
            "summary": {
                **{kind.value: count for kind, count in self.counts.items()},
                "attention": len(self.attention),
                "unchanged": self.unchanged,
                "requests": self.requests,
            },
            "actions": _with_origins([action.document() for action in self.actions], self.origins),
            "attention": _with_origins([note.document() for note in self.attention], self.attention_origins),
            "basis": {"specs": self.basis.specs, "live": dict(sorted(self.basis.live.items()))},
        }
        if self.refusals:
            body["refused"] = "guard"
            body["refusals"] = [refusal.message for refusal in self.refusals]
        if self.notes:
            body["notes"] = list(self.notes)
        return {**body, "digest": digest(body)}


def _with_origins(documents: list[dict[str, Any]], origins: tuple[Origin, ...]) -> list[dict[str, Any]]:
    for document, origin in zip(documents, origins, strict=False):
        document["origin"] = origin.value
    return documents
