"""Customers who link, revoke and link again on the page behind their link URL, and what plans say of it."""

from __future__ import annotations

import csv
import json
import signal
from pathlib import Path
from typing import Any

from installed import run, start, write_specs
from loopback import asked
from served import Codat

ACME = "  acme:\n    name: Acme\n    connections: {books: {platform: xero, migration: link}}\n"


def link_of(file: Path) -> str:
    """The one link URL in a file that ``links`` wrote."""
    with file.open(newline="") as lines:
        (row,) = csv.DictReader(lines)
    file.unlink()
    return row["linkUrl"]


def choose(url: str, choice: str) -> None:
    """Press a button on the customer's page."""
    page = asked("POST", url, data={"choice": choice}, follow_redirects=True)
    assert (page.status_code, page.request.method) == (200, "GET")


def left_to_do(plan: str) -> tuple[list[str], list[str]]:
    """The kinds of a plan's actions, and the codes of its attention."""
    document: dict[str, Any] = json.loads(plan)
    return [action["kind"] for action in document["actions"]], [
        attention["code"] for attention in document["attention"]
    ]


def test_a_plan_follows_what_the_customer_does_on_the_page(codat: Codat) -> None:
    specs = write_specs(codat.directory, [ACME])
    assert codat.run("apply", specs, "--yes").status == 0
    assert codat.run("links", specs, "--out", "links.csv").status == 0
    url = link_of(codat.directory / "links.csv")
    assert url.startswith(f"{codat.url}/companies/")
    told = [left_to_do(codat.run("plan", specs, "--format", "json").out)]
    for choice in ("decline", "authorize", "revoke", "authorize"):
        choose(url, choice)
        told.append(left_to_do(codat.run("plan", specs, "--format", "json").out))
    assert told == [([], ["link"]), ([], ["link"]), ([], []), ([], ["relink"]), ([], [])]


def test_a_customer_may_link_again_what_was_unlinked(codat: Codat) -> None:
    specs = write_specs(codat.directory, [ACME])
    codat.run("apply", specs, "--yes")
    codat.run("links", specs, "--out", "links.csv")
    url = link_of(codat.directory / "links.csv")
    choose(url, "authorize")
    codat.sandbox.happen(codat.company("Acme")["dataConnections"][0]["id"], "unlink")
    told = []
    for choice in ("decline", "authorize"):
        choose(url, choice)
        told.append(left_to_do(codat.run("plan", specs, "--format", "json").out))
    assert told == [([], ["unlinked"]), ([], [])]


def test_who_must_link_again_gets_a_link_that_works(codat: Codat) -> None:
    specs = write_specs(codat.directory, [ACME])
    codat.run("apply", specs, "--yes")
    codat.sandbox.happen(codat.company("Acme")["dataConnections"][0]["id"], "link")
    codat.sandbox.happen(codat.company("Acme")["dataConnections"][0]["id"], "deauthorize")
    assert codat.run("links", specs, "--out", "links.csv").status == 0
    choose(link_of(codat.directory / "links.csv"), "authorize")
    assert left_to_do(codat.run("plan", specs, "--format", "json").out) == ([], [])


def test_a_link_that_was_made_in_process_opens_once_the_same_sandbox_is_served(tmp_path: Path) -> None:
    specs = write_specs(tmp_path, [ACME])
    assert run("apply", specs, "--sandbox", "--yes", cwd=tmp_path).returncode == 0
    assert run("links", specs, "--sandbox", "--out", "links.csv", cwd=tmp_path).returncode == 0
    url = link_of(tmp_path / "links.csv")
    by_default = "http://127.0.0.1:8080"
    assert by_default in run("sandbox", "serve", "--help", cwd=tmp_path).stdout
    assert url.startswith(f"{by_default}/")
    server = start("sandbox", "serve", "--port", "0", cwd=tmp_path, env={})
    assert server.stdout is not None
    served = server.stdout.readline().split("listens on ")[1].split(";")[0]
    choose(url.replace(by_default, served), "authorize")
    server.send_signal(signal.SIGINT)
    server.communicate(timeout=30)
    planned = run("plan", specs, "--sandbox", "--format", "json", cwd=tmp_path)
    assert left_to_do(planned.stdout)[0] == []
