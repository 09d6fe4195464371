"""What a reader is shown of a plan: chosen, counted and ordered once, the same for every format.

A view holds our own words as plain strings, and text that others wrote as ``Value``; a writer escapes
each ``Value`` for its format and decides on nothing else. Only fields that are named here are taken from
a document, so whatever else may stand in one is never shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from reconciler.fields import OPTIONAL
from reconciler.model import Status
from reconciler.plan import AttentionClass, Kind, Origin
from reconciler.wording import clauses, counted, duration, joined, plural

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Value:
    """Text that others wrote; ``quotes`` where its ends must be plain."""

    text: str
    quotes: bool = False


@dataclass(frozen=True, slots=True)
class Names:
    """Several short texts that others wrote, shown as a list."""

    texts: tuple[str, ...]


Part = str | Value | Names
Parts = tuple[Part, ...]


class Group(Enum):
    """What an action means to a reader: the sign before it, and how a sentence counts it."""

    CREATE = "+", "to create"
    ADD = "+", "to add"
    ADOPT = "~", "to adopt"
    CHANGE = "~", "to change"
    AUTHORIZE = ">", "to authorize"
    SYNC = "*", "to sync"
    REMOVE = "-", "to remove"

    @property
    def sign(self) -> str:
        """The character at the start of the line."""
        return self.value[0]

    @property
    def counted_as(self) -> str:
        """The words after the number."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A field that differs; ``None`` is no value."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class ActionView:
    """One action: a line, the changes under it, and what only ``-v`` shows."""

    kind: Kind
    group: Group
    address: str
    what: Parts
    reason: str
    is_pending: bool = False
    """Due already, whatever the change under review does."""
    changes: tuple[ChangeView, ...] = ()
    more: tuple[tuple[str, Value], ...] = ()
    """Names and values of what few readers need: ids, tags of a new company."""


@dataclass(frozen=True, slots=True)
class AttentionView:
    """One thing that no API call can settle."""

    code: str
    address: str
    message: str
    is_pending: bool = False
    """Needed already, whatever the change under review does."""


@dataclass(frozen=True, slots=True)
class AttentionGroup:
    """The attention of one class, and what the class means."""

    attention_class: AttentionClass
    meaning: str
    items: tuple[AttentionView, ...]


@dataclass(frozen=True, slots=True)
class PlanView:
    """Everything that a reader is shown of a plan, in reading order."""

    workspace: Parts
    """The workspace and the API that the plan is for."""
    warning: str
    actions: tuple[ActionView, ...]
    attention: tuple[AttentionGroup, ...]
    notes: tuple[str, ...]
    sentence: str
    origins: str
    """What was due already, whatever the change under review does; empty without a base."""
    estimate: str
    refusals: tuple[str, ...]
    tool: str
    digest: str

    @property
    def caused(self) -> tuple[ActionView, ...]:
        """The actions that the change under review causes; without a base all of them."""
        return tuple(action for action in self.actions if not action.is_pending)

    @property
    def pending(self) -> tuple[ActionView, ...]:
        """The actions that were due already."""
        return tuple(action for action in self.actions if action.is_pending)

    @property
    def attention_caused(self) -> tuple[AttentionGroup, ...]:
        """The attention that the change under review causes; without a base all of it."""
        return _partly(self.attention, is_pending=False)

    @property
    def attention_pending(self) -> tuple[AttentionGroup, ...]:
        """The attention that was needed already."""
        return _partly(self.attention, is_pending=True)

    @property
    def losses(self) -> tuple[ActionView, ...]:
        """The actions that take something away."""
        return tuple(one for one in self.actions if one.group is Group.REMOVE)


# --- actions -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Shown:
    """How one kind of action is shown."""

    group: Group
    verb: str
    what: Callable[[Document], Parts]


def _name(side: str) -> Callable[[Document], Parts]:
    return lambda action: (Value(str(action.get(side, {}).get("name", "")), quotes=True),)


def _nothing(_: Document) -> Parts:
    return ()


