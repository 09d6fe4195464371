"""Faults by script: which request they strike, and what is left of it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import virtual_time
from loopback import NO_CERTIFICATES, serving
from sandbox_api import HEADERS, KEY, OTHER_KEY, Api

from reconciler.codat import asgi_transport
from reconciler.sandbox import Sandbox
from reconciler.sandbox.answers import Problem
from reconciler.sandbox.faults import KINDS

NETWORK = ["drop", "truncate"]
BAD_FAULTS: dict[str, Any] = {
    "no kind": {},
    "an unknown kind": {"kind": "meteor"},
    "a bad pattern": {"kind": "500", "match": {"path": "("}},
    "an unknown key": {"kind": "500", "wen": "after"},
    "an unknown match": {"kind": "500", "match": {"verb": "GET"}},
    "no time of ours": {"kind": "500", "when": "during"},
    "nth 0": {"kind": "500", "match": {"nth": 0}},
    "never": {"kind": "500", "times": 0},
    "backwards": {"kind": "latency", "seconds": -1},
    "text": "500",
}


def statuses(api: Api, *requests: tuple[str, str]) -> list[int]:
    return [api(method, path).status_code for method, path in requests]


# --- which request is struck -----------------------------------------------------------------------


def test_faults_strike_in_the_order_of_the_script(api: Api, sandbox: Sandbox) -> None:
    for kind in ("500", "429", "503"):
        sandbox.fault(kind)
    assert statuses(api, *[("GET", "/profile")] * 4) == [500, 429, 503, 200]


def test_a_fault_waits_for_its_method_and_path(api: Api, sandbox: Sandbox) -> None:
    sandbox.fault("500", match={"method": "GET", "path": "^/companies$"})
    requests = [("GET", "/profile"), ("POST", "/companies"), ("GET", "/companies"), ("GET", "/companies")]
    assert statuses(api, *requests) == [200, 400, 500, 200]


def test_a_fault_may_wait_for_the_nth_request_and_strike_more_than_once(api: Api, sandbox: Sandbox) -> None:
    sandbox.fault("503", match={"path": "profile", "nth": 2}, times=2)
    assert statuses(api, *[("GET", "/profile")] * 4) == [200, 503, 503, 200]


def test_a_fault_may_strike_for_ever(api: Api, sandbox: Sandbox) -> None:
    sandbox.fault("500", times=None)
    assert statuses(api, *[("GET", "/profile")] * 5) == [500] * 5


@pytest.mark.parametrize("fault", BAD_FAULTS.values(), ids=BAD_FAULTS)
def test_what_is_no_fault_is_refused(api: Api, fault: Any) -> None:
    assert api("POST", "/_sandbox/faults", fault).status_code == 400
    assert api.ok("GET", "/_sandbox/faults") == []


def test_faults_by_http(api: Api) -> None:
    fault = {"kind": "429", "retryAfter": 7, "match": {"method": "GET"}, "times": 2}
    assert api("POST", "/_sandbox/faults", [fault, {"kind": "500"}]).status_code == 204
    assert api("GET", "/profile").headers["Retry-After"] == "7"
    first, second = api.ok("GET", "/_sandbox/faults")
    assert (first["timesLeft"], first["seen"], second["kind"]) == (1, 1, "500")
    assert api("DELETE", "/_sandbox/faults").status_code == 204
    assert api("GET", "/profile").status_code == 200


# --- what is left of it ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["500", "502", "503", "504"])
@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_5xx_comes_before_or_after_the_write(
    api: Api, sandbox: Sandbox, kind: str, when: str, made: int
) -> None:
    sandbox.fault(kind, when=when)
    assert api("POST", "/companies", {"name": "Acme"}).status_code == int(kind)
    assert len(api.names()) == made
    (entry,) = sandbox.journal()
    assert (entry["tookEffect"], entry["fault"]) == (bool(made), kind)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_429_never_takes_effect(api: Api, sandbox: Sandbox, when: str) -> None:
    sandbox.fault("429", when=when)
    assert api("POST", "/companies", {"name": "Acme"}).status_code == 429
    assert api.names() == []


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_dropped_connection_is_a_reset_in_process(api: Api, sandbox: Sandbox, when: str, made: int) -> None:
    sandbox.fault("drop", when=when)
    with pytest.raises(ConnectionResetError):
        api("POST", "/companies", {"name": "Acme"}, key=KEY)
    assert len(api.names()) == made
    api.ok("POST", "/companies", {"name": "Acme"}, key=KEY)
    assert api.names() == ["Acme"], "the same key finds what the dropped request did"


def test_a_truncated_answer_is_a_reset_in_process(api: Api, sandbox: Sandbox) -> None:
    sandbox.fault("truncate")
    with pytest.raises(ConnectionResetError):
        api("POST", "/companies", {"name": "Acme"})
    assert api.names() == ["Acme"]


def test_a_malformed_answer_is_whole_http_and_no_json(api: Api, sandbox: Sandbox) -> None:
    sandbox.fault("malformed")
    answer = api("POST", "/companies", {"name": "Acme"})
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|Invalid"):
        answer.json()
    assert api.names() == ["Acme"]


def test_a_request_that_failed_on_the_network_frees_its_key(api: Api, sandbox: Sandbox) -> None:
    for kind in NETWORK:
        sandbox.fault(kind)
        with pytest.raises(ConnectionResetError):
            api("POST", "/companies", {"name": "Acme"}, key=OTHER_KEY)
    assert api("POST", "/companies", {"name": "Acme"}, key=OTHER_KEY).status_code == 200


@pytest.mark.parametrize("when", ["before", "after"])
def test_latency_takes_time_and_the_clock_with_it(when: str) -> None:
    async def main() -> tuple[float, str]:
        clock = virtual_time.VirtualClock()
        sandbox = Sandbox(now=clock.now)
        sandbox.fault("latency", when=when, seconds=90)
        async with httpx.AsyncClient(
            transport=asgi_transport(sandbox), base_url="http://sandbox", headers=HEADERS
        ) as client:
            answer = await client.post("/companies", json={"name": "Acme"})
        sandbox.close()
        return (clock.now() - clock.start).total_seconds(), answer.json()["created"]

    seconds, created = virtual_time.run(main())
    assert seconds == pytest.approx(90, abs=1)
    assert created.startswith("2026-11-24T09:01:30" if when == "before" else "2026-11-24T09:00:00")


def test_every_kind_is_acted_out_in_process(api: Api, sandbox: Sandbox) -> None:
    for kind in KINDS:
        sandbox.fault(kind, seconds=0)
        try:
            api("GET", "/profile")
        except ConnectionResetError:
            assert kind in NETWORK
    assert api.ok("GET", "/_sandbox/faults") == []


def test_a_fault_from_python_is_checked_too(sandbox: Sandbox) -> None:
    with pytest.raises(Problem):
        sandbox.fault("meteor")


# --- over TCP ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_dropped_connection_is_closed_without_an_answer(sandbox: Sandbox, when: str, made: int) -> None:
    sandbox.fault("drop", when=when)
    with (
        serving(sandbox) as url,
        httpx.Client(base_url=url, headers=HEADERS, verify=NO_CERTIFICATES) as client,
    ):
        with pytest.raises(httpx.RemoteProtocolError, match="disconnected without sending a response"):
            client.post("/companies", json={"name": "Acme"})
        assert client.get("/companies").json()["totalResults"] == made, "the next connection is answered"


def test_a_truncated_answer_promises_more_than_it_sends(sandbox: Sandbox) -> None:
    sandbox.fault("truncate")
    with (
        serving(sandbox) as url,
        httpx.Client(base_url=url, headers=HEADERS, verify=NO_CERTIFICATES) as client,
    ):
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
            client.post("/companies", json={"name": "Acme"})
        assert client.get("/companies").json()["totalResults"] == 1


def test_nothing_is_printed_about_a_dropped_connection(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    sandbox.fault("drop", times=3)
    with (
        serving(sandbox) as url,
        httpx.Client(base_url=url, headers=HEADERS, verify=NO_CERTIFICATES) as client,
    ):
        for _ in range(3):
            with pytest.raises(httpx.RemoteProtocolError):
                client.get("/companies")
        client.get("/companies").raise_for_status()
    assert capfd.readouterr() == ("", "")
