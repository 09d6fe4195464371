"""What follows for a connection from its wanted state, its live status and its migration."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reconciler.kinds import Kind
from reconciler.live import Status
from reconciler.model import Migration, Wanted
from reconciler.plan import AttentionCode
from reconciler.planner.rules import NO, YES, Rule, RuleTable


class LiveStatus(StrEnum):
    """A connection's live status, or that there is none."""

    NONE = "none"
    PENDING_AUTH = Status.PENDING_AUTH
    LINKED = Status.LINKED
    DEAUTHORIZED = Status.DEAUTHORIZED
    UNLINKED = Status.UNLINKED
    UNKNOWN = Status.UNKNOWN


class Proof(StrEnum):
    """How sure it is that a live connection is the one that a spec means."""

    CERTAIN = "certain"
    """The spec pins it by its id, or the record of links names it; or there is none."""
    ALONE = "alone"
    """No record speaks of its platform, and there is no other that the spec could mean."""
    GUESSED = "guessed"
    """It is the likeliest, and may be another's."""


@dataclass(frozen=True, slots=True)
class ConnectionSituation:
    """Everything that the rules for a wanted connection may look at.

    ``fresh``: the tokens were issued after the connection's creation, last sync and every recorded
    error. ``occupied``: another accounting connection of the company is Linked and stays so.
    ``gated``: a precondition of sending tokens is still to do. ``proof``: whether the live connection is
    the one that the spec means.
    """

    wanted: Wanted
    live: LiveStatus
    migration: Migration
    fresh: bool
    reauthorize: bool
    occupied: bool
    gated: bool
    proof: Proof = Proof.CERTAIN


@dataclass(frozen=True, slots=True)
class StraySituation:
    """Everything that the rules for a live connection in no spec may look at."""

    live: LiveStatus
    prune: bool


_LINKED, _UNLINKED, _ABSENT = (Wanted.LINKED,), (Wanted.UNLINKED,), (Wanted.ABSENT,)
_SELF, _MANAGED, _LINK = (Migration.SELF_SERVICE,), (Migration.MANAGED,), (Migration.LINK,)
_NOT_SELF = (*_MANAGED, *_LINK)
_NONE, _PENDING, _LIVE = (LiveStatus.NONE,), (LiveStatus.PENDING_AUTH,), (LiveStatus.LINKED,)
_DEAUTHORIZED, _SEVERED, _UNKNOWN = (LiveStatus.DEAUTHORIZED,), (LiveStatus.UNLINKED,), (LiveStatus.UNKNOWN,)
_THERE = (*_PENDING, *_LIVE, *_DEAUTHORIZED, *_SEVERED, *_UNKNOWN)
_CERTAIN = (Proof.CERTAIN,)
_UNCERTAIN = (Proof.ALONE, Proof.GUESSED)
_TRUSTED, _GUESSED = (Proof.CERTAIN, Proof.ALONE), (Proof.GUESSED,)
_SEND = (Kind.CONNECTION_AUTHORIZE,)
_CREATE = (Kind.CONNECTION_CREATE,)


def _sends(
    name: str, when: dict[str, tuple[object, ...]], why: str, before: tuple[Kind, ...] = ()
) -> tuple[Rule, Rule]:
    """The two rows of a situation in which tokens go out: with the gate open, and with it shut."""
    return (
        Rule(name, when | {"gated": NO}, why, before + _SEND),
        Rule(f"{name}-gated", when | {"gated": YES}, why, before, AttentionCode.GATE),
    )


def _sends_again(name: str, when: dict[str, tuple[object, ...]], why: str) -> tuple[Rule, Rule, Rule]:
    """The rows of a situation in which tokens go to what was authorized before, by us as far as is known."""
    return (
        *_sends(name, when | {"proof": _TRUSTED}, why),
        Rule(f"{name}-guessed", when | {"proof": _GUESSED}, _WHOSE, attention=AttentionCode.AMBIGUOUS),
    )


_WHOSE: Final = "no record tells that it is the one that the spec means"

