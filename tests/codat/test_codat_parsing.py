"""JSON to model: tolerant where Codat may change, strict where a wrong guess would steer a plan."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from codat_wire import company, connection
from hypothesis import given
from hypothesis import strategies as st

from reconciler.codat import parsing
from reconciler.codat.reading import Node, WrongShapeError, read
from reconciler.live import PullState, Status
from reconciler.model import SourceType


def pull(**members: Any) -> dict[str, Any]:
    return {
        "id": "p",
        "connectionId": "c",
        "dataType": "invoices",
        "status": "Complete",
        "requested": "2026-11-24T09:00:00Z",
        **members,
    }


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2022-10-27T09:53:29Z", datetime(2022, 10, 27, 9, 53, 29, tzinfo=UTC)),
        ("2022-10-27T10:22:43.6464237Z", datetime(2022, 10, 27, 10, 22, 43, 646423, tzinfo=UTC)),
        ("2022-10-27T11:53:29+02:00", datetime(2022, 10, 27, 9, 53, 29, tzinfo=UTC)),
        ("2022-10-27T09:53:29", datetime(2022, 10, 27, 9, 53, 29, tzinfo=UTC)),
        ("2022-10-27T09:53:29.1234567", datetime(2022, 10, 27, 9, 53, 29, 123456, tzinfo=UTC)),
        ("0001-01-01T00:00:00", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_date_is_read_however_codat_writes_it(written: str, meant: datetime) -> None:
    assert parsing.connection(Node(connection(created=written))).created == meant


@pytest.mark.parametrize("written", ["PendingAuth", "pendingAuth", "PENDINGAUTH"])
def test_a_status_is_read_in_any_case(written: str) -> None:
    assert parsing.connection(Node(connection(status=written))).status is Status.PENDING_AUTH


def test_a_status_nobody_knows_is_unknown() -> None:
    assert parsing.connection(Node(connection(status="Paused"))).status is Status.UNKNOWN


def test_fields_nobody_asks_for_and_fields_left_out_do_no_harm() -> None:
    got = parsing.company(
        Node({"id": "1", "name": "", "new": {"deep": [1]}, "tags": None, "description": None})
    )

    assert (got.tags, got.description, got.created, got.connections) == ({}, None, None, ())


def test_a_company_brings_its_connections() -> None:
    got = parsing.company(
        Node(company(dataConnections=[connection(lastSync=None)], tags={"uid": "1", "gone": None}))
    )

    assert got.tags == {"uid": "1"}
    assert [(connection.platform_key, connection.source_type) for connection in got.connections] == [
        ("qhyg", SourceType.ACCOUNTING)
    ]


def test_the_link_url_is_a_secret() -> None:
    got = parsing.connection(Node(connection()))

    assert got.link_url is not None
    assert "123456" not in repr(got)


@pytest.mark.parametrize(
    ("recorded", "is_active"),
    [
        ({"status": "Active"}, True),
        ({"status": "resolved"}, False),
        ({"status": None}, True),
        ({"status": None, "resolvedOnUtc": "2026-11-24T09:00:00Z"}, False),
    ],
)
def test_a_recorded_error_is_open_until_codat_says_it_is_resolved(
    recorded: dict[str, Any], is_active: bool
) -> None:
    error = {"statusCode": 401, "errorMessage": "no", "erroredOnUtc": "2026-11-24T08:00:00", **recorded}

    (got,) = parsing.connection(Node(connection(dataConnectionErrors=[error]))).errors

    assert (got.message, got.status_code, got.active) == ("no", "401", is_active)


@pytest.mark.parametrize(
    ("members", "state"),
    [
        ({"status": "Fetching"}, PullState.RUNNING),
        ({"status": "fetcherror"}, PullState.FAILED),
        ({"status": "NotSupported"}, PullState.DONE),
        ({"status": "Reticulating"}, PullState.RUNNING),
        ({"status": "Reticulated", "isCompleted": True}, PullState.DONE),
        ({"status": "Broken", "isCompleted": True, "isErrored": True}, PullState.FAILED),
    ],
)
def test_a_pulls_status_is_known_or_read_by_its_flags_or_counts_as_running(
    members: dict[str, Any], state: PullState
) -> None:
    assert parsing.pull(Node(pull(**members))).state is state


def test_every_pull_status_of_the_document_has_a_meaning(openapi: dict[str, Any]) -> None:
    documented = openapi["components"]["schemas"]["PullOperation"]["properties"]["status"]["enum"]

    assert {status.lower() for status in documented} == set(parsing.PULL_STATES)


def test_every_connection_status_of_the_document_is_known(openapi: dict[str, Any]) -> None:
    documented = openapi["components"]["schemas"]["Connection"]["definitions"]["dataConnectionStatus"]["enum"]

    assert {status.lower() for status in documented} | {"unknown"} == set(parsing.STATUSES)


@pytest.mark.parametrize("missing", [{"name": None}, {}], ids=["null", "not there"])
def test_a_company_without_a_name_stops_nobody(missing: dict[str, None]) -> None:
    document = {name: value for name, value in company().items() if name != "name"} | missing
    assert parsing.company(Node(document)).name == ""


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ([], "the whole document: expected an object, found a list"),
        (company(name=7), "name: expected text, found a number"),
        (company(id=""), "id: expected an id, found empty text"),
        (company(tags=["x"]), "tags: expected an object, found a list"),
        (company(tags={"uid": {"x": 1}}), "tags.uid: expected text, found an object"),
        (
            company(dataConnections=[connection(), connection(status=None)]),
            "dataConnections[1].status: expected text, found nothing",
        ),
        (
            company(dataConnections=[connection(created="yesterday")]),
            "dataConnections[0].created: expected a date and time, found text",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_path_and_never_repeated(document: Any, complaint: str) -> None:
    with pytest.raises(WrongShapeError) as caught:
        parsing.company(Node(document))

    assert str(caught.value) == complaint


@pytest.mark.parametrize(
    "content",
    [b"", b'{"id": "x', b"<html>canary</html>", b"\xff\xfe\x00", b"[" * 100_000],
    ids=["empty", "truncated", "html", "not text", "nested without end"],
)
def test_what_is_not_json_is_said_to_be_so(content: bytes) -> None:
    with pytest.raises(WrongShapeError, match="the answer is"):
        read(content)


def test_a_data_type_that_was_never_synced_has_no_status() -> None:
    got = parsing.data_statuses(
        Node(
            {
                "invoices": {"dataType": "invoices", "currentStatus": "Complete"},
                "bills": {"dataType": "bills", "currentStatus": "NotSupported"},
                "customers": {"dataType": "customers", "currentStatus": "FetchError"},
                "items": {"dataType": "items"},
                "payments": None,
                "company": {"currentStatus": "Queued"},
            }
        )
    )

    assert [(status.data_type, status.state.value, status.is_queued) for status in got] == [
        ("invoices", "done", False),
        ("bills", "done", False),
        ("customers", "failed", False),
        ("company", "running", True),
    ]


def test_a_status_of_data_that_nobody_knows_may_still_end_well() -> None:
    got = parsing.data_statuses(Node({"invoices": {"dataType": "invoices", "currentStatus": "Warming"}}))

    assert [status.state for status in got] == [PullState.RUNNING]


def test_a_platform_says_what_can_be_fetched_from_it_in_either_spelling() -> None:
    def feature(kind: str, state: str = "Release", **named: str) -> dict[str, Any]:
        return {**named, "supportedFeatures": [{"featureType": kind, "featureState": state}]}

    got = parsing.platform(
        Node(
            {
                "key": "gbol",
                "name": "Xero",
                "datatypeFeatures": [
                    feature("Get", datatype="invoices"),
                    feature("get", "release", dataType="bills"),
                    feature("Create", datatype="items"),
                    feature("Get", "NotSupported", datatype="transfers"),
                ],
            }
        )
    )

    assert got.data_types == {"invoices", "bills"}


ANYTHING = st.sampled_from([None, "", "x", 0, 1, True, [], ["x"], [1], {}, {"a": "b"}, {"a": None}, {"a": 1}])
MOMENTS = st.sampled_from(
    ["2026-01-05T09:00:00Z", "2026-01-05T09:00:00", "0001-01-01T00:00:00+09:00", "soon"]
)
CONNECTIONS = [
    "id",
    "integrationKey",
    "platformName",
    "status",
    "sourceType",
    "created",
    "lastSync",
    "linkUrl",
]
COMPANIES = ["id", "name", "description", "tags", "created", "dataConnections", "products"]


@given(
    st.dictionaries(st.sampled_from(COMPANIES), ANYTHING | MOMENTS, max_size=2),
    st.dictionaries(st.sampled_from([*CONNECTIONS, "dataConnectionErrors"]), ANYTHING | MOMENTS, max_size=2),
    st.sampled_from(["", *COMPANIES]),
    st.sampled_from(["", *CONNECTIONS]),
)
def test_a_company_is_the_same_read_plainly_and_with_care(
    odd: dict[str, Any], odd_link: dict[str, Any], left_out: str, left_out_there: str
) -> None:
    link = {name: each for name, each in connection(**odd_link).items() if name != left_out_there}
    whole = company(tags={"codatSyncSent": "11111111:abc", "x": None}, dataConnections=[link]) | odd
    value = {name: each for name, each in whole.items() if name != left_out}
    plain = parsing._plain_company(value)
    if plain is not None:
        careful = parsing._careful_company(Node(value))
        assert repr(plain) == repr(careful)
        assert [each.link_url for each in plain.connections] == [
            each.link_url for each in careful.connections
        ]


def test_what_codat_documents_is_read_plainly() -> None:
    assert parsing._plain_company(company(dataConnections=[connection()])) is not None
