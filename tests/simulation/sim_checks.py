"""What must be true in the end, whatever happened: a promise to a user each.

A check returns what is wrong, in words. ``RACE`` is the one excuse: what someone else does to a thing in
the two seconds before we write it may go unseen, for Codat has no conditional writes.
"""

from __future__ import annotations

import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

from sim_account import CANARY
from sim_account_checks import ACCOUNT_CHECKS
from sim_faults import CRM, KINDS
from sim_feed_checks import FEED_CHECKS
from sim_scenes import BRANDS, SCHEDULED, Scene, addresses, token_ref
from sim_wire import Exchange, moment_of
from sim_world import Apply, Happening, World

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
from reconciler.planner.link_record import SAME_RUN

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
    accounts: tuple[tuple[str, str], ...]
    """The source accounts that its spec names, each with its name."""
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
    consumers: tuple[dict[str, Any], ...]
    profile: Mapping[str, Any]
    settings: Mapping[str, Mapping[str, Any]]

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
        return [(key, company) for company in self.companies if (key := self.key_of(company)) is not None]

    def key_of(self, company: Mapping[str, Any]) -> str | None:
        """The key of a company of ours, as the later specs have it."""
        return self.world.key_of(company)

    def befell(self, key: str) -> list[Happening]:
        """What others did to the company of this key."""
        return [happening for happening in self.world.happenings if happening.target.key == key]


def shapes(world: World) -> dict[str, Shape]:
    """Every company of ours, by key; and as an empty one what a plan only speaks of."""
    attention = world.last_plan.attention if world.last_plan else ()
    found = {key: _shape(world, key, document, attention) for key, document in world.owned()}
    spoken = {noted.address.company for noted in attention if not noted.address.is_account}
    return {
        key: found.get(key) or _shape(world, key, {"name": "", "tags": {}}, attention)
        for key in sorted(spoken | set(found))
    }


