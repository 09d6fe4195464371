"""The account's own settings in a scene: what the specs want of them, and what others have there."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from reconciler.model import ACCOUNT_MARK, DesiredAccount, DesiredWebhook, Presence
from reconciler.secret_refs import Secret, SecretRef, Variable

CANARY: Final = "canary"
"""What every secret of a simulation holds, so that it is known wherever it is seen."""
OURS: Final = "https://lender.example/"
"""Where our consumers listen; at each of the paths below one or more."""
OTHERS: Final = "https://others.example/"
"""Where consumers of others listen, at URLs that no spec of ours names."""
HIDDEN: Final = "hook"
"""The locator of the one URL that is a secret."""
BESIDE: Final = ("company.deleted",)
"""What a consumer is sent that someone put beside ours; no spec wants this."""
EVENTS: Final = ("connection.connected", "read.completed", "company.created")
EDITED: Final = "customers"
"""The data type whose sync setting others change; no spec names it."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook consumer of the specs."""

    key: str
    path: str
    events: tuple[str, ...]
    tags: tuple[str, ...] = ()
    is_absent: bool = False

    @property
    def url(self) -> str:
        """Where it listens."""
        return hidden_url() if self.path == HIDDEN else OURS + self.path

    @property
    def identity(self) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        """What tells it from others at Codat."""
        return self.url, tuple(sorted(self.events)), tuple(sorted(self.tags))

    def desired(self) -> DesiredWebhook:
        """It, as ``account.yaml`` has it."""
        url = SecretRef(Variable(HIDDEN)) if self.path == HIDDEN else self.url
        events = () if self.is_absent else self.events
        state = Presence.ABSENT if self.is_absent else Presence.PRESENT
        return DesiredWebhook(key=self.key, url=url, event_types=events, company_tags=self.tags, state=state)


@dataclass(frozen=True, slots=True)
class Account:
    """The account as specs: ``redirect`` of the profile, the ``hours`` of a sync setting, consumers."""

    hooks: tuple[Hook, ...] = ()
    redirect: str | None = None
    hours: int | None = None

    def desired(self) -> DesiredAccount:
        """It, as the planner takes it."""
        return DesiredAccount(
            profile={} if self.redirect is None else {"redirectUrl": OURS + self.redirect},
            sync_settings={} if self.hours is None else {"invoices": {"syncSchedule": self.hours}},
            webhooks={hook.key: hook.desired() for hook in self.hooks},
        )

    @property
    def listening(self) -> tuple[Hook, ...]:
        """The consumers that shall be there."""
        return tuple(hook for hook in self.hooks if not hook.is_absent)


def hidden_url() -> str:
    """The URL that must be seen nowhere."""
    return f"{OURS}{CANARY}?key={CANARY}"


def url_of(ref: SecretRef) -> Secret:
    """What the reference to a URL resolves to."""
    assert str(ref.locator) == HIDDEN
    return Secret(hidden_url())


def identity_of(consumer: Mapping[str, Any]) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """What tells a live consumer from others."""
    return consumer["url"], tuple(sorted(consumer["eventTypes"])), tuple(sorted(consumer["companyTags"]))


def is_mark(consumer: Mapping[str, Any]) -> bool:
    """Whether it says whose the account is."""
    return str(consumer["url"]).startswith(ACCOUNT_MARK)


def hours_of(number: int) -> int:
    """The schedule that the ``number``-th happening sets."""
    return number + 2


# --- drawn from a seed -------------------------------------------------------------------------

CHANCE: Final = 0.35


def drawn(seed: int) -> dict[str, Any]:
    """The account's members of the scene of this seed; none in most.

    They are drawn by a sequence of their own: the rest of a scene is what it would be without them.
    """
    rng = random.Random(f"{seed} account")
    if rng.random() >= CHANCE:
        return {}
    later = Account(
        _hooks(rng),
        rng.choice((None, "done", "welcome")),
        rng.choice((None, None, 12, 48)),
    )
    earlier = rng.choice((None, later, _before(rng, later)))
    return {
        "account": later,
        "earlier_account": earlier,
        "others_listen": rng.choice((0, 1, 2)),
        "is_crowded": rng.random() < 0.15,
    }


def _hooks(rng: random.Random) -> tuple[Hook, ...]:
    """Up to three consumers, two of them at one URL now and then."""
    paths = rng.choice(("", "a", "h", "ah", "aa", "aah"))
    hooks = []
    for number, (letter, events) in enumerate(zip(paths, EVENTS, strict=False)):
        path = HIDDEN if letter == "h" else letter
        tags = ("region:uk",) if rng.random() < 0.3 else ()
        is_absent = rng.random() < 0.15
        hooks.append(Hook(f"hook{number}", path, (events,), tags, is_absent=is_absent))
    absent = {hook.path for hook in hooks if hook.is_absent}
    return tuple(replace(hook, is_absent=hook.path in absent) for hook in hooks)


def _before(rng: random.Random, later: Account) -> Account:
    """The account as the earlier specs had it: the same URLs, sent something else now and then."""
    hooks = [
        replace(hook, events=rng.choice((hook.events, ("push.completed", *hook.events))), is_absent=False)
        for hook in later.hooks
        if rng.random() < 0.8
    ]
    return Account(tuple(hooks), rng.choice((later.redirect, "old")), rng.choice((later.hours, 6)))
