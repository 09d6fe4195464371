"""What must be true in the end, whatever happened: a promise to a user each.

A check returns what is wrong, in words. ``RACE`` is the one excuse: what someone else does to a thing in
the two seconds before we write it may go unseen, for Codat has no conditional writes.
"""

from __future__ import annotations

import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from sim_faults import CRM, KINDS
from sim_scenes import SCHEDULED, Scene, addresses, token_ref
from sim_wire import Exchange, moment_of
from sim_world import CANARY, Apply, Happening, World

from reconciler.diagnostics import CodatSyncError
from reconciler.model import (
    KEY_TAG,
    LINKS_TAG,
    RESERVED_TAG_PREFIX,
    WORKSPACE_TAG,
    Wanted,
    marks_of,
    short_id,
)
from reconciler.plan import Attention, AttentionClass, AttentionCode

RACE: Final = 2.0
FORGOTTEN: Final = 90 * 60.0
"""Seconds after which Codat has forgotten a key: a create that is under way for longer may create again."""
STATUSES: Final = {
    "Linked": "linked",
    "Deauthorized": "severed",
    "Unlinked": "severed",
    "PendingAuth": "pending",
}
"""What a shape makes of statuses, best first; a plan's attention tells the severed ones apart."""
RANK: Final = tuple(dict.fromkeys(STATUSES.values()))
TELLING: Final = (AttentionClass.BLOCKING, AttentionClass.WAITING)
SECRETS: Final = (CANARY, "otp=")
"""Our tokens and the key carry the first, Codat's link URLs the second."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A company without what may differ from world to world: ids, moments, and what no spec names."""

    name: str
    description: str
    tags: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, tuple[str, ...]], ...]
    products: tuple[str, ...] | None
    schedule: int | None
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """Where undisturbed applies end: without what others did, and with it.

    ``created`` counts the connections that they create, by company key and platform.
    """

    plain: Mapping[str, Shape]
    replayed: Mapping[str, Shape]
    created: Mapping[tuple[str, str], int]


NOWHERE: Final = Reference({}, {}, {})
"""Before it is known where a world should have ended."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A world that has come to its end, and where it should have ended."""

    world: World
    companies: tuple[dict[str, Any], ...]
    pulls: tuple[dict[str, Any], ...]
    shapes: Mapping[str, Shape]
    reference: Reference

    @property
    def scene(self) -> Scene:
        """What it began with."""
        return self.world.scene

    @property
    def log(self) -> list[Exchange]:
        """Every request since the stage was set."""
        return self.world.log

    def owned(self) -> list[tuple[str, dict[str, Any]]]:
        """Our companies, by key."""
        return [(key, one) for one in self.companies if (key := self.key_of(one)) is not None]

    def key_of(self, company: Mapping[str, Any]) -> str | None:
        """The key of a company of ours, as the later specs have it."""
        return self.world.key_of(company)

    def befell(self, key: str) -> list[Happening]:
        """What others did to the company of this key."""
        return [one for one in self.world.happenings if one.target.key == key]


def shapes(world: World) -> dict[str, Shape]:
    """Every company of ours, by key; and as an empty one what a plan only speaks of."""
    attention = world.last_plan.attention if world.last_plan else ()
    found = {key: _shape(world, key, one, attention) for key, one in world.owned()}
    spoken = {one.address.company for one in attention}
    return {
        key: found.get(key) or _shape(world, key, {"name": "", "tags": {}}, attention)
        for key in sorted(spoken | set(found))
    }