CONNECTION_RULES: Final = RuleTable(
    ConnectionSituation,
    (
        Rule("absent-gone", {"wanted": _ABSENT, "live": _NONE}, "absent, as specified"),
        Rule(
            "absent-delete",
            {"wanted": _ABSENT, "live": _THERE, "proof": _CERTAIN},
            "the spec says state: absent",
            (Kind.CONNECTION_DELETE,),
        ),
        Rule(
            "absent-uncertain",
            {"wanted": _ABSENT, "live": _THERE, "proof": _UNCERTAIN},
            _WHOSE,
            attention=AttentionCode.AMBIGUOUS,
        ),
        Rule(
            "unlinked-already",
            {"wanted": _UNLINKED, "live": (*_NONE, *_PENDING, *_DEAUTHORIZED, *_SEVERED)},
            "not linked, as specified",
        ),
        Rule(
            "unlinked-unlink",
            {"wanted": _UNLINKED, "live": _LIVE, "proof": _CERTAIN},
            "the spec says state: unlinked",
            (Kind.CONNECTION_UNLINK,),
        ),
        Rule(
            "unlinked-uncertain",
            {"wanted": _UNLINKED, "live": _LIVE, "proof": _UNCERTAIN},
            _WHOSE,
            attention=AttentionCode.AMBIGUOUS,
        ),
        Rule(
            "unknown-status",
            {"wanted": (*_LINKED, *_UNLINKED), "live": _UNKNOWN},
            "Codat reports a status that this version does not know",
            attention=AttentionCode.UNKNOWN_STATUS,
        ),
        Rule(
            "accounting-occupied",
            {"wanted": _LINKED, "live": (*_NONE, *_PENDING, *_DEAUTHORIZED, *_SEVERED), "occupied": YES},
            "another accounting connection is Linked",
            attention=AttentionCode.ACCOUNTING_OCCUPIED,
        ),
        *_sends(
            "create-and-authorize",
            {"wanted": _LINKED, "live": _NONE, "migration": _SELF, "occupied": NO},
            "not in Codat",
            _CREATE,
        ),
        Rule(
            "create-managed",
            {"wanted": _LINKED, "live": _NONE, "migration": _MANAGED, "occupied": NO},
            "not in Codat",
            _CREATE,
            AttentionCode.MANAGED,
        ),
        Rule(
            "create-link",
            {"wanted": _LINKED, "live": _NONE, "migration": _LINK, "occupied": NO},
            "not in Codat",
            _CREATE,
            AttentionCode.LINK,
        ),
        *_sends(
            "authorize",
            {"wanted": _LINKED, "live": _PENDING, "migration": _SELF, "occupied": NO},
            "PendingAuth",
        ),
        Rule(
            "wait-managed",
            {"wanted": _LINKED, "live": _PENDING, "migration": _MANAGED, "occupied": NO},
            "PendingAuth; Codat's team imports the token",
            attention=AttentionCode.MANAGED,
        ),
        Rule(
            "wait-link",
            {"wanted": _LINKED, "live": _PENDING, "migration": _LINK, "occupied": NO},
            "PendingAuth; the customer links",
            attention=AttentionCode.LINK,
        ),
        Rule("linked", {"wanted": _LINKED, "live": _LIVE, "reauthorize": NO}, "Linked, as specified"),
        *_sends_again(
            "reauthorize-linked",
            {"wanted": _LINKED, "live": _LIVE, "reauthorize": YES},
            "Linked, and --reauthorize names it",
        ),
        *_sends_again(
            "reauthorize-deauthorized",
            {"wanted": _LINKED, "live": _DEAUTHORIZED, "reauthorize": YES, "occupied": NO},
            "Deauthorized, and --reauthorize names it",
        ),
        *_sends_again(
            "authorize-fresh",
            {
                "wanted": _LINKED,
                "live": _DEAUTHORIZED,
                "reauthorize": NO,
                "migration": _SELF,
                "fresh": YES,
                "occupied": NO,
            },
            "Deauthorized, and these tokens are newer",
        ),
        Rule(
            "relink-stale",
            {
                "wanted": _LINKED,
                "live": _DEAUTHORIZED,
                "reauthorize": NO,
                "migration": _SELF,
                "fresh": NO,
                "occupied": NO,
            },
            "Deauthorized, and the tokens we hold are stale",
            attention=AttentionCode.RELINK,
        ),
        Rule(
            "relink",
            {
                "wanted": _LINKED,
                "live": _DEAUTHORIZED,
                "reauthorize": NO,
                "migration": _NOT_SELF,
                "occupied": NO,
            },
            "Deauthorized",
            attention=AttentionCode.RELINK,
        ),
        *_sends_again(
            "reauthorize-unlinked",
            {"wanted": _LINKED, "live": _SEVERED, "reauthorize": YES, "occupied": NO},
            "Unlinked, and --reauthorize names it",
        ),
        Rule(
            "severed",
            {"wanted": _LINKED, "live": _SEVERED, "reauthorize": NO, "occupied": NO},
            "Unlinked: someone withdrew access on purpose",
            attention=AttentionCode.UNLINKED,
        ),
    ),
)

STRAY_RULES: Final = RuleTable(
    StraySituation,
    (
        Rule(
            "stray-prune",
            {"live": _PENDING, "prune": YES},
            "in no spec, never authorized, and --prune",
            (Kind.CONNECTION_DELETE,),
        ),
        Rule(
            "stray-pending", {"live": _PENDING, "prune": NO}, "in no spec", attention=AttentionCode.UNMANAGED
        ),
        Rule(
            "stray",
            {"live": (*_NONE, *_LIVE, *_DEAUTHORIZED, *_SEVERED, *_UNKNOWN)},
            "in no spec",
            attention=AttentionCode.UNMANAGED,
        ),
    ),
)
