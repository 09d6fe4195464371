"""What can go wrong between us and Codat, as a tree that callers decide by.

::

    ApiError                    exit 1; every failure of a request
    +-- NoAnswerError           sent, and no whole answer came back: it may have taken effect
    +-- HeldUpError             the look that a write rests on is too old, or a pause came up: not done
    +-- UnreachableError        never sent: no connection could be made (DNS, TLS, refused)
    +-- UnexpectedAnswerError   a read was answered with something that is not Codat's JSON
    +-- ServerFaultError        5xx: it may have taken effect; Codat caches it under the key
    |   +-- GatewayFaultError   5xx in words that are not Codat's: it may never have reached Codat
    +-- StillRunningError       409: the same key is in progress, or the resource is not ready
    +-- KeyReusedError          422: this idempotency key came with another body before
    +-- RejectedError           another 4xx: created nothing
    |   +-- NotFoundError       404
    |   +-- AlreadyQueuedError  DatasetAlreadyInProgressException
    +-- RunStoppingError        nothing further can succeed in this run
        +-- UnauthorizedError   401
        +-- AccountLimitError   402
        +-- ForbiddenError      403
        +-- QuotaExhaustedError 429 with nothing left of the day, or a Retry-After above ten minutes

Any other 429 that passes is waited out beneath the client and never seen here
(https://docs.codat.io/using-the-api/errors).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from reconciler.diagnostics import CodatSyncError, Diagnostic


class ApiCode(StrEnum):
    """What can be wrong with the key, the URL and the way to it. Codes are stable: scripts match them."""

    NO_CREDENTIALS = "no-credentials"
    BAD_CREDENTIALS = "bad-credentials"
    BAD_API_URL = "bad-api-url"
    BAD_CERTIFICATES = "bad-certificates"
    BAD_PROXY = "bad-proxy"
    BAD_KEY_LOG = "bad-key-log"
    READ_ONLY = "read-only"


class ApiError(CodatSyncError):
    """A request that failed. Holds Codat's own words, and never the request's body."""

    code = "api-error"

    def __init__(
        self,
        summary: str,
        *,
        fix: str = "",
        status: int | None = None,
        correlation_id: str = "",
        request: str = "",
        said: str = "",
    ) -> None:
        self.summary = summary
        self.said = said
        """Codat's own words alone, which ``summary`` holds too."""
        self.fix = fix
        self.status = status
        self.correlation_id = correlation_id
        self.request = request
        """Method and path, such as ``POST /companies``."""
        trailer = f" (correlation id {correlation_id})" if correlation_id else ""
        super().__init__(Diagnostic(self.code, summary + trailer, fix=fix, path=request))


class NoAnswerError(ApiError):
    """The request was sent and no whole answer came back: it may or may not have taken effect."""

    code = "no-answer"


class UnreachableError(ApiError):
    """No connection could be made, so nothing was sent."""

    code = "unreachable"


class HeldUpError(ApiError):
    """A write is not done: the look that it rests on is too old, or Codat asks for a pause first.

    After the pause the look would be old too, so the caller looks again; that look waits the pause out.
    A create is held up where Codat may have forgotten its key.
    """

    code = "held-up"


class UnexpectedAnswerError(ApiError):
    """A read was answered with something that is not Codat's JSON: a proxy's page, another shape."""

    code = "unexpected-answer"


class ServerFaultError(ApiError):
    """5xx: it may have taken effect, and the same idempotency key only replays the fault."""

    code = "server-fault"


class GatewayFaultError(ServerFaultError):
    """5xx that is not of Codat's form: from a gateway before it, which Codat may know nothing of."""

    code = "gateway-fault"


class StillRunningError(ApiError):
    """409: the same idempotent request is in progress, or the resource is not ready."""

    code = "still-running"


class KeyReusedError(ApiError):
    """422: the idempotency key came with another body before, so someone was here."""

    code = "key-reused"


class RejectedError(ApiError):
    """A 4xx that is none of the others: nothing was created."""

    code = "rejected"


class NotFoundError(RejectedError):
    """404: there is no such thing, or the platform does not support the data type."""

    code = "not-found"


class AlreadyQueuedError(RejectedError):
    """The data type is being synced already (``DatasetAlreadyInProgressException``)."""

    code = "already-queued"


class RunStoppingError(ApiError):
    """Nothing further can succeed in this run, so the run stops."""

    code = "run-stopped"


class UnauthorizedError(RunStoppingError):
    """401: the key is wrong."""

    code = "unauthorized"


class AccountLimitError(RunStoppingError):
    """402: the account has reached a limit or has expired; never worth a retry."""

    code = "account-limit"


class ForbiddenError(RunStoppingError):
    """403: the key is not entitled to this."""

    code = "forbidden"


class QuotaExhaustedError(RunStoppingError):
    """429 with nothing left of the day's quota, or a wait of more than ten minutes."""

    code = "quota-exhausted"

    @property
    def was_sent(self) -> bool:
        """Whether Codat refused the request; else it was held back, to leave what remains to others."""
        return self.status is not None


ALREADY_QUEUED: Final = "DatasetAlreadyInProgressException"
"""Codat gives no code for it, so this one is told by the start of the message."""
PRODUCT_BUSY: Final = "Data cannot be refreshed while a read operation is in progress"
"""How Codat begins when a product's data is being read already (the API's document)."""


def is_no_custom_product(error: RejectedError) -> bool:
    """Whether Codat says that a product is one of its own, which cannot be refreshed by itself.

    Its text is all that tells (the API's document): "Bank Feeds doesn't support data refreshing".
    """
    return "support data refreshing" in str(error)