def _shape(world: World, key: str, company: Mapping[str, Any], attention: tuple[Attention, ...]) -> Shape:
    firm = world.scene.firm(key)
    wanted = Counter(one.brand.key for one in (firm.links if firm else ()) if one.wanted is not Wanted.ABSENT)
    named = {WORKSPACE_TAG, KEY_TAG, *(tag for tag, _ in (firm.tags if firm else ()))}
    links = [one for one in company.get("dataConnections", []) if one["id"] not in world.foreign]
    statuses = {
        platform: sorted(
            (STATUSES[one["status"]] for one in links if one["integrationKey"] == platform), key=RANK.index
        )[:number]
        for platform, number in sorted(wanted.items())
    }
    return Shape(
        company["name"],
        company.get("description", ""),
        tuple(sorted((tag, value) for tag, value in company["tags"].items() if tag in named)),
        tuple((platform, tuple(found)) for platform, found in statuses.items()),
        None if firm is None or firm.products is None else tuple(sorted(company.get("products", ()))),
        _schedule(world, company) if firm is not None and firm.schedule is not None else None,
        tuple(sorted(told(attention, key))),
    )


def _schedule(world: World, company: Mapping[str, Any]) -> int | None:
    if "id" not in company:
        return None
    hours: int = world.outside.sync_settings(company["id"])[SCHEDULED]["syncSchedule"]
    return hours


def told(attention: tuple[Attention, ...], key: str) -> list[str]:
    """What a plan says of a company that keeps something from being done, or waits for someone."""
    return [
        f"{one.code} {one.address}"
        for one in attention
        if one.address.company == key and one.attention_class in TELLING
    ]


# --- races -------------------------------------------------------------------------------------


def is_race(write: Exchange, changed: float) -> bool:
    """Whether what ``write`` concerns changed at the very moment that it was sent."""
    return write.sent - changed <= RACE


def _linked_at(ending: Ending, write: Exchange) -> float:
    """When the connection of an authorize became Linked, before it arrived."""
    arrived = write.arrived or 0
    moments = [
        one.arrived or 0
        for one in ending.log
        if one.is_authorize and one.took_effect and one.connection == write.connection and one is not write
    ]
    moments += [
        one.at
        for one in ending.world.happenings
        if one.kind == "customer-links" and one.target.connection_id == write.connection
    ]
    return max((one for one in moments if one <= arrived), default=0)


# --- checks ------------------------------------------------------------------------------------


def comes_to_rest(ending: Ending) -> Iterator[str]:
    """Three applies without faults leave an empty plan."""
    for apply in ending.world.applies:
        if not apply.is_disturbed and apply.error is not None:
            yield f"an undisturbed apply ended with {apply.error!r}"
    plan = ending.world.last_plan
    if plan is None or plan.actions:
        left = [f"{one.kind} {one.address} ({one.reason})" for one in plan.actions] if plan else []
        failures = [
            one.failure.message
            for apply in ending.world.applies[-2:]
            if apply.outcome
            for one in apply.outcome.results
            if one.failure
        ]
        yield f"undisturbed applies leave {left}; they said {failures}"


def ends_as_the_reference(ending: Ending) -> Iterator[str]:
    """The state is that of an undisturbed run; where others meddled, the plan may say what they left."""
    for key in sorted({*ending.shapes, *ending.reference.plain, *ending.reference.replayed}):
        now = ending.shapes.get(key)
        if now in (ending.reference.plain.get(key), ending.reference.replayed.get(key)):
            continue
        if now is not None and _is_told(ending, key, now):
            continue
        if any(one.kind == "tags-wiped" and _makes_room(ending, one) for one in ending.befell(key)):
            continue
        ids = _ids(ending, key)
        if any(
            one.creates_connection and one.company in ids and _came_late(ending, one) for one in ending.log
        ):
            continue
        yield f"{key} is {now}, and should be {ending.reference.replayed.get(key)}"


def _is_told(ending: Ending, key: str, now: Shape) -> bool:
    """Whether the difference is told by attention that something which happened may rightly leave."""
    leaves = {code for one in ending.befell(key) for code in KINDS[one.kind].leaves}
    if _raced(ending, key):
        leaves |= KINDS["deauthorized"].leaves
    return any(AttentionCode(text.partition(" ")[0]) in leaves for text in now.codes)


def _raced(ending: Ending, key: str) -> bool:
    """Whether two runs authorized a connection of this company at once, which revokes its access."""
    ids = _ids(ending, key)
    return any(one.tokens_to_linked and one.company in ids for one in ending.log)


