"""Whatever a saved plan, an answer or a platform's schema says, we end soon and in our own words."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler import render
from reconciler.cli import run
from reconciler.codat import parsing, reading
from reconciler.codat.paging import page
from reconciler.codat.reading import Node, WrongShapeError, read
from reconciler.diagnostics import CodatSyncError
from reconciler.kinds import digest
from reconciler.loading import authorization_schema
from reconciler.loading.authorization_schema import UnusableSchemaError
from reconciler.render import Style
from reconciler.secret_refs import Secret
from reconciler.workflow import saving

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
"""How far CI searches; ``FUZZ_EXAMPLES=20000`` searches further."""
bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
NUMBERS = [-1, 0, 1, 10**9, 10**30, 1e300, 0.5, float("inf"), float("nan")]
TEXTS = ["", "x", "acme", "acme/books", "/", "\x00", "\ud800", "\u202e", "${env:X}", "0001-01-01", "9" * 300]
scalars = st.none() | st.booleans() | st.sampled_from(NUMBERS) | st.sampled_from(TEXTS) | st.text(max_size=8)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(TEXTS), inner, max_size=3),
    max_leaves=8,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict | list):
        for step, member in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _places(member, (*path, step))


@st.composite
def damaged(draw: st.DrawFn, good: Any) -> Any:
    """A document in which up to three places hold something else, or nothing."""
    document = copy.deepcopy(good)
    for _ in range(draw(st.integers(1, 3))):
        *trail, last = draw(st.sampled_from(list(_places(document))))
        holder = document
        for step in trail:
            holder = holder[step]
        if draw(st.booleans()):
            holder[last] = draw(values)
        else:
            del holder[last]
        if not document:
            break
    return document


# --- saved plans -------------------------------------------------------------------------------

SPECS = """\
version: 1
companies:
  acme:
    name: Acme
    tags: {region: uk}
    connections:
      books: {platform: xero, authorization: {accessToken: "${env:T}"}, issuedAt: "2026-11-20T09:00:00Z",
              sync: {maxAge: 30d}, preconditions: {callbackUrlAdded: done}}
  bravo: {name: Bravo, description: Moved, connections: {bank: {platform: plaid, migration: link}}}
"""


@pytest.fixture(scope="module")
def saved_plan(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The document of a saved plan."""
    directory = tmp_path_factory.mktemp("saved")
    (directory / "specs").mkdir()
    (directory / "specs" / "workspace.yaml").write_text("version: 1\nworkspace: fuzz\n")
    (directory / "specs" / "companies.yaml").write_text(SPECS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        assert run(["plan", "--sandbox", "-q", "--out", "plan.json"]) == 0
    document: dict[str, Any] = json.loads((directory / "plan.json").read_text())
    del document["seal"]
    return document


@bounded
@given(data=st.data())
def test_any_sealed_plan_is_shown_or_refused(
    data: st.DataObject, saved_plan: dict[str, Any], tmp_path: Path
) -> None:
    document = data.draw(damaged(saved_plan))
    if "digest" in document:
        document["digest"] = digest(
            {name: value for name, value in document.items() if name not in ("digest", "desired", "run")}
        )
    seal = digest(document)
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({**document, "seal": seal}))
    try:
        saved = saving.read(path)
    except CodatSyncError:
        return
    shown = saved.plan
    for text in (
        render.plan_text(shown, Style(), requests_per_minute=600),
        render.plan_json(shown),
        render.plan_markdown(shown, requests_per_minute=600),
        render.plan_html(shown, requests_per_minute=600),
    ):
        text.encode()