def _product(action: Document) -> Parts:
    return (Value(str(action.get("after", action.get("before", {})).get("product", ""))),)


def _platform(action: Document) -> Parts:
    return ("on ", Value(str(action.get("platform") or action.get("after", {}).get("platform", ""))))


def _deleted_company(action: Document) -> Parts:
    connections = action.get("before", {}).get("connections", ())
    return (*_name("before")(action), " and all its data at Codat", *_lost_connections(connections))


def _lost_connections(connections: Sequence[Document]) -> Parts:
    """How many connections go with a company, and how many of them work."""
    if not connections:
        return ()
    total, linked = len(connections), sum(one.get("status") == Status.LINKED for one in connections)
    told = f", {linked:,} of them Linked" if total > 1 else ", which is Linked"
    return (f", and {counted(total, 'connection')}", told if linked else "")


def _deleted_connection(action: Document) -> Parts:
    return (*_platform(action), ", status ", Value(str(action.get("before", {}).get("status", ""))))


def _fields(action: Document) -> Parts:
    fields = tuple(str(one) for one in action.get("fields", ()))
    return (*_platform(action), " with ", Names(fields)) if fields else _platform(action)


def _targets(action: Document) -> Parts:
    return (Names(tuple(_target(one) for one in action.get("connections", ()))),)


def _target(target: Document) -> str:
    connection = str(target.get("address", "")).partition("/")[2]
    data_types = ", ".join(map(str, target.get("dataTypes", ())))
    return f"{connection} [{data_types}]" if data_types else connection


def _webhook(action: Document) -> Parts:
    consumer = action.get("after", action.get("before", {}))
    events = tuple(str(one) for one in consumer.get("eventTypes", ()))
    where = Value(str(consumer.get("url", consumer.get("place", ""))))
    tags = tuple(str(one) for one in consumer.get("companyTags", ()))
    told = (" of companies tagged ", Names(tags)) if tags else ()
    disabled = (", disabled",) if consumer.get("disabled") else ()
    return ("at ", where, " for ", Names(events), *told, *disabled)


_SHOWN: Final[Mapping[Kind, _Shown]] = {
    Kind.WEBHOOK_CREATE: _Shown(Group.CREATE, "create webhook consumer", _webhook),
    Kind.WEBHOOK_DELETE: _Shown(Group.REMOVE, "delete webhook consumer", _webhook),
    Kind.PROFILE_UPDATE: _Shown(Group.CHANGE, "update profile", _nothing),
    Kind.PROFILE_SYNC_SETTINGS: _Shown(Group.CHANGE, "set the profile's sync settings", _nothing),
    Kind.COMPANY_CREATE: _Shown(Group.CREATE, "create company", _name("after")),
    Kind.COMPANY_ADOPT: _Shown(Group.ADOPT, "adopt company", _nothing),
    Kind.COMPANY_UPDATE: _Shown(Group.CHANGE, "update company", _nothing),
    Kind.PRODUCT_ADD: _Shown(Group.ADD, "add product", _product),
    Kind.PRODUCT_REMOVE: _Shown(Group.REMOVE, "remove product", _product),
    Kind.COMPANY_SYNC_SETTINGS: _Shown(Group.CHANGE, "set sync settings", _nothing),
    Kind.CONNECTION_UNLINK: _Shown(Group.REMOVE, "unlink connection", _platform),
    Kind.CONNECTION_DELETE: _Shown(Group.REMOVE, "delete connection", _deleted_connection),
    Kind.COMPANY_DELETE: _Shown(Group.REMOVE, "delete company", _deleted_company),
    Kind.CONNECTION_CREATE: _Shown(Group.CREATE, "create connection", _platform),
    Kind.CONNECTION_AUTHORIZE: _Shown(Group.AUTHORIZE, "authorize connection", _fields),
    Kind.COMPANY_SYNC: _Shown(Group.SYNC, "sync", _targets),
}