def _ids(ending: Ending, key: str) -> set[str]:
    """The ids of the companies that carry this key."""
    return {one["id"] for name, one in ending.owned() if name == key}


def _came_late(ending: Ending, create: Exchange) -> bool:
    """Whether a create was under way while the machine slept so long that Codat had forgotten its key."""
    return any(
        one.fault.kind == "suspended" and one.fault.at == create.number and one.fault.seconds >= FORGOTTEN
        for one in ending.world.strikes
    )


def one_company_per_key(ending: Ending) -> Iterator[str]:
    """No key stands on two companies, and none is created without need or beside a namesake."""
    for key, count in Counter(key for key, _ in ending.owned()).items():
        if count > 1 and not any(_overwritten(ending.log, one) for one in ending.befell(key)):
            yield f"{count} companies carry the key {key}"
    existed = {key for one in ending.world.at_start.values() if (key := ending.key_of(one)) is not None}
    for key, made in _created(ending).items():
        needed = sum(_makes_room(ending, one) for one in ending.befell(key)) + (key not in existed)
        if len(made) > needed + sum(_came_late(ending, one) for one in made):
            yield f"{key} was created {len(made)} times, and {needed} would do"


def _created(ending: Ending) -> dict[str, list[Exchange]]:
    """The requests that created companies, by key."""
    found: defaultdict[str, list[Exchange]] = defaultdict(list)
    for one in ending.log:
        if one.creates_company and one.took_effect:
            found[one.body["tags"][KEY_TAG]].append(one)
    return found


def _makes_room(ending: Ending, happening: Happening) -> bool:
    """Whether a company may be created anew after this.

    A company without tags is known again by its name alone, and by those that plan after that.
    """
    key = happening.target.key
    if happening.kind != "tags-wiped":
        return happening.kind == "company-deleted"
    firm = ending.scene.firm(key)
    is_renamed = firm is not None and happening.before["name"] != firm.name
    began = {one.number: one.began for one in ending.world.applies}
    return is_renamed or any(
        began[one.apply] < happening.at < (one.arrived or 0) for one in _created(ending).get(key, ())
    )


def one_connection_per_spec(ending: Ending) -> Iterator[str]:
    """No connection is created beyond those that an undisturbed run creates."""
    keys = {one["id"]: key for key, one in ending.owned()}
    made = Counter(
        (one.company, one.body["platformKey"])
        for one in ending.log
        if one.creates_connection and one.took_effect and not _came_late(ending, one)
    )
    for (company, platform), count in made.items():
        key = keys.get(company)
        if key is None:
            continue
        firm = ending.scene.firm(key)
        linked = sum(
            one.brand.key == platform and one.wanted is Wanted.LINKED for one in (firm.links if firm else ())
        )
        is_old = company in ending.world.at_start
        needed = ending.reference.created.get((key, platform), 0) if is_old else linked
        if count > needed:
            yield f"{key} got {count} connections of {platform}, and {needed} would do"


def no_tokens_to_linked(ending: Ending) -> Iterator[str]:
    """Tokens are never sent to a connection that works, unless it began to within two seconds before."""
    for one in ending.log:
        linked_at = _linked_at(ending, one)
        if one.tokens_to_linked and not is_race(one, linked_at):
            before = one.sent - linked_at
            yield f"{one} of apply {one.apply} sent tokens to what was Linked for {before:.1f} s"


def tokens_take_effect_once(ending: Ending) -> Iterator[str]:
    """Each connection takes tokens once at most, and the right ones."""
    effective = [one for one in ending.log if one.is_authorize and one.took_effect]
    apart = [one for one in effective if not is_race(one, _linked_at(ending, one))]
    for connection, count in Counter(one.connection for one in apart).items():
        if count > 1:
            yield f"tokens took effect {count} times on connection {short_id(connection)}"
    right = {
        f"{CANARY}-{token_ref(firm, link).locator}": link for firm, link in addresses(ending.scene.later)
    }
    platforms = {
        one["id"]: one["integrationKey"] for company in ending.companies for one in company["dataConnections"]
    }
    for one in effective:
        link = right.get(one.body["accessToken"])
        if link is None or platforms.get(one.connection, link.brand.key) != link.brand.key:
            yield f"{one} got the tokens of another connection"


