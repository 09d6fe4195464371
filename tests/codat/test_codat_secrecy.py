"""No failure shows a token or the API key, not even to someone who prints its local variables."""

from __future__ import annotations

import base64
import gc
import traceback
from collections.abc import Iterator
from types import FrameType

import httpx
import pytest
from codat_wire import Wire, answer, wire
from virtual_time import VirtualClock, run

from reconciler.codat import Client, connect, credentials
from reconciler.codat.errors import ApiError
from reconciler.model import Limits, Secret

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
    assert [one for one in CANARIES if one in shown] == []


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
    assert [one for one in CANARIES if one in shown] == []
    assert [one for one in CANARIES if one in f"{error}{error!r}{error.diagnostics}{vars(error)}"] == []


@pytest.mark.parametrize("name", FAILURES)
def test_no_cause_of_an_error_is_foreign_or_holds_the_request(name: str) -> None:
    error = failing(wire(FAILURES[name]))

    assert [one for one in chain(error) if not isinstance(one, ApiError)] == []
    reachable = gc.get_referents(error, vars(error), *error.args)
    assert not [one for one in reachable if isinstance(one, httpx.Request | httpx.Response | FrameType)]


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

    assert [one for one in CANARIES if one in shown] == []
