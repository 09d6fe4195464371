"""Why a reference has no secret. No text here holds what a variable or a file contains."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from reconciler.diagnostics import CodatSyncError, Diagnostic
from reconciler.model import SecretRef


class Code(StrEnum):
    """What can be wrong with a reference when it is resolved."""

    MISSING = "secret-missing"
    UNREADABLE = "secret-unreadable"
    OUTSIDE_ROOT = "secret-outside-root"
    NOT_TEXT = "secret-not-text"
    UNKNOWN_SCHEME = "secret-unknown-scheme"


MEANING: Final[Mapping[Code, str]] = {
    Code.MISSING: "The variable, the file or the pointer's target of a reference is not there, or is empty.",
    Code.UNREADABLE: "The file of a reference cannot be read, is no UTF-8 text, or is no JSON.",
    Code.OUTSIDE_ROOT: "The file of a reference lies outside the workspace's root, if need be by a link.",
    Code.NOT_TEXT: "A JSON pointer leads to something that is not text.",
    Code.UNKNOWN_SCHEME: "A reference of a kind that this version does not know.",
}


class SecretError(CodatSyncError):
    """A reference cannot be resolved."""


def refused(ref: SecretRef, code: Code, problem: str, fix: str) -> SecretError:
    """The error that names the reference and the place where it stands."""
    return SecretError(Diagnostic(code, f"{ref}: {problem}", fix, ref.span))
