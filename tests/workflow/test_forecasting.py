"""The forecast counts what the quota counts: the look before a change of what exists, beside the writes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.actions import (
    Action,
    AdoptCompany,
    AuthorizeConnection,
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
from reconciler.kinds import Change
from reconciler.live import LiveCompany, Status
from reconciler.model import Address, Mark
from reconciler.plan import Basis, Plan
from reconciler.workflow.reading import forecast

ACME, BOOKS = Address("acme"), Address("acme", "books")
LIVE = LiveCompany(id="1", name="Acme")
CHANGES = (Change(path="name", before="Acme", after="Acme Stores"),)


def authorize(observed: Status | None) -> AuthorizeConnection:
    return AuthorizeConnection(
        address=BOOKS,
        reason="why",
        company_id="1",
        connection_id="2" if observed else None,
        platform="xero",
        platform_key="gbol",
        observed=observed,
        authorization={},
    )


def told(*actions: Action, remaining: int = 0) -> str:
    plan = Plan(
        tool="t",
        workspace="prod",
        api="https://api",
        actions=actions,
        attention=(),
        unchanged=0,
        basis=Basis("", {}),
    )
    meter = Meter()
    meter.remaining, meter.limit = remaining, 1000
    (said,) = forecast(plan, meter, datetime(2026, 11, 24, tzinfo=UTC), again=RESUME)
    return said


@pytest.mark.parametrize(
    ("action", "needed"),
    [
        pytest.param(
            CreateCompany(address=ACME, reason="why", fields=by_path({"name": "Acme"}, {})),
            1,
            id="create-company",
        ),
        pytest.param(
            AdoptCompany(address=ACME, reason="why", company_id="1", changes=CHANGES, observed=LIVE),
            2,
            id="adopt",
        ),
        pytest.param(
            UpdateCompany(address=ACME, reason="why", company_id="1", changes=CHANGES, observed=LIVE),
            2,
            id="update",
        ),
        pytest.param(
            SetSyncSettings(address=ACME, reason="why", company_id="1", changes=CHANGES, settings={}),
            3,
            id="sync-settings-before-and-after",
        ),
        pytest.param(
            DeleteCompany(
                address=ACME, reason="why", company_id="1", name="Acme", pruned=False, observed=LIVE
            ),
            2,
            id="delete-company",
        ),
        pytest.param(
            UnlinkConnection(address=BOOKS, reason="why", company_id="1", connection_id="2", platform="xero"),
            2,
            id="unlink",
        ),
        pytest.param(
            DeleteConnection(
                address=BOOKS,
                reason="why",
                company_id="1",
                connection_id="2",
                platform="xero",
                status=Status.LINKED,
                pruned=False,
            ),
            2,
            id="delete-connection",
        ),
        pytest.param(
            CreateConnection(
                address=BOOKS, reason="why", company_id="1", platform="xero", platform_key="gbol"
            ),
            1,
            id="create-connection",
        ),
        pytest.param(
            CreateConnection(
                address=BOOKS,
                reason="why",
                company_id="1",
                platform="xero",
                platform_key="gbol",
                links={"books": Mark()},
            ),
            3,
            id="and-record-links",
        ),
        pytest.param(authorize(None), 1, id="authorize-one-that-this-plan-creates"),
        pytest.param(authorize(Status.PENDING_AUTH), 2, id="authorize-one-that-existed"),
        pytest.param(
            SyncCompany(
                address=ACME,
                reason="why",
                company_id="1",
                targets=(SyncTarget(address=BOOKS, connection_id="2"),),
            ),
            1,
            id="sync",
        ),
    ],
)
def test_an_action_needs_its_writes_and_its_looks(action: Action, needed: int) -> None:
    assert f"this plan needs {needed}" in told(action)
    assert "will stop" not in told(action, remaining=needed)
    assert "will stop" in told(action, remaining=needed - 1)


def test_looks_are_told_apart_from_writes() -> None:
    assert "this plan needs 2 (1 to write, 1 to look) and will stop" in told(
        UpdateCompany(address=ACME, reason="why", company_id="1", changes=CHANGES, observed=LIVE)
    )
