"""The key to the account, from the environment and from nowhere else."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Final

from reconciler.codat.api_codes import ApiCode
from reconciler.diagnostics import CodatSyncError, Diagnostic
from reconciler.model import Secret

KEY: Final = "CODAT_API_KEY"
HEADER: Final = "CODAT_AUTH_HEADER"
HEADER_FORM: Final = re.compile(r"basic +([A-Za-z0-9+/_-]+={0,2})", re.IGNORECASE | re.ASCII)


def credentials(environ: Mapping[str, str]) -> Secret:
    """The value of the ``Authorization`` header (https://docs.codat.io/using-the-api/authentication).

    Codat hands out the raw key and the ready-made header, and people paste either into either: so
    ``CODAT_API_KEY`` may hold the header, known by its ``Basic``. ``CODAT_AUTH_HEADER`` wins where
    both are set, since nothing is left to be encoded in it.

    Raises:
        CodatSyncError: neither is set, or what is set cannot be sent.
    """
    header, key = environ.get(HEADER, "").strip(), environ.get(KEY, "").strip()
    if header:
        return _from_header(header, HEADER)
    if not key:
        raise _unusable(
            ApiCode.NO_CREDENTIALS,
            "no API key is set",
            f"set {KEY} or {HEADER}, or use --sandbox, which needs no account",
        )
    if re.match(r"basic\s", key, re.IGNORECASE):
        return _from_header(key, KEY)
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise _unusable(
            ApiCode.BAD_CREDENTIALS, f"{KEY} holds characters that no key has", "copy the key again"
        )
    return Secret("Basic " + b64encode(key.encode()).decode())


def key_forms(environ: Mapping[str, str]) -> frozenset[str]:
    """The key as it could be handed on by mistake: as it is set, in base64, decoded, and as the header."""
    forms: set[str] = set()
    for written in filter(None, (environ.get(name, "").strip() for name in (KEY, HEADER))):
        found = HEADER_FORM.fullmatch(written)
        encoded = found[1] if found else b64encode(written.encode(errors="surrogateescape")).decode()
        forms |= {written, encoded, f"Basic {encoded}", written if found is None else _decoded(encoded)}
    return frozenset(filter(None, forms))


def _decoded(encoded: str) -> str:
    try:
        return b64decode(encoded, altchars=b"-_" if set(encoded) & set("-_") else None).decode()
    except (Base64Error, UnicodeDecodeError):
        return ""


def _from_header(text: str, variable: str) -> Secret:
    found = HEADER_FORM.fullmatch(text)
    if found is None:
        raise _unusable(
            ApiCode.BAD_CREDENTIALS,
            f"{variable} is not an Authorization header",
            f"it reads 'Basic' and the key in base64, as Codat shows it; the key itself goes into {KEY}",
        )
    return Secret(f"Basic {found[1]}")


def _unusable(code: ApiCode, summary: str, fix: str) -> CodatSyncError:
    return CodatSyncError(Diagnostic(code, summary, fix))