def what_is_linked_is_synced(ending: Ending) -> Iterator[str]:
    """Each connection that we linked, and that wants it, got a sync afterwards."""
    pulls: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for pull in ending.pulls:
        pulls[pull["connectionId"]].append(pull)
    links = {
        f"{CANARY}-{token_ref(firm, link).locator}": link for firm, link in addresses(ending.scene.later)
    }
    for key, company in ending.owned():
        if any(
            AttentionCode(text.partition(" ")[0]) is not AttentionCode.LINK
            for text in ending.shapes[key].codes
        ):
            continue
        linked = {one["id"] for one in company["dataConnections"] if one["status"] == "Linked"}
        for one in ending.log:
            if not (one.is_authorize and one.took_effect and one.connection in linked):
                continue
            link = links.get(one.body["accessToken"])
            since = [
                pull["dataType"]
                for pull in pulls[one.connection]
                if one.at is not None and moment_of(pull["requested"]) >= one.at
            ]
            if link is not None and not link.policy().never and not since:
                yield f"{key}/{link.key} was linked, and no sync of it was requested"


def tags_of_others_are_kept(ending: Ending) -> Iterator[str]:
    """Tags that no spec names stay, whoever wrote them and whenever, save in a race of two seconds."""
    alive = {one["id"]: one for one in ending.companies}
    for identifier, company in alive.items():
        before = ending.world.at_start.get(identifier, {"tags": {}})["tags"]
        firm = ending.scene.firm(ending.key_of(company) or "")
        named = {tag for tag, _ in firm.tags} if firm else set()
        expected = {
            tag: value
            for tag, value in before.items()
            if tag not in named and not tag.startswith(RESERVED_TAG_PREFIX)
        }
        for one in ending.world.happenings:
            if one.target.company_id != identifier:
                continue
            if one.kind == "tags-wiped":
                expected = {}
            elif one.kind == "tag-added" and not _overwritten(ending.log, one):
                expected[CRM] = "kept"
        lost = {tag for tag, value in expected.items() if company["tags"].get(tag) != value}
        if lost:
            yield f"company {company['name']} lost the tags {sorted(lost)} of another writer"


def _overwritten(log: list[Exchange], changed: Happening) -> bool:
    """Whether one of our writes of tags was on its way when others changed them."""
    return any(
        one.method == "PATCH"
        and one.took_effect
        and "tags" in one.body
        and one.company == changed.target.company_id
        and (one.arrived or 0) >= changed.at
        and is_race(one, changed.at)
        for one in log
    )


def strangers_are_untouched(ending: Ending) -> Iterator[str]:
    """No write of ours concerns a company that no spec speaks of, or that has lost our tags."""
    concerned = {identifier for identifier, one in ending.world.at_start.items() if _is_foreign(ending, one)}
    for one in ending.log:
        if one.is_write and one.company in concerned:
            yield f"{one} touches a company that no spec speaks of"


def what_customers_linked_is_theirs(ending: Ending) -> Iterator[str]:
    """No connection that someone else made and linked is deleted, unlinked or fed our tokens."""
    for one in ending.log:
        if one.is_write and one.connection in ending.world.foreign:
            yield f"{one} of apply {one.apply} touches what a customer linked by himself"


def _is_foreign(ending: Ending, company: Mapping[str, Any]) -> bool:
    return ending.key_of(company) is None and company["id"] not in ending.world.later.ids.values()


def who_lost_our_tags_is_not_created_again(ending: Ending) -> Iterator[str]:
    """A company that has its name, but not our tags any more, stops the create of a second one."""
    later = {one.renamed_from or one.key: one.key for one in ending.scene.later}
    created = _created(ending)
    for key in ending.scene.wiped:
        if created.get(later.get(key, key)):
            yield f"{key} lost our tags, and was created again"


