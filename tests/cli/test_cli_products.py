"""Products: named at creation where the account wants it, refreshed by themselves where they are custom."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from installed import company, connection, write_specs
from served import Codat


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "good-token")


def specs(codat: Codat, products: str, settings: str = "") -> Path:
    text = company("acme", connection("books", "xero", "TOKEN"), fields=f"products: {products}")
    return write_specs(codat.directory, [text], settings=settings)


def test_an_account_that_wants_a_product_says_what_to_write_and_then_takes_it(codat: Codat) -> None:
    codat.sandbox.set(needsProduct=True)
    refused = codat.run("apply", specs(codat, "[lending]"), "--yes")
    assert refused.status == 1
    assert "'createWithProducts: true' in workspace.yaml" in " ".join((refused.out + refused.err).split())

    codat.sandbox.advance(91 * 60)
    there = specs(codat, "[lending]", "createWithProducts: true\n")
    assert codat.run("apply", there, "--yes").status == 0
    assert codat.company("acme")["products"] == ["lending"]
    assert not any("/products/" in path for _, path in codat.writes())
    assert codat.run("plan", there, "--detailed-exitcode").status == 0


def test_a_field_that_codat_passes_over_is_made_good(codat: Codat) -> None:
    there = specs(codat, "[lending]", "createWithProducts: true\n")
    assert codat.run("apply", there, "--yes").status == 0
    assert codat.company("acme")["products"] == ["lending"]


@pytest.mark.parametrize(
    ("products", "asked"),
    [
        ("[lending]", ["all"]),
        ("[our-own]", ["refresh"]),
        ("[lending, our-own]", ["all", "refresh"]),
    ],
    ids=["standard", "custom", "both"],
)
def test_a_sync_asks_for_what_the_products_fetch(codat: Codat, products: str, asked: list[str]) -> None:
    there = specs(codat, products)
    planned = json.loads(codat.run("plan", there, "--format", "json").out)
    assert codat.run("apply", there, "--yes").status == 0
    paths = [path.rpartition("/")[2] for _, path in codat.writes()]
    assert [path for path in paths if path in ("all", "refresh")] == asked
    assert len(paths) == planned["summary"]["requests"]
    assert codat.run("plan", there, "--detailed-exitcode").status == 0


def test_a_product_that_turns_out_to_be_codats_own_is_synced_with_all_data(
    codat: Codat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.sandbox.syncing.STANDARD_PRODUCTS", frozenset({"new-of-codats"}))
    assert codat.run("apply", specs(codat, "[new-of-codats]"), "--yes").status == 0
    assert codat.sandbox.state()["pulls"]
