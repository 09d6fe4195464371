"""No failure shows a token or the API key, not even to someone who prints its local variables."""

from __future__ import annotations

import base64
import gc
import html
import json
import traceback
import urllib.parse
from collections.abc import Iterator
from datetime import timedelta
from types import FrameType
from uuid import uuid4

import httpx
import pytest
from codat_wire import Wire, answer, wire
from virtual_time import VirtualClock, run

from reconciler.codat import Client, connect, credentials
from reconciler.codat.errors import ApiError
from reconciler.codat.exchange import SentSecrets
from reconciler.codat.reading import Mask
from reconciler.secret_refs import Secret
from reconciler.workspace import Limits

TOKEN = "canary-token-5f1c9a7e"
API_KEY = "canary-api-key-77aa01"
PIN = "77aa01"
ENCODED = base64.b64encode(API_KEY.encode()).decode()
CANARIES = ("5f1c9a7e", "canary-token", "canary-api", PIN, ENCODED, ENCODED[:12])


def echo(status: int) -> httpx.Response:
    """Codat, repeating in its message all that it was sent."""
    said = f"the accessToken {TOKEN} ({TOKEN[:14]}…) with key {API_KEY} / Basic {ENCODED} is no good"
    return answer(
        {"error": said, "correlationId": TOKEN, "validation": {"errors": [{"message": said}]}}, status
    )


FAILURES = {
    "rejected": echo(400),
    "unauthorized": echo(401),
    "fault": echo(500),
    "quota": httpx.Response(429, headers={"Retry-After": "3600"}, content=echo(429).content),
    "held up": echo(429),
    "redirect": httpx.Response(307, headers={"Location": f"https://evil.example/{TOKEN}"}),
    "cut": httpx.Response(200, content=f'{{"id": "{TOKEN}'.encode()),
    "wrong shape": answer({"id": [TOKEN], "status": TOKEN}),
    "timeout": httpx.ReadTimeout(f"reading {TOKEN}"),
    "header": httpx.LocalProtocolError(f"Illegal header value b'Basic {ENCODED}'"),
    "reset": ConnectionResetError(f"{TOKEN}"),
}


def failing(network: Wire, *, reads_first: bool = False) -> ApiError:
    async def main() -> None:
        key = credentials({"CODAT_API_KEY": API_KEY})
        async with connect(
            Client, "https://api.codat.io", key, limits=Limits(), clock=VirtualClock(), transport=network
        ) as client:
            if reads_first:
                await client.fetched_types()
            await client.authorize("1", "2", {"accessToken": Secret(TOKEN), "pin": Secret(PIN)})

    with pytest.raises(ApiError) as caught:
        run(main())
    return caught.value


def test_an_authorize_that_would_touch_the_reserve_shows_no_secret_either() -> None:
    told = {"X_Rate_Limit_Remaining": "100", "X_Rate_Limit_Limit": "1000"}
    error = failing(wire(answer({}, **told)), reads_first=True)

    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())

    assert "reserve" in str(error)
    assert [canary for canary in CANARIES if canary in shown] == []


def test_a_token_that_codat_repeats_in_a_later_answer_on_the_company_is_not_shown_either() -> None:
    linked = {"id": "2", "status": "Linked", "platformName": "Xero", "created": "2026-01-01T00:00:00Z"}

    async def main() -> None:
        key = credentials({"CODAT_API_KEY": API_KEY})
        network = wire(answer(linked), echo(400))
        async with connect(
            Client, "https://api.codat.io", key, limits=Limits(), clock=VirtualClock(), transport=network
        ) as client:
            client = client.remembering(SentSecrets())
            await client.authorize("1", "2", {"accessToken": Secret(TOKEN)})
            await client.within(timedelta(hours=1)).sync_all("1", uuid4())

    with pytest.raises(ApiError) as caught:
        run(main())
    assert "400: Codat rejects the request" in str(caught.value)
    assert [canary for canary in CANARIES if canary in f"{caught.value}{caught.value.diagnostics}"] == []


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("name", FAILURES)
def test_a_failed_authorize_shows_no_secret_even_with_local_variables(name: str) -> None:
    network = wire(FAILURES[name])
    error = failing(network)

    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())

    assert "authorize" in shown
    assert TOKEN.encode() in network.requests[0].content, "the token was sent, so it could have leaked"
    assert [canary for canary in CANARIES if canary in shown] == []
    assert [
        canary for canary in CANARIES if canary in f"{error}{error!r}{error.diagnostics}{vars(error)}"
    ] == []


@pytest.mark.parametrize("name", FAILURES)
def test_no_cause_of_an_error_is_foreign_or_holds_the_request(name: str) -> None:
    error = failing(wire(FAILURES[name]))

    assert [each_error for each_error in chain(error) if not isinstance(each_error, ApiError)] == []
    reachable = gc.get_referents(error, vars(error), *error.args)
    assert not [
        object_ for object_ in reachable if isinstance(object_, httpx.Request | httpx.Response | FrameType)
    ]


def test_the_client_itself_shows_no_key() -> None:
    async def main() -> str:
        key = credentials({"CODAT_API_KEY": API_KEY})
        async with connect(
            Client,
            "https://api.codat.io",
            key,
            limits=Limits(),
            clock=VirtualClock(),
            transport=wire(echo(400)),
        ) as client:
            return f"{client!r} {vars(client)!r} {vars(client._exchange)!r} {vars(client._exchange._http)!r}"

    shown = run(main())

    assert [canary for canary in CANARIES if canary in shown] == []


SPIKY = 'tok/en+"5f1c"\\9a7e=ü&<é>'
FORMS = {
    "as it is": SPIKY,
    "base64": base64.b64encode(SPIKY.encode()).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(SPIKY.encode()).decode().rstrip("="),
    "base64, one before": base64.b64encode(b":" + SPIKY.encode() + b"!").decode(),
    "base64, two before": base64.b64encode(b"a:" + SPIKY.encode() + b"!?").decode(),
    "percent-encoded": urllib.parse.quote(SPIKY, safe=""),
    "percent-encoded, small letters": urllib.parse.quote(SPIKY).lower(),
    "a form": urllib.parse.urlencode({"token": SPIKY}),
    "percent-encoded whole": "".join(f"%{byte:02X}" for byte in SPIKY.encode()),
    "JSON": json.dumps(SPIKY),
    "JSON in UTF-8": json.dumps(SPIKY, ensure_ascii=False),
    "JSON with slashes escaped": json.dumps(SPIKY).replace("/", "\\/"),
    "JSON escaped whole": "".join(f"\\u{ord(character):04x}" for character in SPIKY),
    "HTML": html.escape(SPIKY),
    "hexadecimal": SPIKY.encode().hex(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_token_that_codat_quotes_in_another_form_is_not_shown(form: str) -> None:
    shown = Mask([Secret(SPIKY)])(f"cannot use <<{form}>> here")

    assert shown.startswith("cannot use <<")
    assert shown.endswith(">> here")
    assert len(shown) - len("cannot use <<>> here") <= len("***") + 8
