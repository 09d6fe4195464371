"""Sync settings by which Codat would drop what it has synced are removals, and none happens unasked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import company, connection, plan_for, policy, wanted

from reconciler.actions import SetSyncSettings
from reconciler.live import LiveCompany, LiveSyncSettings
from reconciler.model import SyncSettings
from reconciler.plan import Plan
from reconciler.planner import as_reviewed
from reconciler.workspace import Guard, Limit

FULL = {"syncOrder": 0}
WINDOW = {"syncFromWindow": 24, "monthsToSync": 24}
SINCE = {"syncFromUtc": "2024-01-01T00:00:00Z"}


def live(members: dict[str, object], *, synced: bool = True) -> LiveCompany:
    found = company(connection())
    connections = tuple(
        connection if synced else replace(connection, last_sync=None) for connection in found.connections
    )
    return replace(
        found, connections=connections, sync_settings=LiveSyncSettings({"invoices": members}, True)
    )


def plan(members: dict[str, object], spec: SyncSettings | None, **options: object) -> Plan:
    return plan_for(wanted(sync_settings=spec), live(members), policy(**options))


def narrowed(made: Plan) -> list[str]:
    return [path for action in made.actions if isinstance(action, SetSyncSettings) for path in action.narrows]


CASES = {
    "a shorter window": (WINDOW, {"syncFromWindow": 12}, ["syncFromWindow"]),
    "a longer window": (WINDOW, {"syncFromWindow": 36}, []),
    "a window where there was none": (FULL, {"syncFromWindow": 36}, ["syncFromWindow"]),
    "a later date": (SINCE, {"syncFromUtc": "2025-01-01T00:00:00Z"}, ["syncFromUtc"]),
    "an earlier date": (SINCE, {"syncFromUtc": "2023-01-01T00:00:00Z"}, []),
    "a date for a window": (WINDOW, {"syncFromUtc": "2000-01-01T00:00:00Z"}, ["syncFromUtc"]),
    "fewer months": (WINDOW, {"monthsToSync": 6}, ["monthsToSync"]),
    "another schedule": (WINDOW, {"syncSchedule": 6, "fetchOnFirstLink": False}, []),
}


@pytest.mark.parametrize(("before", "after", "paths"), CASES.values(), ids=CASES)
def test_what_fetches_less_is_marked_named_and_refused(before, after, paths: list[str]) -> None:
    made = plan(before, {"invoices": after})
    assert narrowed(made) == [f"syncSettings.invoices.{path}" for path in paths]
    assert [refusal.message.endswith("pass --allow-narrowings 1") for refusal in made.refusals] == [
        True
    ] * len(paths)
    assert all(f"invoices.{path}" in made.actions[0].reason for path in paths)


def test_going_back_to_the_profile_may_fetch_less() -> None:
    assert narrowed(plan(WINDOW, None)) == ["syncSettings.overridesDefaults"]


def test_a_company_without_synced_data_has_nothing_to_lose() -> None:
    unsynced = live(WINDOW, synced=False)
    made = plan_for(wanted(sync_settings={"invoices": {"syncFromWindow": 1}}), unsynced)
    assert (narrowed(made), made.refusals) == ([], ())


@pytest.mark.parametrize(
    "options", [{"allow_narrowings": 1}, {"guard": Guard(max_narrowings=Limit(1))}], ids=["flag", "guard"]
)
def test_whoever_means_it_can_permit_it(options: dict[str, object]) -> None:
    assert plan(WINDOW, {"invoices": {"syncFromWindow": 1}}, **options).refusals == ()


def test_settings_that_were_reviewed_before_there_was_data_to_lose_are_stale() -> None:
    spec = wanted(sync_settings={"invoices": {"syncFromWindow": 1}})
    reviewed = plan_for(spec, live(WINDOW, synced=False)).shown()
    now = plan_for(spec, live(WINDOW))
    assert [stale.address for stale in as_reviewed(reviewed, now).stale] == ["acme"]