@bounded
@given(data=st.binary(max_size=200))
def test_any_file_is_no_plan(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(data)
    with pytest.raises(CodatSyncError):
        saving.read(path)


# --- answers of Codat's ------------------------------------------------------------------------

CONNECTION = {
    "id": "2e9d2c44-f675-40ba-8049-353bfcb5e171",
    "integrationId": "fd321cb6-7963-4506-b873-e99593a45e30",
    "integrationKey": "qhyg",
    "sourceId": "8a156a5a-39cb-4f9d-856e-76ef9b9a9607",
    "sourceType": "Accounting",
    "platformName": "QuickBooks Online",
    "linkUrl": "https://link.example/start?otp=1",
    "status": "Linked",
    "created": "2026-11-24T09:00:00Z",
    "lastSync": "2026-11-24T09:00:00.1234567Z",
    "dataConnectionErrors": [
        {"statusCode": "401", "errorMessage": "x", "erroredOnUtc": "2026-11-24T09:00:00", "status": "Active"}
    ],
}
COMPANY = {
    "id": "8a210b68-6988-11ed-a1eb-0242ac120002",
    "name": "Acme",
    "redirect": "https://link.example/x",
    "created": "2026-11-24T09:00:00+01:00",
    "lastSync": None,
    "tags": {"codatSyncKey": "acme"},
    "products": ["lending"],
    "dataConnections": [CONNECTION],
}
LISTING = {
    "results": [COMPANY, {**COMPANY, "id": "b"}],
    "pageNumber": 1,
    "pageSize": 100,
    "totalResults": 2,
    "_links": {"next": {"href": "/companies?page=2"}},
}
URL = httpx.URL("https://api.codat.io/companies?page=1&pageSize=100")
PULL = {
    "id": "1",
    "companyId": "2",
    "connectionId": "3",
    "dataType": "bills",
    "status": "Complete",
    "requested": "2026-11-24T09:00:00Z",
    "isCompleted": True,
    "isErrored": False,
}
STATUSES = {
    "bills": {"dataType": "bills", "currentStatus": "Complete", "lastSuccessfulSync": "2026-11-24T09:00:00Z"}
}
SYNC_SETTINGS = {
    "overridesDefaults": True,
    "settings": [{"dataType": "bills", "fetchOnFirstLink": True, "syncSchedule": 24, "syncOrder": 1}],
}
PLATFORM = {"key": "gbol", "name": "Xero", "enabled": True, "sourceType": "Accounting"}
ANSWERS: dict[str, tuple[Any, Callable[[Node], object]]] = {
    "companies": (LISTING, lambda node: page(node, parsing.company, URL)),
    "company": (COMPANY, parsing.company),
    "connection": (CONNECTION, parsing.connection),
    "pull": (PULL, parsing.pull),
    "statuses": (STATUSES, parsing.data_statuses),
    "settings": (SYNC_SETTINGS, parsing.sync_settings),
    "fetched": (SYNC_SETTINGS, parsing.fetched_types),
    "platform": (PLATFORM, parsing.platform),
}


@pytest.mark.parametrize(("good", "parse"), ANSWERS.values(), ids=ANSWERS)
@bounded
@given(data=st.data())
def test_any_answer_is_read_or_is_of_the_wrong_shape(
    good: Any, parse: Callable[[Node], object], data: st.DataObject
) -> None:
    parse(read(json.dumps(good).encode()))
    spoiled = json.dumps(data.draw(damaged(good))).encode()
    with suppress(WrongShapeError, CodatSyncError):
        parse(read(spoiled))


@bounded
@given(body=st.binary(max_size=100) | values.map(lambda value: json.dumps({"error": value}).encode()))
def test_any_error_is_told_in_one_harmless_line(body: bytes) -> None:
    said = reading.of(body, reading.Mask([Secret("acme-token")]))
    assert said.message.isprintable()
    assert len(said.message) <= reading.LONGEST


# --- platform schemas --------------------------------------------------------------------------

PATTERNS = ["", "^(a+)+$", "(?=a)", "a{1,999}", "(", "\ud800", "[^", "\\d+", "(a|b)*\\1", "^.*$"]
REFS = [
    "#",
    "#/$defs/a",
    "#/$defs/b",
    "#a",
    "https://x.example/",
    "#/properties/aId",
    "x",
    "#/%zz",
    "//",
    "#/~",
]
schemas = st.recursive(
    st.booleans() | st.fixed_dictionaries({}, optional={"$ref": st.sampled_from(REFS)}) | values,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "$defs": st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
            "$ref": st.sampled_from(REFS),
            "$dynamicRef": st.sampled_from(REFS),
            "$anchor": st.just("a"),
            "$id": st.sampled_from(["x", "http://x/", "#", ":", "\x00"]),
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "oneOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
            "if": inner,
            "then": inner,
            "pattern": st.sampled_from(PATTERNS),
            "patternProperties": st.dictionaries(st.sampled_from(PATTERNS), inner, max_size=2),
            "properties": st.dictionaries(st.sampled_from(["aId", "x"]), inner, max_size=2),
            "additionalProperties": inner,
            "unevaluatedProperties": inner,
            "propertyNames": inner,
            "required": st.just(["x"]),
            "enum": st.lists(scalars, max_size=2),
            "dependentSchemas": st.dictionaries(st.just("aId"), inner, max_size=1),
            "format": st.sampled_from(["date", "regex", "x"]),
            "type": st.sampled_from(["object", "string", "x"]),
        },
    ),
    max_leaves=12,
)


@bounded
@given(schema=schemas)
def test_any_platform_schema_is_used_or_refused(schema: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(schema))
    try:
        check = authorization_schema.read(path)
    except UnusableSchemaError:
        return
    for sentence in check({"aId": "a" * 30 + "!", "accessToken": "${env:X}"}):
        assert len(sentence) < 3000
