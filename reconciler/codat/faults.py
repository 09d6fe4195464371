"""The border where foreign failures become ours, and an answer is read no further than is sensible.

httpx unpacks each piece as it comes, and a kilobyte on the wire may stand for a megabyte, so the packed
bytes are taken here and unpacked in steps. Its timeouts are for one piece each, which a server that drips
keeps to for ever.

Two tables say it all. What is raised from them holds words only: never a request, a response, or an
exception of httpx, since those carry the request's body.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import zlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, cast

import httpx

from reconciler.codat import reading
from reconciler.codat.errors import (
    AccountLimitError,
    AlreadyQueuedError,
    ApiError,
    ForbiddenError,
    GatewayFaultError,
    KeyReusedError,
    NoAnswerError,
    NotFoundError,
    QuotaExhaustedError,
    RejectedError,
    RunStoppingError,
    ServerFaultError,
    StillRunningError,
    UnauthorizedError,
    UnexpectedAnswerError,
    UnreachableError,
)
from reconciler.codat.reading import Mask, Words, harmless

LARGEST: Final = 16 * 1024 * 1024
"""Bytes of an answer, unpacked: 5,000 companies, the most that a page has, of three kilobytes each."""
LONGEST: Final = 180.0
"""Seconds from the request to the end of its answer."""
ENCODINGS: Final = "gzip"
"""What we ask for; deflate is understood too."""
_AS_IT_IS: Final = frozenset({"", "identity"})
_PACKED: Final = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP_OR_ZLIB: Final = zlib.MAX_WBITS | 32
_OF_THE_WIRE: Final = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})


class TooLargeError(httpx.DecodingError):
    """The answer is larger than anything that Codat sends."""


class TooSlowError(httpx.ReadTimeout):
    """The answer came on and on, and not to its end."""


async def whole(
    send: Callable[[httpx.Request], Awaitable[httpx.Response]], request: httpx.Request
) -> httpx.Response:
    """The answer that ``send`` gets to ``request``, with its content unpacked.

    Raises:
        TooLargeError: it is more than ``LARGEST`` bytes.
        TooSlowError: it was not there within ``LONGEST`` seconds.
        httpx.DecodingError: it is packed in a way that we did not ask for, or not whole.
    """
    try:
        async with asyncio.timeout(LONGEST):
            response = await send(request)
            try:
                content = await _content(response)
            finally:
                await response.aclose()
    except TimeoutError:
        raise TooSlowError("no whole answer came in time", request=request) from None
    kept = [(name, value) for name, value in response.headers.raw if name.lower() not in _OF_THE_WIRE]
    return httpx.Response(
        response.status_code, headers=kept, content=content, request=request, extensions=response.extensions
    )


async def _content(response: httpx.Response) -> bytes:
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in _AS_IT_IS | _PACKED:
        raise httpx.DecodingError("the answer is packed in a way that we did not ask for")
    packing = zlib.decompressobj(_GZIP_OR_ZLIB) if encoding in _PACKED else None
    content, is_empty = bytearray(), True
    async for piece in cast("httpx.AsyncByteStream", response.stream):
        is_empty = is_empty and not piece
        try:
            content += packing.decompress(piece, LARGEST + 1 - len(content)) if packing else piece
        except zlib.error:
            raise httpx.DecodingError("the answer cannot be unpacked") from None
        if len(content) > LARGEST:
            raise TooLargeError("the answer is too large")
    if packing and not (packing.eof or is_empty):
        raise httpx.DecodingError("the packed answer is cut")
    return bytes(content)


_PLACE_IN_OPENSSL: Final = re.compile(r" \(_ssl\.c:\d+\)")

LONGEST_REASON: Final = 200
"""Characters of the network's own reason that an error keeps."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """What an exception from below becomes. ``is_passing`` says that another try may well succeed."""

    caught: type[Exception]
    becomes: type[ApiError]
    says: str
    is_passing: bool = True
    fix: str = ""


FOREIGN: Final = (
    Foreign(httpx.ConnectTimeout, UnreachableError, "no connection was made in time"),
    Foreign(httpx.ConnectError, UnreachableError, "no connection could be made"),
    Foreign(httpx.PoolTimeout, UnreachableError, "no connection became free in time"),
    Foreign(httpx.ProxyError, UnreachableError, "the proxy made no connection", is_passing=False),
    Foreign(httpx.UnsupportedProtocol, UnreachableError, "the URL is not http or https", is_passing=False),
    Foreign(httpx.LocalProtocolError, NoAnswerError, "the request could not be written", is_passing=False),
    Foreign(
        TooSlowError,
        NoAnswerError,
        f"the answer had not come whole after {LONGEST:.0f} seconds",
        is_passing=False,
        fix="check the network and the proxy; a smaller limits.pageSize makes answers shorter",
    ),
    Foreign(httpx.TimeoutException, NoAnswerError, "the answer did not come in time"),
    Foreign(httpx.TransportError, NoAnswerError, "the connection broke before a whole answer came"),
    Foreign(
        TooLargeError,
        NoAnswerError,
        f"the answer is larger than {LARGEST // 1024 // 1024} MiB",
        is_passing=False,
        fix="check CODAT_API_URL and the proxy; a smaller limits.pageSize makes answers shorter",
    ),
    Foreign(httpx.DecodingError, NoAnswerError, "the answer could not be unpacked"),
    Foreign(httpx.HTTPError, NoAnswerError, "no usable answer came", is_passing=False),
    Foreign(httpx.StreamError, NoAnswerError, "the answer broke off", is_passing=False),
    Foreign(ssl.SSLError, NoAnswerError, "the encrypted connection broke before a whole answer came"),
    Foreign(OSError, NoAnswerError, "the connection broke before a whole answer came"),
)
"""The first row that fits counts, so the special stands before the general."""

