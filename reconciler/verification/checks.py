"""Codat's own end-to-end test of a migration, as a table of checks (https://docs.codat.io/get-started/migration).

A pure function from what was read to findings. A row complains where its ``is_wrong`` says so; a check
of which no row complains has passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.live import DataStatus, LiveCompany, PullState, Status
from reconciler.migration import Finding, Verdict, Verified
from reconciler.model import QUICKBOOKS_DESKTOP, Migration
from reconciler.verification.evidence import Evidence
from reconciler.wording import listed

_NAMED: Final = 8
"""Data types that a message names before it counts the rest."""


Test = Callable[[Evidence], bool]
Say = Callable[[Evidence], str]


@dataclass(frozen=True, slots=True)
class Check:
    """A row: what is wrong, how bad it is, what to say and what to do about it."""

    name: str
    verdict: Verdict
    applies: Test
    is_wrong: Test
    message: Say
    fix: Say


def _always(_: Evidence) -> bool:
    return True


def _is_there(evidence: Evidence) -> bool:
    return evidence.standing.live is not None


def _is_linked(evidence: Evidence) -> bool:
    return evidence.standing.is_linked


def _is_synced(evidence: Evidence) -> bool:
    return evidence.standing.is_synced_by_us


def _is_managed(evidence: Evidence) -> bool:
    return evidence.standing.connection.migration is Migration.MANAGED


def _has_status(*statuses: Status) -> Test:
    return lambda evidence: evidence.standing.live is not None and evidence.standing.live.status in statuses


def _is_blocked(evidence: Evidence) -> bool:
    return evidence.standing.live is None and evidence.standing.is_blocked


def _is_absent(evidence: Evidence) -> bool:
    return evidence.standing.live is None and not evidence.standing.is_blocked


def _is_held_up(evidence: Evidence) -> bool:
    return _has_status(Status.PENDING_AUTH)(evidence) and evidence.standing.is_blocked


def _is_awaited(evidence: Evidence) -> bool:
    return _has_status(Status.PENDING_AUTH)(evidence) and not evidence.standing.is_blocked


def _attention(evidence: Evidence) -> str:
    note = evidence.standing.attention
    return f"{note.code}: {note.message}" if note else ""


def _absent(evidence: Evidence) -> str:
    return f"Codat has no such {'connection' if evidence.standing.live_company else 'company'}"


def _status(evidence: Evidence) -> str:
    live = evidence.standing.live
    return f"the connection is {live.status}, not Linked" if live else ""


def _how_to_link(evidence: Evidence) -> str:
    return _LINKERS[evidence.standing.connection.migration]


_LINKERS: Final[Mapping[Migration, str]] = {
    Migration.SELF_SERVICE: "run apply, which hands over the tokens",
    Migration.MANAGED: "Codat's team imports the token; ask them how far they are",
    Migration.LINK: "the customer links; codat-sync links writes the URLs to send",
}


def _errors(evidence: Evidence) -> str:
    told = "; ".join(
        f"{error.message}{f' ({error.status_code})' if error.status_code else ''}"
        for error in evidence.active_errors
    )
    return f"Codat reports an open error: {told}"


def _failed_types(evidence: Evidence) -> str:
    failed = evidence.in_state(PullState.FAILED)
    return f"the last sync failed: {_named(f'{status.data_type} {status.status}' for status in failed)}"


def _failed_fix(evidence: Evidence) -> str:
    statuses = {status.status.lower() for status in evidence.in_state(PullState.FAILED)}
    if "autherror" in statuses:
        return "the customer must reconnect; codat-sync links writes the URL once Codat says Deauthorized"
    return "see the company's data history in Codat, then run apply --retry-syncs"


def _unfinished(evidence: Evidence) -> str:
    running = _named(f"{status.data_type} {status.status}" for status in evidence.running)
    never = _named(evidence.never_synced)
    return "; ".join(
        filter(None, (running and f"still syncing: {running}", never and f"never synced: {never}"))
    )


def _unfinished_fix(evidence: Evidence) -> str:
    if evidence.running:
        return "wait, or verify again with --wait 15m"
    return "run apply, which starts a sync that is due"


def _offline(evidence: Evidence) -> str:
    scheduled = " and its schedule is due" if _waits_for_schedule(evidence) else ""
    named = _named(_types(evidence.queued_offline))
    return f"queued until the customer's connector is online{scheduled}: {named}"


def _offline_fix(evidence: Evidence) -> str:
    if _waits_for_schedule(evidence):
        return "the first sync runs at the time that the customer has set there; nothing is wrong here"
    return "the customer starts the connector on their machine; nothing is wrong here"


def _waits_for_schedule(evidence: Evidence) -> bool:
    """Whether this is a first sync of QuickBooks Desktop, which the customer's own schedule starts."""
    is_desktop = evidence.platform is not None and evidence.platform.key == QUICKBOOKS_DESKTOP
    return is_desktop and not evidence.has_first_sync


