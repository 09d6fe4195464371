"""One request and its answer: what goes out, and what may come back as a value or as an error of ours.

Bodies travel sealed in a ``Secret`` and no error is raised while a foreign one is handled, so that
neither a traceback with its local variables nor a chain of causes can show what was sent.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, TypeVar
from urllib.parse import quote
from uuid import UUID

import httpx

from reconciler.codat import faults, pacing
from reconciler.codat.errors import ApiError, NoAnswerError, UnexpectedAnswerError
from reconciler.codat.pacing import Clock
from reconciler.codat.reading import Mask, Node, WrongShapeError, read
from reconciler.codat.transport import ANSWERED_AT, SENT_AT, StoppedError
from reconciler.secret_refs import Secret

T = TypeVar("T")

REPLAY_MARGIN: Final = timedelta(seconds=2)
"""How much older than our request an object is that another request made; ``Date`` has no decimals."""
DATE_UNIT: Final = timedelta(seconds=1)
"""What ``Date`` counts in."""
NO_TIME: Final = timedelta()
NOTHING_SECRET: Final = Mask()
NO_EXTENSIONS: Final[Mapping[str, object]] = MappingProxyType({})


class Authorization(httpx.Auth):
    """Puts the ``Authorization`` header on each request, and keeps it as a secret until then."""

    def __init__(self, header: Secret) -> None:
        self._header = header

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send ``request`` with the header."""
        request.headers["Authorization"] = self._header.reveal()
        yield request


def _forms(authorization: Secret) -> tuple[Secret, ...]:
    """The key as the header has it and as it was before it was encoded."""
    encoded = authorization.reveal().removeprefix("Basic ")
    try:
        return Secret(encoded), Secret(b64decode(encoded, validate=True).decode())
    except ValueError:
        return (Secret(encoded),)


def sealed(body: Mapping[str, Any]) -> Secret:
    """A request's JSON body, closed until it is sent; secrets in it are opened here."""
    return Secret(json.dumps(body, default=Secret.reveal, separators=(",", ":")))


@dataclass(frozen=True, slots=True)
class Received:
    """A 2xx answer. ``request`` is the method and path that it answers."""

    response: httpx.Response
    request: str

    def parsed(self, parse: Callable[[Node], T]) -> T:
        """What ``parse`` makes of the JSON.

        Raises:
            UnexpectedAnswerError: a read was answered with something else.
            NoAnswerError: a write was, so whether it took effect is not known.
        """
        try:
            return parse(read(self.response.content))
        except WrongShapeError as error:
            complaint = str(error)
        raise self._unexpected(complaint)

    def acknowledged(self) -> None:
        """Take the answer to a write for Codat's own, which here has no body, or JSON that is of no use.

        Raises:
            NoAnswerError: the body is something else, so whether the write took effect is not known.
        """
        if self.response.content:
            self.parsed(lambda _: None)

    def _unexpected(self, complaint: str) -> ApiError:
        is_read = self.response.request.method == "GET"
        kind = self.response.headers.get("Content-Type", "").partition(";")[0].strip()
        told = "" if kind in ("", "application/json") else " (the answer says that it is no JSON; a proxy?)"
        return (UnexpectedAnswerError if is_read else NoAnswerError)(
            f"the answer is not what Codat documents: {complaint}{told}",
            fix=faults.NOT_CODATS_FIX if is_read else "",
            status=self.response.status_code,
            request=self.request,
        )

    def replays(self, created: datetime | None) -> bool:
        """Whether an object made at ``created`` is older than our request, so that an earlier one made it.

        The request's time is told by the server's ``Date`` less the time that the answer took, so
        that a wrong clock here does no harm. Where Codat does not say when the object was made it
        may be a replay, which costs the caller one read.
        """
        sent_at: datetime = self.response.extensions[SENT_AT]
        answered_at: datetime = self.response.extensions[ANSWERED_AT]
        by_server = pacing.date(self.response, "Date") or answered_at
        return created is None or created < by_server - (answered_at - sent_at) - REPLAY_MARGIN

    def made_ago(self, created: datetime | None) -> timedelta | None:
        """How long ago an object was made, at most, when this answer to its creation came.

        Told by the server's ``Date``, which leaves the decimals out, and the time that the answer took.
        ``None`` where that is not said, or where one of the clocks was set meanwhile.
        """
        sent_at: datetime = self.response.extensions[SENT_AT]
        answered_at: datetime = self.response.extensions[ANSWERED_AT]
        by_server = pacing.date(self.response, "Date")
        if created is None or by_server is None or answered_at < sent_at:
            return None
        ago = by_server + DATE_UNIT - created
        return None if ago < NO_TIME else ago + (answered_at - sent_at)


