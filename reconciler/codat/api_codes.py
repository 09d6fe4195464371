"""The codes of what keeps us from Codat altogether; those of answers stand on the errors themselves."""

from __future__ import annotations

from enum import StrEnum


class ApiCode(StrEnum):
    """What can be wrong with the key, the URL and the way to it. Codes are stable: scripts match them."""

    NO_CREDENTIALS = "no-credentials"
    BAD_CREDENTIALS = "bad-credentials"
    BAD_API_URL = "bad-api-url"
    BAD_CERTIFICATES = "bad-certificates"
    BAD_PROXY = "bad-proxy"
    BAD_KEY_LOG = "bad-key-log"
    READ_ONLY = "read-only"
