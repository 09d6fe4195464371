"""Source accounts of bank feeds, as Codat's Bank Feeds document and its guide have them."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_api import KEY, Api, invalid

WHOLE: dict[str, Any] = {
    "id": "acc-001",
    "accountName": "Current",
    "accountType": "checking",
    "accountNumber": "12345670",
    "sortCode": "040004",
    "currency": "GBP",
    "balance": 99.99,
}
DOCUMENTED = {*WHOLE, "routingInfo", "accountInfo", "modifiedDate", "status", "feedStartDate"}
"""The members that the document gives a source account, and no others."""


@pytest.fixture
def accounts(api: Api) -> str:
    """Where the accounts of a new bank feed stand."""
    return f"{api.connection(api.company(), 'olpr')}/connectionInfo/bankFeedAccounts"


def test_an_account_waits_to_be_mapped_and_is_listed_without_pages(api: Api, accounts: str) -> None:
    made = api.ok("POST", accounts, WHOLE)
    assert made.items() >= (WHOLE | {"status": "pending"}).items()
    assert made.keys() <= DOCUMENTED
    assert api.ok("GET", accounts) == [made]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"id": None}, "id"),
        ({"accountName": ""}, "accountName"),
        ({"accountNumber": 12345670}, "accountNumber"),
        ({"balance": None}, "balance"),
        ({"balance": "99.99"}, "balance"),
        ({"sortCode": None}, "sortCode"),
    ],
)
def test_what_is_required_is_named(api: Api, accounts: str, fields: dict[str, Any], wrong: str) -> None:
    answer = api("POST", accounts, WHOLE | fields)
    assert invalid(answer) == {wrong}
    assert api.ok("GET", accounts) == []


def test_an_id_is_taken_once_and_a_key_is_replayed(api: Api, accounts: str) -> None:
    made = api.ok("POST", accounts, WHOLE, key=KEY)
    assert api.ok("POST", accounts, WHOLE, key=KEY) == made
    assert api("POST", accounts, WHOLE).status_code == 400
    assert len(api.ok("GET", accounts)) == 1


def test_an_update_changes_the_name_and_passes_over_what_it_cannot_change(api: Api, accounts: str) -> None:
    api.ok("POST", accounts, WHOLE)
    fields = {"id": "acc-001", "accountName": "Renamed", "accountType": "loan", "currency": "USD"}
    changed = api.ok("PATCH", f"{accounts}/acc-001", fields)
    assert changed.items() >= (WHOLE | {"accountName": "Renamed"}).items()
    assert api("PATCH", f"{accounts}/acc-001", {"status": "connected"}).status_code == 400
    assert api.ok("PATCH", f"{accounts}/acc-001", {"status": "disconnected"})["status"] == "disconnected"


def test_a_delete_leaves_nothing_and_another_feed_alone(api: Api, accounts: str) -> None:
    api.ok("POST", accounts, WHOLE)
    other = f"{api.connection(api.company(), 'hcws')}/connectionInfo/bankFeedAccounts"
    api.ok("POST", other, WHOLE)

    assert api("DELETE", f"{accounts}/acc-001").status_code == 204
    assert api("DELETE", f"{accounts}/acc-001").status_code == 404
    assert (api.ok("GET", accounts), len(api.ok("GET", other))) == ([], 1)
