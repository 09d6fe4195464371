"""A plan as a report: one file for a browser, which asks the network for nothing and trusts no value.

Every value is made visible first, then escaped by the template. Nothing else may run or load: the
content security policy permits the one style and the one script of ours, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from reconciler.kinds import Kind
from reconciler.plan import AttentionClass, ShownPlan
from reconciler.render.escaping import MESSAGE_LIMIT, for_terminal
from reconciler.render.layout import plain
from reconciler.render.plan_view import plan_view, verb
from reconciler.render.view import ActionView, AttentionView, Group, PlanView

_CLASSES: Final[Mapping[AttentionClass, str]] = {
    AttentionClass.BLOCKING: "blocking",
    AttentionClass.WAITING: "waiting",
    AttentionClass.INFO: "for information",
}


@dataclass(frozen=True, slots=True)
class Card:
    """A company: what is done to it and its connections, and what of it needs attention."""

    company: str
    anchor: str
    actions: tuple[ActionView, ...]
    attention: tuple[tuple[AttentionClass, AttentionView], ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A box of the filter: the ``data-kind`` that it stands for, its label, and how many there are."""

    value: str
    label: str
    count: int


def plan_html(
    plan: ShownPlan,
    *,
    requests_per_minute: int | None = None,
    notes: Sequence[str] = (),
    refusals: Sequence[str] = (),
) -> str:
    """A plan as one self-contained page.

    Args:
        plan: what is shown of it.
        requests_per_minute: the rate at which apply may ask Codat; without it no time is told.
        notes: what a reader should know and no field says.
        refusals: the guards that the plan exceeds, instead of its own.

    """
    view = plan_view(plan, requests_per_minute=requests_per_minute, notes=notes, refusals=refusals)
    cards = _cards(view)
    template = _environment().get_template("plan.html")
    return template.render(
        view=view,
        cards=cards,
        anchors={card.company: card.anchor for card in cards},
        blocking=_blocking(view),
        groups=[(group, count) for group in Group if (count := _count(view, group))],
        attention=[(group.attention_class, len(group.items)) for group in view.attention],
        class_words=_CLASSES,
        unchanged=plan.unchanged,
        digest=plan.digest,
        choices=_choices(view),
        style_hash=_hash("plan.css"),
        script_hash=_hash("plan.js"),
    )


def _cards(view: PlanView) -> tuple[Card, ...]:
    actions: dict[str, list[ActionView]] = {}
    attention: dict[str, list[tuple[AttentionClass, AttentionView]]] = {}
    for action in view.actions:
        actions.setdefault(_company(action.address), []).append(action)
    for group in view.attention:
        for item in group.items:
            attention.setdefault(_company(item.address), []).append((group.attention_class, item))
    return tuple(
        Card(company, f"company-{number}", tuple(actions.get(company, ())), tuple(attention.get(company, ())))
        for number, company in enumerate(sorted({*actions, *attention}), 1)
    )


def _blocking(view: PlanView) -> tuple[AttentionView, ...]:
    return next(
        (group.items for group in view.attention if group.attention_class is AttentionClass.BLOCKING), ()
    )


def _count(view: PlanView, group: Group) -> int:
    return sum(action.group is group for action in view.actions)


def _choices(view: PlanView) -> Iterable[Choice]:
    found = Counter(action.kind for action in view.actions)
    choices = [Choice(kind.value, verb(kind), found[kind]) for kind in Kind if found[kind]]
    return choices + [
        Choice(group.attention_class.value, f"attention: {group.attention_class}", len(group.items))
        for group in view.attention
    ]


def _company(address: str) -> str:
    return address.partition("/")[0]


# --- the template ------------------------------------------------------------------------------


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("reconciler.render"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "value": for_terminal,
        "sentence": _sentence,
        "plain": plain,
        "company": _company,
        "verb": verb,
    }
    return environment


def _sentence(text: str) -> str:
    return for_terminal(text, MESSAGE_LIMIT)


@cache
def _hash(name: str) -> str:
    """How a content security policy names the style or script that it permits."""
    part = _environment().get_template(name).render()
    return "sha256-" + base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
