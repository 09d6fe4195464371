"""Companies (https://docs.codat.io/using-the-api/managing-companies): names, tags, products."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from reconciler.sandbox import answers, connections, paging, store
from reconciler.sandbox.answers import ERROR_TEXTS, Answer, Call, Link, Problem
from reconciler.sandbox.paging import EVERYTHING, Condition, by_tag, malformed, parse
from reconciler.sandbox.settings import read
from reconciler.sandbox.store import Session

CREATOR: Final = "Sandbox"
REMOVED: Final = re.compile(r"[^A-Za-z0-9\s\-',&@.?!]")
"""Characters that Codat removes from names without a word."""
MAX_TAGS: Final = 10
MAX_TAG_KEY: Final = 27
MAX_TAG_VALUE: Final = 100
OPTIONAL: Final = ("description",)
"""The texts that a company may have beside its name: members of the JSON, and columns."""
FIELDS: Final[Mapping[str, str]] = {
    "id": "id",
    "name": "name",
    "description": "description",
    "created": "created",
    "modifiedDate": "seq",
}
"""What companies can be ordered by; no time of a change is kept, so they stand as they were made."""
UNQUERIED: Final = "querying does not work here; filter companies with tags"
"""Codat's page on querying leaves companies out (https://docs.codat.io/using-the-api/querying)."""


# --- reading -------------------------------------------------------------------------------------


def list_companies(session: Session, call: Call) -> Answer:
    """``GET /companies``, each with its connections."""
    condition = paging.listed(session)
    condition &= parse(call.query.get("tags", ""), by_tag, only_and=True)
    if call.query.get("query"):
        raise malformed(UNQUERIED)
    page = paging.asked(session, call)
    rows, total = paging.rows(session, page, Condition("company"), condition, paging.ordering(call, FIELDS))
    return paging.listing(call, page, total, documents(session, rows, paging.listed(session)))


def get_company(session: Session, call: Call) -> Answer:
    """``GET /companies/{companyId}``."""
    return _shown(session, answers.company(session, call)["id"])


def everyone(session: Session) -> list[dict[str, Any]]:
    """All companies, what listings do not show yet too."""
    return documents(session, paging.everything(session, Condition("company"), EVERYTHING))


def documents(
    session: Session, rows: Sequence[sqlite3.Row], shown: Condition = EVERYTHING
) -> list[dict[str, Any]]:
    """Companies as Codat shows them, with the connections that are ``shown``."""
    ids = [row["id"] for row in rows]
    embedded = connections.of_companies(session, ids, shown)
    tags: dict[str, dict[str, str]] = defaultdict(dict)
    for company, key, value in session.rows(
        "SELECT * FROM tag WHERE company IN (SELECT value FROM json_each(?)) ORDER BY rowid", json.dumps(ids)
    ):
        tags[company][key] = value
    return [_document(row, tags.get(row["id"], {}), embedded.get(row["id"], [])) for row in rows]


def _document(row: sqlite3.Row, tags: Mapping[str, str], embedded: list[dict[str, Any]]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": row["id"],
        "name": row["name"],
        "platform": embedded[0]["platformName"] if embedded else "",
        "redirect": link_url(row),
        "created": store.text(row["created"]),
        "createdByUserName": CREATOR,
        "dataConnections": embedded,
        "products": json.loads(row["products"]),
        "tags": tags,
        "referenceSubsidiaryCompanies": [],
        "ownerUserIds": [],
    }
    document |= {name: row[name] for name in OPTIONAL if row[name] is not None}
    synced = [connection["lastSync"] for connection in embedded if "lastSync" in connection]
    if synced:
        document["lastSync"] = max(synced)
    return document


def link_url(row: sqlite3.Row) -> Link:
    """Where the customer sees all connections (https://docs.codat.io/updates/250110-secure-linking)."""
    return Link(f"/company/{row['id']}?link.otp={row['password']}")


def _shown(session: Session, company_id: str) -> Answer:
    (document,) = documents(session, [answers.company_by_id(session, company_id)])
    return Answer(200, document, company_id=company_id)


# --- writing -------------------------------------------------------------------------------------


def create_company(session: Session, call: Call) -> Answer:
    """``POST /companies``."""
    fields = _checked(call, needs_name=True)
    settings = read(session)
    products = _products(call, needs_one=settings["needsProduct"])
    limit = settings["companyLimit"]
    if limit is not None and session.value("SELECT count(*) FROM company") >= limit:
        raise Problem(402, ERROR_TEXTS[402].format(limit=limit))
    company_id = session.new_id("company")
    session.run(
        "INSERT INTO company (id, name, products, password, created, visible_at, visible_from)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        company_id,
        fields["name"],
        json.dumps(products),
        session.new_password(),
        session.now,
        *paging.of_new(session),
    )
    _write(session, company_id, fields)
    replace_tags(session, company_id, fields.get("tags", {}))
    return _shown(session, company_id)


