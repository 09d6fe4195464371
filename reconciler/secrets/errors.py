"""Why a reference has no secret. The texts name references, files and programs, never what those hold."""

from __future__ import annotations

from enum import StrEnum

from reconciler.diagnostics import CodatSyncError, Diagnostic
from reconciler.model import SecretRef


class SecretCode(StrEnum):
    """What can be wrong with a reference when it is resolved."""

    MISSING = "secret-missing"
    RESERVED = "secret-reserved"
    IS_KEY = "secret-is-key"
    UNREADABLE = "secret-unreadable"
    OUTSIDE_ROOT = "secret-outside-root"
    NOT_URL = "secret-not-url"
    NOT_TEXT = "secret-not-text"
    AMBIGUOUS = "secret-ambiguous"
    MANGLED = "secret-mangled"
    SPACE = "secret-space"
    COMMAND = "secret-command"
    PROVIDER = "secret-provider"
    UNKNOWN_SCHEME = "secret-unknown-scheme"


class SecretError(CodatSyncError):
    """A reference cannot be resolved."""


def refused(ref: SecretRef, code: SecretCode, problem: str, fix: str) -> SecretError:
    """The error that names the reference and the place where it stands."""
    return SecretError(Diagnostic(code, f"{ref}: {problem}", fix, ref.span))