def _shape(world: World, key: str, company: Mapping[str, Any], attention: tuple[Attention, ...]) -> Shape:
    firm = world.scene.firm(key)
    wanted = Counter(
        link.brand.key for link in (firm.links if firm else ()) if link.wanted is not Wanted.ABSENT
    )
    named = {WORKSPACE_TAG, KEY_TAG, *(tag for tag, _ in (firm.tags if firm else ()))}
    links = [
        connection
        for connection in company.get("dataConnections", [])
        if connection["id"] not in world.foreign
    ]
    statuses = {
        platform: sorted(
            (STATUSES[link["status"]] for link in links if link["integrationKey"] == platform), key=RANK.index
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
        _accounts(world, {account.id for account in firm.accounts} if firm else set(), links),
        tuple(sorted(told(attention, key))),
    )


def _accounts(world: World, named: set[str], links: list[dict[str, Any]]) -> tuple[tuple[str, str], ...]:
    ids = {link["id"] for link in links}
    return tuple(
        sorted(
            (account["id"], account["accountName"])
            for account in world.outside.source_accounts()
            if account["connectionId"] in ids and account["id"] in named
        )
    )


def _schedule(world: World, company: Mapping[str, Any]) -> int | None:
    if "id" not in company:
        return None
    hours: int = world.outside.sync_settings(company["id"])[SCHEDULED]["syncSchedule"]
    return hours


def told(attention: tuple[Attention, ...], key: str) -> list[str]:
    """What a plan says of a company that keeps something from being done, or waits for someone."""
    return [
        f"{noted.code} {noted.address}"
        for noted in attention
        if noted.address.company == key and noted.attention_class in TELLING
    ]


# --- races -------------------------------------------------------------------------------------


def is_race(write: Exchange, changed: float) -> bool:
    """Whether what ``write`` concerns changed at the very moment that it was sent."""
    return write.sent - changed <= RACE


def _linked_at(ending: Ending, write: Exchange) -> float:
    """When the connection of an authorize became Linked, before it arrived."""
    arrived = write.arrived or 0
    moments = [
        exchange.arrived or 0
        for exchange in ending.log
        if exchange.is_authorize
        and exchange.took_effect
        and exchange.connection == write.connection
        and exchange is not write
    ]
    moments += [
        happening.at
        for happening in ending.world.happenings
        if happening.kind == "customer-links" and happening.target.connection_id == write.connection
    ]
    return max((moment for moment in moments if moment <= arrived), default=0)


# --- checks ------------------------------------------------------------------------------------


def comes_to_rest(ending: Ending) -> Iterator[str]:
    """Three applies without faults leave an empty plan."""
    for apply in ending.world.applies:
        if not apply.is_disturbed and apply.error is not None:
            yield f"an undisturbed apply ended with {apply.error!r}"
    plan = ending.world.last_plan
    if plan is None or plan.actions:
        left = (
            [f"{action.kind} {action.address} ({action.reason})" for action in plan.actions] if plan else []
        )
        failures = [
            result.failure.message
            for apply in ending.world.applies[-2:]
            if apply.outcome
            for result in apply.outcome.results
            if result.failure
        ]
        yield f"undisturbed applies leave {left}; they said {failures}"


def ends_as_the_reference(ending: Ending) -> Iterator[str]:
    """The state is that of an undisturbed run; where others meddled, the plan may say what they left."""
    for key in sorted({*ending.shapes, *ending.reference.plain, *ending.reference.replayed}):
        now = ending.shapes.get(key)
        if now in (ending.reference.plain.get(key), ending.reference.replayed.get(key)):
            continue
        if now is not None and (_is_told(ending, key, now) or _slept_between(ending, now)):
            continue
        if _but_for_what_left(ending, key, now) in [
            _but_for_what_left(ending, key, shape)
            for shape in (ending.reference.plain.get(key), ending.reference.replayed.get(key))
        ]:
            continue
        if any(
            happening.kind == "tags-wiped" and _makes_room(ending, happening)
            for happening in ending.befell(key)
        ):
            continue
        ids = _ids(ending, key)
        if any(
            exchange.creates_connection and exchange.company in ids and _came_late(ending, exchange)
            for exchange in ending.log
        ):
            continue
        yield f"{key} is {now}, and should be {ending.reference.replayed.get(key)}"


def _is_told(ending: Ending, key: str, now: Shape) -> bool:
    """Whether the difference is told by attention that something which happened may rightly leave."""
    leaves = {code for happening in ending.befell(key) for code in KINDS[happening.kind].leaves}
    if _raced(ending, key):
        leaves |= KINDS["deauthorized"].leaves
    return any(AttentionCode(text.partition(" ")[0]) in leaves for text in now.codes)


def _slept_between(ending: Ending, now: Shape) -> bool:
    """Whether the machine slept so long between two creates that age does not tell what was made together."""
    slept = any(
        strike.fault.kind == "suspended" and strike.fault.seconds >= SAME_RUN.total_seconds()
        for strike in ending.world.strikes
    )
    return slept and any(text.startswith(AttentionCode.AMBIGUOUS.value) for text in now.codes)


def _but_for_what_left(ending: Ending, key: str, shape: Shape | None) -> Shape | None:
    """A shape without the platforms on which access was revoked, where that may tell late or to nobody.

    Codat notices at the next fetch, which an undisturbed run may have had before: of what no spec names any
    more, and of what a customer's own connection stands in for by then, since the record is lost.
    """
    firm = ending.scene.firm(key)
    if shape is None or firm is None:
        return shape
    roles = {link.role for link in firm.links}
    revoked = {
        (happening.target.platform, happening.target.role not in roles)
        for happening in ending.befell(key)
        if happening.kind == "revoked"
    }
    unnamed = {platform for platform, is_unnamed in revoked if is_unnamed}
    replaced = {platform for platform, _ in revoked} & _indistinct(ending, key)
    spoken = tuple(f" {key}/{link.key}" for link in firm.links if link.brand.key in replaced)
    return replace(
        shape,
        links=tuple(
            (platform, statuses) for platform, statuses in shape.links if platform not in unnamed | replaced
        ),
        codes=tuple(code for code in shape.codes if not code.endswith(spoken)),
    )


def _indistinct(ending: Ending, key: str) -> set[str]:
    """The platforms of which a customer linked one too, where the record of which is ours was lost."""
    names = ending.scene.keys_of(key)
    if names.isdisjoint(ending.scene.unrecorded):
        return set()
    stand = (address.partition("/") for address in ending.scene.foreign)
    return {BRANDS[platform].key for owner, _, platform in stand if owner in names}


def _raced(ending: Ending, key: str) -> bool:
    """Whether two runs authorized a connection of this company at once, which revokes its access."""
    ids = _ids(ending, key)
    return any(exchange.tokens_to_linked and exchange.company in ids for exchange in ending.log)


def _ids(ending: Ending, key: str) -> set[str]:
    """The ids of the companies that carry this key."""
    return {document["id"] for name, document in ending.owned() if name == key}


def _came_late(ending: Ending, create: Exchange) -> bool:
    """Whether a create was under way while the machine slept so long that Codat had forgotten its key."""
    return any(
        strike.fault.kind == "suspended"
        and strike.fault.at == create.number
        and strike.fault.seconds >= FORGOTTEN
        for strike in ending.world.strikes
    )


def one_company_per_key(ending: Ending) -> Iterator[str]:
    """No key stands on two companies, and none is created without need or beside a namesake."""
    for key, count in Counter(key for key, _ in ending.owned()).items():
        if count > 1 and not any(_overwritten(ending.log, happening) for happening in ending.befell(key)):
            yield f"{count} companies carry the key {key}"
    existed = {
        key for document in ending.world.at_start.values() if (key := ending.key_of(document)) is not None
    }
    for key, made in _created(ending).items():
        needed = sum(_makes_room(ending, happening) for happening in ending.befell(key)) + (
            key not in existed
        )
        if len(made) > needed + sum(_came_late(ending, exchange) for exchange in made):
            yield f"{key} was created {len(made)} times, and {needed} would do"


def _created(ending: Ending) -> dict[str, list[Exchange]]:
    """The requests that created companies, by key."""
    found: defaultdict[str, list[Exchange]] = defaultdict(list)
    for exchange in ending.log:
        if exchange.creates_company and exchange.took_effect:
            found[exchange.body["tags"][KEY_TAG]].append(exchange)
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
    began = {apply.number: apply.began for apply in ending.world.applies}
    return is_renamed or any(
        began[exchange.apply] < happening.at < (exchange.arrived or 0)
        for exchange in _created(ending).get(key, ())
    )


def one_connection_per_spec(ending: Ending) -> Iterator[str]:
    """No connection is created beyond those that an undisturbed run creates."""
    keys = {document["id"]: key for key, document in ending.owned()}
    made = Counter(
        (exchange.company, exchange.body["platformKey"])
        for exchange in ending.log
        if exchange.creates_connection and exchange.took_effect and not _came_late(ending, exchange)
    )
    for (company, platform), count in made.items():
        key = keys.get(company)
        if key is None:
            continue
        firm = ending.scene.firm(key)
        linked = sum(
            link.brand.key == platform and link.wanted is Wanted.LINKED
            for link in (firm.links if firm else ())
        )
        is_old = company in ending.world.at_start
        needed = ending.reference.created.get((key, platform), 0) if is_old else linked
        if count > needed + _forgotten(ending, key, company, platform):
            yield f"{key} got {count} connections of {platform}, and {needed} would do"


def _forgotten(ending: Ending, key: str, company: str, platform: str) -> int:
    """How many creates of what is recorded as gone Codat had forgotten when a later run came back.

    What is recorded is never taken for another, not even for what a run created in its place and did not
    come to record, as docs/guarantees.md says.
    """
    names = ending.scene.keys_of(key)
    is_gone = any(address.partition("/")[0] in names for address in ending.scene.gone)
    creates = [
        exchange.sent
        for exchange in ending.log
        if exchange.creates_connection
        and exchange.took_effect
        and (exchange.company, exchange.body["platformKey"]) == (company, platform)
    ]
    return sum(is_gone and creates[-1] - sent >= FORGOTTEN for sent in creates)


def no_tokens_to_linked(ending: Ending) -> Iterator[str]:
    """Tokens are never sent to a connection that works, unless it began to within two seconds before."""
    for exchange in ending.log:
        linked_at = _linked_at(ending, exchange)
        if exchange.tokens_to_linked and not is_race(exchange, linked_at):
            before = exchange.sent - linked_at
            yield f"{exchange} of apply {exchange.apply} sent tokens to what was Linked for {before:.1f} s"


def tokens_take_effect_once(ending: Ending) -> Iterator[str]:
    """Each connection takes tokens once at most, and the right ones."""
    effective = [exchange for exchange in ending.log if exchange.is_authorize and exchange.took_effect]
    apart = [exchange for exchange in effective if not is_race(exchange, _linked_at(ending, exchange))]
    for connection, count in Counter(exchange.connection for exchange in apart).items():
        if count > 1:
            yield f"tokens took effect {count} times on connection {short_id(connection)}"
    right = {
        f"{CANARY}-{token_ref(firm, link).locator}": link for firm, link in addresses(ending.scene.later)
    }
    platforms = {
        connection["id"]: connection["integrationKey"]
        for company in ending.companies
        for connection in company["dataConnections"]
    }
    for exchange in effective:
        link = right.get(exchange.body["accessToken"])
        if link is None or platforms.get(exchange.connection, link.brand.key) != link.brand.key:
            yield f"{exchange} got the tokens of another connection"


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
        linked = {
            connection["id"] for connection in company["dataConnections"] if connection["status"] == "Linked"
        }
        for exchange in ending.log:
            if not (exchange.is_authorize and exchange.took_effect and exchange.connection in linked):
                continue
            link = links.get(exchange.body["accessToken"])
            since = [
                pull["dataType"]
                for pull in pulls[exchange.connection]
                if exchange.at is not None and moment_of(pull["requested"]) >= exchange.at
            ]
            if link is not None and not link.policy().never and not since:
                yield f"{key}/{link.key} was linked, and no sync of it was requested"


def tags_of_others_are_kept(ending: Ending) -> Iterator[str]:
    """Tags that no spec names stay, whoever wrote them and whenever, save in a race of two seconds."""
    alive = {company["id"]: company for company in ending.companies}
    for identifier, company in alive.items():
        before = ending.world.at_start.get(identifier, {"tags": {}})["tags"]
        firm = ending.scene.firm(ending.key_of(company) or "")
        named = {tag for tag, _ in firm.tags} if firm else set()
        expected = {
            tag: value
            for tag, value in before.items()
            if tag not in named and not tag.startswith(RESERVED_TAG_PREFIX)
        }
        for happening in ending.world.happenings:
            if happening.target.company_id != identifier:
                continue
            if happening.kind == "tags-wiped":
                expected = {}
            elif happening.kind == "tag-added" and not _overwritten(ending.log, happening):
                expected[CRM] = "kept"
        lost = {tag for tag, value in expected.items() if company["tags"].get(tag) != value}
        if lost:
            yield f"company {company['name']} lost the tags {sorted(lost)} of another writer"


def _overwritten(log: list[Exchange], changed: Happening) -> bool:
    """Whether one of our writes of tags was on its way when others changed them."""
    return any(
        exchange.method == "PATCH"
        and exchange.took_effect
        and "tags" in exchange.body
        and exchange.company == changed.target.company_id
        and (exchange.arrived or 0) >= changed.at
        and is_race(exchange, changed.at)
        for exchange in log
    )


def strangers_are_untouched(ending: Ending) -> Iterator[str]:
    """No write of ours concerns a company that no spec speaks of, or that has lost our tags."""
    concerned = {
        identifier for identifier, document in ending.world.at_start.items() if _is_foreign(ending, document)
    }
    for exchange in ending.log:
        if exchange.is_write and exchange.company in concerned:
            yield f"{exchange} touches a company that no spec speaks of"


def what_customers_linked_is_theirs(ending: Ending) -> Iterator[str]:
    """No connection that someone else made and linked is deleted, unlinked or fed our tokens."""
    for exchange in ending.log:
        if exchange.is_write and exchange.connection in ending.world.foreign:
            yield f"{exchange} of apply {exchange.apply} touches what a customer linked by himself"


def _is_foreign(ending: Ending, company: Mapping[str, Any]) -> bool:
    return ending.key_of(company) is None and company["id"] not in ending.world.later.ids.values()


def who_lost_our_tags_is_not_created_again(ending: Ending) -> Iterator[str]:
    """A company that has its name, but not our tags any more, stops the create of a second one."""
    later = {firm.renamed_from or firm.key: firm.key for firm in ending.scene.later}
    created = _created(ending)
    for key in ending.scene.wiped:
        if created.get(later.get(key, key)):
            yield f"{key} lost our tags, and was created again"


def writes_are_within_budget(ending: Ending) -> Iterator[str]:
    """An apply writes what its plan says, and one request more for each that told it nothing."""
    for apply in ending.world.applies:
        writes = [exchange for exchange in ending.log if exchange.apply == apply.number and exchange.is_write]
        # What somebody deletes while its create is settled, and no date tells, is created once more.
        gone = sum(happening.kind in ("hook-gone", "account-gone") for happening in ending.world.happenings)
        spare = sum(write.failed for write in writes) + gone
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
        for result in apply.outcome.results if apply.outcome else ():
            if result.failure and result.failure.code == "bug":
                yield f"{result.kind} {result.address}: {result.failure.message}"


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
        meddled = any(apply.began <= happening.at <= following.ended for happening in ending.world.happenings)
        is_alone = all(
            each_apply in (apply, following)
            or each_apply.ended <= apply.began
            or each_apply.began >= following.ended
            for each_apply in applies
        )
        late = any(strike.fault.kind == "timed-out" for strike in ending.world.strikes)
        if is_alone and not meddled and not late and following.plan.actions:
            left = [f"{action.kind} {action.address} ({action.reason})" for action in following.plan.actions]
            yield f"apply {apply.number} was complete, and the next plan wants {left}"


def records_tell_the_truth(ending: Ending) -> Iterator[str]:
    """Where the tag ``codatSyncLinks`` names a connection, its tokens are those of that connection."""
    for key, company in ending.owned():
        text = company["tags"].get(LINKS_TAG, "")
        record = {name: mark.id for name, mark in marks_of(text).items() if mark.id}
        firm = ending.scene.firm(key)
        names = {link.role: link.key for link in (firm.links if firm else ())}
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
    *ACCOUNT_CHECKS,
    *FEED_CHECKS,
)
