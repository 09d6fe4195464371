"""Whatever goes wrong below comes out as one of our errors, with Codat's words and what to do."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from codat_wire import answer, blank, company, talk, wire

from reconciler.codat import errors, faults
from reconciler.codat.errors import ApiError
from reconciler.codat.reading import LONGEST, Mask
from reconciler.secret_refs import Secret


def beneath(root: type[Exception]) -> Iterator[type[Exception]]:
    yield root
    for subclass in root.__subclasses__():
        yield from beneath(subclass)


FOREIGN = [
    *dict.fromkeys(
        exception
        for root in (httpx.HTTPError, httpx.StreamError, ssl.SSLError, ConnectionError)
        for exception in beneath(root)
        if exception.__module__.split(".")[0] in ("httpx", "ssl", "builtins")
    ),
    TimeoutError,
    OSError,
]
"""Those that httpx and the standard library define; what else is loaded differs from process to process."""
NEVER_SENT = {
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
}


def made(kind: type[Exception]) -> Exception:
    error = kind.__new__(kind)
    error.args = ("canary",)
    return error


@pytest.mark.parametrize("kind", FOREIGN, ids=lambda kind: kind.__name__)
def test_every_foreign_failure_has_a_row_and_only_what_was_never_sent_is_unreachable(
    kind: type[Exception],
) -> None:
    assert issubclass(kind, faults.CAUGHT)

    became = faults.of_exception(made(kind), request="POST /companies", origin="https://api.codat.io")

    assert type(became) is (errors.UnreachableError if kind in NEVER_SENT else errors.NoAnswerError)
    assert became.request == "POST /companies"


def test_no_row_is_hidden_by_one_before_it() -> None:
    rows = [row.caught for row in faults.FOREIGN]

    assert not [(a, b) for i, a in enumerate(rows) for b in rows[i + 1 :] if issubclass(b, a)]


def test_unreachable_says_the_url_and_the_reason() -> None:
    with pytest.raises(errors.UnreachableError) as caught:
        talk(wire(httpx.ConnectError("[Errno -2] Name or service not known")), lambda c: c.company("1"))

    assert "cannot reach https://api.codat.io" in str(caught.value)
    assert "Name or service not known" in str(caught.value)


def test_a_certificate_that_is_not_trusted_is_said_to_be_so_and_not_tried_again() -> None:
    tls = ssl.SSLCertVerificationError(1, "certificate verify failed")
    tls.verify_message = "self-signed certificate"
    outer = httpx.ConnectError("canary")
    outer.__cause__ = tls
    network = wire(outer)

    with pytest.raises(errors.UnreachableError) as caught:
        talk(network, lambda c: c.company("1"))

    assert "the TLS certificate is not trusted (self-signed certificate)" in str(caught.value)
    assert "SSL_CERT_FILE" in str(caught.value)
    assert len(network.requests) == 1


STATUSES = {
    301: errors.UnexpectedAnswerError,
    304: errors.UnexpectedAnswerError,
    400: errors.RejectedError,
    401: errors.UnauthorizedError,
    402: errors.AccountLimitError,
    403: errors.ForbiddenError,
    404: errors.NotFoundError,
    405: errors.RejectedError,
    409: errors.StillRunningError,
    418: errors.RejectedError,
    422: errors.KeyReusedError,
    500: errors.ServerFaultError,
    502: errors.ServerFaultError,
    503: errors.ServerFaultError,
    599: errors.ServerFaultError,
}


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_has_a_meaning(status: int) -> None:
    body = {"statusCode": status, "error": "Codat's words", "correlationId": "c-1"}

    with pytest.raises(ApiError) as caught:
        talk(wire(answer(body, status)), lambda c: c.create_company({}, uuid4()))

    error = caught.value
    assert type(error) is STATUSES[status]
    assert (error.status, error.correlation_id, error.request) == (status, "c-1", "POST /companies")
    assert "Codat's words" in error.summary
    assert "c-1" in str(error)


def test_every_leaf_of_the_tree_can_be_reached_from_the_tables() -> None:
    made = {row.becomes for row in faults.FOREIGN}
    made |= {status.becomes for status in faults.STATUSES.values()}
    made |= {answer.becomes for answer in (faults.REJECTED, faults.FAULT, faults.GATEWAY, faults.REDIRECT)}
    made |= {faults.ALREADY_SYNCING.becomes}
    made |= {errors.QuotaExhaustedError, errors.HeldUpError}

    assert made == {exception for exception in beneath(ApiError) if not exception.__subclasses__()} | {
        errors.RejectedError,
        errors.ServerFaultError,
    }


def failing(status: int, body: Any, **headers: str) -> ApiError:
    with pytest.raises(ApiError) as caught:
        talk(wire(answer(body, status, **headers)), lambda c: c.sync_all("1", uuid4()))
    return caught.value


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, ["CODAT_API_KEY", "CODAT_AUTH_HEADER"]),
        (402, ["50 companies", "90 minutes"]),
        (403, ["entitled"]),
    ],
)
def test_what_stops_a_run_says_what_to_do(status: int, words: list[str]) -> None:
    said = str(failing(status, {"error": "no"}))

    assert [word for word in words if word not in said] == []


def test_codats_validation_messages_are_shown() -> None:
    error = failing(
        400,
        {
            "error": "Bad request",
            "detailedErrorCode": 7,
            "validation": {
                "errors": [
                    {"message": "Name too long", "itemId": None},
                    {"message": None},
                    {"itemId": "tags.region", "message": "is not text"},
                ]
            },
        },
    )

    assert "Bad request; Name too long; tags.region: is not text; detailed error code 7" in error.summary


@pytest.mark.parametrize("status", [400, 409, 500])
def test_a_sync_that_runs_already_is_told_by_its_message(status: int) -> None:
    words = "DatasetAlreadyInProgressException: Cannot queue invoices sync as previous sync 2 is in progress"

    assert isinstance(failing(status, {"error": words}), errors.AlreadyQueuedError)


def test_a_rejected_key_stays_one_whatever_the_message() -> None:
    assert isinstance(failing(401, {"error": "DatasetAlreadyInProgressException"}), errors.UnauthorizedError)


def test_a_redirect_is_not_followed_and_says_so() -> None:
    network = wire(blank(302, Location="https://evil.example/"))

    with pytest.raises(errors.UnexpectedAnswerError, match="redirects are not followed"):
        talk(network, lambda c: c.company("1"))
    assert len(network.requests) == 1


@pytest.mark.parametrize("status", [304, 999])
def test_a_status_that_the_api_does_not_have_is_not_called_a_redirect(status: int) -> None:
    with pytest.raises(errors.UnexpectedAnswerError, match="a status that the API does not have"):
        talk(wire(blank(status)), lambda c: c.company("1"))


@pytest.mark.parametrize("status", [403, 502])
def test_a_proxys_page_is_not_taken_for_codats_words(status: int) -> None:
    page = httpx.Response(status, html="<h1>canary</h1>")

    with pytest.raises(ApiError) as caught:
        talk(wire(page), lambda c: c.sync_all("1", uuid4()))

    assert isinstance(caught.value, errors.GatewayFaultError) is (status == 502)
    assert "not Codat's JSON; a proxy may stand between" in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b'{"id": "8a210',
        b"",
        b"<html>canary</html>",
        b'{"id": 7, "name": "canary"}',
        b'["canary"]',
        b"\xff\xfe",
    ],
    ids=["truncated", "empty", "html", "wrong type", "wrong shape", "not text"],
)
def test_a_success_that_is_not_codats_json(body: bytes) -> None:
    network = wire(httpx.Response(200, content=body))

    with pytest.raises(errors.UnexpectedAnswerError) as reading:
        talk(network, lambda c: c.company("1"))
    with pytest.raises(errors.NoAnswerError) as writing:
        talk(network, lambda c: c.create_company({}, uuid4()))

    assert "canary" not in f"{reading.value}{writing.value}"


@pytest.mark.parametrize(
    "write",
    [
        lambda client: client.delete_company("1"),
        lambda client: client.delete_connection("1", "2"),
        lambda client: client.sync_all("1", uuid4()),
        lambda client: client.queue("1", "invoices", "2", uuid4()),
    ],
    ids=["delete a company", "delete a connection", "sync", "queue"],
)
def test_a_proxys_page_is_not_taken_for_a_write_that_is_answered_without_a_body(write: Any) -> None:
    page = httpx.Response(200, html="<html>Please sign in</html>")

    with pytest.raises(errors.NoAnswerError, match=r"not JSON.*a proxy"):
        talk(wire(page), write)
    for good in (blank(204), blank(200), answer({"id": "3"})):
        talk(wire(good), write)


def test_a_wrong_shape_is_named_by_its_place() -> None:
    body = {"results": [company(), company(dataConnections=[{"id": "x", "status": 3}])]}

    with pytest.raises(errors.UnexpectedAnswerError) as caught:
        talk(wire(answer(body)), lambda c: c.companies())

    assert "results[1].dataConnections[0].status: expected text, found a number" in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        {"error": ["x"]},
        {"error": None},
        {"validation": 3, "error": "x"},
        [],
        "text",
        {"error": "x", "correlationId": 5},
    ],
)
def test_an_error_body_of_another_shape_still_gives_the_error_of_its_status(body: Any) -> None:
    assert isinstance(failing(404, body), errors.NotFoundError)


def test_a_long_and_hostile_message_is_cut_and_made_harmless() -> None:
    error = failing(400, {"error": "\x1b[2J\u202egnp\n" + "a" * 200_000, "correlationId": "\x07" * 90_000})

    assert len(str(error)) < LONGEST + 200
    assert str(error).isprintable()


@pytest.mark.parametrize(
    ("secrets", "said", "shown"),
    [
        (["hunter22"], "token hunter22 is bad", "token *** is bad"),
        (["hunter22"], "token HUNTER22 is bad", "token *** is bad"),
        (["hunter22-and-more"], "token hunter2… is bad", "token ***… is bad"),
        (["hunter22-and-more"], "a hunte b", "a hunte b"),
        (["pin4"], "pin4 and xpin4y", "*** and x***y"),
        (["", "hunter22"], "fine", "fine"),
        (["hunter22"], "hunter22hunter22", "***"),
        (["geheimnis"], "İ GEHEIMNIS", "i\u0307 ***"),
    ],
)
def test_what_was_sent_in_secret_is_masked_in_what_codat_says(
    secrets: list[str], said: str, shown: str
) -> None:
    assert Mask([Secret(secret) for secret in secrets])(said) == shown
