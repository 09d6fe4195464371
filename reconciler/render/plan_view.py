"""What a reader is shown of a plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from reconciler.fields import OPTIONAL
from reconciler.kinds import Kind
from reconciler.live import Status
from reconciler.plan import Attention, AttentionClass, Origin, ShownPlan
from reconciler.planned import ShownAction, ShownConnection, ShownState, ShownTarget
from reconciler.render.view import (
    ActionView,
    AttentionGroup,
    AttentionView,
    ChangeView,
    Group,
    Names,
    Parts,
    PlanView,
    Value,
    partly,
)
from reconciler.wording import clauses, counted, duration, joined, plural


@dataclass(frozen=True, slots=True)
class _Words:
    """How one kind of action is shown."""

    group: Group
    verb: str
    what: Callable[[ShownAction], Parts]


_NONE: Final = ShownState()


def _before(action: ShownAction) -> ShownState:
    return action.before or _NONE


def _after(action: ShownAction) -> ShownState:
    return action.after or _NONE


def _nothing(_: ShownAction) -> Parts:
    return ()


def _name(state: ShownState) -> Parts:
    return (Value(state.texts.get("name", ""), quotes=True),)


def _created_company(action: ShownAction) -> Parts:
    products = _after(action).products
    return (*_name(_after(action)), *((" with products ", Names(products)) if products else ()))


def _product(action: ShownAction) -> Parts:
    return (Value(_after(action).product or _before(action).product or ""),)


def _platform(action: ShownAction) -> Parts:
    return ("on ", Value(action.platform or _after(action).platform or ""))


def _deleted_company(action: ShownAction) -> Parts:
    before = _before(action)
    return (*_name(before), " and all its data at Codat", *_lost_connections(before.connections or ()))


def _lost_connections(connections: Sequence[ShownConnection]) -> Parts:
    """How many connections go with a company, and how many of them work."""
    if not connections:
        return ()
    total, linked = (
        len(connections),
        sum(connection.status == Status.LINKED for connection in connections),
    )
    told = f", {linked:,} of them Linked" if total > 1 else ", which is Linked"
    return (f", and {counted(total, 'connection')}", told if linked else "")


def _deleted_connection(action: ShownAction) -> Parts:
    return (*_platform(action), ", status ", Value(_before(action).status or ""))


def _fields(action: ShownAction) -> Parts:
    return (*_platform(action), *_with_names(action))


def _with_names(action: ShownAction) -> Parts:
    return (" with ", Names(action.fields)) if action.fields else ()


def _targets(action: ShownAction) -> Parts:
    return (Names(tuple(map(_target, action.connections or ()))),)


def _target(target: ShownTarget) -> str:
    connection, data_types = target.address.connection, ", ".join(target.data_types or ())
    return f"{connection} [{data_types}]" if data_types else connection


def _webhook(action: ShownAction) -> Parts:
    consumer = action.after or _before(action)
    where = Value(consumer.url or consumer.place or "")
    told = (" of companies tagged ", Names(consumer.company_tags)) if consumer.company_tags else ()
    disabled = (", disabled",) if consumer.disabled else ()
    return ("at ", where, " for ", Names(consumer.event_types or ()), *told, *disabled)


def _source_account(action: ShownAction) -> Parts:
    """The account by its id, and which of the customer's numbers are sent; never a number."""
    account = action.after or _before(action)
    told: Parts = (Value(action.source_account or account.source_account or ""),)
    if account.account_name is not None:
        told += (" ", Value(account.account_name, quotes=True))
    if account.status:
        told += (", status ", Value(account.status))
    return (*told, *_with_names(action))


_WORDS: Final[Mapping[Kind, _Words]] = {
    Kind.WEBHOOK_CREATE: _Words(Group.CREATE, "create webhook consumer", _webhook),
    Kind.WEBHOOK_DELETE: _Words(Group.REMOVE, "delete webhook consumer", _webhook),
    Kind.PROFILE_UPDATE: _Words(Group.CHANGE, "update profile", _nothing),
    Kind.PROFILE_SYNC_SETTINGS: _Words(Group.CHANGE, "set the profile's sync settings", _nothing),
    Kind.COMPANY_CREATE: _Words(Group.CREATE, "create company", _created_company),
    Kind.COMPANY_ADOPT: _Words(Group.ADOPT, "adopt company", _nothing),
    Kind.COMPANY_UPDATE: _Words(Group.CHANGE, "update company", _nothing),
    Kind.PRODUCT_ADD: _Words(Group.ADD, "add product", _product),
    Kind.PRODUCT_REMOVE: _Words(Group.REMOVE, "remove product", _product),
    Kind.COMPANY_SYNC_SETTINGS: _Words(Group.CHANGE, "set sync settings", _nothing),
    Kind.CONNECTION_UNLINK: _Words(Group.REMOVE, "unlink connection", _platform),
    Kind.CONNECTION_DELETE: _Words(Group.REMOVE, "delete connection", _deleted_connection),
    Kind.COMPANY_DELETE: _Words(Group.REMOVE, "delete company", _deleted_company),
    Kind.CONNECTION_CREATE: _Words(Group.CREATE, "create connection", _platform),
    Kind.CONNECTION_AUTHORIZE: _Words(Group.AUTHORIZE, "authorize connection", _fields),
    Kind.SOURCE_ACCOUNT_DELETE: _Words(Group.REMOVE, "delete source account", _source_account),
    Kind.SOURCE_ACCOUNT_UPDATE: _Words(Group.CHANGE, "update source account", _source_account),
    Kind.SOURCE_ACCOUNT_CREATE: _Words(Group.CREATE, "create source account", _source_account),
    Kind.COMPANY_SYNC: _Words(Group.SYNC, "sync", _targets),
}