CAUGHT: Final = tuple(row.caught for row in FOREIGN)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an error status becomes, and what to do about it."""

    becomes: type[ApiError]
    says: str
    fix: str = ""


STATUSES: Final[Mapping[int, Answer]] = {
    401: Answer(
        UnauthorizedError,
        "Codat does not accept the API key",
        "check CODAT_API_KEY (the key itself) or CODAT_AUTH_HEADER (Basic …)",
    ),
    402: Answer(
        AccountLimitError,
        "the account has reached a limit or has expired",
        "a free plan ends at 50 companies; ask Codat to lift the limit, and wait 90 minutes, for which "
        "Codat repeats a refusal",
    ),
    403: Answer(
        ForbiddenError,
        "the API key is not entitled to this",
        "use a key of an account that may do this, or ask Codat for it",
    ),
    404: Answer(NotFoundError, "there is no such thing, or the platform does not support it"),
    409: Answer(StillRunningError, "the same request is still in progress, or the resource is not ready"),
    422: Answer(KeyReusedError, "this idempotency key came with another body before"),
}
"""What Codat's statuses mean (https://docs.codat.io/using-the-api/errors), save for 429 and ranges."""

REJECTED: Final = Answer(RejectedError, "Codat rejects the request")
FAULT: Final = Answer(ServerFaultError, "Codat fails", "try again later; status.codat.io tells of incidents")
GATEWAY: Final = Answer(GatewayFaultError, FAULT.says, FAULT.fix)
REDIRECT: Final = Answer(
    UnexpectedAnswerError,
    "the answer is a redirect, and redirects are not followed",
    "set CODAT_API_URL to the API itself; a proxy may stand between",
)
UNKNOWN: Final = Answer(
    UnexpectedAnswerError,
    "the answer has a status that the API does not have",
    "check CODAT_API_URL; a proxy may stand between",
)
ALREADY_SYNCING: Final = Answer(AlreadyQueuedError, "the data type is being synced already")
NOT_CODATS_FIX: Final = (
    "check CODAT_API_URL and the proxy; if it is Codat that answers so, upgrade codat-sync"
)
NO_CODAT: Final = "the answer is not Codat's JSON; a proxy may stand between"


def row_of(error: Exception) -> Foreign:
    """The row of ``FOREIGN`` for ``error``, which must be one of ``CAUGHT``."""
    return next(row for row in FOREIGN if isinstance(error, row.caught))


def is_passing(error: BaseException) -> bool:
    """Whether sending a read again may help; a certificate that is not trusted stays so."""
    return isinstance(error, CAUGHT) and row_of(error).is_passing and _certificate(error) is None


def of_exception(error: Exception, *, request: str, origin: str) -> ApiError:
    """What ``error`` becomes. Its own words are used only where it never saw the request."""
    row = row_of(error)
    if not issubclass(row.becomes, UnreachableError):
        return row.becomes(f"{row.says} ({origin})", fix=row.fix, request=request)
    tls = _certificate(error)
    reason = harmless(tls.verify_message if tls else _PLACE_IN_OPENSSL.sub("", str(error)), LONGEST_REASON)
    says = "the TLS certificate is not trusted" if tls else row.says
    return row.becomes(
        f"cannot reach {origin}: {says}" + (f" ({reason})" if reason else ""),
        fix="SSL_CERT_FILE may name the certificates to trust; check the machine's date too"
        if tls
        else "check the network, the proxy settings and CODAT_API_URL",
        request=request,
    )


def _certificate(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """The certificate check that failed beneath ``error``, if that is what happened."""
    return next((cause for cause in _chain(error) if isinstance(cause, ssl.SSLCertVerificationError)), None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    met: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in met:
        met.append(cause)
        yield cause
        cause = cause.__cause__ or cause.__context__


def of_response(response: httpx.Response, *, request: str, mask: Mask, reset: str = "") -> ApiError:
    """The failure that a ``response`` other than 2xx reports. ``reset`` says when the quota comes back."""
    said = reading.of(response.content, mask)
    answer = _answer(response.status_code, said, reset)
    telling = said.message
    if response.is_error and response.content and not said.is_codats:
        telling = NO_CODAT
    return answer.becomes(
        f"{response.status_code}: {answer.says}" + (f": {telling}" if telling else ""),
        fix=answer.fix,
        status=response.status_code,
        correlation_id=said.correlation_id,
        request=request,
        said=telling,
    )


def _answer(status: int, said: Words, reset: str) -> Answer:
    """The meaning of a status that is no success."""
    if status == httpx.codes.TOO_MANY_REQUESTS:
        back = f"; it comes back {reset}" if reset else ""
        return Answer(
            QuotaExhaustedError,
            f"the quota of requests is used up{back}",
            "run again then; what was done stays done",
        )
    known = STATUSES.get(status)
    if said.is_already_queued and not (known and issubclass(known.becomes, RunStoppingError)):
        return ALREADY_SYNCING
    if known:
        return known
    if httpx.codes.is_server_error(status):
        return FAULT if said.is_codats else GATEWAY
    if httpx.codes.is_client_error(status):
        return REJECTED
    return REDIRECT if httpx.codes.is_redirect(status) and status != httpx.codes.NOT_MODIFIED else UNKNOWN
