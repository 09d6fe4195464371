"""The forecast counts what the quota counts: the look before a change of what exists, beside the writes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.actions import (
    Action,
    AdoptCompany,
    AuthorizeConnection,
    Change,
    CreateCompany,
    CreateConnection,
    DeleteCompany,
    DeleteConnection,
    SetSyncSettings,
    SyncCompany,
    SyncTarget,
    UnlinkConnection,
    UpdateCompany,
)
from reconciler.apply.failing import RESUME
from reconciler.codat import Meter
from reconciler.fields import by_path
from reconciler.live import LiveCompany, Status
from reconciler.model import Address, Mark
from reconciler.plan import Basis, Plan
from reconciler.workflow.reading import forecast

ACME, BOOKS = Address("acme"), Address("acme", "books")
LIVE = LiveCompany("1", "Acme")
CHANGES = (Change("name", "Acme", "Acme Stores"),)


def authorize(observed: Status | None) -> AuthorizeConnection:
    return AuthorizeConnection(BOOKS, "why", "1", "2" if observed else None, "xero", "gbol", observed, {})


def told(*actions: Action, remaining: int = 0) -> str:
    plan = Plan("t", "prod", "https://api", actions, (), 0, Basis("", {}))
    meter = Meter()
    meter.remaining, meter.limit = remaining, 1000
    (said,) = forecast(plan, meter, datetime(2026, 11, 24, tzinfo=UTC), again=RESUME)
    return said


@pytest.mark.parametrize(
    ("action", "needed"),
    [
        pytest.param(CreateCompany(ACME, "why", by_path({"name": "Acme"}, {})), 1, id="create-company"),
        pytest.param(AdoptCompany(ACME, "why", "1", CHANGES, LIVE), 2, id="adopt"),
        pytest.param(UpdateCompany(ACME, "why", "1", CHANGES, LIVE), 2, id="update"),
        pytest.param(SetSyncSettings(ACME, "why", "1", CHANGES, {}), 3, id="sync-settings-before-and-after"),
        pytest.param(DeleteCompany(ACME, "why", "1", "Acme", False, LIVE), 2, id="delete-company"),
        pytest.param(UnlinkConnection(BOOKS, "why", "1", "2", "xero"), 2, id="unlink"),
        pytest.param(
            DeleteConnection(BOOKS, "why", "1", "2", "xero", Status.LINKED, False), 2, id="delete-connection"
        ),
        pytest.param(CreateConnection(BOOKS, "why", "1", "xero", "gbol"), 1, id="create-connection"),
        pytest.param(
            CreateConnection(BOOKS, "why", "1", "xero", "gbol", {"books": Mark()}), 3, id="and-record-links"
        ),
        pytest.param(authorize(None), 1, id="authorize-one-that-this-plan-creates"),
        pytest.param(authorize(Status.PENDING_AUTH), 2, id="authorize-one-that-existed"),
        pytest.param(SyncCompany(ACME, "why", "1", (SyncTarget(BOOKS, "2"),)), 1, id="sync"),
    ],
)
def test_an_action_needs_its_writes_and_its_looks(action: Action, needed: int) -> None:
    assert f"this plan needs {needed}" in told(action)
    assert "will stop" not in told(action, remaining=needed)
    assert "will stop" in told(action, remaining=needed - 1)


def test_looks_are_told_apart_from_writes() -> None:
    assert "this plan needs 2 (1 to write, 1 to look) and will stop" in told(
        UpdateCompany(ACME, "why", "1", CHANGES, LIVE)
    )