_NARROWING: Final = _Words(Group.REMOVE, "narrow sync settings", _nothing)
"""Sync settings by which Codat drops what it has synced: a removal."""


def verb(kind: Kind) -> str:
    """What an action of this kind does, as in ``create company``."""
    return _WORDS[kind].verb


def _action(action: ShownAction, *, is_pending: bool) -> ActionView:
    words = _NARROWING if action.narrows else _WORDS[action.kind]
    what = words.what(action)
    return ActionView(
        kind=action.kind,
        group=words.group,
        address=str(action.address),
        what=(f"{words.verb} ", *what) if what else (words.verb,),
        reason=action.reason,
        is_pending=is_pending,
        changes=tuple(
            ChangeView(change.path, change.before, change.after) for change in action.changes or ()
        ),
        more=tuple(_more(action)),
    )


def _more(action: ShownAction) -> Iterable[tuple[str, Value]]:
    after = _after(action)
    for text in OPTIONAL:
        if text.path in after.texts:
            yield text.path, Value(after.texts[text.path], quotes=True)
    for tag, value in (after.tags or {}).items():
        yield f"tags.{tag}", Value(value, quotes=True)
    ids = {
        "companyId": action.company_id,
        "connectionId": action.connection_id,
        "webhookId": action.webhook_id,
    }
    yield from ((name, Value(identifier)) for name, identifier in ids.items() if identifier is not None)


_MEANING: Final[Mapping[AttentionClass, str]] = {
    AttentionClass.BLOCKING: "Blocking: not done until you settle it",
    AttentionClass.WAITING: "Waiting: someone else has to act, or something has to end",
    AttentionClass.INFO: "For information",
}


def attention_groups(
    attention: Iterable[Attention], origins: Iterable[Origin] = ()
) -> tuple[AttentionGroup, ...]:
    """Attention by class, the most urgent first; classes without any are left out."""
    found: dict[AttentionClass, list[AttentionView]] = {
        attention_class: [] for attention_class in AttentionClass
    }
    for noted, origin in zip_longest(attention, origins):
        is_pending = origin is Origin.PENDING
        view = AttentionView(noted.code.value, str(noted.address), noted.message, is_pending)
        found[noted.attention_class].append(view)
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
    plan: ShownPlan,
    *,
    requests_per_minute: int | None = None,
    notes: Sequence[str] = (),
    refusals: Sequence[str] = (),
) -> PlanView:
    """The view of a plan; without a rate, no time is told."""
    actions = tuple(
        _action(action, is_pending=origin is Origin.PENDING)
        for action, origin in zip_longest(plan.actions, plan.origins)
    )
    attention = attention_groups(plan.attention, plan.attention_origins)
    has_base = bool(plan.origins or plan.attention_origins)
    return PlanView(
        workspace=(Value(plan.workspace), " at ", Value(plan.api)),
        warning=_warning(plan),
        actions=actions,
        attention=attention,
        notes=(*plan.notes, *notes),
        sentence=_headline(actions, attention, plan.unchanged, has_base=has_base),
        origins=_due_already(actions, attention),
        estimate=_estimate(plan.requests, requests_per_minute),
        refusals=tuple(refusals) or tuple(refusal.message for refusal in plan.refusals),
        tool=plan.tool,
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


def _warning(plan: ShownPlan) -> str:
    """What the plan takes away; empty where it takes nothing."""
    losses = []
    for verb, kinds in _LOSSES:
        nouns = [counted(number, noun) for kind, noun in kinds if (number := plan.counts[kind])]
        losses += [f"{verb} {joined(nouns)}"] if nouns else []
    if narrowing := sum(action.narrowed_companies or bool(action.narrows) for action in plan.actions):
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
