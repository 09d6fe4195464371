"""What a reader is shown of a plan, made of its document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.fields import OPTIONAL
from reconciler.kinds import Kind
from reconciler.live import Status
from reconciler.plan import AttentionClass, Origin
from reconciler.render.view import (
    ActionView,
    AttentionGroup,
    AttentionView,
    ChangeView,
    Document,
    Group,
    Names,
    Parts,
    PlanView,
    Value,
    partly,
)
from reconciler.wording import clauses, counted, duration, joined, plural


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
    total, linked = (
        len(connections),
        sum(connection.get("status") == Status.LINKED for connection in connections),
    )
    told = f", {linked:,} of them Linked" if total > 1 else ", which is Linked"
    return (f", and {counted(total, 'connection')}", told if linked else "")


def _deleted_connection(action: Document) -> Parts:
    return (*_platform(action), ", status ", Value(str(action.get("before", {}).get("status", ""))))


def _fields(action: Document) -> Parts:
    fields = tuple(str(field) for field in action.get("fields", ()))
    return (*_platform(action), " with ", Names(fields)) if fields else _platform(action)


def _targets(action: Document) -> Parts:
    return (Names(tuple(_target(connection) for connection in action.get("connections", ()))),)


def _target(target: Document) -> str:
    connection = str(target.get("address", "")).partition("/")[2]
    data_types = ", ".join(map(str, target.get("dataTypes", ())))
    return f"{connection} [{data_types}]" if data_types else connection


def _webhook(action: Document) -> Parts:
    consumer = action.get("after", action.get("before", {}))
    events = tuple(str(event_type) for event_type in consumer.get("eventTypes", ()))
    where = Value(str(consumer.get("url", consumer.get("place", ""))))
    tags = tuple(str(event_type) for event_type in consumer.get("companyTags", ()))
    told = (" of companies tagged ", Names(tags)) if tags else ()
    disabled = (", disabled",) if consumer.get("disabled") else ()
    return ("at ", where, " for ", Names(events), *told, *disabled)


def _source_account(action: Document) -> Parts:
    """The account by its id, and which of the customer's numbers are sent; never a number."""
    account = action.get("after", action.get("before", {}))
    told: Parts = (Value(str(action.get("sourceAccount", account.get("sourceAccount", "")))),)
    if "accountName" in account:
        told += (" ", Value(str(account["accountName"]), quotes=True))
    if status := account.get("status"):
        told += (", status ", Value(str(status)))
    fields = tuple(str(field) for field in action.get("fields", ()))
    return (*told, " with ", Names(fields)) if fields else told


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
    Kind.SOURCE_ACCOUNT_DELETE: _Shown(Group.REMOVE, "delete source account", _source_account),
    Kind.SOURCE_ACCOUNT_UPDATE: _Shown(Group.CHANGE, "update source account", _source_account),
    Kind.SOURCE_ACCOUNT_CREATE: _Shown(Group.CREATE, "create source account", _source_account),
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
            ChangeView(str(change["path"]), change["before"], change["after"])
            for change in action.get("changes", ())
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


_MEANING: Final[Mapping[AttentionClass, str]] = {
    AttentionClass.BLOCKING: "Blocking: not done until you settle it",
    AttentionClass.WAITING: "Waiting: someone else has to act, or something has to end",
    AttentionClass.INFO: "For information",
}


def attention_groups(attention: Iterable[Document]) -> tuple[AttentionGroup, ...]:
    """Attention by class, the most urgent first; classes without any are left out."""
    found: dict[AttentionClass, list[AttentionView]] = {
        attention_class: [] for attention_class in AttentionClass
    }
    for document in attention:
        view = AttentionView(
            str(document["code"]),
            str(document["address"]),
            str(document["message"]),
            document.get("origin") == Origin.PENDING,
        )
        found[AttentionClass(document["class"])].append(view)
    return tuple(
        AttentionGroup(attention_class, _MEANING[attention_class], tuple(items))
        for attention_class, items in found.items()
        if items
    )


def attention_clause(groups: Sequence[AttentionGroup]) -> str:
    """``4 need attention (1 blocking)``; empty where nothing does."""
    total = sum(len(group.items) for group in groups)
    if not total:
        return ""
    blocking = sum(len(group.items) for group in groups if group.attention_class is AttentionClass.BLOCKING)
    needs = "needs" if total == 1 else plural("needs")
    return f"{total:,} {needs} attention" + (f" ({blocking:,} blocking)" if blocking else "")


def plan_view(
    document: Document,
    *,
    requests_per_minute: int | None = None,
    notes: Sequence[str] = (),
    refusals: Sequence[str] = (),
) -> PlanView:
    """The view of a plan's document; without a rate, no time is told."""
    actions = tuple(_action(action) for action in document["actions"])
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
            (Kind.SOURCE_ACCOUNT_DELETE, "source account"),
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
    if narrowing := sum(
        action.get("narrowedCompanies", "narrows" in action) for action in document["actions"]
    ):
        losses.append(f"narrows sync settings of {counted(narrowing, 'company')} with synced data")
    return f"this plan {', and '.join(losses)}." if losses else ""


def _sentence(actions: Sequence[ActionView], attention: Sequence[AttentionGroup], unchanged: int) -> str:
    found = Counter(action.group for action in actions)
    attending = attention_clause(attention)
    if actions:
        counts = clauses((found[group], group.counted_as) for group in Group)
        rest = f"{unchanged:,} unchanged" if unchanged else ""
        return f"Plan: {'; '.join(filter(None, (counts, attending, rest)))}."
    if any(group.attention_class is AttentionClass.BLOCKING for group in attention):
        rest = f"{unchanged:,} unchanged" if unchanged else ""
        return f"Blocked: {'; '.join(filter(None, (attending, rest)))}."
    if any(group.attention_class is not AttentionClass.INFO for group in attention):
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
    attending = attention_clause(partly(attention, is_pending=False))
    told = "; ".join(filter(None, (counts, attending)))
    return f"This change: {told}." if told else "This change causes nothing."


def _due_already(actions: Sequence[ActionView], attention: Sequence[AttentionGroup]) -> str:
    due = sum(action.is_pending for action in actions)
    noted = sum(len(group.items) for group in partly(attention, is_pending=True))
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