_NARROWING: Final = _Shown(Group.REMOVE, "narrow sync settings", _nothing)
"""Sync settings by which Codat drops what it has synced: a removal."""


def verb(kind: Kind) -> str:
    """What an action of this kind does, as in ``create company``."""
    return _SHOWN[kind].verb


def _action(action: Document) -> ActionView:
    shown = _NARROWING if "narrows" in action else _SHOWN[Kind(action["kind"])]
    what = shown.what(action)
    return ActionView(
        kind=Kind(action["kind"]),
        group=shown.group,
        address=str(action["address"]),
        what=(f"{shown.verb} ", *what) if what else (shown.verb,),
        reason=str(action.get("reason", "")),
        is_pending=action.get("origin") == Origin.PENDING,
        changes=tuple(
            ChangeView(str(one["path"]), one["before"], one["after"]) for one in action.get("changes", ())
        ),
        more=tuple(_more(action)),
    )


def _more(action: Document) -> Iterable[tuple[str, Value]]:
    after = action.get("after", {})
    for text in OPTIONAL:
        if text.path in after:
            yield text.path, Value(str(after[text.path]), quotes=True)
    for tag, value in after.get("tags", {}).items():
        yield f"tags.{tag}", Value(str(value), quotes=True)
    for name in ("companyId", "connectionId", "webhookId"):
        if name in action:
            yield name, Value(str(action[name]))


# --- attention ---------------------------------------------------------------------------------

_MEANING: Final[Mapping[AttentionClass, str]] = {
    AttentionClass.BLOCKING: "Blocking: not done until you settle it",
    AttentionClass.WAITING: "Waiting: someone else has to act, or something has to end",
    AttentionClass.INFO: "For information",
}


def attention_groups(attention: Iterable[Document]) -> tuple[AttentionGroup, ...]:
    """Attention by class, the most urgent first; classes without any are left out."""
    found: dict[AttentionClass, list[AttentionView]] = {one: [] for one in AttentionClass}
    for one in attention:
        view = AttentionView(
            str(one["code"]), str(one["address"]), str(one["message"]), one.get("origin") == Origin.PENDING
        )
        found[AttentionClass(one["class"])].append(view)
    return tuple(
        AttentionGroup(attention_class, _MEANING[attention_class], tuple(items))
        for attention_class, items in found.items()
        if items
    )


def _partly(groups: Iterable[AttentionGroup], *, is_pending: bool) -> tuple[AttentionGroup, ...]:
    parts = (
        replace(group, items=tuple(item for item in group.items if item.is_pending is is_pending))
        for group in groups
    )
    return tuple(part for part in parts if part.items)


def attention_clause(groups: Sequence[AttentionGroup]) -> str:
    """``4 need attention (1 blocking)``; empty where nothing does."""
    total = sum(len(one.items) for one in groups)
    if not total:
        return ""
    blocking = sum(len(one.items) for one in groups if one.attention_class is AttentionClass.BLOCKING)
    needs = "needs" if total == 1 else plural("needs")
    return f"{total:,} {needs} attention" + (f" ({blocking:,} blocking)" if blocking else "")


# --- the plan ----------------------------------------------------------------------------------


def plan_view(
    document: Document,
    *,
    requests_per_minute: int | None = None,
    notes: Sequence[str] = (),
    refusals: Sequence[str] = (),
) -> PlanView:
    """The view of a plan's document; without a rate, no time is told."""
    actions = tuple(_action(one) for one in document["actions"])
    attention = attention_groups(document["attention"])
    has_base = any("origin" in part for part in (*document["actions"], *document["attention"]))
    return PlanView(
        workspace=(Value(str(document["workspace"])), " at ", Value(str(document["api"]))),
        warning=_warning(document),
        actions=actions,
        attention=attention,
        notes=(*map(str, document.get("notes", ())), *notes),
        sentence=_headline(actions, attention, int(document["summary"]["unchanged"]), has_base=has_base),
        origins=_due_already(actions, attention),
        estimate=_estimate(int(document["summary"]["requests"]), requests_per_minute),
        refusals=tuple(refusals) or _refusals(document),
        tool=str(document["tool"]),
        digest=str(document["digest"]),
    )


