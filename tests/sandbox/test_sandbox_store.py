"""The file: whose it is, who may share it, and what survives."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sandbox_api import KEY, START, Api

from reconciler.sandbox import Sandbox, SandboxError, reset
from reconciler.sandbox.answering import answer_call
from reconciler.sandbox.answers import Answer, Call, Problem
from reconciler.sandbox.store import Session

WRITER = """
import asyncio, sys, uuid, httpx
from reconciler.sandbox import Sandbox

async def main(path, name, count):
    transport = httpx.ASGITransport(app=Sandbox(path))
    headers = {"Authorization": "Basic eA=="}
    async with httpx.AsyncClient(transport=transport, base_url="http://x", headers=headers) as client:
        for number in range(count):
            key = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name} {number}"))
            body = {"name": f"{name} {number}", "tags": {"writer": name, "number": str(number)}}
            answer = await client.post("/companies", json=body, headers={"Idempotency-Key": key})
            answer.raise_for_status()
            print(number, flush=True)

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


def writer(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(count)], stdout=subprocess.PIPE, text=True
    )


def test_state_outlives_the_process(tmp_path: Path) -> None:
    first = Sandbox(tmp_path / "s.db", now=lambda: START)
    company = Api(first).company(tags={"a": "1"})
    connection = Api(first).linked(company)
    first.advance(60)
    first.set(quota=9)
    first.close()
    second = Sandbox(tmp_path / "s.db", now=lambda: START)
    assert Api(second).status(connection) == "Linked"
    assert Api(second).names(tags="a=1") == ["Acme"]
    assert second.state()["now"] == "2026-11-24T09:01:00Z"
    assert second.state()["settings"]["quota"] == 9
    second.close()


def test_a_killed_writer_leaves_all_that_it_was_told_and_its_keys(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    process = writer(path, "killed", 10_000)
    assert process.stdout is not None
    told = 0
    while told < 30:
        told = int(process.stdout.readline()) + 1
    process.kill()
    told += len(process.stdout.read().splitlines())
    process.wait()
    process.stdout.close()
    sandbox = Sandbox(path)
    made = [company["tags"]["number"] for company in sandbox.state()["companies"]]
    sandbox.close()
    assert made == [str(number) for number in range(len(made))]
    assert told <= len(made) <= told + 1, "at most the one that was in flight"
    resumed = writer(path, "killed", len(made) + 1)
    assert resumed.wait(timeout=60) == 0
    assert resumed.stdout is not None
    resumed.stdout.close()
    sandbox = Sandbox(path)
    assert len(sandbox.state()["companies"]) == len(made) + 1, "every key was replayed but the new one"
    sandbox.close()


def test_two_processes_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    processes = [writer(path, name, 60) for name in ("one", "two")]
    for process in processes:
        assert process.wait(timeout=60) == 0
        assert process.stdout is not None
        process.stdout.close()
    sandbox = Sandbox(path)
    names = {company["name"] for company in sandbox.state()["companies"]}
    sandbox.close()
    assert names == {f"{name} {number}" for name in ("one", "two") for number in range(60)}


@pytest.mark.parametrize(
    ("content", "way_out"),
    [
        ("an older version", "codat-sync sandbox reset"),
        ("another program's", "name another file"),
        ("no database", "name another file"),
    ],
)
def test_a_file_that_is_not_ours_is_refused_with_the_way_out(
    tmp_path: Path, content: str, way_out: str
) -> None:
    path = tmp_path / "s.db"
    if content == "no database":
        path.write_text("a text that is long enough to be looked at " * 10)
    elif content == "an older version":
        Sandbox(path).close()
        sqlite3.connect(path).executescript("PRAGMA user_version = 0")
    else:
        sqlite3.connect(path).executescript("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    with pytest.raises(SandboxError, match=way_out):
        Sandbox(path)
    assert path.read_bytes() == before
    if content == "an older version":
        reset(path)
        assert not path.exists()
    else:
        with pytest.raises(SandboxError, match="is left alone"):
            reset(path)
        assert path.read_bytes() == before


def test_a_directory_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="cannot open"):
        Sandbox(tmp_path / "missing" / "s.db")


def test_reset_removes_the_file_and_what_stands_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    Sandbox(path).close()
    for suffix in ("-wal", "-shm", "-journal"):
        Path(f"{path}{suffix}").touch()
    (tmp_path / "s.db.mine").touch()
    reset(path)
    reset(path)
    assert [place.name for place in tmp_path.iterdir()] == ["s.db.mine"]


def test_the_same_seed_gives_the_same_ids_and_reads_do_not_shift_them() -> None:
    def told(reads: int) -> str:
        sandbox = Sandbox(now=lambda: START, seed=11)
        api = Api(sandbox)
        for _ in range(reads):
            api("GET", "/nothing")
        connection = api.linked(api.company())
        api.ok("POST", connection.rsplit("/", 2)[0] + "/data/all")
        shown = sandbox.state()
        sandbox.close()
        return json.dumps(shown)

    assert told(0) == told(3)


def test_another_seed_and_no_seed_give_other_ids() -> None:
    made = set()
    for seed in (1, 2, None, None):
        sandbox = Sandbox(seed=seed)
        made.add(Api(sandbox).company())
        sandbox.close()
    assert len(made) == 4


def test_a_seed_goes_on_where_it_was_when_the_file_is_opened_again(tmp_path: Path) -> None:
    made = []
    for _ in range(2):
        sandbox = Sandbox(tmp_path / "s.db", seed=1)
        made.append(Api(sandbox).company())
        sandbox.close()
    assert len(set(made)) == 2


def test_no_token_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    sandbox = Sandbox(path)
    api = Api(sandbox)
    connection = api.connection(api.company())
    tokens = {"accessToken": "canary-token", "realmId": "canary-realm"}
    api.ok("PUT", f"{connection}/authorization", tokens, key=KEY)
    api("PUT", f"{connection}/authorization", {"accessToken": "bad-canary"})
    shown = json.dumps([sandbox.state(), sandbox.journal()])
    sandbox.close()
    assert b"canary" not in path.read_bytes()
    assert "canary" not in shown
    assert "otp=" not in shown


def test_a_refused_request_takes_back_what_it_had_written(sandbox: Sandbox) -> None:
    def write_then_refuse(session: Session, _call: Call) -> Answer:
        session.counted("written")
        raise Problem(400)

    call = Call("POST", "/companies", "/companies", authorization="Basic eA==", key=KEY)
    answers = [answer_call(sandbox._store, write_then_refuse, call) for _ in range(2)]
    assert [answer.status for answer in answers] == [400, 400]
    assert [document["replayed"] for document in sandbox.journal()] == [False, True]
    with sandbox._store.transaction() as session:
        assert session.counted("written", 0) == 0


def test_its_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Sandbox(tmp_path / "new.db").close()
        (tmp_path / "new.db").chmod(0o644)
        Sandbox(tmp_path / "new.db").close()
        Sandbox(tmp_path / "another.db").close()
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_database_that_is_not_its_own_keeps_its_mode(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE t (x)")
    other.close()
    (tmp_path / "other.db").chmod(0o644)
    with pytest.raises(SandboxError):
        Sandbox(tmp_path / "other.db")
    assert stat.S_IMODE((tmp_path / "other.db").stat().st_mode) == 0o644