def writes_are_within_budget(ending: Ending) -> Iterator[str]:
    """An apply writes what its plan says, and one request more for each that told it nothing."""
    for apply in ending.world.applies:
        writes = [one for one in ending.log if one.apply == apply.number and one.is_write]
        spare = sum(one.failed for one in writes)
        planned = apply.plan.requests if apply.plan else 0
        if len(writes) > planned + spare:
            yield f"apply {apply.number} sent {len(writes)} writes; planned {planned}, failed {spare}"


def nothing_tells_a_secret(ending: Ending) -> Iterator[str]:
    """No token, key or link URL is in a plan, an event, an outcome or an exception."""
    for apply in ending.world.applies:
        for where, text in _texts(apply):
            for secret in SECRETS:
                if secret in text:
                    yield f"{where} of apply {apply.number} shows a secret"


def _texts(apply: Apply) -> Iterator[tuple[str, str]]:
    if apply.plan:
        yield "the plan", f"{apply.plan!r} {apply.plan.document()}"
    if apply.outcome:
        yield "the outcome", f"{apply.outcome!r} {apply.outcome.document()}"
    if apply.error:
        yield "the exception", f"{apply.error!r} {''.join(traceback.format_exception(apply.error))}"
    for event in apply.events:
        yield "an event", f"{event!r} {event.document()}"
    yield "a wait", " ".join(apply.waits)


def nothing_is_a_bug(ending: Ending) -> Iterator[str]:
    """Nothing ends in an exception of Python's, or in what we call a bug."""
    for apply in ending.world.applies:
        if apply.error is not None and not isinstance(apply.error, CodatSyncError):
            yield f"apply {apply.number} raised {''.join(traceback.format_exception(apply.error))}"
        for one in apply.outcome.results if apply.outcome else ():
            if one.failure and one.failure.code == "bug":
                yield f"{one.kind} {one.address}: {one.failure.message}"


def complete_leaves_nothing(ending: Ending) -> Iterator[str]:
    """A plan that applied cleanly is followed by an empty one, at once, unless others meddled."""
    if ending.scene.lag_seconds:
        return
    applies = ending.world.applies
    for apply, following in pairwise(applies):
        if not (apply.outcome and apply.outcome.is_complete and following.plan):
            continue
        if following.began < apply.ended:
            continue
        meddled = any(apply.began <= one.at <= following.ended for one in ending.world.happenings)
        is_alone = all(
            one in (apply, following) or one.ended <= apply.began or one.began >= following.ended
            for one in applies
        )
        late = any(one.fault.kind == "timed-out" for one in ending.world.strikes)
        if is_alone and not meddled and not late and following.plan.actions:
            left = [f"{one.kind} {one.address} ({one.reason})" for one in following.plan.actions]
            yield f"apply {apply.number} was complete, and the next plan wants {left}"


def records_tell_the_truth(ending: Ending) -> Iterator[str]:
    """Where the tag ``codatSyncLinks`` names a connection, its tokens are those of that connection."""
    for key, company in ending.owned():
        text = company["tags"].get(LINKS_TAG, "")
        record = {name: mark.id for name, mark in marks_of(text).items() if mark.id}
        firm = ending.scene.firm(key)
        names = {one.role: one.key for one in (firm.links if firm else ())}
        for link in company["dataConnections"]:
            role = ending.world.role(link["id"])
            name = names.get(role, role)
            if name in record and record[name] != short_id(link["id"]):
                yield f"{key} records {text}, and {short_id(link['id'])} has the tokens of {role}"


Check = Callable[[Ending], Iterator[str]]
CHECKS: Final[tuple[Check, ...]] = (
    nothing_is_a_bug,
    comes_to_rest,
    ends_as_the_reference,
    one_company_per_key,
    one_connection_per_spec,
    no_tokens_to_linked,
    tokens_take_effect_once,
    what_is_linked_is_synced,
    tags_of_others_are_kept,
    strangers_are_untouched,
    who_lost_our_tags_is_not_created_again,
    what_customers_linked_is_theirs,
    writes_are_within_budget,
    nothing_tells_a_secret,
    complete_leaves_nothing,
    records_tell_the_truth,
)