def update_company(session: Session, call: Call) -> Answer:
    """``PATCH /companies/{companyId}``: what is given and not null; ``tags`` replaces the whole map."""
    company_id = answers.company(session, call)["id"]
    fields = _checked(call, needs_name=False)
    _write(session, company_id, fields)
    if "tags" in fields:
        replace_tags(session, company_id, fields["tags"])
    return _shown(session, company_id)


def replace_company(session: Session, call: Call) -> Answer:
    """``PUT /companies/{companyId}``: texts and tags, what is not given too."""
    company_id = answers.company(session, call)["id"]
    fields = _checked(call, needs_name=True)
    _write(session, company_id, dict.fromkeys(OPTIONAL) | fields)
    replace_tags(session, company_id, fields.get("tags", {}))
    return _shown(session, company_id)


def delete_company(session: Session, call: Call) -> Answer:
    """``DELETE /companies/{companyId}``: with its connections and their data."""
    company_id = answers.company(session, call)["id"]
    session.run("DELETE FROM company WHERE id = ?", company_id)
    return Answer(204, company_id=company_id)


def add_product(session: Session, call: Call) -> Answer:
    """``PUT /companies/{companyId}/products/{productIdentifier}``; adding it twice changes nothing."""
    row, product = answers.company(session, call), call.path_ids["productIdentifier"]
    products = json.loads(row["products"])
    return _with_products(session, row, products if product in products else [*products, product])


def remove_product(session: Session, call: Call) -> Answer:
    """``DELETE /companies/{companyId}/products/{productIdentifier}``."""
    row, product = answers.company(session, call), call.path_ids["productIdentifier"]
    products = json.loads(row["products"])
    if product not in products:
        raise Problem(404, f"The product {product} is not enabled for company {row['id']}")
    return _with_products(
        session, row, [other_product for other_product in products if other_product != product]
    )


def _with_products(session: Session, row: sqlite3.Row, products: list[str]) -> Answer:
    session.run("UPDATE company SET products = ? WHERE id = ?", json.dumps(products), row["id"])
    return Answer(204)


def _write(session: Session, company_id: str, fields: Mapping[str, Any]) -> None:
    """Set the texts that are given."""
    for name in ("name", *OPTIONAL):
        if name in fields:
            column = f"UPDATE company SET {name} = ? WHERE id = ?"  # noqa: S608 - a name of ours
            session.run(column, fields[name], company_id)


def replace_tags(session: Session, company_id: str, tags: Mapping[str, str]) -> None:
    """Give the company these tags and no others."""
    session.run("DELETE FROM tag WHERE company = ?", company_id)
    for key, value in tags.items():
        session.run("INSERT INTO tag VALUES (?, ?, ?)", company_id, key, value)


# --- what may be written -------------------------------------------------------------------------


def _checked(call: Call, *, needs_name: bool) -> dict[str, Any]:
    """The fields that are given and not null, the name as Codat keeps it.

    Raises:
        Problem: 400, naming what is wrong.
    """
    fields = {
        name: value
        for name, value in call.fields().items()
        if name in ("name", *OPTIONAL, "tags") and value is not None
    }
    wrong: dict[str, str] = {}
    if "name" in fields or needs_name:
        name = fields.get("name", "")
        fields["name"] = REMOVED.sub("", name) if isinstance(name, str) else ""
        if not fields["name"].strip():
            wrong["name"] = "is required, and needs characters that are kept"
    wrong |= {name: "must be a string" for name in OPTIONAL if not isinstance(fields.get(name, ""), str)}
    wrong |= _wrong_tags(fields.get("tags", {}))
    if wrong:
        raise Problem(400, invalid=wrong)
    return fields


def _products(call: Call, *, needs_one: bool) -> list[str]:
    """The products of a create, which counts them only where it needs one.

    Raises:
        Problem: 400, there is none.
    """
    products = call.fields().get("products") if needs_one else []
    if not isinstance(products, list) or not all(isinstance(product, str) for product in products):
        raise Problem(400, invalid={"products": "must be a list of strings"})
    if needs_one and not products:
        raise Problem(400, invalid={"products": "A company needs at least one product."})
    return products


def _wrong_tags(tags: Any) -> dict[str, str]:
    """What is wrong with a company's tags (https://docs.codat.io/core-concepts/companies)."""
    if not isinstance(tags, dict):
        return {"tags": "must be an object of strings"}
    if len(tags) > MAX_TAGS:
        return {"tags": f"there can be {MAX_TAGS} at most"}
    wrong = {}
    for key, value in tags.items():
        if not 1 <= len(key) <= MAX_TAG_KEY:
            wrong[f"tags.{key}"] = f"a key has 1 to {MAX_TAG_KEY} characters"
        if not isinstance(value, str) or len(value) > MAX_TAG_VALUE:
            wrong[f"tags.{key}"] = f"a value is a string of at most {MAX_TAG_VALUE} characters"
    return wrong
