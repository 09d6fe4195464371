"""The day's quota: said before the first write, a clean stop, and the next day the same command goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from installed import company, connection, over_http, run, write_specs
from loopback import serving

from reconciler.sandbox import Sandbox
from reconciler.workflow.quota import until_reset


def test_a_plan_beyond_the_quota_stops_cleanly_and_goes_on_the_next_day(
    tmp_path: Path,
) -> None:
    keys = [f"c{number:02}" for number in range(50)]
    specs = write_specs(tmp_path, [company(key, connection("books", "xero", "TOKEN")) for key in keys])
    sandbox = Sandbox(settings={"syncSeconds": 0, "quota": 20})
    with serving(sandbox) as url:
        env = over_http(url) | {"TOKEN": "good"}
        first = run("apply", specs, "--yes", cwd=tmp_path, env=env)
        assert first.returncode == 1
        assert "this plan needs 200 and will stop after about" in first.stdout
        assert "quota-exhausted" in first.stdout
        assert "Not started" in first.stdout
        assert sum(entry["tookEffect"] for entry in sandbox.journal()) <= 20
        sandbox.advance(24 * 3600)
        sandbox.set(quota=5000)
        second = run("apply", specs, "--yes", cwd=tmp_path, env=env)
        assert second.returncode == 0, second.stdout
    effective = [entry for entry in sandbox.journal() if entry["tookEffect"] and not entry["replayed"]]
    assert len(effective) == 200
    assert len(sandbox.state()["companies"]) == 50


def test_a_quota_that_suffices_is_said_without_alarm(tmp_path: Path) -> None:
    specs = write_specs(tmp_path, [company("acme", connection("books", "xero", "TOKEN"))])
    with serving(Sandbox(settings={"quota": 1000})) as url:
        done = run("plan", specs, cwd=tmp_path, env=over_http(url) | {"TOKEN": "good"})
    assert "requests remain of today's quota, 100 of them for others (limits.reserve).\n" in done.stdout
    assert "will stop" not in done.stdout


def test_the_wait_ends_just_after_midnight_in_utc() -> None:
    late = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
    assert until_reset(late) == timedelta(minutes=31).total_seconds()
    elsewhere = datetime.fromisoformat("2026-11-25T01:30:00+02:00")
    assert until_reset(elsewhere) == timedelta(minutes=31).total_seconds()