_LOSSES: Final = (
    (
        "deletes",
        (
            (Kind.COMPANY_DELETE, "company"),
            (Kind.CONNECTION_DELETE, "connection"),
            (Kind.WEBHOOK_DELETE, "webhook consumer"),
        ),
    ),
    ("unlinks", ((Kind.CONNECTION_UNLINK, "connection"),)),
    ("removes", ((Kind.PRODUCT_REMOVE, "product"),)),
)


def _warning(document: Document) -> str:
    """What the plan takes away; empty where it takes nothing."""
    losses, summary = [], document["summary"]
    for verb, kinds in _LOSSES:
        nouns = [counted(number, noun) for kind, noun in kinds if (number := summary.get(kind.value, 0))]
        losses += [f"{verb} {joined(nouns)}"] if nouns else []
    if narrowing := sum(one.get("narrowedCompanies", "narrows" in one) for one in document["actions"]):
        losses.append(f"narrows sync settings of {counted(narrowing, 'company')} with synced data")
    return f"this plan {', and '.join(losses)}." if losses else ""


def _sentence(actions: Sequence[ActionView], attention: Sequence[AttentionGroup], unchanged: int) -> str:
    found = Counter(one.group for one in actions)
    attending = attention_clause(attention)
    if actions:
        counts = clauses((found[group], group.counted_as) for group in Group)
        rest = f"{unchanged:,} unchanged" if unchanged else ""
        return f"Plan: {'; '.join(filter(None, (counts, attending, rest)))}."
    if any(one.attention_class is AttentionClass.BLOCKING for one in attention):
        rest = f"{unchanged:,} unchanged" if unchanged else ""
        return f"Blocked: {'; '.join(filter(None, (attending, rest)))}."
    if any(one.attention_class is not AttentionClass.INFO for one in attention):
        return f"Nothing to do: {unchanged:,} unchanged; {attending}."
    if not unchanged:
        return f"Nothing to do{'; ' if attending else ''}{attending}."
    are = "is" if unchanged == 1 else "are"
    fine = f"{counted(unchanged, 'company or connection')} {are} as specified"
    return f"Nothing to do: {'; '.join(filter(None, (fine, attending)))}."


def _headline(
    actions: Sequence[ActionView], attention: Sequence[AttentionGroup], unchanged: int, *, has_base: bool
) -> str:
    """One counted sentence; with a base it speaks of what the change under review causes alone."""
    if not has_base:
        return _sentence(actions, attention, unchanged)
    found = Counter(action.group for action in actions if not action.is_pending)
    counts = clauses((found[group], group.counted_as) for group in Group)
    attending = attention_clause(_partly(attention, is_pending=False))
    told = "; ".join(filter(None, (counts, attending)))
    return f"This change: {told}." if told else "This change causes nothing."


def _due_already(actions: Sequence[ActionView], attention: Sequence[AttentionGroup]) -> str:
    due = sum(action.is_pending for action in actions)
    noted = sum(len(group.items) for group in _partly(attention, is_pending=True))
    parts = [counted(due, "action")] if due else []
    parts += [counted(noted, "matter that needs attention")] if noted else []
    return f"Due already, whatever this change does: {joined(parts)}." if parts else ""


def _estimate(requests: int, per_minute: int | None) -> str:
    if not requests:
        return ""
    taken = f"This takes {counted(requests, 'write request')}"
    if not per_minute:
        return f"{taken}."
    return f"{taken}, {duration(requests, per_minute)} at {counted(per_minute, 'request')} a minute."


def _refusals(document: Document) -> tuple[str, ...]:
    """What each guard says; every plan that is refused carries at least one."""
    unnamed = ("a guard of workspace.yaml refuses this plan",) if "refused" in document else ()
    return tuple(map(str, document.get("refusals", unnamed)))