def _strays(evidence: Evidence) -> str:
    found = "; ".join(f"{stray.id} ({_held(stray)})" for stray in evidence.strays)
    return f"Codat has another company of this name, which the import may have made: {found}"


def _held(company: LiveCompany) -> str:
    held = ", ".join(
        f"{connection.platform_name or connection.platform_key} {connection.status}"
        for connection in company.connections
    )
    return held or "no connection"


def _types(statuses: Iterable[DataStatus]) -> Iterator[str]:
    return (status.data_type for status in statuses)


def _named(names: Iterable[str]) -> str:
    return listed(tuple(names), _NAMED)


CHECKS: Final = (
    Check("in-codat", Verdict.FAILED, _always, _is_blocked, _attention, lambda _: "settle what plan names"),
    Check("in-codat", Verdict.PENDING, _always, _is_absent, _absent, lambda _: "run apply, which creates it"),
    Check(
        "linked",
        Verdict.FAILED,
        _is_there,
        _has_status(Status.DEAUTHORIZED),
        lambda _: "reauthorization is required: access was revoked or has expired",
        lambda _: "the customer must reconnect; codat-sync links writes the URL to send",
    ),
    Check(
        "linked",
        Verdict.FAILED,
        _is_there,
        _has_status(Status.UNLINKED, Status.UNKNOWN),
        _status,
        lambda _: "plan says what to do about it",
    ),
    Check("linked", Verdict.FAILED, _is_there, _is_held_up, _status, _attention),
    Check("linked", Verdict.PENDING, _is_there, _is_awaited, _status, _how_to_link),
    Check(
        "no-open-error",
        Verdict.FAILED,
        _is_linked,
        lambda evidence: bool(evidence.active_errors),
        _errors,
        lambda _: "see the connection in Codat; an error that Codat resolves no longer counts",
    ),
    Check(
        "data",
        Verdict.FAILED,
        _is_synced,
        lambda evidence: not evidence.asked,
        lambda _: "no data type is asked for: the Codat profile fetches none that this platform has",
        lambda _: "mark some under Settings > Data types in Codat, or name them with sync.dataTypes",
    ),
    Check(
        "data",
        Verdict.FAILED,
        _is_synced,
        lambda evidence: bool(evidence.in_state(PullState.FAILED)),
        _failed_types,
        _failed_fix,
    ),
    Check(
        "data",
        Verdict.PENDING,
        _is_synced,
        lambda evidence: bool(evidence.running or evidence.never_synced),
        _unfinished,
        _unfinished_fix,
    ),
    Check(
        "data",
        Verdict.OFFLINE,
        _is_synced,
        lambda evidence: bool(evidence.queued_offline),
        _offline,
        _offline_fix,
    ),
    Check(
        "first-sync",
        Verdict.PENDING,
        lambda evidence: _is_synced(evidence) and not evidence.queued_offline,
        lambda evidence: not evidence.has_first_sync,
        lambda _: "the first sync has not ended",
        _unfinished_fix,
    ),
    Check(
        "no-stray-company",
        Verdict.FAILED,
        lambda evidence: _is_managed(evidence) and _is_there(evidence),
        lambda evidence: bool(evidence.strays),
        _strays,
        lambda _: (
            "tell Codat's team which company is meant, and delete the other when they have moved the token"
        ),
    ),
)
"""Every check, in the order in which it is shown. A check may have rows of several verdicts."""


def verified(evidence: Evidence) -> Verified:
    """What the checks find at one connection."""
    standing = evidence.standing
    return Verified(
        address=standing.address,
        platform=standing.connection.platform,
        findings=tuple(_findings(evidence)),
        company_id=standing.live_company.id if standing.live_company else None,
        connection_id=standing.live.id if standing.live else None,
    )


def _findings(evidence: Evidence) -> Iterator[Finding]:
    """The complaints of every check that applies, or that it passed."""
    applicable = [check for check in CHECKS if check.applies(evidence)]
    for name in dict.fromkeys(check.name for check in applicable):
        wrong = [check for check in applicable if check.name == name and check.is_wrong(evidence)]
        for row in wrong:
            yield Finding(
                check=name, verdict=row.verdict, message=row.message(evidence), fix=row.fix(evidence)
            )
        if not wrong:
            yield Finding(check=name, verdict=Verdict.PASSED)


# --- gathering evidence from what was read -----------------------------------------------------
