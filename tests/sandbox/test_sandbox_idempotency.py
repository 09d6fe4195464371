"""Idempotency keys: the first answer is given again, and nothing happens twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sandbox_api import KEY, OTHER_KEY, START, Api

from reconciler.sandbox import Sandbox

MINUTES = 60


def test_the_same_key_is_answered_with_the_first_answer(api: Api, sandbox: Sandbox) -> None:
    first = api("POST", "/companies", {"name": "Acme"}, key=KEY)
    sandbox.advance(89 * MINUTES)
    again = api("POST", "/companies", {"name": "Acme"}, key=KEY)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert api.names() == ["Acme"]


def test_a_replay_has_the_old_body_and_a_date_of_now(api: Api, sandbox: Sandbox) -> None:
    first = api("POST", "/companies", {"name": "Acme"}, key=KEY)
    sandbox.advance(60)
    again = api("POST", "/companies", {"name": "Acme"}, key=KEY)
    assert first.headers["Date"] == "Tue, 24 Nov 2026 09:00:00 GMT"
    assert again.headers["Date"] == "Tue, 24 Nov 2026 09:01:00 GMT"
    assert again.json()["created"] == "2026-11-24T09:00:00Z"


def test_a_key_is_free_again_after_90_minutes(api: Api, sandbox: Sandbox) -> None:
    api("POST", "/companies", {"name": "Acme"}, key=KEY)
    sandbox.advance(90 * MINUTES)
    api("POST", "/companies", {"name": "Acme"}, key=KEY)
    assert api.names() == ["Acme", "Acme"]


def test_a_replay_shows_what_was_even_when_it_is_gone(api: Api) -> None:
    company = api("POST", "/companies", {"name": "Acme"}, key=KEY).json()["id"]
    api("DELETE", f"/companies/{company}")
    assert api("POST", "/companies", {"name": "Acme"}, key=KEY).json()["id"] == company
    assert api.names() == []


def test_the_same_key_with_another_body_is_a_422(api: Api) -> None:
    api("POST", "/companies", {"name": "Acme"}, key=KEY)
    assert api("POST", "/companies", {"name": "Bravo"}, key=KEY).status_code == 422
    assert api.names() == ["Acme"]
    assert api("POST", "/companies", {"name": "Acme"}, key=KEY).status_code == 200


def test_a_key_counts_for_one_method_and_path_and_is_refused_on_any_other(api: Api) -> None:
    company = api("POST", "/companies", {"name": "Acme"}, key=KEY).json()["id"]
    path = f"/companies/{company}"
    assert api("PATCH", path, {"name": "Acme"}, key=KEY).status_code == 422
    assert api("POST", f"{path}/connections", {"platformKey": "qhyg"}, key=KEY).status_code == 422
    assert api.ok("GET", path)["dataConnections"] == []
    assert api("POST", "/companies", {"name": "Acme"}, key=KEY.upper()).json()["id"] == company


@pytest.mark.parametrize("key", ["x", "1234", "not-a-guid-at-all"])
def test_a_key_that_is_no_guid_is_refused(api: Api, key: str) -> None:
    assert api("POST", "/companies", {"name": "Acme"}, key=key).status_code == 400
    assert api.names() == []


def test_refusals_are_replayed_too(api: Api, sandbox: Sandbox) -> None:
    sandbox.set(companyLimit=0)
    assert api("POST", "/companies", {"name": "Acme"}, key=KEY).status_code == 402
    sandbox.set(companyLimit=None)
    assert api("POST", "/companies", {"name": "Acme"}, key=KEY).status_code == 402
    assert api("POST", "/companies", {"name": "Acme"}, key=OTHER_KEY).status_code == 200


@pytest.mark.parametrize(("when", "made"), [("before", []), ("after", ["Acme"])])
def test_a_500_is_replayed_whether_or_not_it_took_effect(
    api: Api, sandbox: Sandbox, when: str, made: list[str]
) -> None:
    sandbox.fault("500", when=when)
    first = api("POST", "/companies", {"name": "Acme"}, key=KEY)
    again = api("POST", "/companies", {"name": "Acme"}, key=KEY)
    assert (first.status_code, again.status_code) == (500, 500)
    assert first.json() == again.json()
    assert api.names() == made


def test_a_429_releases_the_key(api: Api, sandbox: Sandbox) -> None:
    sandbox.fault("429", retryAfter=3)
    refused = api("POST", "/companies", {"name": "Acme"}, key=KEY)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3")
    assert api("POST", "/companies", {"name": "Acme"}, key=KEY).status_code == 200
    assert api.names() == ["Acme"]


@pytest.mark.parametrize("body", [{"name": "Acme"}, {"name": "Bravo"}], ids=["same body", "another body"])
def test_the_same_key_in_progress_is_a_409(api: Api, sandbox: Sandbox, body: Any) -> None:
    sandbox.fault("latency", seconds=0)
    slow, other = api.at_once(
        [("POST", "/companies", {"name": "Acme"}, KEY), ("POST", "/companies", body, KEY)]
    )
    assert (slow.status_code, other.status_code) == (200, 409)
    assert api.names() == ["Acme"]
    assert api("POST", "/companies", {"name": "Acme"}, key=KEY).json() == slow.json()


def test_other_keys_do_not_wait(api: Api, sandbox: Sandbox) -> None:
    sandbox.fault("latency", seconds=0)
    answers = api.at_once([("POST", "/companies", {"name": "Acme"}, key) for key in (KEY, OTHER_KEY, None)])
    assert [answer.status_code for answer in answers] == [200, 200, 200]


def test_put_and_delete_take_no_key(api: Api) -> None:
    path = f"/companies/{api.company()}"
    for name in ("One", "Two"):
        assert api("PUT", path, {"name": name}, key=KEY).json()["name"] == name
    assert api("DELETE", path, key=KEY).status_code == 204
    assert api("DELETE", path, key=KEY).status_code == 404


def test_an_empty_answer_is_replayed_as_one(api: Api) -> None:
    company = api.company()
    api.linked(company)
    first = api("POST", f"/companies/{company}/data/all", key=KEY)
    again = api("POST", f"/companies/{company}/data/all", key=KEY)
    assert (first.status_code, again.status_code, again.content) == (204, 204, b"")


def test_keys_outlive_the_process(tmp_path: Path) -> None:
    for _ in range(2):
        sandbox = Sandbox(tmp_path / "sandbox.db", now=lambda: START)
        Api(sandbox)("POST", "/companies", {"name": "Acme"}, key=KEY)
        assert Api(sandbox).names() == ["Acme"]
        sandbox.close()
