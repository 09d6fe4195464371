"""The checks of verify as a table: every row complains of its own thing and of nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.live import DataStatus, Live, LiveCompany, LiveConnection, LiveError, PullState, Status
from reconciler.migration import Verdict
from reconciler.model import (
    Address,
    DesiredCompany,
    DesiredConnection,
    Migration,
    Platform,
    SourceType,
    SyncPolicy,
)
from reconciler.plan import Attention, AttentionCode
from reconciler.verification import ConnectionState, evidence_of, verified
from reconciler.verification.checks import CHECKS

ADDRESS = Address("acme", "books")
XERO = Platform(
    key="gbol", name="Xero", source_type=SourceType.ACCOUNTING, data_types=frozenset({"invoices", "bills"})
)
DONE = DataStatus(data_type="invoices", status="Complete", state=PullState.DONE)
CONNECTION = LiveConnection(id="b1", platform_key="gbol", platform_name="Xero", status=Status.LINKED)
COMPANY = LiveCompany(id="c1", name="Acme", connections=(CONNECTION,))
DESIRED = DesiredConnection(
    key="books",
    platform="xero",
    platform_key="gbol",
    source_type=SourceType.ACCOUNTING,
    migration=Migration.SELF_SERVICE,
)
STANDING = ConnectionState(
    ADDRESS, DesiredCompany(key="acme", name="Acme"), DESIRED, COMPANY, CONNECTION, None
)


def complaints(
    standing: ConnectionState = STANDING,
    *statuses: DataStatus,
    platform: Platform = XERO,
    fetched: frozenset[str] = frozenset({"invoices", "commerce-orders"}),
    strays: tuple[LiveCompany, ...] = (),
) -> set[tuple[str, str]]:
    live = Live(companies=(), platforms=(platform,), fetched_types=fetched)
    found = verified(evidence_of(standing, live, statuses, strays))
    assert all(complaint.message and complaint.fix for complaint in found.complaints)
    return {(complaint.check, complaint.verdict.value) for complaint in found.complaints}


def connection(**changes: Any) -> ConnectionState:
    return replace(STANDING, live=replace(CONNECTION, **changes))


def wanted(**changes: Any) -> ConnectionState:
    return replace(STANDING, connection=replace(DESIRED, **changes))


GATE = Attention(code=AttentionCode.GATE, address=ADDRESS, message="confirm first")
QUEUED = DataStatus(data_type="invoices", status="Queued", state=PullState.RUNNING)

CASES: dict[str, tuple[set[tuple[str, str]], set[tuple[str, str]]]] = {
    "all is well": (complaints(STANDING, DONE), set()),
    "a type that the platform does not have is not asked for": (complaints(STANDING, DONE), set()),
    "not supported is no failure": (
        complaints(STANDING, DataStatus(data_type="invoices", status="NotSupported", state=PullState.DONE)),
        set(),
    ),
    "not in Codat": (
        complaints(replace(STANDING, live=None, live_company=None)),
        {("in-codat", "pending")},
    ),
    "in trouble": (
        complaints(
            replace(
                STANDING,
                live=None,
                attention=Attention(code=AttentionCode.AMBIGUOUS, address=ADDRESS, message="which"),
            )
        ),
        {("in-codat", "failed")},
    ),
    "pending": (complaints(connection(status=Status.PENDING_AUTH)), {("linked", "pending")}),
    "pending behind a gate": (
        complaints(replace(connection(status=Status.PENDING_AUTH), attention=GATE)),
        {("linked", "failed")},
    ),
    "deauthorized": (complaints(connection(status=Status.DEAUTHORIZED)), {("linked", "failed")}),
    "unlinked": (complaints(connection(status=Status.UNLINKED)), {("linked", "failed")}),
    "unknown": (complaints(connection(status=Status.UNKNOWN)), {("linked", "failed")}),
    "an open error": (
        complaints(connection(errors=(LiveError(message="no", status_code="401"),)), DONE),
        {("no-open-error", "failed")},
    ),
    "a resolved error": (
        complaints(connection(errors=(LiveError(message="no", active=False),)), DONE),
        set(),
    ),
    "a failed type": (
        complaints(STANDING, DataStatus(data_type="invoices", status="FetchError", state=PullState.FAILED)),
        {("data", "failed"), ("first-sync", "pending")},
    ),
    "never synced": (complaints(STANDING), {("data", "pending"), ("first-sync", "pending")}),
    "nothing to fetch": (
        complaints(STANDING, DONE, fetched=frozenset()),
        {("data", "failed"), ("first-sync", "pending")},
    ),
    "queued": (complaints(STANDING, QUEUED), {("data", "pending"), ("first-sync", "pending")}),
    "queued offline": (
        complaints(STANDING, QUEUED, platform=replace(XERO, is_offline=True)),
        {("data", "offline")},
    ),
    "another type is named": (
        complaints(wanted(sync=SyncPolicy(data_types=("bills",))), DONE),
        {("data", "pending"), ("first-sync", "pending")},
    ),
    "never to be synced": (complaints(wanted(sync=SyncPolicy(never=True))), set()),
    "a bank feed": (complaints(wanted(source_type=SourceType.BANK_FEED)), set()),
    "a stray of a managed migration": (
        complaints(wanted(migration=Migration.MANAGED), DONE, strays=(LiveCompany(id="c2", name="Acme"),)),
        {("no-stray-company", "failed")},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_situation_is_complained_of_as_it_should(case: str) -> None:
    found, expected = CASES[case]
    assert found == expected


def test_every_row_of_the_table_is_tried() -> None:
    tried = {pair for _, expected in CASES.values() for pair in expected}
    assert {(check.name, check.verdict.value) for check in CHECKS} == tried


def test_no_row_passes_by_itself() -> None:
    assert Verdict.PASSED not in {check.verdict for check in CHECKS}
