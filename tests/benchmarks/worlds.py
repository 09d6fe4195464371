"""What is measured: specs of so many companies, and what Codat has of them, the same in every run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

WORKSPACE: Final = "bench"
PLATFORMS: Final = (
    ("books", "xero", "gbol", "Xero", "Accounting"),
    ("shop", "shopify", "fztf", "Shopify", "Commerce"),
    ("bank", "plaid", "suuo", "Plaid", "Banking"),
)
SINCE: Final = "2026-01-05T09:00:00Z"
SYNCED: Final = "2026-11-27T09:00:00Z"


def connections(number: int) -> tuple[tuple[str, str, str, str, str], ...]:
    """The connections of a company: two, and three of every other, so 2.5 of each."""
    return PLATFORMS[: 2 + number % 2]


def company(number: int) -> str:
    """A company as a spec has it."""
    lines = [
        f"  c{number:06d}:",
        f"    name: Company {number}",
        f"    tags: {{region: uk, uid: cust_{number}}}",
        "    connections:",
    ]
    for key, platform, *_ in connections(number):
        lines += [
            f"      {key}:",
            f"        platform: {platform}",
            "        migration: self-service",
            "        authorization:",
            f"          accessToken: ${{env:TOKEN_{key.upper()}_{number}}}",
            f"          refreshToken: ${{env:REFRESH_{key.upper()}_{number}}}",
        ]
    return "\n".join(lines) + "\n"


def write_specs(directory: Path, companies: int, per_file: int) -> Path:
    """The specs in files of ``per_file`` companies."""
    _write_workspace(directory)
    for first in range(0, companies, per_file):
        each = "".join(map(company, range(first, min(companies, first + per_file))))
        (directory / f"specs/f{first:06d}.yaml").write_text(f"version: 1\ncompanies:\n{each}")
    return directory / "specs"


SET: Final = """\
version: 1
companySets:
  customers:
    from: customers.csv
    key: ${row:id}
    company:
      name: ${row:name}
      tags: {region: uk, uid: "${row:uid}"}
      connections:
        books:
          platform: xero
          migration: self-service
          authorization:
            accessToken: "${env:TOKEN_BOOKS_${row:number}}"
            refreshToken: "${env:REFRESH_BOOKS_${row:number}}"
        shop:
          platform: shopify
          migration: self-service
          authorization:
            accessToken: "${env:TOKEN_SHOP_${row:number}}"
            refreshToken: "${env:REFRESH_SHOP_${row:number}}"
"""


def write_set(directory: Path, companies: int) -> Path:
    """The same companies as rows of a table, with two connections each."""
    _write_workspace(directory)
    rows = (f"c{number:06d},Company {number},cust_{number},{number}\n" for number in range(companies))
    (directory / "specs/customers.csv").write_text("id,name,uid,number\n" + "".join(rows))
    (directory / "specs/set.yaml").write_text(SET)
    return directory / "specs"


def _write_workspace(directory: Path) -> None:
    (directory / "specs").mkdir(parents=True)
    (directory / ".git").mkdir()
    (directory / "workspace.yaml").write_text(
        f"version: 1\nworkspace: {WORKSPACE}\n"
        "preconditions: {callbackUrlAdded: done, legacySyncDisabled: done}\n"
    )


@dataclass(frozen=True, slots=True)
class World:
    """What Codat has: so many companies, of which every ``stale``-th has another tag than its spec."""

    companies: int
    stale: int = 0
    unknown_platforms: int = 0
    """Integrations in the listing that no table of ours has."""

    def rows(self) -> Iterator[dict[str, Any]]:
        """The companies as Codat answers them."""
        return (self._company(number) for number in range(self.companies))

    def integrations(self) -> list[dict[str, Any]]:
        """The platforms as Codat answers them."""
        listed = [
            {"key": key, "name": name, "enabled": True, "sourceType": kind, "datatypeFeatures": []}
            for _, _, key, name, kind in PLATFORMS
        ]
        return listed + [
            {"key": f"zz{chr(97 + number // 26)}{chr(97 + number % 26)}", "name": f"Platform {number}"}
            | {"enabled": True, "sourceType": "Other", "datatypeFeatures": []}
            for number in range(self.unknown_platforms)
        ]

    def _company(self, number: int) -> dict[str, Any]:
        linked = connections(number)
        is_stale = bool(self.stale) and number % self.stale == 0
        return {
            "id": f"00000000-0000-0000-0000-{number:012d}",
            "name": f"Company {number}",
            "platform": linked[0][3],
            "redirect": f"https://link.codat.io/company/{number}",
            "created": SINCE,
            "createdByUserName": "codat-sync",
            "lastSync": SYNCED,
            "products": [],
            "tags": {
                "codatSyncWorkspace": WORKSPACE,
                "codatSyncKey": f"c{number:06d}",
                "codatSyncLinks": ",".join(sorted(f"{key}@{code}" for key, _, code, *_ in linked)),
                "region": "eu" if is_stale else "uk",
                "uid": f"cust_{number}",
            },
            "dataConnections": [_connection(number, place, *each) for place, each in enumerate(linked)],
        }


def _connection(number: int, place: int, _: str, __: str, code: str, name: str, kind: str) -> dict[str, Any]:
    identifier = f"{number:07d}{place}-0000-0000-0000-000000000000"
    return {
        "id": identifier,
        "integrationId": "fd321cb6-7963-4506-b873-e99593a45e30",
        "integrationKey": code,
        "sourceId": "8a156a5a-39cb-4f9d-856e-76ef9b9a9607",
        "platformName": name,
        "linkUrl": f"https://link-api.codat.io/companies/{number}/connections/{identifier}/start",
        "status": "Linked",
        "lastSync": SYNCED,
        "created": SINCE,
        "sourceType": kind,
        "dataConnectionErrors": [],
    }


def as_json(rows: Iterator[dict[str, Any]]) -> list[bytes]:
    """Each row as it goes over the wire, made before anything is measured."""
    return [json.dumps(row, separators=(",", ":")).encode() for row in rows]
