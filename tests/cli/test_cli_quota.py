"""The day's quota: said before the first write, a clean stop, and the next day the same command goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from installed import company, connection, over_http, run, write_specs
from loopback import serving
from migrating import Move
from virtual_time import START

from reconciler.sandbox import Sandbox
from reconciler.workflow.applying import ApplyRequest
from reconciler.workflow.endpoint import Endpoint
from reconciler.workflow.planning import Context, PlanRequest
from reconciler.workflow.quota import apply_through_quota, until_reset


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
    # A company that waited for its connection for a day is told which one it is once that is there.
    assert sum(entry["method"] != "PATCH" for entry in effective) == 200
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


REGIONS = ("acme", "bravo", "delta")


def regions(move: Move) -> dict[str, str]:
    return {key: move.company(key)["tags"]["region"] for key in REGIONS}


class LateEvening:
    """Waiting for midnight takes eleven minutes of Codat's, in which someone undoes what was changed."""

    def __init__(self, move: Move) -> None:
        self.move = move
        self.undone: list[str] = []

    def now(self) -> datetime:
        return START

    async def sleep(self, seconds: float) -> None:
        assert seconds > 0
        assert not self.undone, "it waits for a second night"
        self.move.sandbox.advance(11 * 60)
        self.move.sandbox.set(quota=100)
        self.undone = [key for key, region in regions(self.move).items() if region == "eu"]
        for key in self.undone:
            found = self.move.company(key)
            changes = {"tags": {**found["tags"], "region": "us"}}
            await self.move.talk(
                lambda client, i=found["id"], c=changes: client.update_company(i, c, uuid4())
            )


def test_after_midnight_what_someone_undid_is_changed_again_and_not_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    move = Move(tmp_path, capsys)
    move.settings("limits: {reserve: 0%, concurrency: 1}\n")

    def want(region: str) -> None:
        wanted = "".join(f"  {key}: {{name: {key.title()}, tags: {{region: {region}}}}}\n" for key in REGIONS)
        (tmp_path / "specs" / "companies.yaml").write_text(f"version: 1\ncompanies:\n{wanted}")

    want("uk")
    assert move.apply() == 0
    want("eu")
    now = datetime.fromisoformat(move.sandbox.state()["now"])
    ten_to_midnight = (now + timedelta(days=1)).replace(hour=23, minute=50)
    move.sandbox.advance((ten_to_midnight - now).total_seconds())
    move.sandbox.set(quota=7)
    clock = LateEvening(move)
    place = Context(Endpoint({}, sandbox_file=tmp_path / "codat.db"), clock)
    request = ApplyRequest(PlanRequest(tmp_path / "specs", place), 7)

    applied = apply_through_quota(request, ask=lambda _: True, observer=lambda _: None)

    assert clock.undone, "nothing was changed before midnight"
    assert applied.outcome is not None
    assert applied.outcome.is_complete
    assert set(regions(move).values()) == {"eu"}
