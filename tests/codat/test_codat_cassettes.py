"""Whole conversations, recorded once over a real socket and played back: ``cassettes/ORIGIN.md`` tells how.

Few and short. The main proof of the client stands in the other tests; these keep the form of real
answers, headers included.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
import vcr
import yaml
from vcr.request import Request
from virtual_time import VirtualClock, run

from reconciler.codat import Client, connect, credentials
from reconciler.codat.errors import ApiError, NotFoundError
from reconciler.codat.pacing import SystemClock
from reconciler.live import PullState, Status
from reconciler.secret_refs import Secret
from reconciler.workspace import Limits

FOLDER: Final = Path(__file__).parent / "cassettes"
RECORD: Final = os.environ.get("CODAT_SYNC_RECORD", "")
"""What to record from: ``sandbox``, ``real``, or nothing."""
HOST: Final = "http://127.0.0.1:8000"
"""What stands in a cassette, whatever host answered."""
API_KEY: Final = "cassette-canary-key"
TOKEN: Final = "cassette-canary-token"


# --- what is told ------------------------------------------------------------------------------


async def migrate(client: Client) -> None:
    """A company, a connection, its tokens, a sync; and all of it taken away again."""
    created = await client.create_company(
        {"name": "Cassette Stores", "description": "", "tags": {"uid": "cassette-1"}}, uuid4()
    )
    company = created.value
    connected = await client.create_connection(company.id, "mqjo", uuid4())
    assert (created.replayed, connected.replayed) == (False, False)
    assert connected.value.status is Status.PENDING_AUTH
    tokens = {"accessToken": Secret(TOKEN), "realmId": Secret("4620816365")}
    try:
        linked = await client.authorize(company.id, connected.value.id, tokens)
        assert linked.status is Status.LINKED
        await client.sync_all(company.id, uuid4())
        pulls = await client.pulls(company.id)
        assert {scene.state for scene in pulls} <= set(PullState)
        severed = await client.unlink(company.id, linked.id, uuid4())
        assert severed.status is Status.UNLINKED
    except ApiError:
        if origin() != "real":
            raise
    await client.delete_connection(company.id, connected.value.id)
    await client.delete_company(company.id)


async def page_by_page(client: Client) -> None:
    """A listing by tag that takes more than one page."""
    made = [
        (await client.create_company({"name": f"Page {n}", "tags": {"uid": "cassette-2"}}, uuid4())).value
        for n in range(3)
    ]
    listed = await client.companies("uid=cassette-2")
    assert {scene.id for scene in listed} >= {scene.id for scene in made}
    for scene in made:
        await client.delete_company(scene.id)


async def refused(client: Client) -> None:
    """What Codat says where there is no such thing."""
    with pytest.raises(NotFoundError) as caught:
        await client.company("00000000-0000-4000-8000-000000000000")
    assert caught.value.correlation_id


async def settings(client: Client) -> None:
    """What the account fetches on first link."""
    assert await client.fetched_types()


STORIES: Final[dict[str, Callable[[Client], Awaitable[None]]]] = {
    scene.__name__: scene for scene in (migrate, page_by_page, refused, settings)
}


# --- what is written ---------------------------------------------------------------------------


def scrubbed_request(request: Request) -> Request:
    """The request without its host, and without the values of an authorization."""
    request.uri = re.sub(r"^https?://[^/]+", HOST, request.uri)
    request.headers = {
        name: value
        for name, value in request.headers.items()
        if name.lower() in ("content-type", "idempotency-key", "accept")
    }
    if request.path.endswith("/authorization"):
        request.body = json.dumps(dict.fromkeys(json.loads(request.body), "***")).encode()
    return request


def scrubbed_response(response: dict[str, Any]) -> dict[str, Any]:
    """The answer without link URLs, which may carry a one-time password, without cookies and who asked."""
    text = response["body"]["string"].decode()
    text = re.sub(r'("(?:linkUrl|redirect)":\s*)"[^"]*"', r'\1"https://link.example/"', text)
    text = re.sub(r'("(?:clientId|createdByUserName)":\s*)"[^"]*"', r'\1"***"', text)
    headers = {
        name: value
        for name, value in response["headers"].items()
        if name.lower() not in ("set-cookie", "content-length", "content-encoding", "transfer-encoding")
    }
    return {**response, "body": {"string": text.encode()}, "headers": headers}


RECORDER: Final = vcr.VCR(
    cassette_library_dir=str(FOLDER),
    record_mode="all" if RECORD else "none",
    match_on=("method", "path", "query", "body"),
    before_record_request=scrubbed_request,
    before_record_response=scrubbed_response,
    decode_compressed_response=True,
)


# --- recording and playing back ----------------------------------------------------------------


def origin() -> str:
    """What the cassettes are recorded from, now or when they were."""
    if RECORD:
        return RECORD
    found = {yaml.safe_load(path.read_text())["metadata"]["origin"] for path in FOLDER.glob("*.yaml")}
    return found.pop() if len(found) == 1 else "mixed"


@contextmanager
def answering() -> Iterator[tuple[str, Secret]]:
    """The API to talk to, and the key to it; when playing back, nothing listens there."""
    if RECORD == "real":
        yield os.environ.get("CODAT_API_URL", "https://api.codat.io"), credentials(os.environ)
    elif RECORD == "sandbox":
        from loopback import serving

        from reconciler.sandbox import Sandbox

        with serving(Sandbox(seed=1)) as url:
            yield url, credentials({"CODAT_API_KEY": API_KEY})
    else:
        yield HOST, credentials({"CODAT_API_KEY": API_KEY})


@pytest.mark.parametrize("story", STORIES)
def test_a_recorded_conversation_is_understood(story: str) -> None:
    async def main(api: str, key: Secret) -> None:
        limits = Limits(page_size=2 if story == "page_by_page" else 100)
        clock = SystemClock() if RECORD else VirtualClock()
        async with connect(Client, api, key, limits=limits, clock=clock, paced=bool(RECORD)) as client:
            await STORIES[story](client)

    with answering() as (api, key), RECORDER.use_cassette(f"{story}.yaml") as cassette:
        cassette.get_metadata("origin", RECORD)
        (asyncio.run if RECORD else run)(main(api, key))
        assert RECORD or cassette.all_played


@pytest.mark.parametrize("story", STORIES)
def test_a_cassette_says_where_it_comes_from_and_holds_no_secret(story: str) -> None:
    written = (FOLDER / f"{story}.yaml").read_text()
    held = yaml.safe_load(written)
    text = f"{written}{held}"

    assert held["metadata"]["origin"] in ("sandbox", "real")
    leaks = re.findall(rf"(?i)canary|{TOKEN}|Basic [a-z0-9+/]{{8,}}|otp=|set-cookie|4620816365", text)
    assert leaks == []
    hosts = set(re.findall(r"https?://[^/\s\"'\\]+", text))
    assert hosts <= {HOST, "https://link.example"}