@dataclass(slots=True)
class SentSecrets:
    """What was sent for one company: a later answer on it may repeat that. It goes with who works on it."""

    mask: Mask = field(default=NOTHING_SECRET, repr=False)


class Exchange:
    """Sends one request to the API's origin and returns its 2xx answer, or raises an error of ours."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        origin: httpx.URL,
        authorization: Secret,
        clock: Clock,
        extensions: Mapping[str, object] = NO_EXTENSIONS,
        sent: SentSecrets | None = None,
    ) -> None:
        self._http = http
        self.origin = origin
        self._clock = clock
        self._authorization = authorization
        self._mask = Mask(_forms(authorization))
        self._extensions = extensions
        self._sent = sent

    def now(self) -> datetime:
        """The present moment, by the clock that everything here goes by."""
        return self._clock.now()

    def extended(self, name: str, value: object) -> Exchange:
        """An exchange whose requests carry one extension more down to the transport."""
        extensions = {**self._extensions, name: value}
        return Exchange(self._http, self.origin, self._authorization, self._clock, extensions, self._sent)

    def remembering(self, sent: SentSecrets) -> Exchange:
        """An exchange that takes out of errors what was sent before, too."""
        return Exchange(self._http, self.origin, self._authorization, self._clock, self._extensions, sent)

    async def __call__(
        self,
        method: str,
        url: httpx.URL,
        *,
        body: Secret | None = None,
        key: UUID | None = None,
        mask: Mask = NOTHING_SECRET,
    ) -> Received:
        """The 2xx answer. ``key`` goes out as ``Idempotency-Key``; ``mask`` takes secrets out of errors.

        Raises:
            ApiError: one of the tree in ``reconciler.codat.errors``.
            StoppedError: the run ended before it was sent.
        """
        request = f"{method} {quote(url.path)}"
        if self._sent is not None:
            mask = self._sent.mask = self._sent.mask | mask
        outcome = await self._send(method, url, body, key, request)
        if isinstance(outcome, Exception):
            raise outcome
        if outcome.is_success:
            return Received(outcome, request)
        reset = pacing.quota_reset(outcome, self._clock.now())
        raise faults.of_response(
            outcome,
            request=request,
            mask=self._mask | mask,
            reset=f"at {reset:%Y-%m-%dT%H:%M:%SZ}" if reset else "",
        )

    async def _send(
        self, method: str, url: httpx.URL, body: Secret | None, key: UUID | None, request: str
    ) -> httpx.Response | ApiError | StoppedError:
        """The answer whatever its status, or the failure to get one: raised from here it would be chained."""
        headers_out = {"Idempotency-Key": str(key)} if key else {}
        if body is not None:
            headers_out["Content-Type"] = "application/json"
        try:
            return await self._http.request(
                method,
                url,
                content=None if body is None else body.reveal().encode(),
                headers=headers_out,
                extensions=dict(self._extensions),
            )
        except (ApiError, StoppedError) as error:
            return error.with_traceback(None)
        except faults.CAUGHT as error:
            return faults.of_exception(error, request=request, origin=str(self.origin))
